"""The embedded Artemis as a context manager."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from local_artemis.cloud import ARTEMIS
from local_artemis.engines import EngineName, Noise
from local_cloud import LocalServer, Progress, ServerOptions
from local_cloud.server.addresses import LOOPBACK

_QPU = "Artemis"


class LocalArtemis(LocalServer):
    """An embedded Artemis in a process of its own.

    ::

        with LocalArtemis() as artemis:
            subprocess.run(["python", "mine.py"], env=os.environ | artemis.env)

    The server ends with the context, and also when this process dies in any way.

    :param host: Name or IPv4 address to listen on; this machine alone by default.
    :param port: To listen on; a free one by default.
    :param directory: Where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param progress: How jobs move through their states; by default 0.25 s
        ``Accepted``, 2 s ``Scheduled`` and at least 0.5 s ``Running``.
    :param database: An SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    :param device_file: A JSON file with QPUs of your own.
    :param faults: A TOML file that says how jobs move and what goes wrong.
    :param strict: Whether jobs beyond the limits of their QPU are refused; otherwise
        the engine alone decides whether it can run them.
    """

    def __init__(
        self,
        *,
        host: str = LOOPBACK,
        port: int | None = None,
        directory: Path | None = None,
        progress: Progress | None = None,
        database: str | None = None,
        device_file: Path | None = None,
        faults: Path | None = None,
        strict: bool = True,
    ) -> None:
        options = ServerOptions(
            host, port, directory, database, device_file, faults, lenient=not strict
        )
        super().__init__(ARTEMIS, options, progress)

    def jobs(self, latest: int | None = None) -> list[dict[str, Any]]:
        """Return the jobs of all users, the oldest first.

        Each has id, name, qpu, user (their names), status, queue_position, n_samples,
        min_detection, notes and created (ISO 8601).

        :param latest: How many of the latest; all by default.
        """
        query = "" if latest is None else f"?latest={latest}"
        jobs: list[dict[str, Any]] = self._call("GET", f"jobs{query}")
        return jobs

    def payload(self, job_id: object) -> dict[str, Any]:
        """Return the payload of a job as it came."""
        payload: dict[str, Any] = self._call("GET", f"jobs/{job_id}/payload")
        return payload

    def set_job_status(
        self,
        job_id: object,
        status: str,
        notes: str | None = None,
        compilation_errors: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Put a job into any state, and keep it there.

        :param job_id: The id.
        :param status: A word such as ``TimedOut``; one that Artemis does not have is
            taken, too.
        :param notes: What the details give as ``userExecutionNotes``.
        :param compilation_errors: Codes and messages that the log gives.
        """
        body = {
            "status": status,
            "notes": notes,
            "compilation_errors": [list(it) for it in compilation_errors],
        }
        self._call("PUT", f"jobs/{job_id}/status", body)

    def expire_results(self, job_id: object) -> None:
        """Throw away the results of a job; requests for them then get status 404.

        :param job_id: The id.
        """
        self._call("DELETE", f"jobs/{job_id}/results")

    def set_qpu_available(self, available: bool, *, qpu: str = _QPU) -> None:
        """Let a QPU be online or offline; offline, its jobs stay ``Scheduled``.

        :param qpu: Its name.
        """
        self._change_qpu(qpu, available=available)

    def set_engine(self, engine: EngineName, *, qpu: str = _QPU) -> None:
        """Choose what computes the samples of new jobs.

        :param engine: ``numpy`` or ``lightworks``, its own emulator.
        :param qpu: The name of the QPU.
        """
        self._change_qpu(qpu, engine=engine)

    def set_noise(self, noise: Noise | None, *, qpu: str = _QPU) -> None:
        """Let new jobs have imperfect photons and detectors.

        :param noise: How imperfect; None for none.
        :param qpu: The name of the QPU.
        """
        self._change_qpu(qpu, noise=asdict(noise or Noise()))

    def set_seed(self, seed: int | None, *, qpu: str = _QPU) -> None:
        """Repeat the random choices of new jobs, by the ids of the jobs.

        :param seed: None for other choices every time.
        :param qpu: The name of the QPU.
        """
        self._change_qpu(qpu, seed=seed)

    def set_listing(self, content: Literal["names", "ids"]) -> None:
        """Say what a listing tells of each job beside its id.

        :param content: ``names`` for its name, status and dates as well; ``ids`` for
            nothing, which a worker has to cope with, too.
        """
        self._call("PUT", "listing", {"content": content})

    def add_user(self, name: str) -> str:
        """Add a user, or find the one of this name, and return a token for them.

        Add only people whom you trust with your account on this machine.
        """
        return str(self._call("POST", "users", {"name": name})["token"])

    def _change_qpu(self, name: str, **changes: object) -> None:
        self._call("PATCH", f"qpus/{quote(name, safe='')}", changes)
