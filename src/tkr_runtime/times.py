"""Moments and spans of time, as services write them and as a person reads them."""

from datetime import UTC, datetime


def read_moment(text: str) -> datetime:
    """Read a moment; one without a time zone is in UTC.

    :param text: The moment in ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def age(seconds: float) -> str:
    """Return a time span in the largest unit of which it has a whole one.

    :param seconds: The span, in seconds.
    :returns: For example ``3 min``.
    """
    value, unit = max(int(seconds), 0), "s"
    for size, larger in ((60, "min"), (60, "h"), (24, "d")):
        if value < size:
            break
        value, unit = value // size, larger
    return f"{value} {unit}"
