"""Compile circuits: by a compile job of Nexus, or by pytket on this machine.

A compile job is submitted once, waited for and changed as an execute job is. It costs
no HQC. What it made of a circuit is another circuit on Nexus, for an execute job.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from uuid import UUID

import pytket.passes
import qnexus as qnx
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase, BasePass, RemoveRedundancies
from pytket.predicates import GateSetPredicate
from qnexus.models import BackendConfig
from qnexus.models.references import (
    CircuitRef,
    CompilationResultRef,
    CompileJobRef,
    HUGRRef,
    QIRRef,
)
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from quantinuum_schemas.models.hypertket_config import HyperTketConfig

from tkr_nexus_worker.devices import ALL_TO_ALL, DeviceDetails, find_device
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusRefusedError,
    ResultsNotReadyError,
)
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.models import JobItem
from tkr_nexus_worker.jobs.status import describe, failure_message
from tkr_nexus_worker.jobs.submit import submit_once
from tkr_nexus_worker.nexus.checks import check_parameters
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import key_of
from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_nexus_worker.nexus.states import Phase
from tkr_nexus_worker.program_files.conditions import decompose_boxes
from tkr_runtime.jobs.names import check_name

logger = logging.getLogger(__name__)

LEVELS = range(4)
"""The optimisation levels that Nexus knows."""

TWO_QUBIT_GATES = ("ZZPhase", "ZZMax", "TK2")
"""The gates on two qubits of Quantinuum's devices, the default first."""

# Backends whose devices have these gates on one qubit, and one of those above.
_QUANTINUUM = frozenset({"Quantinuum", "Helios", "Selene", "SelenePlus"})
_ONE_QUBIT_GATES = frozenset({OpType.PhasedX, OpType.Rz})
_NO_GATES = frozenset({OpType.Barrier, OpType.Measure, OpType.Phase, OpType.Reset})
_CLASSICAL = frozenset({OpType.ClExpr, OpType.CopyBits, OpType.SetBits})
_DOWNLOADS_AT_ONCE = 8
# A check without an answer must not delay a workflow.
_PATIENCE_SECONDS = 10.0


def start_compile_job(
    project_name: str,
    job_name: str,
    programs: Sequence[CircuitRef | HUGRRef | QIRRef],
    backend_config: BackendConfig,
    *,
    optimisation_level: int = 2,
    target_2qb_gate: str | None = None,
    hypertket_config: HyperTketConfig | None = None,
    store_passes: bool = False,
) -> CompileJobRef:
    """Submit circuits that are on Nexus already to be compiled, as one job.

    A task that is started again takes the job that it has submitted before.

    :param project_name: The project of the job; it is made if it does not exist.
    :param job_name: A name for the job; the job that runs the circuits may have the
        same.
    :param programs: The circuits, at least one.
    :param backend_config: The device to compile for; its options, such as
        ``allow_implicit_swaps``, count as well.
    :param optimisation_level: 0 for a change of gates alone, to 3 for the most
        optimisation.
    :param target_2qb_gate: The gate on two qubits to compile to, instead of that of
        the config: ``ZZPhase``, ``ZZMax`` or ``TK2``.
    :param hypertket_config: Options of the search for rewrites, and of the reuse of
        qubits.
    :param store_passes: Whether to keep what each pass made; ``get_passes()`` of
        qnexus lists it.
    :returns: A reference to the job, which then waits or runs unless it is an earlier
        one.
    :raises InvalidInputError: If an input is wrong; nothing is submitted then.
    :raises NexusWorkerError: If the job cannot be submitted.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not programs:
        raise InvalidInputError(
            f"There are no circuits to compile for job {job_name!r}; give at least one."
        )
    circuits = [_circuit(index, program) for index, program in enumerate(programs)]
    check_level(optimisation_level)
    config = with_target(backend_config, target_2qb_gate)
    hypertket = None if hypertket_config is None else _plain(hypertket_config)
    project = get_or_create_project(project_name)
    key = key_of(
        "compile",
        str(project.id),
        job_name,
        [str(circuit.id) for circuit in circuits],
        config.model_dump(mode="json"),
        optimisation_level,
        hypertket and hypertket.model_dump(),
        store_passes,
    )

    def submit() -> CompileJobRef:
        return qnx.start_compile_job(
            programs=circuits,
            backend_config=config,
            name=job_name,
            description=key.description,
            project=project,
            optimisation_level=optimisation_level,
            hypertket_config=hypertket,
            skip_intermediate_circuits=not store_passes,
        )

    return submit_once(CompileJobRef, job_name, project, key, config, submit)


def get_compiled_programs(job: CompileJobRef) -> list[CircuitRef]:
    """Return what a compile job made, for ``start_execute_job``.

    :param job: The job.
    :returns: References to the compiled circuits, in the order of the circuits.
    :raises InvalidInputError: If the job compiles nothing.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises JobFailedError: If a circuit could not be compiled; it names each with its
        reason.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    found = get_job_details(job)
    if not found.compiles:
        raise InvalidInputError(
            f"The {describe(found)} runs programs and compiles none; give a job of "
            "start_compile_job."
        )
    if found.phase is Phase.WAITING:
        raise ResultsNotReadyError(
            f"The circuits of {describe(found)} are not compiled yet: it "
            f"{found.state.meaning} ({found.state.name}). Wait until it has completed."
        )
    if found.phase is Phase.FAILED or found.failed_items:
        raise JobFailedError(failure_message(found))
    ref = found.ref()

    def download(item: JobItem) -> CircuitRef:
        compilation = CompilationResultRef(
            id=UUID(item.compilation_id),
            annotations=ref.annotations,
            project=ref.project,
        )
        return call(
            f"look up circuit {item.index} that {describe(found)} compiled",
            compilation.get_output,
        )

    # The first comes alone: it renews an expired login once for all.
    first = [download(item) for item in found.items[:1]]
    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        return [*first, *pool.map(download, found.items[1:])]


def check_compilation(
    circuits: Sequence[Circuit],
    backend_config: BackendConfig,
    *,
    optimisation_level: int = 2,
    target_2qb_gate: str | None = None,
) -> None:
    """Refuse what Nexus cannot compile, before anything is uploaded.

    :param circuits: The circuits, at least one.
    :param backend_config: The device to compile for.
    :param optimisation_level: As for :func:`start_compile_job`.
    :param target_2qb_gate: As for :func:`start_compile_job`.
    :raises InvalidInputError: For the first problem, in one sentence.
    :raises NotLoggedInError: If there is no valid login.
    """
    check_level(optimisation_level)
    config = with_target(backend_config, target_2qb_gate)
    if not circuits:
        raise InvalidInputError("circuits is empty; give at least one circuit.")
    for index, circuit in enumerate(circuits):
        check_parameters(circuit, index)
    gate: str | None = getattr(config, "target_2qb_gate", None)
    device = _find_device(config)
    if gate is None or device is None:
        return
    choices = [name for name in TWO_QUBIT_GATES if name in device.gate_set]
    if choices and gate not in choices:
        raise InvalidInputError(
            f"target_2qb_gate is {gate!r}, and {device.name} has "
            f"{' and '.join(choices)}; choose one of them."
        )


def check_level(level: object) -> int:
    """Check an optimisation level.

    :param level: The level.
    :returns: The same.
    :raises InvalidInputError: If it is not 0, 1, 2 or 3.
    """
    if isinstance(level, bool) or not isinstance(level, int) or level not in LEVELS:
        raise InvalidInputError(
            f"The optimisation level is {level!r}; give 0, 1, 2 or 3."
        )
    return level


def with_target(config: BackendConfig, gate: str | None) -> BackendConfig:
    """Return a config that compiles to a gate on two qubits.

    :param config: The config.
    :param gate: The name of the gate; None to change nothing.
    :raises InvalidInputError: If there is no such gate, or the config has no choice.
    """
    if gate is None:
        return config
    if gate not in TWO_QUBIT_GATES:
        raise InvalidInputError(
            f"target_2qb_gate is {gate!r}; give {', '.join(TWO_QUBIT_GATES[:-1])} or "
            f"{TWO_QUBIT_GATES[-1]}."
        )
    if not isinstance(config, QuantinuumConfig):
        raise InvalidInputError(
            f"target_2qb_gate is {gate!r}, and {type(config).__name__} has no choice "
            "of the gate on two qubits; leave it out, or take a QuantinuumConfig."
        )
    return config.model_copy(update={"target_2qb_gate": gate})


def compile_locally(
    circuits: Sequence[Circuit],
    backend_config: BackendConfig,
    *,
    passes: Sequence[str] = (),
    target_2qb_gate: str | None = None,
) -> list[Circuit]:
    """Change circuits to the gates of a device by pytket, without a job.

    Only the gates change, and redundant ones are removed; ``passes`` optimise more. A
    circuit that has the gates of the device stays as it is unless there are passes.

    :param circuits: The circuits, which stay as they are.
    :param backend_config: The device.
    :param passes: Names of passes of ``pytket.passes`` without arguments, such as
        ``FullPeepholeOptimise``, in their order.
    :param target_2qb_gate: The gate on two qubits, instead of that of the config.
    :returns: The compiled circuits, in the same order and with the same names.
    :raises InvalidInputError: If there is no such pass or gate, or pytket cannot
        compile a circuit.
    :raises NexusWorkerError: If Nexus does not say what gates the device has, and it is
        no device of Quantinuum.
    """
    chosen = [_pass(name) for name in passes]
    config = with_target(backend_config, target_2qb_gate)
    for index, circuit in enumerate(circuits):
        check_parameters(circuit, index)
    gates = _gates_of(config)
    fits = GateSetPredicate(set(gates | _NO_GATES | _CLASSICAL))
    compiled = []
    for index, circuit in enumerate(circuits):
        changed = circuit.copy()
        if passes or not fits.verify(changed):
            steps = [*chosen, AutoRebase(set(gates)), RemoveRedundancies()]
            changed = _changed(circuit, steps, index)
        if circuit.name:
            changed.name = circuit.name
        compiled.append(changed)
    return compiled


def _changed(circuit: Circuit, steps: Sequence[BasePass], index: int) -> Circuit:
    try:
        changed = decompose_boxes(circuit)
        for step in steps:
            step.apply(changed)
    # pytket raises errors of several kinds for circuits that a pass cannot take.
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        name = f" ({circuit.name!r})" if circuit.name else ""
        raise InvalidInputError(
            f"pytket cannot compile circuits[{index}]{name}: {error}; compile it on "
            "Nexus instead."
        ) from error
    return changed


def _gates_of(config: BackendConfig) -> frozenset[OpType]:
    """Return the gates to compile to; those of Quantinuum's devices take no request."""
    backend = type(config).__name__.removesuffix("Config")
    if backend in _QUANTINUUM:
        target: str | None = getattr(config, "target_2qb_gate", None)
        return _ONE_QUBIT_GATES | {OpType.from_name(target or TWO_QUBIT_GATES[0])}
    device = find_device(config, retry_time=_PATIENCE_SECONDS)
    if not isinstance(device, DeviceDetails):
        raise NexusRefusedError(
            f"{device}; so its gates are not known, and pytket cannot compile for it."
        )
    if device.connectivity not in (None, ALL_TO_ALL):
        raise InvalidInputError(
            f"{device.name} couples {device.connectivity}, and gates are changed here "
            "without moving qubits; compile on Nexus instead."
        )
    known = (OpType.from_name(g) for g in device.gate_set if g in OpType.__members__)
    return frozenset(known) - _NO_GATES - _CLASSICAL


def _pass(name: str) -> BasePass:
    make: Callable[[], object] | None = getattr(pytket.passes, name, None)
    try:
        made = None if make is None else make()
    except TypeError:
        made = None
    if isinstance(made, BasePass):
        return made
    known = [one for one in dir(pytket.passes) if one[:1].isupper()]
    close = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean {close[0]}?" if close else "pytket's documentation lists them."
    )
    raise InvalidInputError(
        f"pytket has no pass {name!r} that takes no arguments; {hint}"
    )


def _find_device(config: BackendConfig) -> DeviceDetails | None:
    device = find_device(config, retry_time=_PATIENCE_SECONDS)
    if isinstance(device, DeviceDetails):
        return device
    logger.warning("nexus: %s; whether it can be compiled for is not known", device)
    return None


def _circuit(index: int, program: CircuitRef | HUGRRef | QIRRef) -> CircuitRef:
    if isinstance(program, CircuitRef):
        return program
    kind = program.type.removesuffix("Ref")
    raise InvalidInputError(
        f"Program {index} ({program.annotations.name!r}) is {kind}, and Nexus compiles "
        "circuits alone; leave it out, it runs as it is."
    )


def _plain(config: HyperTketConfig) -> HyperTketConfig:
    """Return the same config with numbers for its enumerations, which JSON has none of.

    qnexus sends the defaults as they are, and fails.
    """
    return HyperTketConfig.model_validate(config.model_dump(mode="json"))
