"""Commands for Tierkreis workflows."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from tkr_runtime.cli.errors import UsageError

if TYPE_CHECKING:
    from tierkreis.storage import FileStorage

_WORKER = b"nexus_worker."
"""What the names of tasks that need Nexus begin with."""
_PATIENCE_SECONDS = 2.0

DEFAULT_DIRECTORY = Path("~/.tierkreis/checkpoints")

directory_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The directory in which Tierkreis stores workflows.",
)
"""The option ``--directory`` of the commands that use workflows."""


@click.command()
@click.argument("workflow")
@directory_option
@click.option(
    "--executor",
    type=click.Choice(["uv", "shell"]),
    default="uv",
    show_default=True,
    help="How to start workers: uv runs this worker in this environment, shell "
    "finds workers on the PATH.",
)
@click.option(
    "--registry",
    "registries",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    multiple=True,
    help="A folder with your own workers, as UvExecutor and ShellExecutor take it; "
    "repeatable.",
)
def resume(
    workflow: str, directory: Path, executor: str, registries: tuple[Path, ...]
) -> None:
    """Resume a workflow that was stopped, was killed or failed.

    WORKFLOW is the id of a workflow or its first characters. Finished tasks do not run
    again; restarted tasks find the jobs that they submitted.
    """
    # Importing Tierkreis takes time, and --help does not need it.
    from tierkreis.storage import FileStorage

    from tkr_nexus_worker.cli.executors import make_executor
    from tkr_runtime.workflows.run import resume as resume_workflow

    directory = directory.expanduser().absolute()
    storage = FileStorage(
        _find_workflow(workflow, directory), tierkreis_directory=directory
    )
    _warn_without_nexus(storage)
    resume_workflow(storage, make_executor(executor, storage, registries))
    click.echo(f"The outputs are in {storage.workflow_dir / '-' / 'outputs'}")


def _warn_without_nexus(storage: "FileStorage") -> None:
    """Tell a person at once what the tasks of a workflow would only tell their logs.

    They go on trying, and wait for a login.
    """
    from tierkreis.controller.data.location import Loc

    from tkr_nexus_worker.errors import NexusUnavailableError, NotLoggedInError
    from tkr_nexus_worker.nexus.client import get_json
    from tkr_runtime.workflows.storage import started_graph

    if storage.is_node_finished(Loc()) or _WORKER not in started_graph(storage):
        return
    try:
        get_json("check the login", "/auth/tokens", read_timeout=_PATIENCE_SECONDS)
    except (NexusUnavailableError, NotLoggedInError) as error:
        click.echo(f"Warning: {error} The tasks of the workflow try again.", err=True)


def _find_workflow(prefix: str, directory: Path) -> UUID:
    """Return the id of the only workflow whose id starts with a prefix."""
    found = [
        workflow
        for path in (directory.iterdir() if directory.is_dir() else ())
        if (workflow := _read_id(path.name)) is not None
        and str(workflow).startswith(prefix.lower())
    ]
    match found:
        case [workflow]:
            return workflow
        case []:
            raise UsageError(
                f"There is no workflow {prefix!r} in {directory}; check the id, or "
                "name its directory with --directory."
            )
    ids = ", ".join(sorted(map(str, found)))
    raise UsageError(
        f"{len(found)} workflows in {directory} start with {prefix!r} ({ids}); give "
        "more digits of the id."
    )


def _read_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
