"""The command for Tierkreis workflows, of whatever clouds their tasks use."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from tkr_runtime.cli.errors import UsageError

if TYPE_CHECKING:
    from tierkreis.storage import FileStorage

DEFAULT_DIRECTORY = Path("~/.tierkreis/checkpoints")

directory_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The directory in which Tierkreis stores workflows.",
)
"""The option ``--directory`` of the commands that use workflows."""

interval_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--polling-interval",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Seconds between two status requests.  [default: 30, with --local 1]",
)
"""The option ``--polling-interval`` of the commands that run jobs."""


def seconds_between_requests(given: float | None, *, local: bool) -> float:
    """Return the polling interval, in seconds.

    :param given: The value of the option.
    :param local: Whether an embedded cloud runs the jobs.
    """
    return given or (1.0 if local else 30.0)


@click.command()
@click.argument("workflow")
@directory_option
@click.option(
    "--executor",
    type=click.Choice(["uv", "warm", "shell"]),
    default="uv",
    show_default=True,
    help="How to start workers: uv runs those of this distribution in this "
    "environment, and your own cold; warm runs your own in preloaded processes, too; "
    "shell finds workers on the PATH.",
)
@click.option(
    "--registry",
    "registries",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    multiple=True,
    help="A folder with your own workers, as UvExecutor, warm_executor and "
    "ShellExecutor take it; repeatable.",
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

    from tkr_runtime.cli.executors import make_executor
    from tkr_runtime.workflows.run import resume as resume_workflow

    directory = directory.expanduser().absolute()
    storage = FileStorage(
        find_workflow(workflow, directory), tierkreis_directory=directory
    )
    _warn_without_clouds(storage)
    resume_workflow(storage, make_executor(executor, storage, registries))
    click.echo(f"The outputs are in {storage.workflow_dir / '-' / 'outputs'}")


def _warn_without_clouds(storage: "FileStorage") -> None:
    """Tell a person at once what the tasks of a workflow would only tell their logs.

    They go on trying, and wait for a login.
    """
    from tierkreis.controller.data.location import Loc

    from tkr_runtime.cloud import clouds
    from tkr_runtime.errors import WorkerError
    from tkr_runtime.workflows.storage import started_graph

    if storage.is_node_finished(Loc()):
        return
    graph = started_graph(storage)
    for cloud in clouds():
        # What the names of its tasks begin with.
        if f"{cloud.worker_name}.".encode() not in graph:
            continue
        try:
            cloud.check_login()
        except WorkerError as error:
            text = f"Warning: {error} The tasks of the workflow try again."
            click.echo(text, err=True)


def find_workflow(prefix: str, directory: Path) -> UUID:
    """Return the id of the only workflow whose id starts with a prefix.

    :param prefix: The id, or its first characters.
    :param directory: The directory in which Tierkreis stores workflows.
    :raises UsageError: If there is none, or several.
    """
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
