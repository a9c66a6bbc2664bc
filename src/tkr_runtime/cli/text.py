"""Text that others have written, made safe for a terminal."""


def printable(text: str) -> str:
    """Return a text in one line, without what a terminal would take for a command.

    :param text: Any text, for example a name that somebody else has given.
    """
    return " ".join(_without_controls(text).split())


def printable_lines(text: str) -> str:
    """Return a text of several lines likewise.

    :param text: Any text, for example the message of an error.
    """
    return "\n".join(map(_without_controls, text.split("\n")))


def _without_controls(text: str) -> str:
    return "".join(it if it.isprintable() else " " for it in text)
