"""What the examples share: the choice between the embedded and the real Nexus."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import click

from local_nexus import LocalNexus

nexus_option = click.option(
    "--nexus", is_flag=True, help="Use the real Nexus, with your login."
)
shots_option = click.option(
    "--shots", type=int, default=200, show_default=True, help="Per circuit."
)
polling_option = click.option(
    "--polling-interval",
    type=float,
    help="Seconds between two looks at the job.  [default: 1, with --nexus 30]",
)


def polling_seconds(chosen: float | None, *, nexus: bool) -> float:
    """Return the chosen polling interval, or a good one for the Nexus in use."""
    if chosen is not None:
        return chosen
    return 30.0 if nexus else 1.0


@contextmanager
def use_nexus(*, real: bool) -> Generator[None]:
    """Let this process and the workers use the real Nexus, or an embedded one."""
    if real:
        click.echo("Using the real Nexus with your own login (see `qnx login`).")
        yield
        return
    with LocalNexus() as nexus:
        click.echo(f"Started the embedded Nexus at {nexus.url}; no account is used.")
        os.environ.update(nexus.env)
        yield
