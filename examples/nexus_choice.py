"""Options of the examples, and the choice between the embedded and the real Nexus."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import click

from local_nexus import LocalNexus

nexus_option = click.option(
    "--nexus", is_flag=True, help="Use the real Nexus, with your login."
)
shots_option = click.option(
    "--shots", type=int, default=200, show_default=True, help="Shots of each circuit."
)
polling_option = click.option(
    "--polling-interval",
    type=float,
    help="Seconds between two status requests.  [default: 0.2, with --nexus 30]",
)


def polling_seconds(chosen: float | None, *, nexus: bool) -> float:
    """Return the chosen polling interval, or the default for the Nexus in use."""
    if chosen is not None:
        return chosen
    return 30.0 if nexus else 0.2


@contextmanager
def use_nexus(*, real: bool) -> Generator[None]:
    """Connect this process and the workers to the real Nexus or an embedded one."""
    if real:
        click.echo("Using the real Nexus with your login (see `tkr-nexus login`).")
        yield
        return
    with LocalNexus() as nexus:
        click.echo(f"Started an embedded Nexus at {nexus.url}; no account needed.")
        os.environ.update(nexus.env)
        yield
