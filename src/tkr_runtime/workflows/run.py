"""Run a workflow to its end, with progress and with errors a person can read."""

import gc
import shutil
import sys
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from pydantic_core import from_json, to_json
from tierkreis.builder import Graph
from tierkreis.controller import run_graph
from tierkreis.controller.data.graph import GraphData
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import (
    bytes_from_ptype,
    is_ptype,
    ptype_from_bytes,
)
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.exceptions import EntryNotFoundError
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.exceptions import TierkreisError
from tierkreis.labels import Labels
from tierkreis.models import Workflow
from tierkreis.storage import read_outputs

from tkr_runtime import json_lines
from tkr_runtime.errors import (
    CheckpointError,
    InvalidInputError,
    WorkerError,
    WorkflowFailedError,
)
from tkr_runtime.jobs import budget
from tkr_runtime.tierkreis_internals import set_tkr_logger
from tkr_runtime.workflows.controller_lock import control_workflow
from tkr_runtime.workflows.failures import read_failures
from tkr_runtime.workflows.interrupt import (
    OnInterrupt,
    check_on_interrupt,
    handle_interrupt,
    resume_command,
)
from tkr_runtime.workflows.liveness import LivenessMonitor
from tkr_runtime.workflows.loop import run_to_end
from tkr_runtime.workflows.progress import show_progress
from tkr_runtime.workflows.recovery import prepare_to_resume
from tkr_runtime.workflows.storage import FILE_ERRORS, check_directory

# Between the first checks whether the processes of tasks are alive.
_MONITOR_SECONDS = 5.0

_INPUTS = Loc("").N(-1)
"""Where Tierkreis keeps the inputs of a workflow, its graph among them."""

_ENCODED_BYTES = b"__tkr_bytes__"
"""The key in the JSON of Tierkreis that stands for bytes."""


def run(
    graph: Workflow[Any, Any],
    inputs: Mapping[str, Any] | Any,
    storage: ControllerStorage,
    executor: ControllerExecutor,
    *,
    polling_interval_seconds: float = 0.005,
    on_interrupt: OnInterrupt = "keep",
) -> Any:
    """Run a graph to its end and return its outputs.

    It differs from Tierkreis's ``run_graph`` where that would surprise a person: it
    does not stop silently after a number of iterations, does not return the outputs of
    an earlier run, refuses missing and unknown inputs, and says which task failed and
    why. At a terminal it shows progress. :func:`resume` continues a run that Ctrl-C or
    a fault has stopped.

    :param graph: The graph, as ``finish_with_outputs`` returns it.
    :param inputs: All its inputs by name, or its only input.
    :param storage: An empty storage for the run.
    :param executor: Starts the tasks.
    :param polling_interval_seconds: The pause between two checks for ended tasks; it
        grows to two seconds while tasks take long.
    :param on_interrupt: What Ctrl-C does with jobs that have not ended: ``"keep"``
        names them and the command that cancels each, ``"cancel"`` cancels them.
    :returns: The outputs, as ``tierkreis.storage.read_outputs`` returns them.
    :raises InvalidInputError: If the graph or its inputs are invalid, the storage
        already contains a run, or the executor cannot handle its directory.
    :raises CheckpointError: If the files of the workflow cannot be written.
    :raises WorkflowFailedError: If a task failed, or ended without a word.
    """
    _check_graph(graph)
    values = inputs if isinstance(inputs, Mapping) else {"value": inputs}
    ports = {name: _without_indentation(value) for name, value in values.items()}
    _check_inputs(graph.data, ports)
    _refuse_earlier_run(storage, {**ports, "body": graph.data})

    def start() -> None:
        run_graph(storage, executor, graph, ports, n_iterations=0)

    _finish(storage, executor, start, polling_interval_seconds, on_interrupt)
    return _read_outputs(graph, storage)


def resume(
    storage: ControllerStorage,
    executor: ControllerExecutor,
    *,
    polling_interval_seconds: float = 0.005,
    on_interrupt: OnInterrupt = "keep",
) -> Any:
    """Continue a workflow that was stopped, was killed or failed, to its end.

    Tasks that have finished are not run again. Tasks that still run, on this machine or
    on one that shares locks with it, are waited for. All other tasks that were started
    are started again, including those that failed, and find the jobs that they had
    submitted.

    :param storage: The storage of a workflow that was started, here or by another
        program.
    :param executor: Starts the tasks, as in the run before.
    :param polling_interval_seconds: The pause between two checks for ended tasks; it
        grows to two seconds while tasks take long.
    :param on_interrupt: As for :func:`run`.
    :returns: The outputs of the graph; those of a finished workflow at once.
    :raises InvalidInputError: If the storage contains no run, or the executor cannot
        handle its directory.
    :raises CheckpointError: If the files of the workflow cannot be written.
    :raises WorkflowFailedError: If a task failed, or ended without a word.
    """
    if not storage.is_node_started(Loc()):
        raise InvalidInputError(
            f"{storage.workflow_dir} contains no run to resume; start one with run()."
        )

    def go_on() -> None:
        set_tkr_logger(storage.logs_path)
        prepare_to_resume(storage, executor)

    if not storage.is_node_finished(Loc()):
        _finish(storage, executor, go_on, polling_interval_seconds, on_interrupt)
    graph = ptype_from_bytes(storage.read_output(_INPUTS, "body"), GraphData)
    return _read_outputs(graph, storage)


def _finish(
    storage: ControllerStorage,
    executor: ControllerExecutor,
    begin: Callable[[], None],
    polling_interval_seconds: float,
    on_interrupt: OnInterrupt,
) -> None:
    """Run a workflow to its end.

    :param begin: Starts the workflow, or prepares it to be resumed.
    """
    check_on_interrupt(on_interrupt)
    check_directory(storage, executor)
    monitor = LivenessMonitor(storage, executor)
    with (
        readable_errors(storage),
        handle_interrupt(storage, on_interrupt),
        _folder(storage),
        control_workflow(storage),
        show_progress(storage),
    ):
        in_memory = isinstance(storage, ControllerInMemoryStorage)
        budget.attach(None if in_memory else storage.workflow_dir)
        begin()
        run_to_end(
            storage,
            executor,
            monitor.mark_dead,
            _MONITOR_SECONDS,
            polling_interval_seconds,
        )


@contextmanager
def _folder(storage: ControllerStorage) -> Generator[None]:
    """Create the folder of a workflow, and delete it if the workflow does not start.

    A folder without the time of its start makes Tierkreis's visualiser fail, so it gets
    its name with that in it.
    """
    folder = storage.workflow_dir
    if isinstance(storage, ControllerInMemoryStorage) or folder.exists():
        yield
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".starting-", dir=folder.parent) as making:
            twin = copy(storage)
            twin.tkr_dir = Path(making)
            twin.write_metadata(Loc(""))
            twin.workflow_dir.rename(folder)
        yield
    except BaseException:
        if not storage.is_node_started(Loc()):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _check_graph(graph: object) -> None:
    """Check that a graph can be run.

    :raises InvalidInputError: If it is not complete.
    """
    if not isinstance(graph, Workflow):
        advice = (
            "give what its finish_with_outputs(...) returns"
            if isinstance(graph, Graph)
            else "give a graph"
        )
        raise InvalidInputError(f"run() cannot run a {type(graph).__name__}; {advice}.")


def _check_inputs(graph: GraphData, ports: Collection[str]) -> None:
    """Check that the inputs of a graph are complete.

    :raises InvalidInputError: If inputs are missing or unknown.
    """
    expected = graph.graph_inputs - graph.fixed_inputs.keys()
    problems = {
        "missing": sorted(expected - set(ports)),
        "unknown": sorted(set(ports) - expected),
    }
    named = [f"{kind}: {', '.join(names)}" for kind, names in problems.items() if names]
    if named:
        raise InvalidInputError(
            f"The inputs do not fit the graph ({'; '.join(named)}); it has the inputs "
            f"{', '.join(sorted(expected)) or 'none'}."
        )


def _without_indentation(value: Any) -> Any:
    """Encode circuits, so that Tierkreis uses the text unchanged.

    Tierkreis would indent them, which takes four times the time and five times the
    space.

    :param value: An input; lists of circuits, and lists of such lists, are encoded.
    """
    # If nothing has imported pytket, there are no circuits.
    circuit = getattr(sys.modules.get("pytket.circuit"), "Circuit", None)
    if circuit is None or not isinstance(value, list):
        return value

    def encodable(element: Any) -> Any:
        if isinstance(element, list):
            return list(map(encodable, element))
        if isinstance(element, circuit):
            return element.to_dict()
        raise TypeError

    try:
        # One by one: as dictionaries, circuits take ten times the space of the text.
        encoded = (to_json(encodable(element)) for element in value)
        return b"".join(json_lines.join(encoded))
    except TypeError:
        return value


def _read_outputs(
    graph: Workflow[Any, Any] | GraphData, storage: ControllerStorage
) -> Any:
    """Read the outputs of a workflow as Tierkreis does, in less time and space.

    Tierkreis copies the text to decode it, and calls Python for each object in it.
    """
    if isinstance(graph, GraphData):
        data, types = graph, ()
    else:
        data, types = graph.data, get_args(graph.outputs_type)
    ports = data.nodes[data.output_idx()].inputs
    if list(ports) == [Labels.VALUE] and not any(map(is_ptype, types)):
        with suppress(EntryNotFoundError, ValueError):
            content = storage.read_output(Loc(), Labels.VALUE)
            if _ENCODED_BYTES not in content:
                lines = content.split(b"\n")
                del content
                with _without_garbage_collection():
                    return _decode(lines)
    return read_outputs(graph, storage)


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    """Do not collect garbage while many objects are made, none of which is garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _decode(lines: list[bytes]) -> Any:
    """Decode JSON; free each line of a list with one element on each line.

    The worker writes results in this form, which may have millions of shots.
    """
    if lines[0] != b"[" or lines[-1] != b"]":
        return from_json(b"\n".join(lines))
    elements = lines[-2:0:-1]
    lines.clear()
    return [from_json(elements.pop().removesuffix(b",")) for _ in range(len(elements))]


def _refuse_earlier_run(storage: ControllerStorage, ports: dict[str, Any]) -> None:
    """Refuse a storage that contains a run, and say what to do with that run."""
    if not storage.is_node_started(Loc()):
        return
    holds = f"{storage.workflow_dir} already contains"
    other = "use another id for this one, or do_cleanup=True to delete the earlier run"
    if storage.is_node_finished(Loc()):
        raise InvalidInputError(
            f"{holds} a finished run of workflow {storage.workflow_id}; {other}."
        )
    if not _has_inputs(storage, ports):
        raise InvalidInputError(
            f"{holds} an unfinished run of workflow {storage.workflow_id} with other "
            f"inputs; {other}."
        )
    raise InvalidInputError(
        f"{holds} an unfinished run of workflow {storage.workflow_id} with the same "
        f"inputs; to continue it, call resume() or run {resume_command(storage)}"
    )


def _has_inputs(storage: ControllerStorage, ports: dict[str, Any]) -> bool:
    """Return whether a workflow was started with exactly these inputs and graph."""
    try:
        return storage.read_output_ports(_INPUTS) == sorted(ports) and all(
            storage.read_output(_INPUTS, port) == bytes_from_ptype(value)
            for port, value in ports.items()
        )
    except EntryNotFoundError:
        return False


@contextmanager
def readable_errors(storage: ControllerStorage) -> Generator[None]:
    """Raise the message of a failed task instead of "Graph encountered errors".

    Use it around Tierkreis's own ``run_graph`` or ``resume_graph``.

    :param storage: The storage of the workflow.
    :raises WorkflowFailedError: If a task failed.
    :raises CheckpointError: If the files of the workflow cannot be written.
    """
    try:
        yield
    except WorkerError:
        raise
    except TierkreisError as error:
        failures = read_failures(storage)
        if failures:
            raise WorkflowFailedError("\n".join(map(str, failures))) from error
        if isinstance(error.__cause__, OSError):
            raise _checkpoint_error(storage, error.__cause__) from error
        raise
    except OSError as error:
        if error.errno not in FILE_ERRORS:
            raise
        raise _checkpoint_error(storage, error) from error


def _checkpoint_error(storage: ControllerStorage, error: OSError) -> CheckpointError:
    reason = f"its files in {storage.workflow_dir} cannot be written ({error.strerror})"
    if not storage.is_node_started(Loc()):
        return CheckpointError(
            f"Workflow {storage.workflow_id} was not started because {reason}; fix "
            "that, then run it again."
        )
    return CheckpointError(
        f"Workflow {storage.workflow_id} stopped because {reason}. Nothing is lost; "
        f"fix that, then continue it: {resume_command(storage)}"
    )
