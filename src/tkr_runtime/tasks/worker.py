"""The worker class: Tierkreis's, with what tasks that submit jobs need in addition.

An input that cannot be read is refused in one sentence. A task may return a list that a
map takes element by element, and may take what the elements of a map returned as one
list. Tierkreis's builtin tasks for this start a process each and hold the whole list.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from inspect import signature
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic.fields import FieldInfo
from tierkreis.controller.data.core import Deserializer, PortID, Serializer
from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.controller.data.models import PModel
from tierkreis.controller.data.types import (
    PType,
    TierkreisEncoder,
    coerce_from_annotation,
    ser_from_ptype,
)
from tierkreis.exceptions import TierkreisError
from tierkreis.namespace import WorkerFunction
from tierkreis.worker.storage.filestorage import WorkerFileStorage
from tierkreis.worker.storage.protocol import WorkerStorage
from tierkreis.worker.worker import TierkreisWorkerError

from tkr_runtime import json_lines
from tkr_runtime.cloud import Cloud
from tkr_runtime.errors import CheckpointError, InvalidInputError
from tkr_runtime.settings.limits import Limits
from tkr_runtime.tasks import context
from tkr_runtime.tasks.node_files import DONE, MESSAGE
from tkr_runtime.tasks.task_lock import hold_task_lock
from tkr_runtime.tierkreis_internals import ERROR, OpenWorker

ALL_ELEMENTS = "*"
"""The port that stands for all elements of a list, as Tierkreis writes it."""

_inputs: ContextVar[dict[str, PType]] = ContextVar("inputs")
_storage: ContextVar[WorkerStorage | None] = ContextVar("storage", default=None)


class EncodedValue(bytes):
    """An element of a returned list that is written unchanged."""


class TaskWorker(OpenWorker):
    """A worker whose tasks know their workflow and refuse unreadable inputs by name.

    :param cloud: The cloud to which its tasks submit jobs.
    :param encode: Encodes an element of a returned list as JSON text, faster than
        Tierkreis; returns None for an element that Tierkreis is to encode.
    :param describe_job: Describes a value that refers to a job, as in ``Job 'bell'
        (3f…)``; returns None for any other value.
    """

    def __init__(
        self,
        cloud: Cloud,
        *,
        encode: Callable[[Any], bytes | None] = lambda _: None,
        describe_job: Callable[[Any], str | None] = lambda _: None,
    ) -> None:
        super().__init__(cloud.worker_name)
        self.cloud = cloud
        self._encode_fast = encode
        self._describe_job = describe_job
        self._encoded_elements: set[tuple[str, str]] = set()

    @property
    def log_prefix(self) -> str:
        """The prefix of the lines in the log that are for the user."""
        return self.cloud.log_prefix

    def function(self, name: str) -> Callable[[WorkerCallArgs], None]:
        """Return the function that runs a task.

        :param name: The name of the task.
        :raises InvalidInputError: If the worker has no such task.
        """
        if name not in self.functions:
            raise InvalidInputError(f"The worker {self.name} has no task {name}.")
        return self.functions[name]

    @property
    def storage(self) -> WorkerStorage:
        """Where the running task reads its inputs and writes its outputs."""
        return _storage.get() or self._own_storage

    @storage.setter
    def storage(self, storage: WorkerStorage) -> None:
        self._own_storage = storage

    @contextmanager
    def stored_in(self, storage: WorkerStorage) -> Generator[None]:
        """Use another storage for the tasks of this thread while the body runs.

        :param storage: The storage.
        """
        token = _storage.set(storage)
        try:
            yield
        finally:
            _storage.reset(token)

    def task[F: Callable[..., Any]](self) -> Callable[[F], F]:
        """Register a function as a task, which runs in the context of its workflow.

        :returns: A decorator.
        """
        register: Callable[[F], F] = super().task()

        def decorate(function: F) -> F:
            registered = register(function)
            run = self.functions[function.__name__]

            def run_in_context(arguments: WorkerCallArgs) -> None:
                with context.task_context(arguments, self.storage):
                    run(arguments)

            self.functions[function.__name__] = run_in_context
            return registered

        return decorate

    def run(self, worker_definition_path: Path) -> None:
        """Run a task, unless another process runs it and completes it.

        :param worker_definition_path: The definition of the task.
        :raises TierkreisWorkerError: If the task fails.
        """
        if not isinstance(self.storage, WorkerFileStorage):
            super().run(worker_definition_path)
            return
        folder = self.storage.resolve(worker_definition_path).parent
        try:
            with self.locked(folder) as must_run:
                if must_run:
                    super().run(worker_definition_path)
        except (InvalidInputError, TimeoutError) as error:
            self.storage.write_error(folder / ERROR, str(error))
            raise TierkreisWorkerError(str(error)) from error

    @contextmanager
    def locked(self, folder: Path) -> Generator[bool]:
        """Keep other processes from running a task while the body runs.

        :param folder: The folder of its node.
        :returns: Whether the task must be run, because no other process completed it.
        :raises InvalidInputError: If a limit in the environment is invalid.
        :raises TimeoutError: If another process runs it for too long.
        """
        limits = Limits.from_environment(self.cloud.env_prefix)
        # The other process may itself wait this long, at most.
        timeout = limits.outage_time + limits.login_wait
        with hold_task_lock(folder, timeout) as has_waited:
            yield not (has_waited and (folder / DONE).exists())

    def read_inputs(
        self, function: WorkerFunction, paths: dict[str, Path]
    ) -> dict[str, PType]:
        """Read the inputs of a task.

        :param function: The function of the task.
        :param paths: The files of its inputs, by name.
        :returns: The inputs, by name.
        :raises InvalidInputError: If one cannot be read.
        """
        parameters = self.types[function.__name__].parameters
        inputs: dict[str, PType] = {}
        for name, path in paths.items():
            try:
                if (function.__name__, name) in self._encoded_elements:
                    inputs[name] = cast("PType", self._element_texts(path))
                elif path.name.endswith(ALL_ELEMENTS):
                    texts = self._element_texts(path)
                    elements = list(chain.from_iterable(map(json.loads, texts)))
                    annotation = parameters[name].annotation
                    inputs[name] = coerce_from_annotation(elements, annotation)
                else:
                    self._check_kind(function, name, path)
                    inputs |= super().read_inputs(function, {name: path})
            except (InvalidInputError, TierkreisError):
                raise
            # Circuits, HUGR packages and backend configs each fail in their own way.
            except Exception as error:
                raise InvalidInputError(
                    f"The input {name} of the task {function.__name__} cannot be read "
                    f"({_first_line(error)}); give a value of the type that the stub "
                    "of the task names."
                ) from error
        _inputs.set(inputs)
        return inputs

    def _check_kind(self, function: WorkerFunction, name: str, path: Path) -> None:
        """Refuse a value that does not say which of several models it is.

        Tierkreis would take it for the first of them whose fields all have defaults.
        """
        annotation = self.types[function.__name__].parameters[name].annotation
        if not (key := _discriminator(annotation)):
            return
        value = json.loads(self.storage.read_input(path))
        if not isinstance(value, dict) or key not in value:
            kinds = [kind.__name__ for kind in get_args(get_args(annotation)[0])]
            raise InvalidInputError(
                f"The input {name} of the task {function.__name__} has no {key!r} that "
                f"says what it is; give one of {', '.join(kinds)}."
            )

    def write_outputs(
        self, function: WorkerFunction, paths: dict[PortID, Path], returned: PModel
    ) -> None:
        """Write the outputs of a task.

        :param function: The function of the task.
        :param paths: The files of its outputs, by name.
        :param returned: What the function returned.
        :raises CheckpointError: If they cannot be written.
        """
        try:
            self._write_outputs(function, paths, returned)
        except OSError as error:
            # Deleting what was written makes room for the message.
            files = [self.storage.resolve(path) for path in paths.values()]
            for file in files:
                with suppress(OSError):
                    file.unlink()
            described = map(self._describe_job, (returned, *_inputs.get().values()))
            jobs = [f" {job} is on {self.cloud.name}." for job in described if job]
            raise CheckpointError(
                f"The output of the task {function.__name__} cannot be written to "
                f"{', '.join(map(str, files))} ({error.strerror}).{''.join(jobs)} Fix "
                f"that, then resume the workflow with {self.cloud.command} resume."
            ) from error

    def _element_texts(self, pattern: Path) -> list[bytes]:
        """Read what the elements of a map returned, in their order."""
        paths = [Path(path) for path in self.storage.glob(str(pattern))]
        paths.sort(key=lambda path: int(path.name.rsplit("-", 1)[-1]))
        return [self.storage.read_input(path) for path in paths]

    def _write_outputs(
        self, function: WorkerFunction, paths: dict[PortID, Path], returned: PModel
    ) -> None:
        annotation = signature(function).return_annotation
        if get_origin(annotation) is not list:
            super().write_outputs(function, paths, returned)
            return
        (element_type,) = get_args(annotation)
        encoded = (self._encode(it, element_type) for it in cast("Any", returned))
        for port, path in paths.items():
            if port == ALL_ELEMENTS:
                for index, element in enumerate(encoded):
                    self.storage.write_output(path.with_name(str(index)), element)
            elif isinstance(self.storage, WorkerFileStorage):
                # Results with many shots fill the memory if all are text at once.
                with self.storage.resolve(path).open("wb") as file:
                    file.writelines(json_lines.join(encoded))
            else:
                self.storage.write_output(path, b"".join(json_lines.join(encoded)))

    def _encode(self, element: PType, element_type: Any) -> bytes:
        if isinstance(element, EncodedValue):
            return element
        encoded = self._encode_fast(element)
        if encoded is not None:
            return encoded
        serial = ser_from_ptype(element, element_type)
        return json.dumps(serial, cls=TierkreisEncoder).encode()

    def read_elements_encoded(self, task: str, name: str) -> None:
        """Give a task the text of each element of a map, whatever they returned.

        :param task: The name of the task.
        :param name: The name of its input, a list of bytes.
        """
        self._encoded_elements.add((task, name))

    def read_input_by(
        self,
        task: str,
        name: str,
        read: Callable[[Any], Any],
        *,
        encoded: bool = False,
    ) -> None:
        """Read one input of a task with a function of ours.

        Tierkreis tries the types of a union in order and fails where one of them cannot
        take the value at all, as a model cannot take a list.

        :param task: The name of the task.
        :param name: The name of its input.
        :param read: A function from the decoded JSON to the value.
        :param encoded: Whether it takes the JSON as bytes instead.
        """
        signature = self.types[task]
        parameters = dict(signature.parameters)
        form: Literal["bytes", "json"] = "bytes" if encoded else "json"
        # Tierkreis takes the form from the serializer, which is not called.
        annotation = Annotated[Any, Serializer(read, form), Deserializer(read, form)]
        parameters[name] = parameters[name].replace(annotation=annotation)
        self.types[task] = signature.replace(parameters=list(parameters.values()))


def write_message(storage: WorkerStorage, definition: Path, message: str) -> None:
    """Write the sentence of a failed task to its node, where the controller reads it.

    :param storage: The storage of the worker.
    :param definition: The definition of the task.
    :param message: The sentence.
    """
    storage.write_error(definition.with_name(MESSAGE), message)


def _discriminator(annotation: Any) -> str:
    """Return the field by which models of a union are told apart; empty if none."""
    for data in getattr(annotation, "__metadata__", ()):
        if isinstance(data, FieldInfo) and isinstance(data.discriminator, str):
            return data.discriminator
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
