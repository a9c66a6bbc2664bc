"""The cost of a job at the command line: options, and the question before hardware."""

import sys
from typing import TYPE_CHECKING

import click

from tkr_runtime.cli.jobs import Decorator

if TYPE_CHECKING:
    from tkr_nexus_worker.costs.estimates import CostEstimate

_AMOUNT = click.FloatRange(min=0.0, min_open=True)

max_cost_option: Decorator = click.option(
    "--max-cost",
    metavar="HQC",
    type=_AMOUNT,
    help="Refuse to submit if the programs together are estimated to cost more.",
)
"""The option ``--max-cost`` of a command that runs programs."""

max_program_cost_option: Decorator = click.option(
    "--max-program-cost",
    metavar="HQC",
    type=_AMOUNT,
    help="The most that each program may cost; Nexus does not run one that costs more.",
)
"""The option ``--max-program-cost`` of a command that runs programs."""

yes_option: Decorator = click.option(
    "--yes", is_flag=True, help="Do not ask before a job on hardware."
)
"""The option ``--yes`` of a command that runs programs."""


def confirm_cost(estimate: "CostEstimate", *, yes: bool) -> None:
    """Tell a person what a job costs, and ask before it is submitted to hardware.

    Where nobody can answer, as in a script, the cost is only told: a limit stops it.

    :param estimate: What the job is estimated to cost.
    :param yes: Whether not to ask.
    :raises click.Abort: If the person does not want the job.
    """
    if estimate.charged is False:
        return
    click.echo(_describe(estimate), err=True)
    if estimate.kind == "hardware" and not yes and sys.stdin.isatty():
        click.confirm("Submit the job?", default=False, abort=True, err=True)


def _describe(estimate: "CostEstimate") -> str:
    where = f" on {estimate.device}" if estimate.device else ""
    if estimate.cost is None:
        return f"What the job costs{where} is not known: {estimate.reason}."
    if estimate.confidence == 1:
        return f"The job costs {estimate.cost:.2f} HQC{where}."
    sure = (
        ""
        if estimate.confidence is None
        else f" (confidence {estimate.confidence:.0%})"
    )
    return f"The job costs about {estimate.cost:.2f} HQC{where}{sure}."
