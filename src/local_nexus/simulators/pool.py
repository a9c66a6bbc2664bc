"""The pool of simulator processes."""

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, Protocol

from local_nexus.simulators.messages import SIGNAL_BASE

logger = logging.getLogger(__name__)

GIB = 2**30

# Each simulator has as many threads as there are cores. By default those of OpenMP wait
# for each other in loops that keep the cores from the simulator beside them.
_WAITS_QUIETLY = {"OMP_WAIT_POLICY": "passive"}


class Request[R](Protocol):
    """What a simulator process takes, with the kind of its outcome."""

    def failed(self, detail: str) -> R:
        """Return the outcome when the process failed because of ``detail``."""
        ...


class Worker:
    """One simulator process, started at once; dead after a crash, a limit or a kill.

    :param time_limit: seconds that one program may take.
    :param memory_limit: bytes of private memory that the process may use.
    :param device_file: devices of a user's own.
    """

    def __init__(
        self, time_limit: float, memory_limit: int, device_file: Path | None
    ) -> None:
        self.alive = True
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._connection, theirs = Pipe()
        life_line, self._life_line = Pipe(duplex=False)
        self._process = subprocess.Popen(
            [
                sys.executable,
                # A file in the working directory must not stand in for a module.
                "-P",
                "-m",
                "local_nexus.simulators.worker",
                str(theirs.fileno()),
                f"--memory-limit={memory_limit}",
                *([] if device_file is None else [f"--device-file={device_file}"]),
            ],
            stdin=life_line.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=_WAITS_QUIETLY | os.environ,
        )
        theirs.close()
        life_line.close()

    def run[R](self, request: Request[R]) -> R:
        """Run one program to its end.

        :returns: its outcome, ``ERROR`` too when the process crashed or took too long.
        """
        try:
            self._connection.send(request)
            if self._connection.poll(self._time_limit):
                outcome: R = self._connection.recv()
                return outcome
        except (EOFError, OSError):
            return request.failed(self._cause_of_death(self.close()))
        self.close()
        return request.failed(
            f"The program took longer than the limit of {self._time_limit:g} s."
        )

    def kill(self) -> None:
        """End the process now; safe while another thread waits in :meth:`run`."""
        self._life_line.close()

    def close(self) -> int:
        """End the process and wait until it is gone.

        :returns: its exit code; above 128 a signal ended the simulator.
        """
        self.alive = False
        self.kill()
        code = self._process.wait()
        self._connection.close()
        return code

    def _cause_of_death(self, code: int) -> str:
        if code > SIGNAL_BASE:
            end = f"was ended by {signal.Signals(code - SIGNAL_BASE).name}"
        else:
            end = f"ended with exit code {code}"
        return (
            f"The simulator process {end} while it ran the program. It may use "
            f"{self._memory_limit / GIB:.3g} GiB of memory; a smaller program may help."
        )


@dataclass
class _Run[R]:
    request: Request[R]
    on_start: Callable[[], None]
    on_done: Callable[[R], None]
    wanted: bool = True
    worker: Worker | None = None


class RunHandle:
    """Cancels one submitted program."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """End the program at once; ``on_done`` is not called for it any more.

        Does nothing when the program has already ended.
        """
        self._cancel()


class SimulatorPool:
    """Runs programs in processes of their own, which stay warm between programs.

    A program that crashes its simulator, or exceeds a limit, ends in ``ERROR``; the
    next one gets a fresh process.

    :param workers: processes at most; as many as this process may use cores by default.
    :param time_limit: seconds that one program may take.
    :param memory_limit: bytes of private memory (``RLIMIT_DATA``) of one process; all
        of the machine's memory by default.
    :param device_file: devices of a user's own, as for
        :func:`local_nexus.simulators.devices.devices`.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        time_limit: float = 3600.0,
        memory_limit: int | None = None,
        device_file: Path | None = None,
    ) -> None:
        self._max_threads = workers or _usable_cores()
        self._time_limit = time_limit
        self._memory_limit = memory_limit or _machine_memory()
        self._device_file = device_file
        self._runs: queue.SimpleQueue[_Run[Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._active: list[_Run[Any]] = []
        self._closed = False
        self._lock = threading.Lock()

    def submit[R](
        self,
        request: Request[R],
        on_start: Callable[[], None],
        on_done: Callable[[R], None],
    ) -> RunHandle:
        """Queue a program; programs start in the order of their submission.

        :param request: a :class:`RunRequest` or a :class:`CompileRequest`.
        :param on_start: called when a simulator process takes the program.
        :param on_done: called once with the outcome, unless the program is cancelled
            or the pool closed before. Both are called from a thread of the pool.
        :returns: a handle that cancels the program.
        :raises RuntimeError: when the pool is closed.
        """
        run = _Run(request, on_start, on_done)
        with self._lock:
            if self._closed:
                raise RuntimeError("The simulator pool is closed.")
            self._runs.put(run)
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._max_threads:
                thread = threading.Thread(target=self._serve, daemon=True)
                self._threads.append(thread)
                thread.start()
        return RunHandle(lambda: self._cancel(run))

    def close(self) -> None:
        """End all processes; programs that run or wait are given up. Idempotent."""
        with self._lock:
            self._closed = True
            for run in self._active:
                self._give_up(run)
            threads, self._threads = self._threads, []
        for _ in threads:
            self._runs.put(None)
        for thread in threads:
            thread.join()

    def _cancel(self, run: _Run[Any]) -> None:
        with self._lock:
            self._give_up(run)

    def _give_up(self, run: _Run[Any]) -> None:
        run.wanted = False
        if run.worker is not None:
            run.worker.kill()

    def _serve(self) -> None:
        """Run programs one after the other on a worker of this thread's own."""
        worker: Worker | None = None
        while (run := self._runs.get()) is not None:
            try:
                if worker is None or not worker.alive:
                    worker = Worker(
                        self._time_limit, self._memory_limit, self._device_file
                    )
                self._run(run, worker)
            except Exception:
                logger.exception(
                    "A program could not be handed to its simulator or back."
                )
            with self._lock:
                self._idle += 1
        if worker is not None:
            worker.close()

    def _run(self, run: _Run[Any], worker: Worker) -> None:
        with self._lock:
            if self._closed or not run.wanted:
                return
            run.worker = worker
            self._active.append(run)
        try:
            run.on_start()
            outcome = worker.run(run.request)
        finally:
            with self._lock:
                run.worker = None
                self._active.remove(run)
                was_killed = not run.wanted
            if was_killed:
                # Its outcome may have come before; the next program needs another one.
                worker.close()
        if run.wanted:
            run.on_done(outcome)


def _usable_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
