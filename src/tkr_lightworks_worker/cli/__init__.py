"""The command ``tkr-lightworks``: options and output, but no requests to Artemis."""

import atexit
import gc

import click

from tkr_lightworks_worker._version import __version__
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_runtime.cli.group import LazyGroup
from tkr_runtime.tasks.deferred_imports import defer_imports

# Name of a command -> the module that defines it, and its summary.
_COMMANDS = {
    "cancel": ("jobs", "Cancel jobs."),
    "check": ("run", "Check whether samplers fit a QPU."),
    "completion": (
        "tkr_runtime.cli.completion",
        "Install completion in a shell.",
    ),
    "doctor": ("doctor", "Check the installation, the settings and the connection."),
    "jobs": ("jobs", "List jobs."),
    "payload": ("jobs", "Show or save what a job submitted."),
    "plot": ("results", "Plot the results of jobs as histograms."),
    "qpu": ("qpus", "Show the limits of a QPU, or compare several."),
    "qpus": ("qpus", "List the QPUs that you can use."),
    "results": ("results", "Show or save the results of jobs."),
    "resume": (
        "tkr_runtime.cli.workflows",
        "Resume a workflow that stopped or failed.",
    ),
    "retry": ("jobs", "Submit a job again that failed, as a new job."),
    "run": ("run", "Run samplers from a file, one job for each."),
    "serve": ("serve", "Start an embedded Artemis on this machine."),
    "show": ("jobs", "Show the details of a job."),
    "status": ("jobs", "Show the status of a job in one line."),
    "token": ("token", "Store, list and remove access tokens."),
    "watch": ("watch", "Watch jobs until all have ended."),
}
_WITHOUT_CLIENT = frozenset({"completion", "doctor", "serve"})
_CANDIDATES = {
    "job": "tkr_lightworks_worker.cli.completions:jobs",
    "qpu": "tkr_lightworks_worker.cli.completions:qpus",
}


def _require_client(command: str) -> None:
    """Say what to install, if the client of Artemis is missing.

    :param command: The name of the command that is about to run.
    :raises SetupError: If it needs the client.
    """
    if command in _WITHOUT_CLIENT:
        return
    from importlib.util import find_spec

    from tkr_lightworks_worker.artemis.settings import HOW_TO_INSTALL
    from tkr_lightworks_worker.errors import SetupError

    # Finding it takes no time; importing it takes seconds.
    if find_spec("lightworks") is None or find_spec("lightworks_remote") is None:
        raise SetupError(HOW_TO_INSTALL)


@click.group(
    cls=LazyGroup,
    package="tkr_lightworks_worker.cli",
    modules=_COMMANDS,
    candidates=_CANDIDATES,
    before=_require_client,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tkr-lightworks")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and manage photonic jobs on Aegiq's Artemis.

    Every command has --help. Exit codes: 0 success, 1 failure, 2 wrong usage or an
    unknown name, 3 a job has not ended, 4 a job ended without all its results.
    """
    from tkr_runtime.patience import interactive

    context.with_resource(interactive())


def main() -> None:
    """Run ``tkr-lightworks`` as a program."""
    defer_imports(LIGHTWORKS)
    # The system takes all memory back. A last search for garbage among the modules that
    # a command imports would take up to half a second.
    atexit.register(gc.freeze)
    cli()
