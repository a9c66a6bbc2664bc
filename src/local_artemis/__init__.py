"""An embedded Artemis: a scheduler of photonic jobs, with its API, on this machine.

Its public interface is what this package exports; its modules are for itself alone.
Type checkers read ``__init__.pyi``.
"""

_MODULES = {
    "ARTEMIS": "local_artemis.cloud",
    "ActiveFault": "local_cloud",
    "Fault": "local_cloud",
    "LocalArtemis": "local_artemis.server",
    "Noise": "local_artemis.engines",
    "Progress": "local_cloud",
    "ProgressRule": "local_cloud",
    "Request": "local_cloud",
}

__all__ = [*_MODULES]  # noqa: PLE0604 (names all the same)


def __getattr__(name: str) -> object:
    # Every run of pytest imports this package, for the plugin, as does every process
    # of the engines; neither should pay for the client side of the server.
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
