"""The routes below ``/_local/`` that every cloud has, as methods."""

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

from local_cloud.faults.rule import ActiveFault, Fault
from local_cloud.progress.rule import Progress, ProgressRule
from local_cloud.web.request_log import Request


class Administration(abc.ABC):
    """The routes below ``/_local/`` as methods."""

    @abc.abstractmethod
    def _call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to a route below ``/_local/`` and return its answer."""

    def requests(self, *, method: str = "*", path: str = "*") -> list[Request]:
        """Return the requests so far, in the order of the answers.

        :param method: A pattern for the method; a websocket has ``WEBSOCKET``.
        :param path: A pattern for the path, in which ``*`` stands for any text.
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

        :param job: A pattern for their names, in which ``*`` stands for any text, or
            the id of one, as text or UUID.
        :param project: A pattern for the name of their project.
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
        """Let all jobs move again as they do by default."""
        self._call("DELETE", "progress")

    def add_fault(self, fault: Fault) -> str:
        """Make requests fail, until the fault is removed.

        :returns: The id of the fault.
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

    def expire_tokens(self, kind: str = "access") -> None:
        """Let all tokens expire that were issued so far.

        :param kind: ``access`` or ``refresh``.
        """
        self._call("DELETE", f"tokens?kind={kind}")

    def page_link(self) -> str:
        """Return a link that opens the web page, once, in a browser.

        The browser may then read all that the first user can, but change nothing.
        """
        return str(self._call("POST", "page-links")["url"])

    def advance(self, seconds: float) -> None:
        """Move the server's clock, by which tokens expire and jobs progress.

        :param seconds: By how much, in seconds.
        """
        self._call("POST", "clock", {"seconds": seconds})


def call(
    url: str,
    bundle: Path,
    token: str,
    method: str,
    path: str,
    body: object,
    timeout: float | None = None,
) -> Any:
    """Send a request to an administrative route.

    :param url: Of the server.
    :param bundle: The file with the authorities to trust.
    :param token: Of the administrator.
    :param timeout: Seconds that the server may take for a step; for ever by default.
    :raises OSError: If the server does not answer.
    :raises ValueError: With the sentence of the server if it refuses.
    """
    context = _context(bundle, bundle.stat().st_mtime_ns)
    connection = http.client.HTTPSConnection(
        urlsplit(url).netloc, context=context, timeout=timeout
    )
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

    :param _written: When the file was written: a new server has a new authority.
    """
    return ssl.create_default_context(cafile=bundle)
