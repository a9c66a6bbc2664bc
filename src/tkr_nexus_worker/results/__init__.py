"""Results of jobs: fetch them, count outcomes, keep them in files, plot them."""

import lazy_loader

# The names and their modules are in __init__.pyi: importing the package imports none.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
