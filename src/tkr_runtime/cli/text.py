"""Text of others, made safe for a terminal."""


def printable(text: str) -> str:
    """Return a text in one line, without characters that control a terminal.

    :param text: Any text, for example a name.
    """
    return " ".join(_without_controls(text).split())


def printable_lines(text: str) -> str:
    """Return a text without characters that control a terminal, except line breaks.

    :param text: Any text, for example the message of an error.
    """
    return "\n".join(map(_without_controls, text.split("\n")))


def _without_controls(text: str) -> str:
    return "".join(it if it.isprintable() else " " for it in text)
