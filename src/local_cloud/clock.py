"""The server's clock: real time plus an offset that tests can move forward."""

import threading
import time
from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In one second.
MICROSECONDS = 1_000_000


class Clock:
    """Tells the time in microseconds since 1970, UTC."""

    def __init__(self) -> None:
        self._offset = 0
        self._lock = threading.Lock()

    def now(self) -> int:
        """Return the current time in microseconds since 1970."""
        return time.time_ns() // 1_000 + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        :param seconds: By how much, in seconds; at least 0.
        """
        with self._lock:
            self._offset += int(seconds * MICROSECONDS)

    def reset(self) -> None:
        """Go back to real time."""
        with self._lock:
            self._offset = 0


def to_iso(microseconds: int) -> str:
    """Write a time as ISO 8601 in UTC, as the API does.

    :param microseconds: Microseconds since 1970.
    """
    moment = datetime.fromtimestamp(microseconds // MICROSECONDS, tz=UTC)
    return moment.replace(microsecond=microseconds % MICROSECONDS).isoformat()


def from_iso(text: str) -> int:
    """Read an ISO 8601 time; one without a zone is taken as UTC.

    :param text: The time, such as ``2023-01-01 00:00:00``.
    :returns: Microseconds since 1970.
    :raises ValueError: If the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS + delta.microseconds
