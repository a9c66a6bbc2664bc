"""Histograms, at the place where earlier versions had them."""

from tkr_nexus_worker.results.plots import *  # noqa: F403
