"""Jobs of Artemis: submit, list, find, watch and change them; results are next door."""

import lazy_loader

# The names and their modules are in __init__.pyi: importing the package imports none.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
