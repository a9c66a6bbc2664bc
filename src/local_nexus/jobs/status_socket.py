"""The websocket that sends the status of a job whenever it changes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from local_cloud.errors import ApiError
from local_cloud.web.state import ServerState
from local_nexus.jobs import states
from local_nexus.jobs.routes import job_status
from local_nexus.login.routes import ID_COOKIE
from local_nexus.services import Services

# Seconds between two looks at a job whose progress depends on reads or time, and at
# one that says itself when it changes.
_LOOK = 0.05
_PATIENT_LOOK = 1.0


def follow_status(
    services: Services, state: ServerState
) -> Callable[[WebSocket], Awaitable[None]]:
    """Return what answers the websocket."""

    async def follow(websocket: WebSocket) -> None:
        job_id = websocket.path_params["id"]
        try:
            user_id, _ = services.tokens.check(
                websocket.cookies.get(ID_COOKIE, ""), "id"
            )
            status = await run_in_threadpool(job_status, services, user_id, job_id)
        except ApiError:
            await websocket.close()
            return
        await websocket.accept()
        with (
            state.notifications.subscribe(job_id) as changed,
            contextlib.suppress(WebSocketDisconnect),
        ):
            gone = asyncio.create_task(_disconnected(websocket))
            await websocket.send_json(status)
            while not states.is_final(status["status"]) and not gone.done():
                await _until(changed, gone, services.execution.is_immediate(job_id))
                before = status
                try:
                    status = await run_in_threadpool(
                        job_status, services, user_id, job_id
                    )
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
    changed: asyncio.Event, gone: asyncio.Task[None], patient: bool
) -> None:
    """Wait for a change, for the client to go, or for the next look."""
    waiter = asyncio.create_task(changed.wait())
    await asyncio.wait(
        {waiter, gone},
        timeout=_PATIENT_LOOK if patient else _LOOK,
        return_when=asyncio.FIRST_COMPLETED,
    )
    waiter.cancel()
    changed.clear()
