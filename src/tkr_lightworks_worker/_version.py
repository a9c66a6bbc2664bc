"""The version, which all packages of the distribution share."""

from tkr_nexus_worker._version import __version__

__all__ = ["__version__"]
