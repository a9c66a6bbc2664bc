"""What makes one embedded Nexus differ from another; kept in its directory."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_FILE = "instance.json"


@dataclass(frozen=True)
class Settings:
    """The identity of an instance.

    :param database: an SQLAlchemy URL.
    :param email: the e-mail address of the first user.
    :param password: the password of the first user.
    :param secret: the key that signs tokens.
    :param admin_token: what opens the routes below ``/_local/``.
    """

    database: str
    email: str
    password: str
    secret: str
    admin_token: str

    @classmethod
    def load(cls, directory: Path, database: str | None = None) -> Settings:
        """Return the settings kept in a directory, made at random if there are none.

        :param directory: of the instance; it must exist.
        :param database: an SQLAlchemy URL; SQLite in the directory by default.
        """
        path = directory / _FILE
        default = f"sqlite:///{directory / 'nexus.db'}"
        if path.exists():
            known = json.loads(path.read_text())
            kept = {field.name: known[field.name] for field in fields(cls)}
            return cls(**kept | {"database": database or default})
        settings = cls(
            database=database or default,
            email=f"user-{secrets.token_hex(3)}@local-nexus.test",
            password=secrets.token_urlsafe(16),
            secret=secrets.token_urlsafe(32),
            admin_token=secrets.token_urlsafe(32),
        )
        write_private(path, json.dumps(asdict(settings)))
        return settings


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
