"""What a server can be told when it starts, from Python and a command line alike."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from local_nexus.addresses import LOOPBACK


@dataclass(frozen=True)
class ServerOptions:
    """The options of a server.

    :param host: name or IPv4 address to listen on; this machine alone by default.
    :param port: to listen on; a free one by default.
    :param directory: where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param database: an SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    :param device_file: a JSON file with devices of a user's own, as for
        :func:`local_nexus.simulators.devices.devices`.
    :param faults: a TOML file that says how jobs move and what goes wrong.
    """

    host: str = LOOPBACK
    port: int | None = None
    directory: Path | None = None
    database: str | None = None
    device_file: Path | None = None
    faults: Path | None = None

    def to_arguments(self) -> list[str]:
        """Return the arguments of ``python -m local_nexus`` that say the same."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return [
            f"--{name.replace('_', '-')}={value}"
            for name, value in given.items()
            if value is not None
        ]
