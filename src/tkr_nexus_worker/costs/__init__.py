"""What jobs cost: estimates before they are submitted, limits, and budgets.

What a budget is in every cloud is in ``tkr_runtime.jobs``. The names and their modules
are in ``__init__.pyi``; importing the package imports neither qnexus nor pytket.
"""

from tkr_runtime import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
