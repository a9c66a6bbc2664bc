"""Results without a Nexus, for the tests of what is done with them."""

from collections.abc import Sequence
from uuid import UUID

from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray

from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_nexus_worker.results.download import Download
from tkr_nexus_worker.results.receipts import Receipt


def result_of(result, index=0, name="a circuit", state="COMPLETED") -> CircuitResult:
    """What any result of qnexus looks like; None for a circuit without one."""
    what = f"result {index} of job 'a job' ({UUID(int=1)})"
    download = None if result is None else Download(what, result, name)
    return CircuitResult(index, state, download, name=name, n_shots_requested=100)


def shots_of(bits: Sequence[Bit], shots: Sequence[Sequence[int]]) -> BackendResult:
    return BackendResult(shots=OutcomeArray.from_readouts(shots), c_bits=list(bits))


def counted(counts: dict[str, int], index=0, name="a circuit") -> CircuitResult:
    """A result of one register ``c`` with these counts."""
    shots = [list(map(int, o)) for o, n in counts.items() for _ in range(n)]
    bits = [Bit("c", i) for i in range(len(shots[0]))]
    return result_of(shots_of(bits, shots), index, name)


def job_of(circuits: Sequence[CircuitResult]) -> JobResults:
    receipt = Receipt(
        nexus_url="https://nexus.example",
        job_id=UUID(int=1),
        job_name="a job",
        project_id=UUID(int=2),
        project_name="a project",
        backend_config={"type": "QuantinuumConfig", "device_name": "H2-1LE"},
        state="COMPLETED",
        times={"completed": "2026-01-01T00:00:00+00:00"},
        cost=5.5,
        items=[],
    )
    return JobResults(receipt, circuits)
