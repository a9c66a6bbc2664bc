"""Results of jobs: fetch them, count outcomes, keep them in files, plot them."""

from tkr_runtime import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
