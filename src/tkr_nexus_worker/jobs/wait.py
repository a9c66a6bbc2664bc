"""Wait for a job, for days if necessary, and report its progress."""

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any, cast

import httpx
from anyio.from_thread import start_blocking_portal
from qnexus.config import CONFIG
from qnexus.models.references import JobRef
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tkr_nexus_worker.errors import (
    JobFailedError,
    NexusUnavailableError,
    WaitTimeoutError,
)
from tkr_nexus_worker.jobs.duplicates import settle_budgets, settle_duplicates
from tkr_nexus_worker.jobs.find import get_job_details, resolve_job
from tkr_nexus_worker.jobs.models import Job, JobStatus, WaitProgress
from tkr_nexus_worker.jobs.payload import with_names_of_failed
from tkr_nexus_worker.jobs.status import (
    JOBS_PATH,
    await_status,
    describe,
    failure_message,
    name_duplicates,
    read_status,
)
from tkr_nexus_worker.nexus.client import client, limits
from tkr_nexus_worker.nexus.login import ACCESS_COOKIE, SharedLogin
from tkr_nexus_worker.nexus.states import Phase
from tkr_runtime.jobs import waits
from tkr_runtime.tasks import concurrency

logger = logging.getLogger(__name__)
# At DEBUG the library logs the headers of a handshake, the token among them.
_websocket_logger = logging.getLogger(f"{__name__}.websocket")
_websocket_logger.setLevel(logging.WARNING)

A_WEEK = waits.A_WEEK
"""The default time to wait for a job, in seconds."""

_WEBSOCKET_PAUSE = 60.0
_CLOSE_TIMEOUT = 1.0


def is_running(job: JobRef | str) -> bool:
    """Return whether a job still waits or runs.

    A job may wait for days: during an outage of Nexus, and after the login has expired,
    this waits as well.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: False once the job has completed, True before.
    :raises JobFailedError: If the job ended in any other way; it names each failed item
        with its reason.
    :raises NexusUnavailableError: If the outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus refuses.
    """
    ref = resolve_job(job)
    status = await_status(ref)
    settle_duplicates(ref, status)
    raise_if_failed(ref, status)
    return status.phase is Phase.WAITING


def check_job_complete(job: JobRef | str) -> bool:
    """Return whether a job has completed, so that it has all its results.

    It waits during outages, and for a new login, as :func:`is_running` does.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: True once the job has completed, False while it waits or runs.
    :raises JobFailedError: If the job ended in any other way.
    :raises NexusWorkerError: If there is no such job, or Nexus does not answer.
    """
    return not is_running(job)


def is_unfinished(job: JobRef) -> bool:
    """Return whether a job still waits or runs, without an error where it failed.

    It waits during outages, and for a new login, as :func:`is_running` does.

    :param job: The job.
    :returns: False once the job has ended in any way; True before.
    :raises NexusUnavailableError: If the outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus refuses.
    """
    status = await_status(job)
    settle_duplicates(job, status)
    return status.phase is Phase.WAITING


def raise_if_failed(job: JobRef, status: JobStatus) -> None:
    """Raise an error if a job failed.

    :param job: The job.
    :param status: The status of the job.
    :raises JobFailedError: If the job failed; it names each failed item with its
        reason.
    :raises NexusWorkerError: If Nexus refuses.
    """
    if status.phase is not Phase.FAILED:
        return
    # Without an answer, the message is about the job as a whole.
    with suppress(NexusUnavailableError):
        found = get_job_details(job)
        settle_budgets(found.description, found)
        if found.phase is Phase.FAILED:
            status = with_names_of_failed(found)
    message = failure_message(status)
    if not isinstance(status, Job):
        message += name_duplicates(job.annotations.description)
    raise JobFailedError(message)


def wait_for_change(job: JobRef, polling_interval: float, known: str = "") -> JobStatus:
    """Wait until a job has ended or its status has changed, an hour at most.

    Each pass of a loop of Tierkreis costs files, a process and time of the controller;
    with this, a loop takes one pass for each change instead of one for each request.

    The first requests follow each other quickly, so that a short job does not wait for
    the interval; then the pauses double up to it. It waits during outages, and for a
    new login. In the first 50 passes of a loop a new queue position counts as a change;
    later only a new state does, so that a long queue does not fill the disk.

    :param job: The job.
    :param polling_interval: The longest time between two requests, in seconds.
    :param known: The status that the caller knows, as :attr:`JobStatus.summary` gives
        it; empty if none, so that the first answer is a change.
    :returns: The status of the job.
    :raises InvalidInputError: If the interval is not above 0.
    :raises NexusUnavailableError: If an outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus refuses.
    """

    def look() -> JobStatus:
        status = await_status(job)
        settle_duplicates(job, status)
        return status

    def is_end(status: JobStatus) -> bool:
        if status.is_final:
            return True
        if waits.positions_count():
            return status.summary != known
        return status.state.name != known.partition(",")[0]

    return waits.wait_for_change(look, is_end, polling_interval)


def wait_until_complete(
    job: JobRef | str,
    *,
    timeout: float = A_WEEK,
    poll_interval: float = 30.0,
    allow_failed: bool = False,
    use_websocket: bool = True,
    on_progress: Callable[[WaitProgress], None] = lambda _progress: None,
) -> JobStatus:
    """Wait until a job has ended.

    Nexus reports changes by a websocket where it can; after each silence of
    ``poll_interval``, and where there is no websocket, the status is requested. It
    waits during outages, and for a new login, within the time limits.

    :param job: The job, or its id, the start of its id, or its name.
    :param timeout: The longest time to wait, in seconds.
    :param poll_interval: The longest time between two requests, in seconds; the first
        follow each other more quickly.
    :param allow_failed: Whether to return also if the job failed.
    :param use_websocket: Whether to try a websocket at all.
    :param on_progress: Called with every status that arrives.
    :returns: The final status.
    :raises InvalidInputError: If a time is not above 0.
    :raises WaitTimeoutError: If the job has not ended in that time; it continues.
    :raises JobFailedError: If the job failed, unless that is allowed; it names each
        failed item with its reason.
    :raises NexusWorkerError: If there is no such job, or Nexus does not answer.
    """
    waits.check_seconds("timeout", timeout)
    waits.check_seconds("poll_interval", poll_interval)
    ref = resolve_job(job)
    concurrency.release_slot()
    started = time.monotonic()
    wait = _Wait(ref, started + timeout, poll_interval, use_websocket=use_websocket)
    queue_speed = waits.QueueSpeed()
    for status in wait.statuses():
        settle_duplicates(ref, status)
        now = time.monotonic()
        queue_speed.add(status.queue_position, now)
        on_progress(
            WaitProgress(
                status=status,
                waited_seconds=now - started,
                starts_in_seconds=queue_speed.seconds_to_start(now),
            )
        )
        if not allow_failed:
            raise_if_failed(ref, status)
        if status.is_final:
            return status
    raise WaitTimeoutError(
        f"The {describe(ref)} has not ended within {timeout:g} seconds: it "
        f"{status.state.meaning} ({status.state.name}). It continues; wait for it "
        "again."
    )


class _Wait:
    """The statuses of a job until it has ended or the time has run out."""

    def __init__(
        self,
        job: JobRef,
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
        """Yield each status that arrives; the last is final unless time ran out."""
        pauses = waits.Pauses(self._poll_interval)
        while True:
            status = self._request()
            yield status
            if status.is_final or self._left() <= 0.0:
                return
            has_ended = yield from self._listen()
            if has_ended:
                continue
            pauses.sleep(status.state.name, self._left())

    def _listen(self) -> Generator[JobStatus, None, bool]:
        """Yield what a websocket reports until it closes, except the final status.

        :returns: Whether the job has ended; its status is then requested once more,
            because only a request gives the whole status.
        """
        if time.monotonic() < self._next_websocket:
            return False
        self._next_websocket = time.monotonic() + _WEBSOCKET_PAUSE
        try:
            with closing(self._messages()) as messages:
                for message in messages:
                    status = message or self._request()
                    if status.is_final:
                        return True
                    yield status
        # ImportError: a proxy of a kind for which a further package is missing.
        except (OSError, WebSocketException, ValueError, ImportError) as error:
            logger.debug("nexus: no websocket for %s (%s)", describe(self._job), error)
        return False

    def _messages(self) -> Generator[JobStatus | None]:
        """Yield what a websocket reports, and None after each silence."""
        address = f"{CONFIG.websockets_url}{JOBS_PATH}/{self._job.id}"
        login = client().auth
        token = login.access_token if isinstance(login, SharedLogin) else None
        trust = None
        if CONFIG.websockets_protocol == "wss":
            trust = httpx.create_ssl_context(verify=CONFIG.httpx_verify)
        connection = _connected(
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
                yield read_status(self._job, json.loads(message))

    def _request(self) -> JobStatus:
        return await_status(self._job, patience=max(self._left(), 1.0))

    def _left(self) -> float:
        return self._deadline - time.monotonic()


@asynccontextmanager
async def _connected(address: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """Open a websocket and leave no socket behind, however that ends.

    Where the time runs out just as TLS begins, asyncio starts to end TLS, and the event
    loop would end before it.
    """
    transports: list[asyncio.BaseTransport] = []

    class Connection(ClientConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transports.append(transport)
            super().connection_made(transport)

    try:
        async with connect(address, create_connection=Connection, **options) as it:
            yield it
    finally:
        for transport in transports:
            cast("asyncio.Transport", transport).abort()


async def _receive(websocket: ClientConnection, timeout: float) -> str | bytes:
    return await asyncio.wait_for(websocket.recv(), timeout)
