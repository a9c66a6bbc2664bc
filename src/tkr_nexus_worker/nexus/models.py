"""The account and the checks of an installation, as values that commands print as JSON.

The module imports neither qnexus nor pytket. Later versions add fields and
neither rename nor remove any.
"""

from pydantic import BaseModel, ConfigDict

from tkr_runtime.cli.checks import Check

__all__ = ["AccountReport", "Check"]


class AccountReport(BaseModel):
    """Who is logged in, and where.

    :param user_id: The id of the user.
    :param display_name: The name that Nexus shows.
    :param email: The e-mail address, where Nexus reports it.
    :param nexus_url: The address of Nexus.
    :param login_seconds_left: How long the login remains valid, in seconds.
    :param login_files: Where the login is stored; empty if only in memory.
    """

    model_config = ConfigDict(frozen=True)

    user_id: str
    display_name: str
    email: str | None = None
    nexus_url: str
    login_seconds_left: float
    login_files: list[str]
