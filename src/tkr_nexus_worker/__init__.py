"""Run quantum jobs on Quantinuum Nexus from Tierkreis workflows.

The graphs are in :mod:`tkr_nexus_worker.graphs`, the stubs of the worker's tasks in
:mod:`tkr_nexus_worker.stubs`. Importing this package imports none of its modules, nor
tierkreis, qnexus or pytket: the executable starts once for every task. Type checkers
read ``__init__.pyi``.
"""

from tkr_runtime import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
