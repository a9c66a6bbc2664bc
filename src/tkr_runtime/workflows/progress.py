"""Progress of a workflow for a person, at a terminal or in the log of a command.

Workers report what they do in lines with the prefix of their cloud, as in ``cloud:
…``. Executors copy these lines to the log of the workflow, which this module follows.
"""

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.patience import is_interactive
from tkr_runtime.workflows.failures import report_prefixes

_POLL_SECONDS = 0.2


@contextmanager
def show_progress(storage: ControllerStorage) -> Generator[None]:
    """Show what workers report while the body runs, on stderr.

    A command shows it everywhere, as plain lines where stderr is no terminal; a program
    only at a terminal.

    :param storage: The storage of the workflow.
    """
    if not (sys.stderr.isatty() or is_interactive()):
        yield
        return
    stopped = threading.Event()
    # The log of a resumed workflow begins with reports that were shown before.
    log_path = storage.logs_path
    position = log_path.stat().st_size if log_path.exists() else 0
    with _shown() as show:
        follower = threading.Thread(
            target=_follow, args=(log_path, position, show, stopped)
        )
        follower.start()
        try:
            yield
        finally:
            stopped.set()
            follower.join()


@contextmanager
def _shown() -> Generator[Callable[[str], None]]:
    """Yield a function that shows a report."""
    if not sys.stderr.isatty():
        yield lambda report: print(report, file=sys.stderr, flush=True)
        return
    console = Console(stderr=True)
    with console.status("starting") as status:

        def show(report: str) -> None:
            console.print(report, highlight=False, markup=False)
            status.update("waiting")

        yield show


def _follow(
    log_path: Path,
    position: int,
    show: Callable[[str], None],
    stopped: threading.Event,
) -> None:
    """Print each new report; one that repeats the last is not printed again."""
    last = ""
    prefixes = report_prefixes()
    while True:
        is_last = stopped.wait(_POLL_SECONDS)
        lines, position = _new_lines(log_path, position)
        for line in lines:
            if line.startswith(prefixes) and line != last:
                last = line
                show(line.partition(": ")[2])
        if is_last:
            return


def _new_lines(log_path: Path, position: int) -> tuple[list[str], int]:
    """Read the whole lines after a position; return them and the next position."""
    if not log_path.exists():
        return [], position
    with log_path.open("rb") as file:
        file.seek(position)
        content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    return whole.decode(errors="replace").splitlines(), position + len(whole)
