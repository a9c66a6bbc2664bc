"""The websocket that sends the status of a job whenever it changes."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from local_cloud.errors import ApiError
from local_cloud.notifications import Notifications
from local_cloud.web.state import ServerState
from local_nexus.api.jsonapi import Json
from local_nexus.jobs import states
from local_nexus.jobs.routes import job_status
from local_nexus.login.routes import ID_COOKIE
from local_nexus.services import Services

# Seconds between two looks at a job whose progress depends on reads or time, and at
# one that says itself when it changes; many websockets on one job take longer steps.
_LOOK = 0.05
_PATIENT_LOOK = 1.0
_MANY = 10
_LONGEST_LOOK = 5.0

# The ids of a user and of a job.
type _Key = tuple[str, str]


class _Looks:
    """Looks at jobs, once for all websockets that want to know at the same time."""

    def __init__(self, services: Services, notifications: Notifications) -> None:
        self._services = services
        self._notifications = notifications
        self._last: dict[_Key, tuple[float, int, asyncio.Future[Json]]] = {}
        self.followers: Counter[_Key] = Counter()

    async def status(self, key: _Key, age: float = _LOOK / 2) -> Json:
        """Return the status of a job.

        :param key: The ids of the user and of the job.
        :param age: How old it may be if no change was told since, in seconds.
        :raises ApiError: 404 if it is not there for the user.
        """
        now, changes = asyncio.get_running_loop().time(), self._notifications.changes
        known = self._last.get(key)
        # A look that began before something changed may not show it.
        if known is None or known[1] != changes or now - known[0] > age:
            look = run_in_threadpool(job_status, self._services, *key)
            known = self._last[key] = now, changes, asyncio.ensure_future(look)
        return await asyncio.shield(known[2])

    def pause(self, key: _Key) -> float:
        """Return the seconds until the next look."""
        patient = self._services.execution.is_immediate(key[1])
        look, longest = (
            (_PATIENT_LOOK, _LONGEST_LOOK) if patient else (_LOOK, _PATIENT_LOOK)
        )
        return min(longest, look * max(1.0, self.followers[key] / _MANY))

    @contextlib.contextmanager
    def follow(self, key: _Key) -> Iterator[None]:
        """Count a websocket that follows a job."""
        self.followers[key] += 1
        try:
            yield
        finally:
            self.followers[key] -= 1
            if not self.followers[key]:
                del self.followers[key]
                self._last.pop(key, None)


def follow_status(
    services: Services, state: ServerState
) -> Callable[[WebSocket], Awaitable[None]]:
    """Return what answers the websocket."""
    looks = _Looks(services, state.notifications)

    async def follow(websocket: WebSocket) -> None:
        job_id = websocket.path_params["id"]
        try:
            user_id, _ = services.tokens.check(
                websocket.cookies.get(ID_COOKIE, ""), "id"
            )
            key = user_id, job_id
            status = await looks.status(key)
        except ApiError:
            await websocket.close()
            return
        await websocket.accept()
        with (
            state.notifications.subscribe(job_id) as changed,
            looks.follow(key),
            contextlib.suppress(WebSocketDisconnect),
        ):
            gone = asyncio.create_task(_disconnected(websocket))
            await websocket.send_json(status)
            while not states.is_final(status["status"]) and not gone.done():
                await _until(changed, gone, looks.pause(key))
                before = status
                try:
                    status = await looks.status(key, looks.pause(key) / 2)
                except ApiError:
                    # Without a normal close the client would ask for ever for a job
                    # that was deleted.
                    break
                if status != before:
                    await websocket.send_json(status)
            gone.cancel()
            await websocket.close()

    return follow


async def _disconnected(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _until(
    changed: asyncio.Event, gone: asyncio.Task[None], seconds: float
) -> None:
    """Wait for a change, for the client to go, or for the next look."""
    waiter = asyncio.create_task(changed.wait())
    await asyncio.wait(
        {waiter, gone},
        timeout=seconds,
        return_when=asyncio.FIRST_COMPLETED,
    )
    waiter.cancel()
    changed.clear()
