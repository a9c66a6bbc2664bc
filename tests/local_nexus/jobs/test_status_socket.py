"""However many websockets follow a job, few look at it."""

import asyncio
from types import SimpleNamespace

from local_cloud.notifications import Notifications
from local_nexus.jobs import status_socket

KEY = ("a user", "a job")
N_FOLLOWERS = 200


def test_two_hundred_websockets_on_a_waiting_job_look_as_often_as_a_few(monkeypatch):
    looked_at = []

    async def seconds_of_following() -> float:
        loop = asyncio.get_running_loop()
        now = 0.0
        monkeypatch.setattr(loop, "time", lambda: now)

        def job_status(_services: object, *key: str) -> dict[str, str]:
            looked_at.append((now, key))
            return {"status": "QUEUED"}

        monkeypatch.setattr(status_socket, "job_status", job_status)
        execution = SimpleNamespace(is_immediate=lambda _job: True)
        services = SimpleNamespace(execution=execution)
        looks = status_socket._Looks(services, Notifications())
        looks.followers[KEY] = N_FOLLOWERS
        pause = looks.pause(KEY)
        # Each comes once in a pause, at its own time.
        for _ in range(4):
            for _follower in range(N_FOLLOWERS):
                await looks.status(KEY, pause / 2)
                now += pause / N_FOLLOWERS
        return now

    seconds = asyncio.run(seconds_of_following())
    assert 0 < len(looked_at) <= seconds
