"""The real executable, killed at any moment together with what it started."""

import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from tests.conftest import EXECUTABLES
from tests.helpers.preloaded import kill, preloaded_processes

type Victim = Literal["executable", "fork", "server"]

EXECUTABLE = EXECUTABLES / "tkr_nexus_worker"
LIMIT = 100


@dataclass
class Lifetime:
    """How long a task takes, as each one that no kill hit shows again.

    :param seconds: The time of the last one. A busy machine makes it many times longer,
        and kills within that time would then fall behind the end of all tasks.
    """

    seconds: float

    def moment(self, rng: random.Random) -> float:
        """Choose when to kill a task, in seconds from its start."""
        return rng.uniform(0.0, 1.2 * self.seconds)


@dataclass(frozen=True)
class Executables:
    """Starts executables that have preloaded processes of their own.

    :param environment: Their environment.
    :param errors: A file for what they write.
    :param executable: The executable.
    """

    environment: dict[str, str]
    errors: Path
    executable: Path = EXECUTABLE

    def start(self, definition: Path) -> subprocess.Popen:
        with self.errors.open("a") as errors:
            return subprocess.Popen(
                [self.executable, definition], stderr=errors, env=self.environment
            )

    def run(self, definition: Path) -> None:
        process = self.start(definition)
        assert process.wait(LIMIT) == 0, self.errors.read_text()

    def run_and_kill(
        self, definition: Path, kill_after: float, victim: Victim
    ) -> int | None:
        """Kill a part of a running task; return the exit code of the executable."""
        process = self.start(definition)
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            pass
        match victim:
            case "executable":
                process.kill()
            case "fork":
                forks = [fork for it in self.servers() for fork in it.children()]
                kill(forks)
                if not forks:  # none yet, or none where tasks start cold
                    process.kill()
            case "server":
                kill(self.servers())
        return process.wait(LIMIT)

    def servers(self) -> list[psutil.Process]:
        """Find the preloaded processes themselves, without their forks."""
        return preloaded_processes(self.environment["XDG_RUNTIME_DIR"])

    def run_until_done(
        self,
        definition: Path,
        lifetime: Lifetime,
        rng: random.Random,
        victims: list[Victim],
        max_kills: int = 6,
    ) -> int:
        """Start a task until it ends, killing at random; return the number of kills."""
        for kills in range(max_kills):
            started = time.monotonic()
            moment = lifetime.moment(rng)
            if self.run_and_kill(definition, moment, rng.choice(victims)) == 0:
                if not kills:
                    lifetime.seconds = time.monotonic() - started
                return kills
        self.run(definition)
        return max_kills

    def measure(self, definition: Path) -> Lifetime:
        """Return how long a task takes that is not killed."""
        started = time.monotonic()
        self.run(definition)
        return Lifetime(time.monotonic() - started)
