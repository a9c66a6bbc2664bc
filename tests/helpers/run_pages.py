"""Run the Python of pages, each by itself; used by the tests.

It reads an object from the name of a page to its code as JSON from standard input, and
prints one from the name to what the page printed, with the traceback if it failed.
"""

import io
import json
import sys
import traceback
from contextlib import redirect_stdout


def run(page: str, code: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        try:
            exec(compile(code, page, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own pages
        except BaseException:  # noqa: BLE001 - reported to the test
            traceback.print_exc(file=printed)
    return printed.getvalue()


if __name__ == "__main__":
    pages = json.load(sys.stdin)
    print(json.dumps({page: run(page, code) for page, code in pages.items()}))
