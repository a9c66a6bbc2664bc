"""What tests of other programs can see and do on a running server."""

from __future__ import annotations

import abc
import contextlib
import functools
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from local_nexus.certificates import bundle_path
from local_nexus.faults import ActiveFault, Fault
from local_nexus.progress import Progress, ProgressRule
from local_nexus.request_log import Request
from local_nexus.settings import Settings


class Administration(abc.ABC):
    """The routes below ``/_local/`` as methods."""

    @abc.abstractmethod
    def _call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to a route below ``/_local/`` and return its answer."""

    def requests(self, *, method: str = "*", path: str = "*") -> list[Request]:
        """Return the requests so far, in the order of the answers.

        :param method: a pattern for the method; a websocket has ``WEBSOCKET``.
        :param path: a pattern for the path, in which ``*`` stands for any text.
        """
        query = urlencode({"method": method, "path": path})
        entries = self._call("GET", f"requests?{query}")
        return [Request(**it | {"faults": tuple(it["faults"])}) for it in entries]

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "requests")

    def set_progress(
        self, progress: Progress, *, job: object = "*", project: str = "*"
    ) -> None:
        """Change how some jobs move through their states, those under way included.

        The rule set last goes before the others, but one for all jobs goes after them.

        :param job: a pattern for their names, in which ``*`` stands for any text, or
            the id of one, as text or UUID.
        :param project: a pattern for the name of their project.
        """
        rule = ProgressRule(progress, str(job), project)
        self._call("PUT", "progress", rule.to_dict())

    def progress_rules(self) -> list[ProgressRule]:
        """Return how jobs move; the first rule that fits a job decides."""
        return [
            ProgressRule(
                job=it.pop("job"), project=it.pop("project"), progress=Progress(**it)
            )
            for it in self._call("GET", "progress")
        ]

    def clear_progress(self) -> None:
        """Let all jobs move at once again."""
        self._call("DELETE", "progress")

    def add_fault(self, fault: Fault) -> str:
        """Make requests fail, until the fault is removed.

        :returns: the id of the fault.
        """
        return str(self._call("POST", "faults", fault.to_dict())["id"])

    def faults(self) -> list[ActiveFault]:
        """Return the faults in force with their counts, the oldest first."""
        return [
            ActiveFault(**entry | {"fault": Fault(**entry["fault"])})
            for entry in self._call("GET", "faults")
        ]

    def remove_fault(self, fault_id: str) -> None:
        """Remove a fault, if it is still there, and release what it holds back."""
        self._call("DELETE", f"faults/{fault_id}")

    def clear_faults(self) -> None:
        """Remove all faults and release what they hold back."""
        self._call("DELETE", "faults")

    @contextlib.contextmanager
    def fault(self, fault: Fault) -> Iterator[str]:
        """Make requests fail inside a ``with`` block, and give the id of the fault."""
        fault_id = self.add_fault(fault)
        try:
            yield fault_id
        finally:
            self.remove_fault(fault_id)

    def jobs(self, latest: int | None = None) -> list[dict[str, Any]]:
        """Return the jobs of all users, the oldest first.

        Each has id, name, project_id, project (its name), job_type, status,
        queue_position, cost in HQC, created (ISO 8601), and items (their states).

        :param latest: how many of the latest; all by default.
        """
        query = "" if latest is None else f"?latest={latest}"
        jobs: list[dict[str, Any]] = self._call("GET", f"jobs{query}")
        return jobs

    def page_link(self) -> str:
        """Return a link that opens the web page, once, in a browser.

        The browser may then read all that the first user can, but change nothing.
        """
        return str(self._call("POST", "page-links")["url"])

    def set_job_status(
        self,
        job_id: object,
        status: str,
        message: str = "",
        error_detail: str | None = None,
        item: int | None = None,
    ) -> None:
        """Put a job into any state, and keep it there.

        :param job_id: the id, as text or UUID.
        :param status: a state; one that Nexus does not have is taken, too.
        :param item: the number of the only item to change; all by default.
        """
        body = {
            "status": status,
            "message": message,
            "error_detail": error_detail,
            "item": item,
        }
        self._call("PUT", f"jobs/{job_id}/status", body)

    def advance(self, seconds: float) -> None:
        """Move the server's clock, by which tokens expire and jobs progress.

        :param seconds: by how much, in seconds.
        """
        self._call("POST", "clock", {"seconds": seconds})

    def expire_results(self, job_id: object) -> None:
        """Throw away the data of the results of a job, as Nexus does after a time.

        :param job_id: the id, as text or UUID.
        """
        self._call("DELETE", f"jobs/{job_id}/results")

    def set_runtime_traces(
        self, job_id: object, shots: list[dict[str, Any]], item: int = 0
    ) -> None:
        """Give an item of a job runtime traces.

        :param job_id: the id, as text or UUID.
        :param shots: one ``selene_core.trace.Trace`` per shot, as JSON values.
        :param item: the number of the item.
        """
        body = {"item": item, "shots": shots}
        self._call("PUT", f"jobs/{job_id}/traces", body)

    def add_user(
        self, email: str, password: str, display_name: str | None = None
    ) -> str:
        """Add a user, or find the one with this e-mail address, and return the id."""
        body = {"email": email, "password": password, "display_name": display_name}
        return str(self._call("POST", "users", body)["id"])

    def set_mfa_code(self, user: str, code: str | None) -> None:
        """Let the logins of a user ask for a verification code beside the password.

        :param user: e-mail address or id.
        :param code: the code that is right; None to ask for none.
        """
        self._call("PUT", f"users/{user}/mfa", {"code": code})

    def add_team_member(self, team_id: object, user: str) -> None:
        """Make a user a member of a team.

        :param user: e-mail address or id.
        """
        self._call("PUT", f"teams/{team_id}/members/{user}")

    def set_quota(self, user: str, name: str, limit: float | None) -> None:
        """Limit what a user may use.

        :param user: e-mail address or id.
        :param name: such as ``simulation``, see ``qnexus.quotas``.
        :param limit: in seconds or megabytes; None for no limit.
        """
        self._call("PUT", f"users/{user}/quotas/{name}", {"limit": limit})

    def set_balance(self, user: str, hqc: float | None) -> None:
        """Limit what a user may spend; jobs beyond that end in ``DEPLETED``.

        :param user: e-mail address or id.
        :param hqc: credits in HQC; None for no limit.
        """
        self._call("PUT", f"users/{user}/balance", {"limit": hqc})

    def add_credential(self, user: str, name: str, issuer: str) -> None:
        """Note that a user has a credential of a provider.

        :param user: e-mail address or id.
        :param issuer: ``Quantinuum``, ``Qiskit`` or ``Braket``.
        """
        body = {"name": name, "issuer": issuer}
        self._call("POST", f"users/{user}/credentials", body)


def call(url: str, directory: Path, method: str, path: str, body: object) -> Any:
    """Send a request to an administrative route.

    :param url: of the server.
    :param directory: of the server, which tells the administrator's token.
    :raises ValueError: with the sentence of the server if it refuses.
    """
    bundle = bundle_path(directory)
    context = _context(bundle, bundle.stat().st_mtime_ns)
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context)
    token = Settings.load(directory).admin_token
    with contextlib.closing(connection):
        connection.request(
            method,
            f"/_local/{path}",
            None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {token}"},
        )
        response = connection.getresponse()
        text = response.read()
    if response.status >= http.HTTPStatus.BAD_REQUEST:
        raise ValueError(json.loads(text)["message"])
    return json.loads(text) if text else None


@functools.lru_cache(maxsize=8)
def _context(bundle: Path, _written: int) -> ssl.SSLContext:
    """Return how to trust a server; reading a hundred authorities takes 20 ms.

    :param _written: when the file was written: a new server has a new authority.
    """
    return ssl.create_default_context(cafile=bundle)
