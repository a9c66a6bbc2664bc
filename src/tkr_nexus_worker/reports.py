"""What is known of jobs, at the place where earlier versions had it."""

from tkr_nexus_worker.jobs.models import *  # noqa: F403
