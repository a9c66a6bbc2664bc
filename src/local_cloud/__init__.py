"""What every embedded cloud needs and no cloud differs in; no API and no simulator.

Programs use the names that this package exports; its modules are for the clouds that
are built on it.
"""

from local_cloud.exports import exports

# Nobody pays for more than they use, and pytest imports this in every run.
__getattr__, __dir__, __all__ = exports(__name__, __file__)
