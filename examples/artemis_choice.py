"""Options of the photonic examples, and the choice between the two Artemises."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import click

from local_artemis import LocalArtemis, Progress

artemis_option = click.option(
    "--artemis", is_flag=True, help="Use the real Artemis, with your token."
)
qpu_option = click.option(
    "--qpu", default="Artemis", show_default=True, help="The name of a QPU."
)
samples_option = click.option(
    "--samples", type=int, default=1000, show_default=True, help="Samples of each job."
)
polling_option = click.option(
    "--polling-interval",
    type=float,
    help="Seconds between two looks at the jobs.  [default: 0.5, with --artemis 30]",
)


def polling_seconds(chosen: float | None, *, artemis: bool) -> float:
    """Return the chosen polling interval, or the default for the Artemis in use."""
    if chosen is not None:
        return chosen
    return 30.0 if artemis else 0.5


@contextmanager
def use_artemis(*, real: bool) -> Generator[None]:
    """Connect this process and the workers to the real Artemis or an embedded one."""
    if real:
        click.echo("Using the real Artemis with your saved token.")
        yield
        return
    with LocalArtemis(progress=Progress.seconds(queued=0.1, submitted=0.3)) as artemis:
        click.echo(f"Started an embedded Artemis at {artemis.url}; no account needed.")
        # HOME stays: it would move the files of Tierkreis, too.
        home = os.environ.get("HOME", "")
        os.environ.update({**artemis.env, "HOME": home})
        yield
