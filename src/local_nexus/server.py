"""The embedded Nexus as a context manager."""

from pathlib import Path
from typing import Any

from local_cloud import LocalServer, Progress, ServerOptions
from local_cloud.server.addresses import LOOPBACK
from local_nexus.cloud import NEXUS


class LocalNexus(LocalServer):
    """An embedded Nexus in a process of its own.

    ::

        with LocalNexus() as nexus:
            subprocess.run(["python", "mine.py"], env=os.environ | nexus.env)

    The server ends with the context, and also when this process dies in any way.

    :param host: Name or IPv4 address to listen on; this machine alone by default.
    :param port: To listen on; a free one by default.
    :param directory: Where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param progress: How jobs move through their states; at once by default.
    :param database: An SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    :param device_file: A JSON file with devices of your own.
    :param faults: A TOML file that says how jobs move and what goes wrong.
    :param strict: Whether a circuit with gates that a device of Quantinuum does not
        have is refused when it is executed, as Nexus does; otherwise it is translated
        first, which suits teaching.
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
        super().__init__(NEXUS, options, progress)

    def jobs(self, latest: int | None = None) -> list[dict[str, Any]]:
        """Return the jobs of all users, the oldest first.

        Each has id, name, project_id, project (its name), job_type, status,
        queue_position, cost in HQC, created (ISO 8601), and items (their states).

        :param latest: How many of the latest; all by default.
        """
        query = "" if latest is None else f"?latest={latest}"
        jobs: list[dict[str, Any]] = self._call("GET", f"jobs{query}")
        return jobs

    def set_job_status(
        self,
        job_id: object,
        status: str,
        message: str = "",
        error_detail: str | None = None,
        item: int | None = None,
    ) -> None:
        """Put a job into any state, and keep it there.

        :param job_id: The id, as text or UUID.
        :param status: A state; one that Nexus does not have is taken, too.
        :param item: The number of the only item to change; all by default.
        """
        body = {
            "status": status,
            "message": message,
            "error_detail": error_detail,
            "item": item,
        }
        self._call("PUT", f"jobs/{job_id}/status", body)

    def expire_results(self, job_id: object) -> None:
        """Throw away the data of the results of a job, as Nexus does after a time.

        :param job_id: The id, as text or UUID.
        """
        self._call("DELETE", f"jobs/{job_id}/results")

    def set_runtime_traces(
        self, job_id: object, shots: list[dict[str, Any]], item: int = 0
    ) -> None:
        """Give an item of a job runtime traces.

        :param job_id: The id, as text or UUID.
        :param shots: One ``selene_core.trace.Trace`` per shot, as JSON values.
        :param item: The number of the item.
        """
        body = {"item": item, "shots": shots}
        self._call("PUT", f"jobs/{job_id}/traces", body)

    def add_user(
        self, email: str, password: str, display_name: str | None = None
    ) -> str:
        """Add a user, or find the one with this e-mail address, and return the id.

        Add only people whom you trust with your account on this machine: their programs
        run on it as you. They are checked and have limits, and where Linux can do it
        they reach no network and none of your files; the log of the server says what it
        cannot do.
        """
        body = {"email": email, "password": password, "display_name": display_name}
        return str(self._call("POST", "users", body)["id"])

    def set_admin(self, user: str, *, admin: bool = True) -> None:
        """Let a user administer the organisation and the instance.

        An administrator sees what all users have with the scopes ``org_admin``,
        ``global_admin`` and ``highest``. Nobody is one at the start.

        :param user: E-mail address or id.
        :param admin: Whether the user is one from now on.
        """
        self._call("PUT", f"users/{user}/admin", {"admin": admin})

    def set_mfa_code(self, user: str, code: str | None) -> None:
        """Let the logins of a user ask for a verification code beside the password.

        :param user: E-mail address or id.
        :param code: The code that is right; None to ask for none.
        """
        self._call("PUT", f"users/{user}/mfa", {"code": code})

    def add_team_member(self, team_id: object, user: str) -> None:
        """Make a user a member of a team.

        :param user: E-mail address or id.
        """
        self._call("PUT", f"teams/{team_id}/members/{user}")

    def set_quota(self, user: str, name: str, limit: float | None) -> None:
        """Limit what a user may use.

        :param user: E-mail address or id.
        :param name: Such as ``simulation``, see ``qnexus.quotas``.
        :param limit: In seconds or megabytes; None for no limit.
        """
        self._call("PUT", f"users/{user}/quotas/{name}", {"limit": limit})

    def set_balance(self, user: str, hqc: float | None) -> None:
        """Limit what a user may spend; jobs beyond that end in ``DEPLETED``.

        :param user: E-mail address or id.
        :param hqc: Credits in HQC; None for no limit.
        """
        self._call("PUT", f"users/{user}/balance", {"limit": hqc})

    def add_credential(self, user: str, name: str, issuer: str) -> None:
        """Note that a user has a credential of a provider.

        :param user: E-mail address or id.
        :param issuer: ``Quantinuum``, ``Qiskit`` or ``Braket``.
        """
        body = {"name": name, "issuer": issuer}
        self._call("POST", f"users/{user}/credentials", body)
