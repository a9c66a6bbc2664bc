"""A person who presses Tab in a shell."""

import os
import pty
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

_PATIENCE_SECONDS = 60.0
_ATTEMPTS = 5
# Ctrl-G writes the line into a file, and Ctrl-U empties it; both echo nothing.
_START = {
    "bash": (
        ".bashrc",
        """bind -x '"\\C-g": printf "%s\\n" "$READLINE_LINE" >> line'""",
    ),
    "zsh": (
        ".zshrc",
        "w() { print -r -- $BUFFER >> line; }; zle -N w; bindkey '^G' w",
    ),
    "fish": (
        ".config/fish/config.fish",
        "function fish_user_key_bindings; bind \\cg 'commandline >> line'; end",
    ),
}


def completed_in_shell(shell: str, home: Path, lines: Iterable[str]) -> list[str]:
    """Return what lines become where Tab is pressed at their end.

    :param shell: Its name.
    :param home: The home directory of the person, in which the shell starts.
    :param lines: What the person types.
    """
    name, start = _START[shell]
    file = home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as config:
        config.write(f"{start}\n")
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(home)
        os.execvpe(shell, [shell, "-i"], {**os.environ, "TERM": "xterm"})
    try:
        # Nothing is completed before the shell reads keys.
        _press(terminal, home, "ready")
        return [_complete(terminal, home, line) for line in lines]
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def _complete(terminal: int, home: Path, line: str) -> str:
    """Press Tab once more if the cloud did not answer in the time that a person has."""
    for _ in range(_ATTEMPTS):
        completed = _press(terminal, home, f"{line}\t")
        if completed != line:
            break
    return completed


def _press(terminal: int, home: Path, keys: str) -> str:
    """Return the line after keys were pressed, and empty it."""
    line = home / "line"
    line.unlink(missing_ok=True)
    os.write(terminal, keys.encode())
    deadline = time.monotonic() + _PATIENCE_SECONDS
    shown = b""
    while time.monotonic() < deadline:
        os.write(terminal, b"\x07")
        # A shell stops where nobody reads what it writes.
        while select.select([terminal], [], [], 0.3)[0]:
            shown += os.read(terminal, 1 << 16)
        written = line.read_text().splitlines() if line.exists() else []
        if written:
            os.write(terminal, b"\x15")
            return written[0].rstrip()
    raise AssertionError(f"The shell wrote no line, but {shown!r}.")
