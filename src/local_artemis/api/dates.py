"""How the API writes times."""

from datetime import UTC, datetime

from local_cloud.clock import MICROSECONDS


def date(microseconds: int) -> str:
    """Write a time as ISO 8601 with microseconds and ``Z``.

    :param microseconds: Microseconds since 1970.
    """
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
