"""Run photonic jobs of Lightworks on Artemis from Tierkreis workflows.

The graphs are in :mod:`tkr_lightworks_worker.graphs`, the stubs of the worker's tasks
in :mod:`tkr_lightworks_worker.stubs`. Importing this package imports none of its
modules, and none of its modules needs Lightworks to be imported. Type checkers read
``__init__.pyi``.
"""

from tkr_runtime import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
