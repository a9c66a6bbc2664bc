"""An embedded Nexus: a server that speaks the Nexus HTTP API on this machine.

Its public interface is what this package exports; its modules are for itself alone.
Type checkers read ``__init__.pyi``.
"""

from local_cloud.exports import exports

# Every run of pytest imports this package, for the plugin, as does every simulator
# process; neither should pay for the client side of the server.
__getattr__, __dir__, __all__ = exports(__name__, __file__)
