"""Jobs of Nexus: submit, list, find, watch and change them; results are next door."""

from tkr_runtime import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
