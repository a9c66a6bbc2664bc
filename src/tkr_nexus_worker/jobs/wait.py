"""Wait for a job, for days if it must be, and tell how it goes."""

import asyncio
import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import httpx
from anyio.from_thread import start_blocking_portal
from qnexus.config import CONFIG
from qnexus.models.references import ExecuteJobRef
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    WaitTimeoutError,
)
from tkr_nexus_worker.jobs.duplicates import settle_duplicates
from tkr_nexus_worker.jobs.find import resolve_job
from tkr_nexus_worker.jobs.models import JobStatusReport, WaitProgress
from tkr_nexus_worker.jobs.status import (
    JOBS_PATH,
    JobStatus,
    await_status,
    describe,
    failure_message,
    status_report,
)
from tkr_nexus_worker.nexus.client import client, limits
from tkr_nexus_worker.nexus.login import ACCESS_COOKIE, SharedLogin
from tkr_nexus_worker.nexus.states import Phase
from tkr_runtime.tasks import concurrency

logger = logging.getLogger(__name__)
# At DEBUG the library logs the headers of a handshake, the token among them.
_websocket_logger = logging.getLogger(f"{__name__}.websocket")
_websocket_logger.setLevel(logging.WARNING)

A_WEEK = 7 * 24 * 3600.0
"""For how long a job is waited for by default, in seconds."""

_FIRST_PAUSE = 0.5
_PAUSES_GROW_BY = 1.5
_WEBSOCKET_PAUSE = 60.0
_CLOSE_TIMEOUT = 1.0
_PLACES_REMEMBERED = 50


def wait_until_complete(
    job: ExecuteJobRef | str,
    *,
    timeout: float = A_WEEK,
    poll_interval: float = 30.0,
    allow_failed: bool = False,
    use_websocket: bool = True,
    on_progress: Callable[[WaitProgress], None] = lambda _progress: None,
) -> JobStatusReport:
    """Wait until a job has ended.

    Nexus tells changes by a websocket where it can; after each silence of
    ``poll_interval``, and where there is no websocket, its status is asked for. Outages
    and expired logins are waited for within the limits of time.

    :param job: The job, or its id, the start of its id, or its name.
    :param timeout: For how long to wait at most, in seconds.
    :param poll_interval: The longest time between two looks at the job, in seconds; the
        first come sooner after each other.
    :param allow_failed: Whether to return also if it ended without all its results.
    :param use_websocket: Whether to try a websocket at all.
    :param on_progress: Called with every status that is seen.
    :returns: The status in which it ended.
    :raises InvalidInputError: If a time is not above 0.
    :raises WaitTimeoutError: If it has not ended in that time; it goes on.
    :raises JobFailedError: If it ended badly, unless that is allowed.
    :raises NexusWorkerError: If there is no such job, or Nexus does not tell.
    """
    for name, seconds in (("timeout", timeout), ("poll_interval", poll_interval)):
        if not 0.0 < seconds < math.inf:
            raise InvalidInputError(
                f"The {name} is {seconds!r}; give a number of seconds above 0."
            )
    ref = resolve_job(job)
    concurrency.release_slot()
    started = time.monotonic()
    wait = _Wait(ref, started + timeout, poll_interval, use_websocket=use_websocket)
    pace = QueuePace()
    for status in wait.statuses():
        settle_duplicates(ref, status)
        now = time.monotonic()
        pace.add(status.queue_position, now)
        report = status_report(ref, status)
        on_progress(
            WaitProgress(
                status=report,
                waited_seconds=now - started,
                starts_in_seconds=pace.seconds_to_start(now),
            )
        )
        if status.state.phase is Phase.FAILED and not allow_failed:
            raise JobFailedError(failure_message(ref, status))
        if status.state.is_final:
            return report
    raise WaitTimeoutError(
        f"The {describe(ref)} has not ended within {timeout:g} seconds: it "
        f"{status.state.meaning} ({status.state.name}). It goes on; wait for it again."
    )


class QueuePace:
    """Estimates when a job leaves the queue, from how its place has changed."""

    def __init__(self) -> None:
        self._places: deque[tuple[float, int]] = deque(maxlen=_PLACES_REMEMBERED)

    def add(self, position: int | None, moment: float) -> None:
        """Note the place of the job.

        :param position: Its place, from 1; None where it is not in the queue.
        :param moment: When it had that place, in seconds of any clock.
        """
        if position is None or (self._places and position > self._places[-1][1]):
            # Somebody was put before it: the pace until then says nothing.
            self._places.clear()
        if position is None:
            return
        if not self._places or position != self._places[-1][1]:
            self._places.append((moment, position))

    def seconds_to_start(self, now: float) -> float | None:
        """Return in how many seconds it is its turn; None where that is not known.

        :param now: The current time of the same clock.
        """
        if len(self._places) < 2:
            return None
        (first, before), (last, position) = self._places[0], self._places[-1]
        seconds_per_place = (last - first) / (before - position)
        return max(0.0, position * seconds_per_place - (now - last))


class _Wait:
    """The statuses of a job until it has ended or the time is over."""

    def __init__(
        self,
        job: ExecuteJobRef,
        deadline: float,
        poll_interval: float,
        *,
        use_websocket: bool,
    ) -> None:
        self._job = job
        self._deadline = deadline
        self._poll_interval = poll_interval
        self._next_websocket = 0.0 if use_websocket else math.inf

    def statuses(self) -> Iterator[JobStatus]:
        """Give each status that is seen; the last is final unless the time is over."""
        pause, state = 0.0, None
        while True:
            status = self._ask()
            yield status
            if status.state.is_final or self._left() <= 0.0:
                return
            has_ended = yield from self._listen()
            if has_ended:
                continue
            # What changes is looked at more often than what stays as it is.
            changed = status.state != state
            pause, state = _FIRST_PAUSE if changed else pause, status.state
            pause = min(pause * _PAUSES_GROW_BY, self._poll_interval)
            time.sleep(max(0.0, min(pause, self._left())))

    def _listen(self) -> Generator[JobStatus, None, bool]:
        """Give what a websocket tells until it closes, the final status excepted.

        :returns: Whether the job has ended; its status is then asked for once more,
            because a request tells all of it.
        """
        if time.monotonic() < self._next_websocket:
            return False
        self._next_websocket = time.monotonic() + _WEBSOCKET_PAUSE
        try:
            with closing(self._told()) as told:
                for status in told:
                    known = status or self._ask()
                    if known.state.is_final:
                        return True
                    yield known
        # ImportError: a proxy of a kind for which a further package is missing.
        except (OSError, WebSocketException, ValueError, ImportError) as error:
            logger.debug("nexus: no websocket for %s (%s)", describe(self._job), error)
        return False

    def _told(self) -> Generator[JobStatus | None]:
        """Give what a websocket tells, and None after each silence."""
        address = f"{CONFIG.websockets_url}{JOBS_PATH}/{self._job.id}"
        login = client().auth
        token = login.access_token if isinstance(login, SharedLogin) else None
        trust = None
        if CONFIG.websockets_protocol == "wss":
            trust = httpx.create_ssl_context(verify=CONFIG.httpx_verify)
        connection = connect(
            f"{address}/attributes/status/ws",
            ssl=trust,
            additional_headers={"Cookie": f"{ACCESS_COOKIE}={token}"},
            open_timeout=min(limits().connect_timeout, self._left()),
            close_timeout=_CLOSE_TIMEOUT,
            logger=_websocket_logger,
        )
        # The library's client without asyncio reads and writes in two threads at once,
        # with which OpenSSL loses one handshake in a few hundred.
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(connection) as websocket,
        ):
            while self._left() > 0.0:
                silence = min(self._poll_interval, self._left())
                try:
                    message = portal.call(_receive, websocket, silence)
                except TimeoutError:
                    yield None
                    continue
                yield JobStatus.from_dict(json.loads(message))

    def _ask(self) -> JobStatus:
        return await_status(self._job, patience=max(self._left(), 1.0))

    def _left(self) -> float:
        return self._deadline - time.monotonic()


async def _receive(websocket: ClientConnection, timeout: float) -> str | bytes:
    return await asyncio.wait_for(websocket.recv(), timeout)
