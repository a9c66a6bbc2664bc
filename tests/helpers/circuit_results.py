"""Results without a Nexus, for the tests of what is done with them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray
from qnexus.models.references import QIRResult

from tkr_nexus_worker.jobs.models import Job, JobItem
from tkr_nexus_worker.nexus.states import job_state
from tkr_nexus_worker.results.counts import CircuitResult, JobResults

_TYPES = {QsysResult: "hugr", QIRResult: "qir"}


def result_of(result, index=0, name="a circuit", state="COMPLETED") -> CircuitResult:
    """What any result of qnexus looks like; None for a circuit without one."""
    item = JobItem(
        state=job_state(state),
        index=index,
        program_id=str(UUID(int=3)),
        program_name=name,
        program_type=_TYPES.get(type(result), "circuit"),
        n_shots=100,
        result_id=None if result is None else str(UUID(int=4)),
    )
    return CircuitResult(item, result, job=f"job 'a job' ({UUID(int=1)})")


def shots_of(bits: Sequence[Bit], shots: Sequence[Sequence[int]]) -> BackendResult:
    return BackendResult(shots=OutcomeArray.from_readouts(shots), c_bits=list(bits))


def counted(counts: dict[str, int], index=0, name="a circuit") -> CircuitResult:
    """A result of one register ``c`` with these counts."""
    shots = [list(map(int, o)) for o, n in counts.items() for _ in range(n)]
    bits = [Bit("c", i) for i in range(len(shots[0]))]
    return result_of(shots_of(bits, shots), index, name)


def job_of(circuits: Sequence[CircuitResult]) -> JobResults:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job(
        nexus_url="https://nexus.example",
        job_id=str(UUID(int=1)),
        name="a job",
        project_id=str(UUID(int=2)),
        project="a project",
        backend_config={"type": "QuantinuumConfig", "device_name": "H2-1LE"},
        state=job_state("COMPLETED"),
        created=moment,
        modified=moment,
        times={"completed": moment},
        cost=5.5,
        items_done=0,
        items_total=0,
    )
    return JobResults(job, circuits)
