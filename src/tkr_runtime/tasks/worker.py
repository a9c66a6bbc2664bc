"""Tierkreis's worker, with what tasks that submit jobs need beside.

An input that cannot be read is refused in a sentence for a person. A list that a task
returns may be given to a map element by element, and a task may take what the elements
of a map returned as one list: Tierkreis's own builtin tasks for this start a process
each and hold the whole list.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from inspect import signature
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_origin

from tierkreis import Worker
from tierkreis.controller.data.core import Deserializer, PortID
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

from tkr_runtime.cloud import Cloud
from tkr_runtime.errors import CheckpointError, InvalidInputError
from tkr_runtime.requests import Limits
from tkr_runtime.tasks import context
from tkr_runtime.tasks.task_lock import claimed

ALL_ELEMENTS = "*"
"""The port that stands for all elements of a list, as Tierkreis writes it."""


_arguments: ContextVar[dict[str, PType]] = ContextVar("arguments")
_storage: ContextVar[WorkerStorage | None] = ContextVar("storage", default=None)


class EncodedValue(bytes):
    """An element of a returned list that is written as it is."""


class TaskWorker(Worker):
    """A worker whose tasks know their workflow and refuse unreadable inputs by name.

    :param cloud: The cloud to which its tasks submit jobs.
    :param encode: Encodes an element of a returned list as JSON text, faster than
        Tierkreis does; returns None for what it leaves to Tierkreis.
    :param describe_job: Names a job if a value is a reference to one, as in
        ``Job 'bell' (3f…)``; returns None for any other value.
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

    @property
    def storage(self) -> WorkerStorage:
        """Where the running task reads its inputs and writes its outputs."""
        return _storage.get() or self._own_storage

    @storage.setter
    def storage(self, storage: WorkerStorage) -> None:
        self._own_storage = storage

    @contextmanager
    def stored_in(self, storage: WorkerStorage) -> Generator[None]:
        """Give the tasks of this thread a storage of their own.

        :param storage: The storage.
        """
        token = _storage.set(storage)
        try:
            yield
        finally:
            _storage.reset(token)

    def task[F: Callable[..., Any]](self) -> Callable[[F], F]:
        """Register a function as a task; it finds its place in the workflow's context.

        :returns: A decorator.
        """
        register: Callable[[F], F] = super().task()

        def decorate(function: F) -> F:
            registered = register(function)
            run = self.functions[function.__name__]

            def run_in_context(arguments: WorkerCallArgs) -> None:
                with context.entered(arguments, self.storage):
                    run(arguments)

            self.functions[function.__name__] = run_in_context
            return registered

        return decorate

    def run(self, worker_definition_path: Path) -> None:
        """Run a task, unless another process has it and brings it to its end.

        :param worker_definition_path: The definition of the task.
        :raises TierkreisWorkerError: If it fails.
        """
        if not isinstance(self.storage, WorkerFileStorage):
            super().run(worker_definition_path)
            return
        folder = self.storage.resolve(worker_definition_path).parent
        try:
            with self.claimed(folder) as is_ours:
                if is_ours:
                    super().run(worker_definition_path)
        except (InvalidInputError, TimeoutError) as error:
            self.storage.write_error(folder / "_error", str(error))
            raise TierkreisWorkerError(str(error)) from error

    @contextmanager
    def claimed(self, folder: Path) -> Generator[bool]:
        """Keep other processes from a task while the body runs.

        :param folder: The folder of its node.
        :returns: Whether the task is to be run, because no other process did so.
        :raises InvalidInputError: If a limit in the environment is no number.
        :raises TimeoutError: If another process runs it for too long.
        """
        limits = Limits.from_environment(self.cloud.env_prefix)
        # As long as the other one may wait, at most.
        patience = limits.outage_time + limits.login_wait
        with claimed(folder, patience) as has_waited:
            yield not (has_waited and (folder / "_done").exists())

    def _load_args(
        self, f: WorkerFunction, inputs: dict[str, Path]
    ) -> dict[str, PType]:
        values: dict[str, PType] = {}
        for name, path in inputs.items():
            try:
                if path.name.endswith(ALL_ELEMENTS):
                    annotation = self.types[f.__name__].parameters[name].annotation
                    values[name] = coerce_from_annotation(self._fold(path), annotation)
                else:
                    values |= super()._load_args(f, {name: path})
            except TierkreisError:
                raise
            # Circuits, HUGR packages and backend configs each fail in their own way.
            except Exception as error:
                raise InvalidInputError(
                    f"The input {name} of the task {f.__name__} cannot be read "
                    f"({_first_line(error)}); give a value of the type that the stub "
                    "of the task names."
                ) from error
        _arguments.set(values)
        return values

    def _save_results(
        self, f: WorkerFunction, outputs: dict[PortID, Path], results: PModel
    ) -> None:
        try:
            self._write_results(f, outputs, results)
        except OSError as error:
            # What was written of it makes room for the message.
            files = [self.storage.resolve(path) for path in outputs.values()]
            for file in files:
                with suppress(OSError):
                    file.unlink()
            described = map(self._describe_job, (results, *_arguments.get().values()))
            jobs = [f" {job} is on {self.cloud.name}." for job in described if job]
            raise CheckpointError(
                f"The output of the task {f.__name__} cannot be written to "
                f"{', '.join(map(str, files))} ({error.strerror}).{''.join(jobs)} Mend "
                f"that, then resume the workflow by {self.cloud.command} resume."
            ) from error

    def _fold(self, pattern: Path) -> list[Any]:
        """Join the lists that the elements of a map returned, in their order."""
        paths = [Path(path) for path in self.storage.glob(str(pattern))]
        paths.sort(key=lambda path: int(path.name.rsplit("-", 1)[-1]))
        lists = [json.loads(self.storage.read_input(path)) for path in paths]
        return list(chain.from_iterable(lists))

    def _write_results(
        self, f: WorkerFunction, outputs: dict[PortID, Path], results: PModel
    ) -> None:
        annotation = signature(f).return_annotation
        if get_origin(annotation) is not list:
            super()._save_results(f, outputs, results)
            return
        (element_type,) = get_args(annotation)
        encoded = (self._encode(it, element_type) for it in cast("Any", results))
        for port, path in outputs.items():
            if port == ALL_ELEMENTS:
                for index, element in enumerate(encoded):
                    self.storage.write_output(path.with_name(str(index)), element)
            elif isinstance(self.storage, WorkerFileStorage):
                # Results of many shots fill the memory if all are text at once.
                with self.storage.resolve(path).open("wb") as file:
                    file.writelines(_list_pieces(encoded))
            else:
                self.storage.write_output(path, b"".join(_list_pieces(encoded)))

    def _encode(self, element: PType, element_type: Any) -> bytes:
        if isinstance(element, EncodedValue):
            return element
        encoded = self._encode_fast(element)
        if encoded is not None:
            return encoded
        serial = ser_from_ptype(element, element_type)
        return json.dumps(serial, cls=TierkreisEncoder).encode()

    def read_input_by(self, task: str, name: str, read: Callable[[Any], Any]) -> None:
        """Read one input of a task by a function of ours.

        Tierkreis tries the types of a union in order and fails where one of them cannot
        take the value at all, as a model cannot take a list.

        :param task: The name of the task.
        :param name: The name of its input.
        :param read: A function from the decoded JSON to the value.
        """
        signature = self.types[task]
        parameters = dict(signature.parameters)
        annotation = Annotated[Any, Deserializer(read, "json")]
        parameters[name] = parameters[name].replace(annotation=annotation)
        self.types[task] = signature.replace(parameters=list(parameters.values()))


def _list_pieces(elements: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a JSON list, one element in a line."""
    separator = b"[\n"
    for element in elements:
        yield separator + element
        separator = b",\n"
    yield b"[]" if separator == b"[\n" else b"\n]"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
