"""Jobs and accounts as values, under their public name, without qnexus and pytket."""

from tkr_nexus_worker.jobs.models import *  # noqa: F403
from tkr_nexus_worker.nexus.models import *  # noqa: F403
