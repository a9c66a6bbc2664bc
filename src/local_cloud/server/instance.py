"""What makes one server differ from another; kept in its directory."""

import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from local_cloud.cloud import Cloud
from local_cloud.files import write_private

_FILE = "instance.json"


@dataclass(frozen=True)
class Instance:
    """The identity of a server.

    :param database: An SQLAlchemy URL.
    :param email: The e-mail address of the first user.
    :param password: The password of the first user.
    :param secret: The key that signs tokens.
    :param admin_token: What opens the routes below ``/_local/``.
    """

    database: str
    email: str
    password: str
    secret: str
    admin_token: str

    @classmethod
    def load(cls, cloud: Cloud, directory: Path, database: str | None = None) -> Self:
        """Return the identity kept in a directory, made at random if there is none.

        :param directory: Of the server; it must exist.
        :param database: An SQLAlchemy URL; SQLite in the directory by default.
        """
        path = directory / _FILE
        default = f"sqlite:///{directory / cloud.database}"
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            kept = {field.name: known[field.name] for field in fields(cls)}
            return cls(**kept | {"database": database or default})
        made = cls(
            database=database or default,
            email=f"user-{secrets.token_hex(3)}@{cloud.slug}.test",
            password=secrets.token_urlsafe(16),
            secret=secrets.token_urlsafe(32),
            admin_token=secrets.token_urlsafe(32),
        )
        write_private(path, json.dumps(asdict(made)))
        return made
