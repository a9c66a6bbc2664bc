"""Requests to a cloud: limits of time, and retries with a bound, jitter and a reason.

Which failures are worth a retry follows RFC 9110 and common practice of HTTP services:
lost connections, time-outs and the statuses 408, 425, 429, 500, 502, 503 and 504. What
the failures of a client look like, and what they become, the package of a worker says.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import stamina

from tkr_runtime.errors import InvalidInputError

logger = logging.getLogger(__name__)

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Limits:
    """Limits of time for requests to a cloud, all in seconds.

    Each is read from an environment variable of its name, for example
    ``…_READ_TIMEOUT=300``, which begins with the prefix of the cloud.

    :param connect_timeout: To open a connection.
    :param read_timeout: Between two pieces of an answer, and to send a request.
    :param total_timeout: For one whole answer, however steadily it arrives.
    :param retry_time: For one request with all its retries.
    :param retry_wait: The longest pause between two tries, unless the cloud asks for
        more.
    :param settle_time: How long a request that was cut off may still be on its way.
    :param outage_time: For an outage of the cloud while a job is waited for.
    :param login_wait: For the person to log in again while a job is waited for.
    """

    connect_timeout: float = 20.0
    read_timeout: float = 120.0
    total_timeout: float = 1800.0
    retry_time: float = 300.0
    retry_wait: float = 30.0
    settle_time: float = 10.0
    outage_time: float = 6 * 3600.0
    login_wait: float = 24 * 3600.0

    @classmethod
    def from_environment(cls, env_prefix: str) -> "Limits":
        """Read the limits from the environment.

        :param env_prefix: What the names of the variables begin with.
        :returns: The limits, with defaults where a variable is not set.
        :raises InvalidInputError: If a variable is not a positive number.
        """
        defaults = asdict(cls())
        return cls(
            **{
                name: _seconds(f"{env_prefix}{name.upper()}", defaults[name])
                for name in defaults
            }
        )


def _seconds(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise InvalidInputError(
            f"The environment variable {variable} is {text!r}; "
            "give a number of seconds above 0."
        )
    return value


class TransientResponseError(Exception):
    """A service answered with a status that a later try may turn into success.

    :param status_code: The HTTP status.
    :param retry_after: Seconds that the service asked to wait, if it did.
    :param message: What the service said.
    """

    def __init__(
        self, status_code: int, retry_after: float | None, message: str
    ) -> None:
        asked = "" if retry_after is None else f"; wait {retry_after:.0f} s"
        super().__init__(f"status {status_code}: {message}{asked}")
        self.status_code = status_code
        self.retry_after = retry_after


def read_retry_after(header: str | None) -> float | None:
    """Read both forms of Retry-After (RFC 9110, 10.2.3): seconds, or a date.

    :param header: The value of the header, where there is one.
    :returns: Seconds from now; None where the header says nothing.
    """
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def send_with_retries[T](
    action: str,
    request: Callable[[], T],
    *,
    limits: Limits,
    log_prefix: str,
    is_worth_a_retry: Callable[[Exception], bool],
    translate: Callable[[Exception], Exception | None],
    retry_time: float | None = None,
) -> T:
    """Send a request, and send it again while that is worth it.

    :param action: What the request is for, as in "upload circuit 'bell'"; it becomes
        part of messages.
    :param request: A function that sends it once.
    :param limits: The limits of time.
    :param log_prefix: What lines of the log begin with.
    :param is_worth_a_retry: Tells whether to send the request again after an error.
    :param translate: Returns what is raised for an error; None for the error itself.
    :param retry_time: For how long to try again, in seconds; by default as the limits
        say.
    :returns: What the function returns.
    """
    patience = retry_time or limits.retry_time
    deadline = time.monotonic() + patience

    def pause_before_retry(error: Exception) -> bool | float:
        if not is_worth_a_retry(error):
            return False
        asked = getattr(error, "retry_after", None)
        if asked is not None and time.monotonic() + asked > deadline:
            return False
        logger.warning("%scould not %s (%s); trying again", log_prefix, action, error)
        return True if asked is None else float(asked)

    try:
        for attempt in stamina.retry_context(
            on=pause_before_retry,
            attempts=None,
            timeout=patience,
            wait_initial=0.2,
            wait_max=limits.retry_wait,
            wait_jitter=min(1.0, limits.retry_wait),
        ):
            with attempt:
                return request()
    except Exception as error:
        translated = translate(error)
        if translated is None:
            raise
        raise translated from error
    raise AssertionError("stamina returns or raises")  # pragma: no cover


def sentence_in(body: str) -> str:
    """Take the sentence for a person out of the body of an error.

    :param body: The body; JSON with a ``message``, or any text.
    """
    try:
        content = json.loads(body)
    except json.JSONDecodeError:
        content = body
    if isinstance(content, dict):
        content = content.get("message", content)
    return " ".join(str(content).split())[:500].rstrip(".") or "no reason given"
