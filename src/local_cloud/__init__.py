"""What every embedded cloud needs and no cloud differs in; no API and no simulator.

Programs use the names that this package exports; its modules are for the clouds that
are built on it.
"""

import lazy_loader

# The names and their modules are in __init__.pyi: nobody pays for more than they use,
# and pytest imports this in every run.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
