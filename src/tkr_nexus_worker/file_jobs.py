"""Jobs of programs in files, at the place where earlier versions had them."""

from tkr_nexus_worker.program_files.jobs import *  # noqa: F403
