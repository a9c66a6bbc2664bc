"""One process of a pool, as the pool sees it."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from multiprocessing import Pipe
from pathlib import Path
from typing import Protocol

from local_cloud.pool.worker import SIGNAL_BASE

logger = logging.getLogger(__name__)

GIB = 2**30

# A simulator has as many threads as there are cores. By default those of OpenMP wait
# for each other in loops that keep the cores from the simulator beside them.
_WAITS_QUIETLY = {"OMP_WAIT_POLICY": "passive"}

_KEPT_VARIABLES = {
    "DYLD_LIBRARY_PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
    "ZIG_GLOBAL_CACHE_DIR",
    "ZIG_LOCAL_CACHE_DIR",
}
"""Environment variables of simulators, by their exact names: any other could hold a
secret, which programs must not find."""

_LAST_WORDS = 4096
"""Bytes of what a process wrote last, in which its cause of death is looked for."""
_NO_MEMORY = ("bad_alloc", "Cannot allocate memory", "out of memory", "MemoryError")
_ABORTED = "terminate called after throwing an instance of"


def environment() -> dict[str, str]:
    """Return the environment of a process that handles programs: no secrets."""
    kept = os.environ.keys() & _KEPT_VARIABLES
    return _WAITS_QUIETLY | {name: os.environ[name] for name in sorted(kept)}


@cache
def _warn_of(gap: str) -> None:
    """Log once what programs could do to this machine."""
    logger.warning(
        "Programs run as your user, and one that finds a gap in the checks could %s. "
        "Let only people whom you trust log in.",
        gap,
    )


class Request[R](Protocol):
    """What a process takes, with the kind of its outcome."""

    def failed(self, detail: str) -> R:
        """Return the outcome when the process failed because of ``detail``."""
        ...


class Child:
    """A process, started at once; dead after a crash, a limit or a kill.

    :param handler: ``module:function`` that makes the outcome of a request.
    :param arguments: What the function takes after the request.
    :param time_limit: Seconds that one request may take.
    :param memory_limit: Bytes of private memory that the process may use.
    :param private: Files and folders that it must not read.
    """

    def __init__(
        self,
        handler: str,
        arguments: tuple[str, ...],
        time_limit: float,
        memory_limit: int,
        private: Sequence[Path] = (),
    ) -> None:
        self.alive = True
        self._has_begun = False
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._connection, theirs = Pipe()
        life_line, self._life_line = Pipe(duplex=False)
        self._written = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [
                sys.executable,
                # A file in the working directory must not stand in for a module.
                "-P",
                "-m",
                f"{__package__}.worker",
                str(theirs.fileno()),
                str(memory_limit),
                *(f"--private={path.absolute()}" for path in private),
                handler,
                *arguments,
            ],
            stdin=life_line.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self._written,
            pass_fds=[theirs.fileno()],
            env=environment(),
        )
        theirs.close()
        life_line.close()

    def run[R](self, request: Request[R]) -> R:
        """Run one request to its end.

        :returns: Its outcome, also when the process crashed or took too long.
        """
        try:
            self._written.truncate(0)
            self._connection.send(request)
            if self._begin() and self._connection.poll(self._time_limit):
                outcome: R = self._connection.recv()
                return outcome
        except (EOFError, OSError):
            return request.failed(self._cause_of_death())
        self.close()
        return request.failed(
            f"The program took longer than the limit of {self._time_limit:g} s."
        )

    def _begin(self) -> bool:
        """Wait until the process can take requests, and note what it cannot do."""
        if not self._has_begun and self._connection.poll(self._time_limit):
            self._has_begun = True
            for gap in self._connection.recv():
                _warn_of(gap)
        return self._has_begun

    def kill(self) -> None:
        """End the process now; safe while another thread waits in :meth:`run`."""
        self._life_line.close()

    def close(self) -> int:
        """End the process and wait until it is gone.

        :returns: Its exit code; above 128 a signal ended it.
        """
        self.alive = False
        self.kill()
        code = self._process.wait()
        self._connection.close()
        self._written.close()
        return code

    def _cause_of_death(self) -> str:
        """Return how the process ended, and why as far as it said so itself."""
        code = self._process.wait()
        size = self._written.seek(0, os.SEEK_END)
        self._written.seek(max(0, size - _LAST_WORDS))
        written = self._written.read().decode(errors="replace")
        self.close()
        if code > SIGNAL_BASE:
            end = f"was ended by {signal.Signals(code - SIGNAL_BASE).name}"
        else:
            end = f"ended with exit code {code}"
        sentence = f"The simulator process {end} while it ran the program."
        if any(sign in written for sign in _NO_MEMORY):
            allowed = f"{self._memory_limit / GIB:.3g} GiB"
            return (
                f"{sentence} It needed more memory than the {allowed} that it may use: "
                "make the program smaller."
            )
        if _ABORTED in written:
            words = " ".join(written[written.rindex(_ABORTED) :].split())
            return f"{sentence} It wrote: {words}"
        return f"{sentence} It did not say why."
