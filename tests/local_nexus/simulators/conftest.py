"""A pool of simulator processes shared by the tests, and a way to wait for it."""

import json
import queue
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import pytest
from guppylang import guppy
from guppylang.std.builtins import result
from guppylang.std.quantum import cx, h, measure, qubit
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit

from local_nexus.simulators import Outcome, RunRequest, SimulatorPool

ALPHA = 1e-6
"""Probability that a statistical test fails although the distributions are equal."""

SELENE = {"type": "SeleneConfig"}

Run = Callable[[RunRequest], Outcome]


def circuit_request(
    circuit: Circuit, config: str | dict[str, Any], n_shots: int | None = 100
) -> RunRequest:
    backend_config = {"type": config} if isinstance(config, str) else config
    return RunRequest("circuit", json.dumps(circuit.to_dict()), backend_config, n_shots)


def table(*counters: Counter[tuple[int, ...]]) -> np.ndarray:
    """One row for each of some counts, one column for each outcome of any of them."""
    outcomes = sorted(set().union(*counters))
    return np.array([[counts[outcome] for outcome in outcomes] for counts in counters])


def wait_for(pool: SimulatorPool, request: RunRequest) -> Outcome:
    outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    pool.submit(request, lambda: None, outcomes.put)
    return outcomes.get(timeout=120)


def completed(outcome: Outcome) -> Any:
    """The results of a HUGR or QIR program."""
    assert outcome.status == "COMPLETED", outcome.error_detail
    assert outcome.result is not None
    return json.loads(outcome.result)


@guppy
def bell() -> None:
    first, second = qubit(), qubit()
    h(first)
    cx(first, second)
    result("first", measure(first).read())
    result("second", measure(second).read())


@pytest.fixture(scope="session")
def bell_hugr() -> bytes:
    data: bytes = bell.compile().to_bytes()
    return data


@pytest.fixture(scope="session")
def pool() -> Iterator[SimulatorPool]:
    pool = SimulatorPool(workers=1)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def run(pool: SimulatorPool) -> Run:
    return lambda request: wait_for(pool, request)


@pytest.fixture(scope="session")
def run_circuit(run: Run) -> Callable[..., BackendResult]:
    def result_of(
        circuit: Circuit, config: str | dict[str, Any], n_shots: int | None = 100
    ) -> BackendResult:
        outcome = run(circuit_request(circuit, config, n_shots))
        assert outcome.status == "COMPLETED", outcome.error_detail
        assert outcome.result_type == "PYTKET"
        assert outcome.result is not None
        return BackendResult.from_dict(json.loads(outcome.result))

    return result_of


@pytest.fixture(scope="session")
def run_hybrid(run: Run) -> Callable[..., Outcome]:
    def outcome_of(
        kind: Literal["hugr", "qir"],
        program: bytes,
        config: dict[str, Any],
        n_shots: int = 10,
        **options: Any,
    ) -> Outcome:
        return run(RunRequest(kind, program, config, n_shots, **options))

    return outcome_of
