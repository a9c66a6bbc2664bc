"""The command ``tkr-nexus`` for people."""

import click

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.cli.group import LazyGroup
from tkr_runtime.tasks.deferred_imports import defer_imports

# Name of a command -> the module of this package that has it, and what it does.
_COMMANDS = {
    "cancel": ("jobs", "Cancel jobs on Nexus."),
    "check": ("run", "Check whether circuits fit a device, and what they cost."),
    "delete": ("jobs", "Delete jobs and their results on Nexus."),
    "device": ("devices", "Tell all about a device, or compare several."),
    "devices": ("devices", "List the devices that you may use."),
    "doctor": ("account", "Check all that a new user gets wrong."),
    "jobs": ("jobs", "List jobs on Nexus."),
    "login": ("account", "Log in to Nexus by a browser."),
    "payload": ("jobs", "Show or save what was submitted as a job."),
    "plot": ("results", "Draw histograms of the results of a job."),
    "results": ("results", "Show or save the results of a job."),
    "resume": ("workflows", "Go on with a workflow that was stopped or failed."),
    "retry": ("jobs", "Run again those programs of a job that ended badly."),
    "run": ("run", "Run programs in files as one job."),
    "serve": ("serve", "Serve an embedded Nexus on this machine."),
    "show": ("jobs", "Show everything about a job but its programs and results."),
    "status": ("jobs", "Tell in one line where a job stands."),
    "watch": ("watch", "Follow jobs until all have ended."),
    "whoami": ("account", "Tell who is logged in, to which Nexus, for how long."),
}


@click.group(
    cls=LazyGroup,
    package="tkr_nexus_worker.cli",
    modules=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tkr-nexus")
@click.pass_context
def cli(context: click.Context) -> None:
    """Work with Quantinuum Nexus beside Tierkreis workflows.

    Every command has --help. Exit codes: 0 success, 1 failure, 2 wrong use; those of
    status and watch also tell the state of a job.
    """
    from tkr_nexus_worker.nexus.patience import interactive

    context.with_resource(interactive())


def main() -> None:
    """Run the command as a program of its own."""
    defer_imports(NEXUS)
    cli()
