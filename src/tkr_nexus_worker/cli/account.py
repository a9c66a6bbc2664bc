"""Commands for the account: log in, show the login, check the installation."""

import click

from tkr_nexus_worker.errors import NexusWorkerError
from tkr_nexus_worker.nexus.models import AccountReport
from tkr_runtime.cli.checks import print_checks
from tkr_runtime.cli.output import json_option, print_json
from tkr_runtime.times import age

_RETRY_SECONDS = 5.0

# Functions import qnexus, which takes seconds and which --help does not need.


@click.command()
@click.option("--force", is_flag=True, help="Log in again even if you are logged in.")
@click.option(
    "--browser/--no-browser",
    default=True,
    show_default=True,
    help="Open the page in a browser on this machine; any other browser works too.",
)
def login(force: bool, browser: bool) -> None:
    """Log in to Nexus in a browser, on this machine or another.

    The login is stored where qnexus looks for it. Only you can read it.
    """
    from tkr_nexus_worker.nexus.account import get_account, log_in

    if not force:
        try:
            account = get_account(retry_time=_RETRY_SECONDS)
        except NexusWorkerError:
            pass  # the login below reports what is wrong, if anything is
        else:
            click.echo(f"Already logged in. {_describe(account)}")
            return

    def show_code(code: str, address: str) -> None:
        click.echo(f"Open {address}\nand confirm if the page shows the code {code}.")

    log_in(show_code, open_browser=browser)
    click.echo(_describe(get_account()))


@click.command()
@json_option
def whoami(as_json: bool) -> None:
    """Show who is logged in, to which Nexus, and for how long."""
    from tkr_nexus_worker.nexus.account import get_account

    account = get_account()
    if as_json:
        print_json(account)
    else:
        click.echo(_describe(account))


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check the installation, the connection and the login, and suggest fixes.

    This changes nothing. The exit code is 1 if something does not work.
    """
    from tkr_nexus_worker.cli.diagnostics import run_checks

    print_checks(context, list(run_checks()), as_json=as_json)


def _describe(account: AccountReport) -> str:
    email = f" ({account.email})" if account.email else ""
    return (
        f"{account.display_name}{email} at {account.nexus_url}; the login expires in "
        f"{age(account.login_seconds_left)}."
    )
