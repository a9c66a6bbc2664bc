"""What goes to a simulator process and what comes back."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class RunRequest:
    """One program to run.

    :param program_type: Which of the three languages ``program`` is in.
    :param program: JSON text of pytket's ``Circuit.to_dict()`` for a circuit, the
        bytes as uploaded for HUGR and QIR.
    :param backend_config: The backend config as the client sent it, with ``type``.
    :param n_shots: Number of shots; None where the backend returns a state.
    :param n_qubits: Qubits that a HUGR or QIR program may use at once.
    :param max_cost: HQC that the program may cost at most.
    :param wasm: A WebAssembly module that the program calls.
    :param strict: Whether a circuit with gates that a device of Quantinuum does not
        have is an error; otherwise it is translated.
    """

    program_type: Literal["circuit", "hugr", "qir"]
    program: str | bytes
    backend_config: dict[str, Any]
    n_shots: int | None
    n_qubits: int | None = None
    max_cost: float | None = None
    wasm: bytes | None = None
    strict: bool = False

    @property
    def budget(self) -> float | None:
        """HQC that the program may cost; older clients say it in the config."""
        if self.max_cost is not None:
            return self.max_cost
        in_config: float | None = self.backend_config.get("max_cost")
        return in_config

    def failed(self, detail: str) -> "Outcome":
        """Return the outcome of this program when it failed because of ``detail``."""
        return Outcome("ERROR", "The program has errored.", detail)


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    :param status: The final status of the job item.
    :param message: One short sentence for a person.
    :param error_detail: Why the program failed and what to do about it.
    :param result_type: The kind of ``result``.
    :param result: JSON text, also if the program failed after some good shots.
        PYTKET: ``BackendResult.to_dict()``; QSYS: an object with the shots in result
        versions ``"3"`` and ``"4"``.
    :param cost: HQC; None where the device does not charge.
    :param cost_confidence: Probability that ``cost`` is right, from 0 to 1.
    :param backend_info: JSON text of a ``StoredBackendInfo``, the device as it was.
    :param runtime_traces: JSON text of a list with a ``selene_core.trace.Trace`` per
        traced shot; None where the simulator has none.
    """

    status: Literal["COMPLETED", "ERROR"]
    message: str = ""
    error_detail: str | None = None
    result_type: Literal["PYTKET", "QSYS"] | None = None
    result: str | None = None
    cost: float | None = None
    cost_confidence: float | None = None
    backend_info: str | None = None
    runtime_traces: str | None = None


@dataclass(frozen=True)
class CompileRequest:
    """One circuit to compile.

    :param circuit: JSON text of pytket's ``Circuit.to_dict()``.
    :param backend_config: The backend config as the client sent it, with ``type``.
    :param optimisation_level: 0 to 3, as pytket's backends count.
    """

    circuit: str | bytes
    backend_config: dict[str, Any]
    optimisation_level: int

    def failed(self, detail: str) -> "CompileOutcome":
        """Return the outcome of this circuit when it failed because of ``detail``."""
        return CompileOutcome("ERROR", "The compilation has errored.", detail)


@dataclass(frozen=True)
class CompileOutcome:
    """How a compilation ended.

    :param status: The final status of the job item.
    :param message: One short sentence for a person.
    :param error_detail: Why it failed and what to do about it.
    :param circuit: JSON text of the compiled circuit.
    :param passes: For every pass in order its name and JSON text of the circuit that it
        made.
    """

    status: Literal["COMPLETED", "ERROR"]
    message: str = ""
    error_detail: str | None = None
    circuit: str | None = None
    passes: tuple[tuple[str, str], ...] = ()
