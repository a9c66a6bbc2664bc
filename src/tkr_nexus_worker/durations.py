"""Spans of time in words."""


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
