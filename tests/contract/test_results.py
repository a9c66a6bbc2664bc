"""Results of execute jobs of every kind, and what compile jobs made."""

import numpy as np
import pytest
import qnexus as qnx
from hugr.qsystem.result import QsysResult
from pytket import Circuit
from pytket.backends.backendinfo import BackendInfo
from pytket.backends.backendresult import BackendResult
from qnexus.exceptions import (
    DataGone,
    IncompatibleResultVersion,
    JobError,
    ResourceFetchFailed,
)
from qnexus.models import JobStatusEnum
from qnexus.models.references import (
    IncompleteJobItemRef,
    QIRResult,
    ResultType,
    ResultVersions,
)
from qnexus.models.scope import ScopeFilterEnum as Scope
from selene_core.trace import Trace
from tests.contract.kinds import KINDS, bell
from tests.contract.world import execute
from tests.helpers.contract import covers
from tests.local_nexus import guppy_coin
from tests.local_nexus.simulators.test_hybrid import bell_qir

from local_nexus.results.routes import CHUNK

SELENE = qnx.SeleneConfig()


@pytest.fixture(scope="module")
def circuit(project):
    return qnx.circuits.upload(bell(), project=project)


def completed(job):
    qnx.jobs.wait_for(job, timeout=250)
    return qnx.jobs.results(job)


@pytest.fixture(scope="module")
def executed(circuit, project):
    """A completed job of one circuit."""
    job = execute(circuit, project)
    qnx.jobs.wait_for(job, timeout=250)
    return job


def run(program, n_shots, project, **options):
    job = qnx.start_execute_job(
        program, n_shots, SELENE, "run", project=project, **options
    )
    qnx.jobs.wait_for(job, timeout=250)
    return job


@pytest.fixture(scope="module")
def coins_job(project):
    """A completed job of a HUGR program, with more shots than fit into one part."""
    program = qnx.hugr.upload(guppy_coin.package(), "coin", project)
    return run(program, CHUNK + 1, project, n_qubits=1)


@pytest.fixture(scope="module")
def coins(coins_job):
    """The result of a HUGR program."""
    (result,) = qnx.jobs.results(coins_job)
    return result


@pytest.fixture(scope="module")
def qir(project):
    """The result of a QIR program."""
    program = qnx.qir.upload(bell_qir(), "bell", project)
    (result,) = qnx.jobs.results(run(program, 20, project, n_qubits=2))
    return result


def fresh(ref):
    """Return a reference that remembers nothing that was downloaded before."""
    return type(ref)(**dict(ref))


@covers("jobs.results", "job", "scope")
@covers("ExecutionResultRef.get_input", "scope")
@covers("ExecutionResultRef.download_result", "scope")
@covers("ExecutionResultRef.download_backend_info", "scope")
@covers("ExecutionResultRef.df")
def test_a_result_has_its_program_and_its_backend(executed, circuit):
    (ref,) = qnx.jobs.results(executed, scope=Scope.ORG_ADMIN)
    assert ref.result_type is ResultType.PYTKET
    assert ref.last_status_detail.status is JobStatusEnum.COMPLETED
    result = ref.download_result(scope=Scope.ORG_ADMIN)
    assert isinstance(result, BackendResult)
    assert sum(result.get_counts().values()) == 10
    assert set(result.get_counts()) <= {(0, 0), (1, 1)}
    assert fresh(ref).get_input(scope=Scope.HIGHEST).id == circuit.id
    info = fresh(ref).download_backend_info(scope=Scope.ORG_ADMIN)
    assert isinstance(info, BackendInfo)
    assert info.name == "QulacsBackend"
    (row,) = ref.df().to_dict("records")
    assert (row["id"], row["result_type"]) == (ref.id, ResultType.PYTKET)


@covers(
    "ExecutionResultRef.download_result", "version", raises="IncompatibleResultVersion"
)
def test_a_pytket_result_has_one_version(executed):
    (ref,) = qnx.jobs.results(executed)
    with pytest.raises(IncompatibleResultVersion):
        ref.download_result(version=ResultVersions.RAW)


@covers("results.get", "id", "scope")
@covers("results.fetch_pytket_execution_result_by_id", "id", "scope")
def test_a_result_is_found_by_its_id(executed, circuit):
    (ref,) = qnx.jobs.results(executed)
    for fetch in (qnx.results.get, qnx.results.fetch_pytket_execution_result_by_id):
        result, info, program = fetch(ref.id, scope=Scope.ORG_ADMIN)
        assert result == ref.download_result()
        assert info == ref.download_backend_info()
        assert program.id == circuit.id


@covers("jobs.results", "job")
def test_results_are_in_the_order_of_the_programs(circuit, project):
    shots = list(range(1, 121))
    job = qnx.start_execute_job(
        [circuit] * len(shots), shots, qnx.QulacsConfig(), "many", project=project
    )
    refs = completed(job)
    assert [ref.job_item_integer_id for ref in refs] == list(range(len(shots)))
    for ref, n_shots in list(zip(refs, shots, strict=True))[::17]:
        assert sum(ref.download_result().get_counts().values()) == n_shots


@covers("ExecutionResultRef.download_result")
@pytest.mark.parametrize(
    ("config", "read"),
    [
        (qnx.AerStateConfig(), lambda result: result.get_state()),
        (qnx.AerUnitaryConfig(), lambda result: result.get_unitary()[:, 0]),
    ],
    ids=["state", "unitary"],
)
def test_states_and_unitaries_come_back(project, config, read):
    circuit = Circuit(2, name="entangled").H(0).CX(0, 1)
    program = qnx.circuits.upload(circuit, project)
    job = qnx.start_execute_job([program], [None], config, "state", project=project)
    (ref,) = completed(job)
    np.testing.assert_allclose(read(ref.download_result()), circuit.get_statevector())


@covers("ExecutionResultRef.download_result", "version")
@covers("ExecutionResultRef.get_input")
@covers("results.get", "id")
@covers("results.fetch_qsys_result_by_id", "id", "version", "scope")
def test_shots_of_a_hugr_program_come_in_parts_and_versions(nexus, coins):
    assert coins.result_type is ResultType.QSYS
    nexus.clear_requests()
    plain = fresh(coins).download_result()
    parts = [it for it in nexus.requests() if "/qsys_results/" in it.path]
    assert [it.status for it in parts] == [200, 200, 404]
    typed = fresh(coins).download_result(version=ResultVersions.RAW)
    assert isinstance(plain, QsysResult)
    assert len(plain.results) == len(typed.results) == CHUNK + 1
    assert {shot.entries[0][0] for shot in plain.results} == {"c"}
    assert {shot.entries[0][0] for shot in typed.results} == {"USER:BOOL:c"}
    assert fresh(coins).get_input().annotations.name == "coin"
    for result, _info, program in (
        qnx.results.get(coins.id),
        qnx.results.fetch_qsys_result_by_id(
            coins.id, ResultVersions.DEFAULT, scope=Scope.ORG_ADMIN
        ),
    ):
        assert result.results == plain.results
        assert program.annotations.name == "coin"


@covers("ExecutionResultRef.download_result", "version")
def test_a_qir_program_gives_its_output_format_or_shots(qir):
    text = fresh(qir).download_result()
    shots = fresh(qir).download_result(version=ResultVersions.RAW)
    assert isinstance(text, QIRResult)
    assert text.results.count("OUTPUT\tRESULT") == 40
    assert isinstance(shots, QsysResult)
    assert len(shots.results) == 20


@covers("ExecutionResultRef.download_h2_qsysresult", "scope", raises="ValueError")
def test_results_for_hugr_qir_take_its_package(executed):
    (ref,) = qnx.jobs.results(executed)
    with pytest.raises(ValueError, match="install hugr-qir"):
        ref.download_h2_qsysresult(scope=Scope.ORG_ADMIN)


@covers("results.get", raises="DataGone")
@covers("results.fetch_pytket_execution_result_by_id", raises="ResourceFetchFailed")
@covers("ExecutionResultRef.download_result", raises="ResourceFetchFailed")
def test_expired_data_of_a_circuit_is_gone(nexus, circuit, project):
    job = execute(circuit, project)
    (ref,) = completed(job)
    nexus.expire_results(job.id)
    with pytest.raises(DataGone):
        qnx.results.get(ref.id)
    for read in (
        ref.download_result,
        lambda: qnx.results.fetch_pytket_execution_result_by_id(ref.id),
    ):
        with pytest.raises(ResourceFetchFailed, match="no longer available") as raised:
            read()
        assert raised.value.status_code == 410
    assert qnx.jobs.results(job)[0].id == ref.id


@covers("results.get", raises="DataGone")
@covers("results.fetch_qsys_result_by_id", raises="DataGone")
@covers("ExecutionResultRef.download_result", "version", raises="DataGone")
@covers("ExecutionResultRef.get_input", raises="DataGone")
@covers("ExecutionResultRef.download_backend_info", raises="DataGone")
def test_expired_shots_are_gone(nexus, project):
    program = qnx.qir.upload(bell_qir(), "bell", project)
    job = qnx.start_execute_job(program, 5, SELENE, "gone", project=project, n_qubits=2)
    (ref,) = completed(job)
    nexus.expire_results(job.id)
    for read in (
        lambda: qnx.results.get(ref.id),
        lambda: qnx.results.fetch_qsys_result_by_id(ref.id, ResultVersions.RAW),
        lambda: ref.download_result(version=ResultVersions.RAW),
        ref.get_input,
        ref.download_backend_info,
    ):
        with pytest.raises(DataGone):
            read()


@covers("jobs.results", "job", raises="ResourceFetchFailed")
@covers("jobs.results", "job", "allow_incomplete")
@covers("IncompleteJobItemRef.get_input")
@covers("IncompleteJobItemRef.df")
@pytest.mark.parametrize("kind", KINDS[:3], ids=lambda kind: kind.name)
def test_items_that_wait_know_their_program(frozen, project, kind):
    program = kind.upload(name="sent", project=project)
    job = qnx.start_execute_job(
        program, 5, SELENE, "waiting", project=project, n_qubits=2
    )
    with pytest.raises(ResourceFetchFailed, match="Job status: QUEUED"):
        qnx.jobs.results(job)
    (item,) = qnx.jobs.results(job, allow_incomplete=True)
    assert isinstance(item, IncompleteJobItemRef)
    assert item.last_status is JobStatusEnum.QUEUED
    assert item.get_input().id == program.id
    assert item.df()["last_status"][0] == JobStatusEnum.QUEUED


@covers("jobs.results", "allow_incomplete")
def test_the_results_of_some_items_are_there_before_all(nexus, circuit, project):
    job = qnx.start_execute_job(
        [circuit, circuit], 5, qnx.QulacsConfig(), "partial", project=project
    )
    qnx.jobs.wait_for(job, timeout=250)
    nexus.set_job_status(job.id, "RUNNING", item=1)
    assert qnx.jobs.status(job).status is JobStatusEnum.RUNNING
    first, _second = qnx.jobs.results(job, allow_incomplete=True)
    assert sum(first.download_result().get_counts().values()) == 5


COMPILE = qnx.QuantinuumConfig(device_name="H2-1LE")


@pytest.fixture(scope="module")
def compile_job(circuit, project):
    """A completed compile job that keeps its intermediate circuits."""
    job = qnx.start_compile_job(
        circuit, COMPILE, "compiled", project=project, skip_intermediate_circuits=False
    )
    qnx.jobs.wait_for(job, timeout=250)
    return job


@covers("jobs.results", "job")
@covers("CompilationResultRef.get_input")
@covers("CompilationResultRef.get_output")
@covers("CompilationResultRef.get_passes")
@covers("CompilationResultRef.df")
@covers("CompilationPassRef.get_input")
@covers("CompilationPassRef.get_output")
@covers("CompilationPassRef.df")
def test_passes_lead_from_a_circuit_to_its_compilation(compile_job, circuit):
    (ref,) = qnx.jobs.results(compile_job)
    assert ref.df()["id"][0] == ref.id
    assert fresh(ref).get_input().id == circuit.id
    passes = ref.get_passes()
    assert passes[0].get_input().id == circuit.id
    before, after = (
        [step(it).id for it in passes]
        for step in (lambda it: it.get_input(), lambda it: it.get_output())
    )
    assert before[1:] == after[:-1]
    last, output = (
        it.download_circuit() for it in (passes[-1].get_output(), ref.get_output())
    )
    assert last.get_commands() == output.get_commands()
    assert passes.df()["pass name"][0] == passes[0].pass_name
    assert passes[0].df()["id"][0] == passes[0].id


@covers("jobs.results", "job", "allow_incomplete")
@covers("IncompleteJobItemRef.get_input")
def test_a_compilation_that_waits_knows_its_circuit(frozen, circuit, project):
    job = qnx.start_compile_job(circuit, COMPILE, "waiting", project=project)
    (item,) = qnx.jobs.results(job, allow_incomplete=True)
    assert item.get_input().id == circuit.id


@pytest.fixture(scope="module")
def half_failed(project, circuit):
    """An execute job whose second circuit has gates that the device does not have."""
    foreign = Circuit(2, name="foreign").H(0).CX(0, 1).measure_all()
    programs = [circuit, qnx.circuits.upload(foreign, project=project)]
    job = qnx.start_execute_job(programs, 10, COMPILE, "half", project=project)
    with pytest.raises(JobError, match="does not run CX, H"):
        qnx.jobs.wait_for(job, timeout=250)
    return job


@pytest.fixture(scope="module")
def half_compiled(project, circuit):
    """A compile job whose second circuit has more qubits than the device."""
    large = Circuit(57, name="large").H(0).measure_all()
    programs = [circuit, qnx.circuits.upload(large, project=project)]
    job = qnx.start_compile_job(programs, COMPILE, "half", project=project)
    with pytest.raises(JobError, match="57 qubits"):
        qnx.jobs.wait_for(job, timeout=250)
    return job


@covers("jobs.results", "allow_incomplete")
@covers("jobs.results", "job", raises="ResourceFetchFailed")
@pytest.mark.parametrize("kind", ["half_failed", "half_compiled"])
def test_a_job_in_error_keeps_what_succeeded(request, circuit, kind):
    job = request.getfixturevalue(kind)
    assert qnx.jobs.status(job).status is JobStatusEnum.ERROR
    with pytest.raises(ResourceFetchFailed, match="Job status: ERROR"):
        qnx.jobs.results(job)
    good, bad = qnx.jobs.results(job, allow_incomplete=True)
    assert not isinstance(good, IncompleteJobItemRef)
    assert good.get_input().id == circuit.id
    assert isinstance(bad, IncompleteJobItemRef)
    assert (bad.job_item_integer_id, bad.last_status) == (1, JobStatusEnum.ERROR)
    assert bad.last_status_detail.error_detail
    assert bad.get_input().annotations.name in ("foreign", "large")


@covers("jobs.results", "job", raises="ResourceFetchFailed")
@covers("jobs.results", "allow_incomplete")
@pytest.mark.parametrize("status", ["QUEUED", "SUBMITTED", "RUNNING"])
def test_results_asked_for_before_the_end_are_refused(frozen, circuit, project, status):
    jobs = [
        execute(circuit, project),
        qnx.start_compile_job(circuit, COMPILE, "early", project=project),
    ]
    for job in jobs:
        frozen.set_job_status(job.id, status)
        with pytest.raises(ResourceFetchFailed, match=f"Job status: {status}"):
            qnx.jobs.results(job)
        (item,) = qnx.jobs.results(job, allow_incomplete=True)
        assert isinstance(item, IncompleteJobItemRef)
        assert item.last_status is JobStatusEnum[status]


@covers("jobs.results", "allow_incomplete")
@pytest.mark.parametrize("status", ["RUNNING", "CANCELLED", "TERMINATED"])
def test_partial_results_are_given_while_a_job_is_not_complete(
    nexus, circuit, project, status
):
    job = execute(circuit, project)
    qnx.jobs.wait_for(job, timeout=250)
    nexus.set_job_status(job.id, status)
    (ref,) = qnx.jobs.results(job, allow_incomplete=True)
    assert ref.last_status_detail.status is JobStatusEnum[status]
    assert sum(ref.download_result().get_counts().values()) == 10


@covers("jobs.runtime_traces", "job")
@covers("RuntimeTracesRef.download_runtime_traces")
def test_a_hugr_program_leaves_a_trace_of_what_each_layer_did(coins_job):
    (ref,) = qnx.jobs.runtime_traces(coins_job)
    trace = ref.download_runtime_traces()
    layers = (
        trace.get_user_program_trace(),
        trace.get_runtime_trace(),
        trace.get_error_model_trace(),
        trace.get_simulator_trace(),
    )
    for layer in layers:
        measured = [it for it in layer.events if it.event.kind == "Measurement"]
        assert {it.event.qubit for it in measured} == {0}
        assert "Rxy" in {getattr(it.event, "gate_name", "") for it in layer.events}


@covers("jobs.runtime_traces", "job", "scope")
@covers("RuntimeTracesRef.download_runtime_traces")
def test_runtime_traces_are_what_the_administrator_sets(nexus, executed):
    assert qnx.jobs.runtime_traces(executed) == []
    nexus.set_runtime_traces(executed.id, [Trace().model_dump(mode="json")])
    (ref,) = qnx.jobs.runtime_traces(executed, scope=Scope.ORG_ADMIN)
    assert ref.job_item_integer_id == 0
    assert ref.download_runtime_traces() == Trace()


@covers("jobs.runtime_traces", raises="AssertionError")
def test_compile_jobs_have_no_runtime_traces(compile_job):
    with pytest.raises(AssertionError, match="only available for Execute jobs"):
        qnx.jobs.runtime_traces(compile_job)
