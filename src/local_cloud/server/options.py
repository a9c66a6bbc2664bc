"""What a server can be told when it starts, from Python and a command line alike."""

from dataclasses import dataclass, fields
from pathlib import Path

from local_cloud.server.addresses import LOOPBACK


@dataclass(frozen=True)
class ServerOptions:
    """The options of a server.

    :param host: Name or IPv4 address to listen on; this machine alone by default.
    :param port: To listen on; a free one by default.
    :param directory: Where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param database: An SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    :param device_file: A JSON file with devices of a user's own, in the form that the
        cloud knows.
    :param faults: A TOML file that says how jobs move and what goes wrong.
    :param lenient: Whether the server also takes programs that the cloud refuses, where
        it can run them all the same.
    """

    host: str = LOOPBACK
    port: int | None = None
    directory: Path | None = None
    database: str | None = None
    device_file: Path | None = None
    faults: Path | None = None
    lenient: bool = False

    def to_arguments(self) -> list[str]:
        """Return the command line arguments that say the same."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        flags = ["--lenient"] if given.pop("lenient") else []
        return flags + [
            f"--{name.replace('_', '-')}={value}"
            for name, value in given.items()
            if value is not None
        ]
