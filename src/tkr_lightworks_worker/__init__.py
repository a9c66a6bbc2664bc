"""Run photonic jobs of Lightworks on Artemis from Tierkreis workflows.

The graphs are in :mod:`tkr_lightworks_worker.graphs`, the stubs of the worker's tasks
in :mod:`tkr_lightworks_worker.stubs`. Importing this package imports none of its
modules, and none of its modules needs Lightworks to be imported. Type checkers read
``__init__.pyi``.
"""

from tkr_lightworks_worker._version import __version__ as __version__

_MODULES = {
    "ArtemisRefusedError": "tkr_lightworks_worker.errors",
    "ArtemisUnavailableError": "tkr_lightworks_worker.errors",
    "LightworksWorkerError": "tkr_lightworks_worker.errors",
    "REGISTRY_PATH": "tkr_lightworks_worker.executors",
    "SamplerSpec": "tkr_lightworks_worker.samplers",
    "SamplingResult": "tkr_lightworks_worker.results",
    "SetupError": "tkr_lightworks_worker.errors",
    "SubmissionUnclearError": "tkr_lightworks_worker.errors",
    "TokenError": "tkr_lightworks_worker.errors",
    "uv_executor": "tkr_lightworks_worker.executors",
}

__all__ = ["__version__", *_MODULES]  # noqa: PLE0604 (names all the same)


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
