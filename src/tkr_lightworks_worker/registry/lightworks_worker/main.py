"""Start the worker from the installation that this folder belongs to.

UvExecutor runs this file with whatever Python uv takes for a folder without
dependencies, so it keeps to the standard library and to Python 3.8.
"""

import os
import sys

EXECUTABLE = "tkr_lightworks_worker"


def find_executable() -> "str | None":
    """Return the executable of the worker, or None.

    An installation has it in ``bin`` above this file; a source checkout in its
    ``.venv``, or in an environment that stands on the PATH.
    """
    import shutil
    from pathlib import Path

    for folder in Path(__file__).resolve().parents:
        for environment in (folder, folder / ".venv"):
            executable = environment / "bin" / EXECUTABLE
            if os.access(executable, os.X_OK):
                return str(executable)
    return shutil.which(EXECUTABLE)


def main() -> "int | str":
    """Run the worker in this interpreter if it is installed there, else hand over."""
    try:
        from tkr_lightworks_worker.main import main as run_worker
    except ModuleNotFoundError as error:
        if error.name != EXECUTABLE:
            raise
    else:
        return run_worker()
    executable = find_executable()
    if executable is None:
        return (
            f"artemis: the executable {EXECUTABLE} was not found above {__file__} nor "
            "on the PATH; use the executor that "
            "tkr_lightworks_worker.uv_executor(storage) returns."
        )
    return os.execv(executable, [executable, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
else:  # InMemoryExecutor imports this file where the executable is not on the PATH.
    from tkr_lightworks_worker.tasks import worker  # noqa: F401
