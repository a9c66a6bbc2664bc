"""Run the Python of pages, each by itself; used by the tests.

Usage: run_pages.py FILE…, with the code of a page in each file. It prints a JSON object
from each file to what it printed, with the traceback if it failed.
"""

import io
import json
import runpy
import sys
import traceback
from contextlib import redirect_stdout


def run(file: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        try:
            # Not as the main program: the code of a worker would start it.
            runpy.run_path(file, run_name="page")
        except BaseException:  # noqa: BLE001 - reported to the test
            traceback.print_exc(file=printed)
    return printed.getvalue()


if __name__ == "__main__":
    print(json.dumps({file: run(file) for file in sys.argv[1:]}))
