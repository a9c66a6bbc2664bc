"""Simulation of HUGR and QIR programs by Selene."""

import contextlib
import dataclasses
import itertools
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import hugr.envelope
from hugr.package import Package
from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from selene_classical_replay_plugin import ClassicalReplayPlugin
from selene_coinflip_plugin import CoinflipPlugin
from selene_core import ErrorModel, Simulator, Utility
from selene_core.trace import SCHEMA_VERSION, Trace
from selene_depolarizing_error_model_plugin import DepolarizingPlugin
from selene_ideal_error_model_plugin import IdealPlugin
from selene_quest_plugin import QuestPlugin
from selene_sim.build import build
from selene_sim.event_hooks.event_hook import EventHook, MultiEventHook
from selene_sim.event_hooks.metrics import MetricStore
from selene_sim.event_hooks.trace_store import ShotTrace, TraceStore
from selene_sim.result_handling.parse_shot import postprocess_unparsed_stream
from selene_simple_runtime_plugin import SimpleRuntimePlugin
from selene_stim_plugin import StimPlugin

from local_nexus.simulators.circuits.classical import digits
from local_nexus.simulators.costs import GateCounts, counts_of_metrics
from local_nexus.simulators.engines.selene import hugr as hugr_programs
from local_nexus.simulators.engines.selene import qir
from local_nexus.simulators.engines.selene.error_model import MachineNoise
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.guppy_versions import version_problem
from local_nexus.simulators.memory import check_state_vector
from local_nexus.simulators.noise.error_rates import ErrorRates
from local_nexus.simulators.optional import OptionalFunction
from local_nexus.simulators.wasm import hugr as wasm_in_hugr
from local_nexus.simulators.wasm.stubs import WasmCalls

Component = Mapping[str, Any]
TaggedShots = list[list[tuple[str, Any]]]

WASM = OptionalFunction("wasm.server", "serving", extra="wasm")

NO_WASM = "The program calls WASM functions, and the job has no wasm_module."
WASM_TYPE = re.compile(r"Unknown type: (context|module|func)\b")
"""What Selene's compiler says of a HUGR program that calls WASM functions."""

NO_CALLS = WasmCalls([], "")

CONTAINERS = ("QIRARRAY", "QIRTUPLE")
RECORD_NAMES = {"FLOAT": "DOUBLE", "QIRARRAY": "ARRAY", "QIRTUPLE": "TUPLE"}
"""Selene's names of types -> those of output records in the specification of QIR."""
INT_BITS = 64
PANIC = 1000
"""A shot that ends with this code or a higher one has panicked."""
PROBES = 20
"""Shots with random outcomes that show what a program does, without simulating it."""
TRACED_EVENTS = 20_000
"""Events of the longest trace that is kept: 3 MB of JSON, which take a second."""


@dataclass(frozen=True)
class Shots:
    """What a program returned.

    :param tagged: For every shot its results in order, with typed tags such as
        ``USER:BOOL:name``.
    :param counts: For every shot the operations that it did.
    :param n_qubits: Qubits that a shot used at once, at most.
    :param traces: JSON text of a list with the trace of the first shot, if it was
        traced: what program, runtime, error model and simulator did.
    :param problem: Why a shot failed, after which no other was taken.
    """

    tagged: TaggedShots
    counts: list[GateCounts]
    n_qubits: int
    traces: str | None = None
    problem: str | None = None

    def without_results(self) -> "Shots":
        """Return what is left when the outcomes were invented."""
        return Shots([], self.counts, self.n_qubits)

    @property
    def good(self) -> TaggedShots:
        """The results of the shots that did not panic."""
        return [shot for shot in self.tagged if _exit_of(shot) < PANIC]

    def zeros(self, n_shots: int) -> "Shots":
        """Return shots with zeros for all that the first of these ones returned."""
        first = next((shot for shot in self.tagged if not _exit_of(shot)), [])
        made = [[(tag, 0) for tag, _value in first]] * n_shots
        return Shots(made, self.counts, self.n_qubits)

    def plain(self) -> TaggedShots:
        """Return the results with the tags of the program, without their types."""
        return [[(_plain(tag), value) for tag, value in shot] for shot in self.tagged]

    def to_pytket(self) -> BackendResult:
        """Return the results as pytket has them.

        An integer becomes a register of 64 bits, as pytket-quantinuum makes it from the
        results of a QIR program. Arrays and tuples are what their elements are.

        :raises SimulationError: When a result does not consist of bits.
        """
        registers = [
            [
                (label, digits(value, INT_BITS) if kind == "INT" else value)
                for (source, kind, label), value in map(_parsed, shot)
                if source != "EXIT" and kind not in CONTAINERS
            ]
            for shot in self.good
        ]
        try:
            return QsysResult(registers).to_pytket()
        except ValueError as error:
            raise SimulationError(
                "The results of a QIR program for this device have to be bits and "
                f"integers, the same in each shot: {error}"
            ) from error

    def qir_output(self) -> str:
        """Return the results in the labelled output format of the QIR specification."""
        lines = ["HEADER\tschema_id\tlabeled", "HEADER\tschema_version\t1.0"]
        for shot in self.tagged:
            lines += ["START", "METADATA\tentry_point"]
            for (source, kind, label), value in map(_parsed, shot):
                if source != "EXIT":
                    name = RECORD_NAMES.get(kind, kind)
                    text = str(bool(value)).lower() if kind == "BOOL" else value
                    lines.append(f"OUTPUT\t{name}\t{text}\t{label}")
            lines.append(f"END\t{_exit_of(shot)}")
        return "\n".join(lines) + "\n"


class Program:
    """A program built for Selene; a context manager, which removes the built files.

    :param data: A HUGR package, or QIR as bitcode or as text.
    :param wasm: The module whose functions the program calls.
    :raises SimulationError: When the program cannot be built.
    """

    def __init__(self, data: bytes, wasm: bytes | None = None) -> None:
        with contextlib.ExitStack() as stack:
            files = tempfile.TemporaryDirectory(prefix="selene_")
            directory = Path(stack.enter_context(files))
            try:
                source, calls = _source(data, wasm)
                libraries = []
                # A module that nothing calls has to be one all the same.
                if calls is not None or wasm is not None:
                    served = _wasm_library(wasm, calls or NO_CALLS, directory)
                    libraries.append(stack.enter_context(served))
                self._instance = build(source, build_dir=directory, utilities=libraries)
            except SimulationError:
                raise
            except Exception as error:
                raise SimulationError(_why_not_built(data, error)) from error
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def probe(self, n_qubits: int) -> Shots:
        """Run a few shots whose measurements are tossed coins, as far as they come.

        :param n_qubits: Qubits of the device.
        """
        return self._run(
            CoinflipPlugin(), IdealPlugin(), SimpleRuntimePlugin(), n_qubits, PROBES
        )

    def run(
        self, config: Component, n_qubits: int, n_shots: int, rates: ErrorRates | None
    ) -> Shots:
        """Simulate the program.

        :param config: ``simulator``, ``error_model`` and ``runtime``, as far as the
            backend config has them.
        :param n_qubits: Qubits that a shot may use at once.
        :param n_shots: Shots to take.
        :param rates: Error rates; None for an ideal device.
        :returns: The shots, up to the first one that fails.
        :raises SimulationError: When the simulator is not there.
        """
        simulator = _simulator(config.get("simulator") or {}, n_qubits)
        error_model = _error_model(rates, config.get("error_model") or {}, simulator)
        runtime = SimpleRuntimePlugin(
            random_seed=(config.get("runtime") or {}).get("seed")
        )
        return self._run(
            simulator, error_model, runtime, n_qubits, n_shots, traced=True
        )

    def _run(
        self,
        simulator: Simulator,
        error_model: ErrorModel,
        runtime: SimpleRuntimePlugin,
        n_qubits: int,
        n_shots: int,
        *,
        traced: bool = False,
    ) -> Shots:
        metrics = MetricStore()  # type: ignore[no-untyped-call]
        seed = secrets.randbits(32)

        def take(
            count: int, offset: int, hook: EventHook
        ) -> tuple[TaggedShots, Exception | None]:
            return postprocess_unparsed_stream(
                self._instance.run_shots(
                    simulator,
                    n_qubits=n_qubits,
                    n_shots=count,
                    error_model=error_model,
                    runtime=runtime,
                    event_hook=hook,
                    random_seed=seed,
                    shot_offset=offset,
                    parse_results=False,
                ),
                hook,
            )

        # The client reads the trace of the first shot alone, and shots that are traced
        # take more than twice the time. Seeds go by the number of the shot.
        n_traced = 1 if traced else 0
        tagged: TaggedShots = []
        error: Exception | None = None
        store = TraceStore()
        if n_traced:
            tagged, error = take(n_traced, 0, MultiEventHook([metrics, store]))
        if error is None and n_shots > n_traced:
            others, error = take(n_shots - n_traced, n_traced, metrics)
            tagged += others
        # A shot that failed may have no metrics.
        programs: list[Any] = [
            shot["user_program"] for shot in metrics.shots if "user_program" in shot
        ]
        most = max((program["max_allocated"] for program in programs), default=0)
        counts = [counts_of_metrics(program) for program in programs]
        if error is None:
            return Shots(tagged, counts, most, _traces(store.shots))
        number = len(metrics.shots)
        problem = f"Shot {number} of {n_shots} failed with {n_qubits} qubits: {error}"
        # A shot that panics says so in its results; what others left is not a shot.
        if tagged and not _exit_of(tagged[-1]):
            tagged = tagged[: number - 1]
        return Shots(tagged, counts, most, problem=problem)


def _traces(shots: list[ShotTrace]) -> str | None:
    """Return the traces of some shots as JSON, unless one is very long."""
    traces = []
    for shot in shots:
        events = list(itertools.islice(shot.iter_events(), TRACED_EVENTS + 1))
        if len(events) > TRACED_EVENTS:
            return None
        trace = Trace(schema_version=SCHEMA_VERSION, events=events)
        traces.append(trace.model_dump_json())
    return f"[{','.join(traces)}]" if traces else None


def _parsed(result: tuple[str, Any]) -> tuple[tuple[str, str, str], Any]:
    """Return source, type and label of a result, and its value."""
    tag, value = result
    source, kind, label = tag.split(":", maxsplit=2)
    return (source, kind, label), value


def _exit_of(shot: list[tuple[str, Any]]) -> int:
    """Return the code with which a shot ended, 0 for one that came to its end."""
    codes = [value for tag, value in shot if tag.startswith("EXIT:")]
    return int(codes[-1]) if codes else 0


def _plain(tag: str) -> str:
    source, _kind, label = tag.split(":", maxsplit=2)
    return f"exit: {label}" if source == "EXIT" else label


def _source(data: bytes, wasm: bytes | None) -> tuple[bytes, WasmCalls | None]:
    """Return a program as Selene takes it, and how it calls WASM functions."""
    if not data.startswith(hugr.envelope.MAGIC_NUMBERS):
        return qir.with_wasm_symbols(qir.bitcode(data))
    calls = None
    if wasm is not None:
        data, calls = wasm_in_hugr.with_wasm_symbols(data)
    return hugr_programs.bitcode(data), calls


def _wasm_library(
    wasm: bytes | None, calls: WasmCalls, directory: Path
) -> contextlib.AbstractContextManager[Utility]:
    if wasm is None:
        raise SimulationError(NO_WASM)
    library: contextlib.AbstractContextManager[Utility] = WASM.load(
        {"type": "WASM modules"}
    )(wasm, calls, directory)
    return library


def _why_not_built(data: bytes, error: Exception) -> str:
    reason = str(error).split("Stack backtrace", maxsplit=1)[0].strip()
    if not data.startswith(hugr.envelope.MAGIC_NUMBERS):
        return f"The program is neither HUGR nor QIR that Selene can run: {reason}"
    if WASM_TYPE.search(reason):
        return NO_WASM
    with contextlib.suppress(Exception):
        # Whatever hugr raises for bytes that are not a package, the cause is known.
        if problem := version_problem(Package.from_bytes(data)):
            return problem
    return (
        f"The HUGR package cannot be built for Selene: {reason}\nA package made by a "
        "version of guppylang that does not match the installed selene-sim looks like "
        "that, too: compile the program again with a matching version."
    )


def _simulator(chosen: Component, n_qubits: int) -> Simulator:
    seed = chosen.get("seed")
    match chosen.get("type", "StatevectorSimulator"):
        # Selene's engine for matrix product states is not public. What those come to
        # without truncation is the state vector, as far as that fits the memory.
        case "StatevectorSimulator" | "MatrixProductStateSimulator":
            check_state_vector(n_qubits)
            return QuestPlugin(random_seed=seed)
        case "StabilizerSimulator":
            return StimPlugin(
                random_seed=seed, angle_threshold=chosen.get("angle_threshold", 1e-8)
            )
        case "CoinflipSimulator":
            return CoinflipPlugin(random_seed=seed, bias=chosen.get("bias", 0.5))
        case "ClassicalReplaySimulator":
            return ClassicalReplayPlugin(measurements=chosen.get("measurements", []))
        case other:
            raise SimulationError(
                f"There is no {other}: choose StatevectorSimulator or "
                "StabilizerSimulator."
            )


def _error_model(
    rates: ErrorRates | None, chosen: Component, simulator: Simulator
) -> ErrorModel:
    if rates is None or rates == ErrorRates():
        return IdealPlugin()
    seed = chosen.get("seed")
    # Selene's own model of that name, in which Rz has errors, too.
    if chosen.get("type") == "DepolarizingErrorModel":
        return DepolarizingPlugin(
            random_seed=seed,
            p_1q=rates.p1,
            p_2q=rates.p2,
            p_meas=rates.p_meas_0,
            p_init=rates.p_init,
        )
    if isinstance(simulator, StimPlugin):
        # Rz by a small angle is not among its gates.
        rates = dataclasses.replace(rates, coherent_dephasing=False)
    return MachineNoise(random_seed=seed, rates=rates)
