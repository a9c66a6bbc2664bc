"""The command ``tkr-nexus``: options and output, but no requests to Nexus."""

import atexit
import gc

import click

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.cli.group import LazyGroup
from tkr_runtime.tasks.deferred_imports import defer_imports

# Name of a command -> the module of this package that defines it, and its summary.
_COMMANDS = {
    "budget": ("budget", "Show what is reserved, spent and left of budgets."),
    "cancel": ("jobs", "Cancel jobs."),
    "check": ("run", "Check whether circuits fit a device, and estimate their cost."),
    "completion": (
        "tkr_runtime.cli.completion",
        "Install completion in a shell.",
    ),
    "delete": ("jobs", "Delete jobs and their results permanently."),
    "device": ("devices", "Show a device, or compare several."),
    "devices": ("devices", "List the devices that you can use."),
    "doctor": ("account", "Check the installation, the connection and the login."),
    "jobs": ("jobs", "List jobs."),
    "login": ("account", "Log in to Nexus in a browser."),
    "payload": ("jobs", "Show or save what a job submitted."),
    "plot": ("results", "Plot the results of a job as histograms."),
    "results": ("results", "Show or save the results of jobs."),
    "resume": (
        "tkr_runtime.cli.workflows",
        "Resume a workflow that stopped or failed.",
    ),
    "retry": ("jobs", "Rerun the failed programs of a job."),
    "run": ("run", "Run programs from files, as one job of each kind."),
    "serve": ("serve", "Start an embedded Nexus on this machine."),
    "show": ("jobs", "Show the details of a job."),
    "status": ("jobs", "Show the status of a job in one line."),
    "watch": ("watch", "Watch jobs until all have ended."),
    "whoami": ("account", "Show who is logged in, where, and for how long."),
}
_CANDIDATES = {
    "device": "tkr_nexus_worker.cli.completions:devices",
    "job": "tkr_nexus_worker.cli.completions:jobs",
    "project": "tkr_nexus_worker.cli.completions:projects",
}


@click.group(
    cls=LazyGroup,
    package="tkr_nexus_worker.cli",
    modules=_COMMANDS,
    candidates=_CANDIDATES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tkr-nexus")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and manage jobs on Quantinuum Nexus.

    Every command has --help. Exit codes: 0 success, 1 failure, 2 wrong usage or an
    unknown name, 3 a job has not ended, 4 a job ended without all its results.
    """
    from tkr_runtime.patience import interactive

    context.with_resource(interactive())


def main() -> None:
    """Run ``tkr-nexus`` as a program."""
    defer_imports(NEXUS)
    # The system takes all memory back. A last search for garbage among the modules that
    # a command imports would take up to half a second.
    atexit.register(gc.freeze)
    cli()
