"""Times and durations, as services write them and as a person reads them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def read_moment(text: str) -> datetime:
    """Read a time; one without a time zone is in UTC.

    :param text: The time in ISO 8601.
    """
    return _in_utc_by_default(datetime.fromisoformat(text))


def read_http_date(text: str) -> datetime:
    """Read the date of a header (RFC 9110, 5.6.7); the form of asctime is in UTC.

    :param text: The value of the header.
    :raises ValueError: If it is no date.
    """
    return _in_utc_by_default(parsedate_to_datetime(text))


def _in_utc_by_default(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def age(seconds: float) -> str:
    """Return a duration in the largest unit that fits into it.

    :param seconds: The duration, in seconds.
    :returns: For example ``3 min``.
    """
    value, unit = max(int(seconds), 0), "s"
    for size, larger in ((60, "min"), (60, "h"), (24, "d")):
        if value < size:
            break
        value, unit = value // size, larger
    return f"{value} {unit}"
