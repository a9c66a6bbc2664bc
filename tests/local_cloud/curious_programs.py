"""Programs of a pool that look around on the machine, or never end."""

import json
import os
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

HANDLER = f"{__name__}:handle"


@dataclass
class Look:
    """What a program does: the name of a function below, and its arguments."""

    what: str
    arguments: tuple[object, ...] = ()

    def failed(self, detail: str) -> str:
        return detail


def handle(look: Look, *_files: str) -> str:
    try:
        return str(globals()[look.what](*look.arguments))
    except OSError as error:
        return type(error).__name__


def connect(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=30):
        return "connected"


def connect_to_itself() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return connect(listener.getsockname()[1])


def read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")


def write(path: str) -> str:
    Path(path).write_text("written")
    return "written"


def write_to_home() -> str:
    return write(str(Path.home() / "settings"))


def list_folder(path: str) -> list[str]:
    return [file.name for file in Path(path).iterdir()]


def stop(process: int) -> str:
    os.kill(process, signal.SIGCONT)
    return "signalled"


def environment() -> str:
    return json.dumps(dict(os.environ))


def compute_forever() -> None:
    """Compute in one call, which holds Python's lock, as simulators do."""
    sum(range(10**18))


def sleep_forever() -> None:
    threading.Event().wait()
