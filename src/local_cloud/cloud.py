"""The description of an embedded cloud, from which its servers are started."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local_cloud.progress.rule import AT_ONCE, Progress

if TYPE_CHECKING:
    from local_cloud.web.application import Application
    from local_cloud.web.state import ServerState


@dataclass(frozen=True)
class Cloud:
    """What a server has to know of the cloud that it embeds.

    :param title: What messages and the help call a server, without an article.
    :param module: The package, which ``python -m`` starts.
    :param requirement: The distribution, with the extra that it needs, as pip takes it.
    :param database: The name of the SQLite file in a server's directory.
    :param environment: Returns the environment variables for the client programs of a
        server, from its directory and its URL.
    :param write_login: Writes the files from which client programs read where the
        server is and their tokens, from the directory, the URL and what
        :attr:`Hooks.issue_tokens` returns.
    :param application: Makes the application; called in the server's process only, and
        imports there what it needs.
    :param progress: How jobs move where no rule says otherwise; at once by default.
    """

    title: str
    module: str
    requirement: str
    database: str
    environment: Callable[[Path, str], dict[str, str]]
    write_login: Callable[[Path, str, Mapping[str, str]], None]
    application: "Callable[[ServerState], Application]"
    progress: Progress = AT_ONCE

    @property
    def slug(self) -> str:
        """The name of the package as it stands in file and host names."""
        return self.module.replace("_", "-")

    @property
    def directory_variable(self) -> str:
        """The environment variable that names the directory of a shell's server."""
        return f"{self.module.upper()}_DIRECTORY"
