"""Estimate what programs cost, before they are submitted.

Circuits are counted by the formula of :mod:`tkr_nexus_worker.costs.formula`. HUGR and
QIR programs decide themselves how often they do what, so Nexus tries them on a device
made for this, which is free of charge; they have to be on Nexus for that.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Literal, cast

import qnexus as qnx
from hugr.package import Package
from pydantic import BaseModel
from pytket.circuit import Circuit
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.references import (
    CircuitRef,
    GpuDecoderConfigRef,
    HUGRRef,
    QIRRef,
    WasmModuleRef,
)

from tkr_nexus_worker.costs.formula import LEAST_HQC, hqc
from tkr_nexus_worker.devices import DeviceDetails, find_device
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
)
from tkr_nexus_worker.nexus.checks import check_shots
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.projects import get_or_create_project

type Program = Circuit | CircuitRef | HUGRRef | QIRRef | Package | bytes

_CHARGED_KINDS = frozenset({"hardware", "emulator"})
_CHARGED_BACKENDS = frozenset({"Quantinuum", "Helios"})
# A check without an answer must not delay a workflow.
_PATIENCE_SECONDS = 10.0
_DOWNLOADS_AT_ONCE = 8
_COSTING_SECONDS = 900.0

# Each region of Nexus has a Helios system of its own (qnexus.models.region).
_COSTING_SYSTEMS: dict[str, Literal["Helios-1", "Helios-2"]] = {
    "nexus.quantinuum.com": "Helios-1",
    "nexus.quantinuum.sg": "Helios-2",
}
_HELIOS = re.compile(r"Helios-[12](?!\d)")


class ProgramCost(BaseModel):
    """What one program is estimated to cost.

    :param index: The place of the program in the job, from 0.
    :param name: The name of the program, where it has one.
    :param cost: The estimated cost in HQC; None where it cannot be estimated.
    :param confidence: From 0 to 1: 1 where the cost is certain, as where the device is
        free of charge; None where nobody says.
    :param is_exact: Whether the cost follows from the program alone, so that no other
        bill is possible; the trial of a program by Nexus is a sample.
    """

    index: int
    name: str | None = None
    cost: float | None = None
    confidence: float | None = None
    is_exact: bool = False


class CostEstimate(BaseModel):
    """What a job is estimated to cost.

    :param device: The name of the device; None where Nexus does not list it.
    :param kind: What the device is, such as ``hardware``; None if it is not known.
    :param charged: Whether the device charges; None where that is not known.
    :param cost: The cost of all programs in HQC; None where that of one is not known.
    :param confidence: The smallest confidence of a program, from 0 to 1; None where
        that of one is not known.
    :param reason: Why the cost is not known, as the end of a sentence; else empty.
    :param programs: What each program is estimated to cost.
    """

    device: str | None
    kind: str | None = None
    charged: bool | None
    cost: float | None
    confidence: float | None
    reason: str = ""
    programs: list[ProgramCost]


def estimate_cost(
    programs: Sequence[Program],
    n_shots: list[int],
    backend_config: BackendConfig,
    *,
    project_name: str | None = None,
    device: DeviceDetails | str | None = None,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
) -> CostEstimate:
    """Estimate what a job costs; nothing is submitted that costs anything.

    :param programs: Circuits, or circuits, HUGR and QIR programs that are on Nexus. The
        cost of a HUGR or QIR program that is not there yet is None.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :param project_name: The project for the costing job of HUGR and QIR programs; made
        if it does not exist. By default that of the first of them.
    :param device: The device of the config, or why it cannot be found, where the caller
        has looked already.
    :param wasm_module: The WASM module that the programs call.
    :param gpu_decoder_config: The config of the GPU decoder that the programs use.
    :returns: The estimate.
    :raises InvalidInputError: If there are no programs, or not one whole number of
        shots for each.
    :raises NexusWorkerError: If Nexus does not answer, or there is no login.
    """
    if not programs:
        raise InvalidInputError(
            "There are no programs to estimate the cost of; give at least one."
        )
    are_circuits = all(isinstance(it, Circuit | CircuitRef) for it in programs)
    check_shots(n_shots, len(programs), "circuit" if are_circuits else "program")
    if device is None:
        device = find_device(backend_config, retry_time=_PATIENCE_SECONDS)
    if not isinstance(device, DeviceDetails) or not is_charged(device):
        return estimate_later(len(programs), device)
    plain: dict[int, Circuit | CircuitRef] = {}
    hybrid: dict[int, HUGRRef | QIRRef] = {}
    costs: dict[int, ProgramCost] = {}
    for i, one in enumerate(programs):
        match one:
            case Circuit() | CircuitRef():
                plain[i] = one
            case HUGRRef() | QIRRef():
                hybrid[i] = one
            case _:
                costs[i] = ProgramCost(index=i)
    before = " before the upload" if costs else ""
    circuits = _fetch_circuits(list(plain.values()))
    exact = is_exact(device, backend_config)
    shots = [n_shots[i] for i in plain]
    for i, its_cost in zip(plain, estimate_circuits(circuits, shots), strict=True):
        found_there = {"index": i} | (
            {} if exact else {"confidence": None, "is_exact": False}
        )
        costs[i] = its_cost.model_copy(update=found_there)
    for kind in (HUGRRef, QIRRef):
        chosen = {i: one for i, one in hybrid.items() if isinstance(one, kind)}
        if chosen:
            found = _cost_on_nexus(
                cast("Any", list(chosen.values())),
                [n_shots[i] for i in chosen],
                project_name,
                backend_config,
                wasm_module,
                gpu_decoder_config,
            )
            for i, (cost, confidence) in zip(chosen, found, strict=True):
                costs[i] = ProgramCost(
                    index=i,
                    name=chosen[i].annotations.name,
                    cost=cost,
                    confidence=confidence if device.backend == "Helios" else None,
                )
    ordered = [costs[i] for i in range(len(programs))]
    missing = [str(one.index) for one in ordered if one.cost is None]
    reason = (
        f"the cost of {'programs' if len(missing) > 1 else 'program'} "
        f"{', '.join(missing)} cannot be estimated{before}"
        if missing
        else ""
    )
    return _estimate(device, True, ordered, reason)


def estimate_later(
    n_programs: int, device: DeviceDetails | str, when: str = "later"
) -> CostEstimate:
    """Estimate a job as far as its device says what it costs: whether anything at all.

    :param n_programs: The number of programs.
    :param device: The device, or why it cannot be found.
    :param when: When it is known what programs cost where they are charged for.
    :returns: The estimate; without costs, unless the device is free of charge.
    """
    if not isinstance(device, DeviceDetails):
        unknown = [ProgramCost(index=i) for i in range(n_programs)]
        return _estimate(
            None, None, unknown, f"it is not known what it costs: {device}"
        )
    if not is_charged(device):
        free = [
            ProgramCost(index=i, cost=0.0, confidence=1.0, is_exact=True)
            for i in range(n_programs)
        ]
        return _estimate(device, False, free)
    programs = [ProgramCost(index=i) for i in range(n_programs)]
    return _estimate(device, True, programs, f"what it costs is known {when} alone")


def least_cost(estimate: CostEstimate) -> float:
    """Return what a job costs at least, as far as its programs are not known.

    Each program on a system that charges costs the constant of the formula.

    :param estimate: What it is estimated to cost.
    :returns: The cost in HQC; 0 where it is not known whether the device charges.
    """
    if not estimate.charged:
        return 0.0
    return sum(
        one.cost if one.is_exact and one.cost is not None else LEAST_HQC
        for one in estimate.programs
    )


def is_charged(device: DeviceDetails) -> bool:
    """Return whether jobs on a device cost HQC.

    :param device: The device.
    """
    return device.backend in _CHARGED_BACKENDS and device.kind in _CHARGED_KINDS


def is_exact(device: DeviceDetails, backend_config: BackendConfig) -> bool:
    """Return whether the formula gives what circuits cost, and not only about that.

    It is published for the H-Series. The detection of leakage adds gates.

    :param device: The device.
    :param backend_config: Where and how circuits run.
    """
    adds_gates = bool(getattr(backend_config, "leakage_detection", False))
    return device.backend == "Quantinuum" and not adds_gates


def estimate_circuits(
    circuits: Sequence[Circuit], n_shots: Sequence[int]
) -> list[ProgramCost]:
    """Estimate the costs of circuits on a system of the H-Series.

    :param circuits: The circuits.
    :param n_shots: One number of shots for each.
    :returns: The costs; none of circuits with free symbols.
    """
    return [
        ProgramCost(index=index, name=circuit.name)
        if circuit.is_symbolic()
        else ProgramCost(
            index=index,
            name=circuit.name,
            cost=hqc(circuit, shots),
            confidence=1.0,
            is_exact=True,
        )
        for index, (circuit, shots) in enumerate(zip(circuits, n_shots, strict=True))
    ]


def get_hugr_cost(programs: list[HUGRRef], n_shots: int, project_name: str) -> float:
    """Estimate the cost of HUGR programs on the Helios system of the region.

    Nexus runs a costing job on a device made for this, which is free of charge.

    :param programs: The programs.
    :param n_shots: The number of shots of each program.
    :param project_name: The project for the costing job; made if it does not exist.
    :returns: The sum of the costs in HQC.
    :raises NexusWorkerError: If the cost cannot be found.
    """
    if not programs:
        raise InvalidInputError("There are no programs to estimate the cost of.")
    check_shots([n_shots], 1)
    shots = [n_shots] * len(programs)
    return sum(cost or 0.0 for cost, _ in _cost_on_nexus(programs, shots, project_name))


def _estimate(
    device: DeviceDetails | None,
    charged: bool | None,
    programs: list[ProgramCost],
    reason: str = "",
) -> CostEstimate:
    costs = [one.cost for one in programs]
    confidences = [one.confidence for one in programs]
    return CostEstimate(
        device=None if device is None else device.name,
        kind=None if device is None else device.kind,
        charged=charged,
        cost=None if None in costs else sum(cost or 0.0 for cost in costs),
        confidence=None
        if None in confidences
        else min(confidence or 0.0 for confidence in confidences),
        reason=reason,
        programs=programs,
    )


def _fetch_circuits(circuits: Sequence[Circuit | CircuitRef]) -> list[Circuit]:
    """Download those circuits that are on Nexus, several at the same time."""

    def fetch(circuit: Circuit | CircuitRef) -> Circuit:
        if isinstance(circuit, Circuit):
            return circuit
        what = f"download circuit {circuit.annotations.name!r} ({circuit.id})"
        return call(what, circuit.download_circuit)

    # The first download comes alone: it renews an expired login once for all.
    first = [fetch(circuit) for circuit in circuits[:1]]
    # Threads do not inherit the context, which holds the task.
    contexts = [copy_context() for _ in circuits[1:]]
    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        rest = pool.map(lambda one, of: of.run(fetch, one), circuits[1:], contexts)
        return [*first, *rest]


def _cost_on_nexus(
    programs: list[HUGRRef] | list[QIRRef],
    n_shots: list[int],
    project_name: str | None,
    backend_config: BackendConfig | None = None,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
) -> list[tuple[float | None, float | None]]:
    """Let Nexus try programs of one kind; return the cost and confidence of each."""
    module = qnx.hugr if isinstance(programs[0], HUGRRef) else qnx.qir
    what = f"estimate the cost of {len(programs)} {programs[0].type[:-3]} programs"
    project = (
        programs[0].project
        if project_name is None
        else get_or_create_project(project_name)
    )
    wanted = _HELIOS.match(str(getattr(backend_config, "system_name", "")))
    system = wanted[0] if wanted else _COSTING_SYSTEMS.get(CONFIG.domain, "Helios-1")

    def cost() -> list[tuple[float, float]]:
        estimates: list[tuple[float, float]] = module.cost_confidence(
            cast("Any", programs),
            n_shots,
            project=project,
            system_name=cast("Any", system),
            timeout=_COSTING_SECONDS,
            wasm_module=wasm_module,
            gpu_decoder_config=gpu_decoder_config,
        )
        return estimates

    try:
        found = call(what, cost, changes=True)
    except qnx.exceptions.JobError as error:
        raise NexusRefusedError(
            f"Could not {what}: the costing job failed ({error}). Give max_cost, the "
            "most that each program may cost, instead."
        ) from error
    except TimeoutError as error:
        raise NexusUnavailableError(
            f"Could not {what}: the costing job did not end within "
            f"{_COSTING_SECONDS / 60:g} minutes; try again later, or give max_cost."
        ) from error
    # qnexus says -1 where Nexus reports no confidence, and then perhaps no cost.
    return [
        (None, None)
        if confidence < 0 and not cost_
        else (cost_, None if confidence < 0 else confidence)
        for cost_, confidence in found
    ]
