"""The command ``tkr-nexus`` for people."""

import click

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cli.group import LazyGroup

# Name of a command -> the module of this package that has it, and what it does.
_COMMANDS = {
    "cancel": ("jobs", "Cancel jobs on Nexus."),
    "plot": ("results", "Draw histograms of the results of a job."),
    "results": ("results", "Show or save the results of a job."),
    "resume": ("workflows", "Go on with a workflow that was stopped or failed."),
    "serve": ("serve", "Serve an embedded Nexus on this machine."),
}


@click.group(
    cls=LazyGroup,
    modules=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tkr-nexus")
def cli() -> None:
    """Work with Quantinuum Nexus beside Tierkreis workflows.

    Every command has --help. Exit codes: 0 success, 1 failure, 2 wrong use; those of
    status and watch also tell the state of a job.
    """
