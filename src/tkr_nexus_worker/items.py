"""What became of programs, at the place where earlier versions had it."""

from tkr_nexus_worker.jobs.items import *  # noqa: F403
