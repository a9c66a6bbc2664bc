"""A pool of processes that run programs."""

import contextlib
import errno
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.pool.child import Child, Request

logger = logging.getLogger(__name__)

_LEAST_MEMORY = 2 * 2**30
"""Bytes without which simulators hardly start; much of it is only reserved."""
_PAUSE = 1.0
"""Seconds between two attempts to tell the owner of a program about it."""


@dataclass
class _Run[R]:
    request: Request[R]
    on_start: Callable[[], None]
    on_done: Callable[[R], None]
    wanted: bool = True
    child: Child | None = None


class RunHandle:
    """Cancels one submitted program."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """End the program at once; ``on_done`` is not called for it any more.

        Does nothing when the program has already ended.
        """
        self._cancel()


class ProcessPool:
    """Runs programs in processes of their own, which stay warm between programs.

    A program that crashes its process, or exceeds a limit, fails; the next one gets a
    fresh process.

    :param handler: ``module:function`` that makes the outcome of a request. Only the
        processes import it.
    :param arguments: What the function takes after the request.
    :param workers: Processes at most; as many as this process may use cores by default.
    :param time_limit: Seconds that one program may take.
    :param memory_limit: Bytes of private memory (``RLIMIT_DATA``) of one process; its
        share of the memory that is available by default.
    :param private: Files and folders that programs must not read, beside those of
        people, such as the directory of the server.
    """

    def __init__(
        self,
        handler: str,
        *arguments: str,
        workers: int | None = None,
        time_limit: float = 3600.0,
        memory_limit: int | None = None,
        private: Sequence[Path] = (),
    ) -> None:
        self._handler = handler
        self._private = private
        self._arguments = arguments
        self._max_threads = workers or _usable_cores()
        self._time_limit = time_limit
        self._memory_limit = memory_limit or _share_of_memory(self._max_threads)
        self._runs: queue.SimpleQueue[_Run[Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._active: list[_Run[Any]] = []
        self._closed = False
        self._ending = threading.Event()
        self._lock = threading.Lock()

    def submit[R](
        self,
        request: Request[R],
        on_start: Callable[[], None],
        on_done: Callable[[R], None],
    ) -> RunHandle:
        """Queue a program; programs start in the order of their submission.

        :param request: What the handler takes; picklable.
        :param on_start: Called when a process takes the program.
        :param on_done: Called once with the outcome, unless the program is cancelled
            or the pool closed before. Both are called from a thread of the pool, again
            and again while they raise an ``OSError`` that says that a disk is full.
        :returns: A handle that cancels the program.
        :raises RuntimeError: When the pool is closed.
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
            self._ending.set()
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
        if run.child is not None:
            run.child.kill()

    def _serve(self) -> None:
        """Run programs one after the other on a process of this thread's own."""
        child: Child | None = None
        while (run := self._runs.get()) is not None:
            try:
                if child is None or not child.alive:
                    child = Child(
                        self._handler,
                        self._arguments,
                        self._time_limit,
                        self._memory_limit,
                        self._private,
                    )
                self._run(run, child)
            except Exception:
                logger.exception(
                    "A program could not be handed to its process or back."
                )
            with self._lock:
                self._idle += 1
        if child is not None:
            child.close()

    def _run(self, run: _Run[Any], child: Child) -> None:
        with self._lock:
            if self._closed or not run.wanted:
                return
            run.child = child
            self._active.append(run)
        try:
            self._tell(run, run.on_start)
            outcome = child.run(run.request)
        finally:
            with self._lock:
                run.child = None
                self._active.remove(run)
                was_killed = not run.wanted
            if was_killed:
                # Its outcome may have come before; the next program needs another one.
                child.close()
        self._tell(run, lambda: run.on_done(outcome))

    def _tell(self, run: _Run[Any], tell: Callable[[], None]) -> None:
        """Tell the owner of a program what happened, again while its disk is full."""
        is_logged = False
        while run.wanted:
            try:
                tell()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                if not is_logged:
                    logger.error(  # noqa: TRY400 - the error has no more to say
                        "A program waits until there is room on the disk: %s", error
                    )
                is_logged = True
                if self._ending.wait(_PAUSE):
                    return
            else:
                return


def _usable_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share_of_memory(processes: int) -> int:
    """Return the bytes that each of some processes may use."""
    return max(_available_memory() // processes, _LEAST_MEMORY)


def _available_memory() -> int:
    """Return the bytes that this machine, or the container, has to spare."""
    page = os.sysconf("SC_PAGE_SIZE")
    found = [page * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = [line for line in lines if line.startswith("MemAvailable:")]
        found += [1024 * int(line.split()[1]) for line in available]
    with contextlib.suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found)
