"""The executable ``tkr_nexus_worker``, which Tierkreis starts for every task."""

import sys

from tkr_runtime.tasks import program

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    from tkr_runtime.cloud import Cloud


def main() -> int:
    """Run the worker for Nexus.

    :returns: The exit code: 0, or 1 if the task failed.
    """
    return program.main("tkr_nexus_worker", "TKR_NEXUS_", _load_cloud)


def _load_cloud() -> "Cloud":
    from tkr_nexus_worker.cloud import NEXUS

    return NEXUS


if __name__ == "__main__":
    sys.exit(main())
