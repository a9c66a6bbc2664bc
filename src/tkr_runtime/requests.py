"""Requests to a cloud, with retries that have a bound, jitter and a logged reason.

RFC 9110 and common practice of HTTP services say which failures are worth a retry: lost
connections, time-outs and the statuses 408, 425, 429, 500, 502, 503 and 504. The
package of a worker says how its client reports failures, and which errors they become.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import tenacity

from tkr_runtime.settings.limits import Limits
from tkr_runtime.tasks import concurrency
from tkr_runtime.times import read_http_date

logger = logging.getLogger(__name__)

# A slower request is waiting for the cloud, and uses no processor.
_SLOW_SECONDS = 2.0
_LOGIN_POLL_SECONDS = 1.0

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class TransientResponseError(Exception):
    """A service answered with a status that a later try may not get.

    :param status_code: The HTTP status.
    :param retry_after: The wait that the service asked for, in seconds, if it did.
    :param message: The message of the service.
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

    :param header: The value of the header, if there is one.
    :returns: The time to wait, in seconds; None without a valid header.
    """
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        pause = read_http_date(header) - datetime.now(UTC)
        return max(0.0, pause.total_seconds())
    except (ValueError, OverflowError):
        return None


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
    """Send a request, and send it again while that is worth a retry.

    A task that waits for a cloud does not hold up others: it releases its slot before
    the first pause, and when one try takes longer than 2 seconds.

    :param action: What the request is for, as in "upload circuit 'bell'"; it becomes
        part of messages.
    :param request: Sends it once.
    :param limits: The limits of time.
    :param log_prefix: The prefix of lines in the log.
    :param is_worth_a_retry: Returns whether to send the request again after an error.
    :param translate: Returns the error to raise instead; None for the error itself.
    :param retry_time: How long to try again, in seconds; by default as in the limits.
    :returns: The return value of the request.
    """
    deadline = time.monotonic() + (retry_time or limits.retry_time)
    backoff = tenacity.wait_exponential_jitter(
        multiplier=0.2, max=limits.retry_wait, jitter=min(1.0, limits.retry_wait)
    )

    def is_sent_again(error: BaseException) -> bool:
        asked = getattr(error, "retry_after", None) or 0.0
        in_time = time.monotonic() + asked < deadline
        return isinstance(error, Exception) and in_time and is_worth_a_retry(error)

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome and state.outcome.exception()
        asked = getattr(error, "retry_after", None)
        # No pause, as a date that has passed for this clock asks for, would let all
        # tasks send without a pause until the time for retries ends.
        return float(asked) if asked else backoff(state)

    def before_pause(state: tenacity.RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        logger.warning("%scould not %s (%s); trying again", log_prefix, action, error)
        concurrency.release_slot()

    send = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_sent_again),
        wait=pause,
        before_sleep=before_pause,
        reraise=True,
    )
    try:
        return send(concurrency.slot_released_after(_SLOW_SECONDS)(request))
    except Exception as error:
        translated = translate(error)
        if translated is None:
            raise
        raise translated from error


def send_with_login[T](
    send: Callable[[], T],
    *,
    expired: type[Exception],
    fingerprint: Callable[[], object],
    renewed: Callable[[], None],
    warn: Callable[[float], None],
    login_wait: float,
) -> T:
    """Send a request, and wait for a new login where the login has expired.

    :param send: Sends it, with retries.
    :param expired: The error by which it says that there is no valid login.
    :param fingerprint: Returns what identifies the stored login.
    :param renewed: Called once there is a new login.
    :param warn: Called before the wait, with its longest time in seconds.
    :param login_wait: How long to wait, in seconds; 0 to raise the error at once.
    :returns: The return value of the request.
    """
    deadline = time.monotonic() + login_wait
    while True:
        # Taken first, so that a login of the same moment is not waited for in vain.
        former = fingerprint()
        try:
            return send()
        except expired:
            if not login_wait:
                raise
            warn(max(0.0, deadline - time.monotonic()))
            while fingerprint() == former:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOGIN_POLL_SECONDS)
            renewed()


def sentence_in(body: str) -> str:
    """Return the message in the body of an error response.

    :param body: The body: JSON with a ``message``, or any text.
    """
    try:
        content = json.loads(body)
    except json.JSONDecodeError:
        content = body
    if isinstance(content, dict):
        content = content.get("message", content)
    return " ".join(str(content).split())[:500].rstrip(".") or "no reason given"
