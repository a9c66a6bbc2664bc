"""Text from users and servers, made safe for a terminal."""


def printable(text: str) -> str:
    """Return a text as one line, without control characters.

    :param text: Any text, for example a name that another user chose.
    """
    return " ".join(_without_controls(text).split())


def printable_lines(text: str) -> str:
    """Return a text with its line breaks, but no other control characters.

    :param text: Any text, for example the message of an error.
    """
    return "\n".join(map(_without_controls, text.split("\n")))


def _without_controls(text: str) -> str:
    return "".join(it if it.isprintable() else " " for it in text)
