"""The executable ``tkr_lightworks_worker``, which Tierkreis starts for every task."""

import sys

from tkr_runtime.tasks import program

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    from tkr_runtime.cloud import Cloud


def main() -> int:
    """Run the worker for Artemis.

    :returns: The exit code: 0, or 1 if the task failed.
    """
    return program.main("tkr_lightworks_worker", "TKR_LIGHTWORKS_", _load_cloud)


def _load_cloud() -> "Cloud":
    from tkr_lightworks_worker.cloud import LIGHTWORKS

    return LIGHTWORKS


if __name__ == "__main__":
    sys.exit(main())
