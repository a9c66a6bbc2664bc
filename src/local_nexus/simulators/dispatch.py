"""Which engine runs which program, and the one place where programs fail.

Where this differs from the devices themselves:

- A circuit need not be compiled for its device, unless the request is strict: what is
  not among the gates of the simulator is translated first, without any optimisation.
- Quantinuum's machines and local emulators are ideal; emulators have the noise of
  :mod:`local_nexus.simulators.noise.error_rates`, in which all take the same times.
- IBM's machines and emulators have the noise of a snapshot of the machine.
- A syntax checker checks and costs; all outcomes of a circuit are 0, and a HUGR or QIR
  program has none.
- A program that costs more than allowed ends in ``ERROR`` before it runs.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

from local_nexus.simulators import costs
from local_nexus.simulators.circuits import preparation
from local_nexus.simulators.circuits.compilation import compile_circuit, to_native_gates
from local_nexus.simulators.circuits.gate_set import check_gates
from local_nexus.simulators.circuits.run import CircuitRun
from local_nexus.simulators.devices import Config, Device, device_of
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.configs import emulator_of, rates_of
from local_nexus.simulators.noise.leakage_detection import with_detection
from local_nexus.simulators.optional import OptionalFunction
from local_nexus.simulators.requests import (
    CompileOutcome,
    CompileRequest,
    Outcome,
    RunRequest,
)

AER = OptionalFunction("engines.aer.simulation", "run", extra="aer")
QULACS = OptionalFunction("engines.qulacs.simulation", "run", extra="local")
IBM = OptionalFunction("engines.aer.simulation", "run_ibm", extra="aer")

CIRCUIT_ENGINES = {
    "AerConfig": AER,
    "AerStateConfig": OptionalFunction(
        "engines.aer.simulation", "run_state", extra="aer"
    ),
    "AerUnitaryConfig": OptionalFunction(
        "engines.aer.simulation", "run_unitary", extra="aer"
    ),
    "BraketConfig": OptionalFunction("engines.braket", "run", extra="braket"),
    "HeliosConfig": QULACS,
    "IBMQConfig": IBM,
    "IBMQEmulatorConfig": IBM,
    "QuantinuumConfig": QULACS,
    "QulacsConfig": QULACS,
    "SeleneConfig": QULACS,
    "SelenePlusConfig": QULACS,
}
"""Type of a backend config -> engine of its circuits."""

CHOSEN_ENGINES = {
    "MatrixProductStateSimulator": OptionalFunction(
        "engines.aer.simulation", "run_matrix_product_state", extra="aer"
    ),
    "StabilizerSimulator": OptionalFunction(
        "engines.aer.simulation", "run_stabilizer", extra="aer"
    ),
}
"""Simulator that a config chooses -> engine of its circuits, if not the usual one."""
HYBRID_ONLY = ("ClassicalReplaySimulator", "CoinflipSimulator")
"""Simulators for HUGR and QIR programs alone."""

SYNTAX_CHECKER = OptionalFunction("engines.syntax_checker", "run", extra="local")
SELENE = OptionalFunction("engines.selene.programs", "Program", extra="selene")

QUANTINUUM_BACKENDS = {
    "HeliosBackend",
    "QuantinuumBackend",
    "SeleneBackend",
    "SelenePlusBackend",
}
"""Backends whose devices run HUGR and QIR, and have Quantinuum's noise and gates."""


def handle(
    request: RunRequest | CompileRequest, device_file: str | Path | None = None
) -> Outcome | CompileOutcome:
    """Run or compile a program.

    :param device_file: As for :func:`local_nexus.simulators.devices.devices`.
    :returns: Its outcome; every failure of the program is one, too.
    """
    file = None if device_file is None else Path(device_file)
    try:
        if isinstance(request, CompileRequest):
            return compile_circuit(request, file)
        return run(request, file)
    except SimulationError as error:
        detail = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a simulator raises
        # The second is how pybind11 says that a list of outcomes is too long.
        if isinstance(error, MemoryError) or "Could not allocate" in str(error):
            detail = (
                "The simulation needs more memory than its process may use: ask for "
                "fewer shots, or make the program smaller."
            )
        else:
            detail = f"The simulator failed: {type(error).__name__}: {error}"
    return request.failed(detail)


def run(request: RunRequest, device_file: Path | None = None) -> Outcome:
    """Run a program.

    :param device_file: As for :func:`local_nexus.simulators.devices.devices`.
    :raises SimulationError: When it cannot be run.
    """
    device = device_of(request.backend_config, device_file)
    _check_shots(request.n_shots, device)
    if request.program_type == "circuit":
        return _run_circuit(request, device)
    return _run_hybrid(request, device)


def _run_circuit(request: RunRequest, device: Device) -> Outcome:
    config = request.backend_config
    circuit = preparation.parse(request.program)
    if request.strict:
        check_gates(circuit, config, device)
    circuit = preparation.simplify(circuit)
    preparation.check_size(circuit, device)
    quantinuum = device["backend_name"] in QUANTINUUM_BACKENDS
    if quantinuum and config.get("leakage_detection"):
        n_qubits = device["backend_info"]["device"]["n_nodes"]
        circuit = with_detection(circuit, n_qubits)
    job = CircuitRun(
        circuit,
        config,
        device,
        request.n_shots,
        rates_of(config, device) if quantinuum else None,
        request.wasm,
    )
    cost = None
    if costs.charges(device):
        counts = costs.counts_of_circuit(to_native_gates(circuit))
        cost = costs.Cost(costs.hqc(counts, job.n_shots), confidence=1.0)
        cost.check(request.budget)
    result = _circuit_engine(config, device).load(config)(job)
    return _completed("PYTKET", result.to_dict(), cost, device)


def _run_hybrid(request: RunRequest, device: Device) -> Outcome:
    """Run a HUGR or QIR program."""
    config, emulator = request.backend_config, emulator_of(request.backend_config)
    if device["backend_name"] not in QUANTINUUM_BACKENDS:
        raise SimulationError(
            f"{config['type']} runs circuits only: send a {request.program_type} "
            "program to Helios or Selene."
        )
    if request.n_shots is None:
        raise SimulationError("A HUGR or QIR program needs a number of shots.")
    charges = costs.charges(device)
    with SELENE.load(config)(request.program, request.wasm) as program:
        trial = program.probe(device["backend_info"]["device"]["n_nodes"])
        if _is_syntax_checker(device):
            cost = costs.estimate(trial.counts, request.n_shots)
            cost.check(request.budget)
            of_bits = _result_type(request, device) == "PYTKET"
            made = trial.zeros(request.n_shots) if of_bits else trial.without_results()
            return _hybrid_outcome(request, device, made, cost)
        if charges and request.budget is not None:
            costs.estimate(trial.counts, request.n_shots).check(request.budget)
        n_qubits = request.n_qubits or emulator.get("n_qubits") or trial.n_qubits
        rates = rates_of(config, device)
        shots = program.run(emulator, max(n_qubits, 1), request.n_shots, rates)
    paid = costs.paid(shots.counts) if charges and shots.problem is None else None
    return _hybrid_outcome(request, device, shots, paid)


def _hybrid_outcome(
    request: RunRequest, device: Device, shots: Any, cost: costs.Cost | None
) -> Outcome:
    failed = None if shots.problem is None else request.failed(shots.problem)
    if failed is not None and not shots.good:
        return failed
    result_type = _result_type(request, device)
    if result_type == "PYTKET":
        result = shots.to_pytket().to_dict()
    elif request.program_type == "hugr":
        result = {"3": shots.plain(), "4": shots.tagged}
    else:
        result = {"3": shots.qir_output(), "4": shots.tagged}
    outcome = _completed(result_type, result, cost, device, shots.traces)
    if failed is None:
        return outcome
    # The shots before the one that failed are good.
    return dataclasses.replace(
        outcome,
        status=failed.status,
        message=failed.message,
        error_detail=failed.error_detail,
        cost=None,
        cost_confidence=None,
    )


def _result_type(request: RunRequest, device: Device) -> Literal["PYTKET", "QSYS"]:
    """Return the type of result of a HUGR or QIR program."""
    h_series = device["backend_name"] == "QuantinuumBackend"
    return "PYTKET" if h_series and request.program_type == "qir" else "QSYS"


def _circuit_engine(config: Config, device: Device) -> OptionalFunction:
    if _is_syntax_checker(device):
        return SYNTAX_CHECKER
    simulator: str = (emulator_of(config).get("simulator") or {}).get("type", "")
    if simulator in HYBRID_ONLY:
        raise SimulationError(
            f"The {simulator} runs HUGR and QIR programs here, not circuits: choose "
            "StatevectorSimulator, StabilizerSimulator or MatrixProductStateSimulator."
        )
    return CHOSEN_ENGINES.get(simulator, CIRCUIT_ENGINES[config["type"]])


def _is_syntax_checker(device: Device) -> bool:
    return bool(device["backend_info"]["misc"]["system_type"] == "syntax_checker")


def _check_shots(n_shots: int | None, device: Device) -> None:
    most = device["backend_info"]["misc"].get("max_n_shots")
    if most is not None and n_shots is not None and n_shots > most:
        raise SimulationError(
            f"{device['device_name']} takes at most {most} shots, not {n_shots}."
        )


def _completed(
    result_type: Literal["PYTKET", "QSYS"],
    result: dict[str, Any],
    cost: costs.Cost | None,
    device: Device,
    runtime_traces: str | None = None,
) -> Outcome:
    return Outcome(
        "COMPLETED",
        message="The program has been run.",
        result_type=result_type,
        result=json.dumps(result),
        cost=None if cost is None else cost.hqc,
        cost_confidence=None if cost is None else cost.confidence,
        backend_info=json.dumps(device["backend_info"]),
        runtime_traces=runtime_traces,
    )
