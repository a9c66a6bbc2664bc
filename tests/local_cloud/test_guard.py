"""Who guesses passwords waits: the clock and the pauses are those of the test."""

import asyncio

import pytest

from local_cloud.errors import ApiError
from local_cloud.web.guard import WrongLogins


class Bench:
    """Wrong logins at a time that the test chooses, with pauses that it ends."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self.end_pause = asyncio.Semaphore(0)
        self.logins = WrongLogins(lambda: self.now, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.end_pause.acquire()

    async def guess(self, times: int) -> list[asyncio.Task]:
        """Send wrong logins at once, and return those that still wait."""
        tasks = [asyncio.create_task(self.logins.slow_down()) for _ in range(times)]
        await settle()
        return [task for task in tasks if not task.done()]


async def settle() -> None:
    """Let all that can go on do so."""
    for _ in range(200):
        await asyncio.sleep(0)


def test_some_wrong_logins_are_answered_at_once_and_the_others_one_by_one():
    async def check() -> None:
        bench = Bench()
        assert await bench.guess(WrongLogins.FREE) == []
        assert bench.pauses == []
        waiting = await bench.guess(3)
        for number in range(1, 4):
            # They wait in one line: a pause begins when the one before has ended.
            assert bench.pauses == [WrongLogins.PAUSE] * number
            assert sum(not task.done() for task in waiting) == 4 - number
            bench.end_pause.release()
            await settle()
        assert all(task.done() for task in waiting)

    asyncio.run(check())


def test_time_makes_some_free_again_but_never_more_than_at_first():
    async def check() -> None:
        bench = Bench()
        await bench.guess(WrongLogins.FREE)
        bench.now += 2 * WrongLogins.PAUSE
        assert len(await bench.guess(3)) == 1
        bench.now += 1e6 * WrongLogins.PAUSE
        assert len(await bench.guess(WrongLogins.FREE + 1)) == 1

    asyncio.run(check())


def test_while_many_wait_no_login_is_looked_at():
    async def check() -> None:
        bench = Bench()
        await bench.guess(WrongLogins.FREE + WrongLogins.MOST - 1)
        bench.logins.check()
        await bench.guess(1)
        with pytest.raises(ApiError, match="try again in a minute") as caught:
            bench.logins.check()
        assert caught.value.status == 429
        bench.end_pause.release()
        await settle()
        bench.logins.check()

    asyncio.run(check())
