"""Submitting jobs with every argument, and what can be done with them."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import qnexus as qnx
from pytket.circuit import OpType
from pytket.predicates import GateSetPredicate
from qnexus.client import get_nexus_client
from qnexus.exceptions import JobError, ResourceCreateFailed, ZeroMatches
from qnexus.models import JobStatusEnum
from qnexus.models.language import Language
from qnexus.models.references import JobRef
from qnexus.models.scope import ScopeFilterEnum as Scope
from quantinuum_schemas.models.hypertket_config import HyperTketConfig
from tests.contract.kinds import KINDS, bell
from tests.contract.world import execute
from tests.helpers.contract import covers

from local_nexus.devices.configs import MAX_BATCH_COST

QULACS = qnx.QulacsConfig()
H2 = qnx.QuantinuumConfig(device_name="H2-1LE")
H2_GATES = GateSetPredicate(
    {OpType.PhasedX, OpType.Rz, OpType.ZZMax, OpType.ZZPhase, OpType.Measure}
)


@pytest.fixture(scope="module")
def circuit(project):
    return qnx.circuits.upload(bell(), project=project)


@pytest.fixture(scope="module")
def described(project) -> dict[str, Any]:
    """The annotations of a job and its project."""
    qnx.projects.add_property("run", "int", project)
    return {
        "name": "described",
        "description": "in full",
        "properties": {"run": 3},
        "project": project,
    }


@pytest.fixture(scope="module", autouse=True)
def _groups(project):
    """The user groups of the user, which are teams."""
    for name in ("a group", "other"):
        qnx.teams.create(name)


def definition(job: JobRef) -> dict[str, Any]:
    """Return what the server keeps of the request."""
    answer = get_nexus_client().get(f"/api/jobs/v1beta3/{job.id}").json()
    return answer["data"]["attributes"]["definition"]


def check_description(job: JobRef) -> None:
    found = qnx.jobs.get(id=job.id, scope=Scope.ORG_ADMIN)
    assert found.annotations == job.annotations
    assert found.annotations.name == "described"
    assert found.annotations.description == "in full"
    assert found.annotations.properties == {"run": 3}
    assert found.project.id == job.project.id
    filled_in = {"max_batch_cost": MAX_BATCH_COST}
    assert found.backend_config == job.backend_config.model_copy(update=filled_in)


EXECUTE = {
    "valid_check": False,
    "language": Language.QASM,
    "credential_name": "mine",
    "user_group": "a group",
    "target_region": "sg",
    "max_cost": [4.5, 5.5],
    "n_qubits": [2, 3],
}
ANNOTATIONS = ("name", "description", "properties", "project")


@covers(
    "start_execute_job",
    "programs",
    "n_shots",
    "backend_config",
    "wasm_module",
    "gpu_decoder_config",
    *ANNOTATIONS,
    *EXECUTE,
)
@covers("jobs.get", "id", "scope")
def test_an_execute_job_keeps_every_argument(frozen, circuit, described, project):
    wasm, decoder = (kind.upload(name="used", project=project) for kind in KINDS[3:])
    job = qnx.start_execute_job(
        [circuit, circuit],
        [10, 20],
        H2,
        wasm_module=wasm,
        gpu_decoder_config=decoder,
        **EXECUTE,
        **described,
    )
    check_description(job)
    kept = definition(job)
    for name in ("valid_check", "credential_name", "user_group", "target_region"):
        assert kept[name] == EXECUTE[name]
    assert kept["language"] == "OPENQASM 2.0"
    assert kept["wasm_module_id"] == str(wasm.id)
    assert kept["gpu_decoder_config_id"] == str(decoder.id)
    sent = H2.model_dump(mode="json", exclude_none=True)
    assert kept["backend_config"] == sent | {"max_batch_cost": MAX_BATCH_COST}
    items = [
        [item[name] for name in ("program_id", "n_shots", "max_cost", "n_qubits")]
        for item in kept["items"]
    ]
    assert items == [[str(circuit.id), 10, 4.5, 2], [str(circuit.id), 20, 5.5, 3]]


@covers("start_execute_job", "programs", "n_shots", "max_cost", "n_qubits")
def test_one_number_is_for_all_programs(frozen, circuit, project):
    job = qnx.start_execute_job(
        [circuit, circuit],
        7,
        QULACS,
        "numbers",
        project=project,
        max_cost=3,
        n_qubits=2,
    )
    for item in definition(job)["items"]:
        assert (item["n_shots"], item["max_cost"], item["n_qubits"]) == (7, 3.0, 2)


@covers("start_execute_job", "n_shots", raises="ValueError")
def test_the_client_counts_the_shots(circuit, project, nexus):
    with pytest.raises(ValueError, match="must equal number of n_shots"):
        qnx.start_execute_job([circuit], [1, 2], QULACS, "uneven", project=project)
    assert nexus.requests() == []


@covers("start_execute_job", "programs")
def test_circuits_is_the_old_name_of_programs(frozen, circuit, project):
    with pytest.warns(DeprecationWarning, match="use `programs`"):
        job = qnx.start_execute_job(
            circuits=[circuit],
            n_shots=[10],
            backend_config=QULACS,
            name="old",
            project=project,
        )
    assert definition(job)["items"][0]["program_id"] == str(circuit.id)


@covers("start_execute_job", raises="ResourceCreateFailed")
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"n_shots": [0]}, "items.0.n_shots"),
        ({"n_shots": [None]}, "items.0.n_shots"),
        ({"programs": [], "n_shots": []}, "definition.items"),
        ({"name": ""}, "data.attributes.name"),
        ({"max_cost": -1.0}, "items.0.max_cost"),
        ({"n_qubits": -1}, "items.0.n_qubits"),
        ({"language": "BASIC"}, "definition.language"),
        ({"properties": {"unheard": 1}}, "properties.unheard"),
    ],
    ids=str,
)
def test_a_wrong_execute_job_is_refused(nexus, circuit, project, arguments, field):
    before = nexus.jobs()
    request = {
        "programs": [circuit],
        "n_shots": [10],
        "backend_config": QULACS,
        "name": "wrong",
        "project": project,
    }
    with pytest.raises(ResourceCreateFailed) as raised:
        qnx.start_execute_job(**request | arguments)
    assert raised.value.status_code == 422
    assert json.loads(raised.value.message)["errors"][0]["field"].endswith(field)
    assert nexus.jobs() == before


@covers("start_execute_job", "wasm_module", raises="ResourceCreateFailed")
def test_a_wasm_module_is_none_of_another_kind(nexus, circuit, project):
    before = nexus.jobs()
    with pytest.raises(ResourceCreateFailed, match="no wasm") as raised:
        qnx.start_execute_job(
            circuit, 10, QULACS, "wrong", project=project, wasm_module=circuit
        )
    assert raised.value.status_code == 404
    assert nexus.jobs() == before


COMPILE = {
    "optimisation_level": 3,
    "credential_name": "mine",
    "user_group": "a group",
}


@covers(
    "start_compile_job",
    "programs",
    "backend_config",
    "hypertket_config",
    "skip_intermediate_circuits",
    *ANNOTATIONS,
    *COMPILE,
)
def test_a_compile_job_keeps_every_argument(frozen, circuit, described):
    hypertket = HyperTketConfig()
    job = qnx.start_compile_job(
        [circuit, circuit],
        H2,
        hypertket_config=hypertket,
        skip_intermediate_circuits=False,
        **COMPILE,
        **described,
    )
    check_description(job)
    kept = definition(job)
    assert {name: kept[name] for name in COMPILE} == COMPILE
    assert kept["hypertket_config"] == hypertket.model_dump()
    assert kept["skip_store_intermediate_passes"] is False
    assert [item["program_id"] for item in kept["items"]] == [str(circuit.id)] * 2


@covers("start_execute_job", "user_group", raises="ResourceCreateFailed")
@covers("start_compile_job", "user_group", raises="ResourceCreateFailed")
@pytest.mark.parametrize("group", ["made up", "of another"])
def test_a_job_is_for_a_group_of_its_user_only(
    nexus, circuit, project, as_other, group
):
    with as_other():
        qnx.teams.create("of another")
    before = nexus.jobs()
    arguments = {"name": "wrong", "project": project, "user_group": group}
    refused = f"not a member of the user group '{group}'"
    for submit in (
        lambda: qnx.start_execute_job(circuit, 10, H2, **arguments),
        lambda: qnx.start_compile_job(circuit, H2, **arguments),
    ):
        with pytest.raises(ResourceCreateFailed, match=refused) as raised:
            submit()
        assert raised.value.status_code == 403
    assert nexus.jobs() == before


@covers("start_execute_job", "backend_config", raises="ResourceCreateFailed")
def test_an_older_config_names_the_group_itself(nexus, circuit, project):
    with pytest.warns(DeprecationWarning, match="user_group"):
        config = qnx.QuantinuumConfig(device_name="H2-1LE", user_group="made up")
    with pytest.raises(ResourceCreateFailed, match=r"backend_config\.user_group"):
        qnx.start_execute_job(circuit, 10, config, "wrong", project=project)


@covers("jobs.retry_submission", "user_group", raises="HTTPStatusError")
def test_a_retry_is_for_a_group_of_its_user_only(frozen, circuit, project):
    job = execute(circuit, project)
    qnx.jobs.cancel(job)
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        qnx.jobs.retry_submission(
            job, retry_status=[JobStatusEnum.CANCELLED], user_group="made up"
        )
    assert qnx.jobs.status(job).status is JobStatusEnum.CANCELLED


@covers("JobRef.backend_config")
@pytest.mark.parametrize(
    "config", [H2, qnx.HeliosConfig(), H2.model_copy(update={"max_batch_cost": 7.5})]
)
def test_a_batch_has_the_limit_of_its_organisation_by_default(frozen, circuit, config):
    own = qnx.projects.create("of a batch")
    qnx.start_execute_job(circuit, 10, config, "of a batch", project=own)
    (job,) = qnx.jobs.get_all(project=own)
    expected = config.max_batch_cost or MAX_BATCH_COST
    assert job.backend_config.max_batch_cost == expected


@covers("start_compile_job", "optimisation_level", raises="ResourceCreateFailed")
@pytest.mark.parametrize("level", [-1, 4])
def test_a_wrong_optimisation_level_is_refused(nexus, circuit, project, level):
    before = nexus.jobs()
    with pytest.raises(ResourceCreateFailed, match="optimisation_level") as raised:
        qnx.start_compile_job(
            circuit, QULACS, "wrong", project=project, optimisation_level=level
        )
    assert raised.value.status_code == 422
    assert nexus.jobs() == before


@covers("jobs.execute", "programs", "n_shots", "backend_config", "timeout")
@covers("jobs.execute", "wasm_module", "gpu_decoder_config", *ANNOTATIONS, *EXECUTE)
def test_execute_gives_the_results(circuit, described, project):
    decoder = KINDS[4].upload(name="used", project=project)
    wasm = KINDS[3].upload(name="used", project=project)
    arguments = described | EXECUTE | {"max_cost": 100.0, "n_qubits": 2}
    results = qnx.execute(
        [circuit, circuit],
        [10, 20],
        QULACS,
        wasm_module=wasm,
        gpu_decoder_config=decoder,
        timeout=120,
        **arguments,
    )
    assert [sum(it.get_counts().values()) for it in results] == [10, 20]
    assert all(set(it.get_counts()) <= {(0, 0), (1, 1)} for it in results)


@covers("jobs.compile", "programs", "backend_config", "timeout", *ANNOTATIONS)
@covers("jobs.compile", "hypertket_config", *COMPILE)
def test_compile_gives_the_compiled_circuits(circuit, described):
    compiled = qnx.compile(
        [circuit],
        H2,
        timeout=120,
        hypertket_config=HyperTketConfig(),
        **COMPILE,
        **described,
    )
    (found,) = compiled
    assert H2_GATES.verify(found.download_circuit())
    assert found.annotations.properties == {"run": 3}


@covers("jobs.cancel", "job", "scope")
@covers("jobs.retry_submission", "job", "retry_status", "user_group")
def test_a_cancelled_job_is_retried_on_demand(frozen, circuit, project):
    job = execute(circuit, project)
    qnx.jobs.cancel(job, scope=Scope.HIGHEST)
    assert qnx.jobs.status(job).status is JobStatusEnum.CANCELLED
    with pytest.raises(httpx.HTTPStatusError):
        qnx.jobs.retry_submission(job)
    qnx.jobs.retry_submission(
        job, retry_status=[JobStatusEnum.CANCELLED], user_group="other"
    )
    assert qnx.jobs.status(job).status is JobStatusEnum.QUEUED
    assert definition(job)["user_group"] == "other"


@covers("jobs.retry_submission", "job")
def test_a_job_in_error_is_retried(nexus, circuit, project):
    job = execute(circuit, project)
    qnx.jobs.wait_for(job, timeout=250)
    nexus.set_job_status(job.id, "ERROR", error_detail="by hand")
    qnx.jobs.retry_submission(job)
    assert qnx.jobs.wait_for(job, timeout=250).status is JobStatusEnum.COMPLETED


@covers("jobs.retry_submission", "remote_retry_strategy", raises="HTTPStatusError")
def test_there_is_no_other_way_to_retry(frozen, circuit, project):
    job = execute(circuit, project)
    frozen.set_job_status(job.id, "ERROR")
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        qnx.jobs.retry_submission(job, remote_retry_strategy="HALF_RESTART")
    assert qnx.jobs.status(job).status is JobStatusEnum.ERROR


@covers("jobs.cancel", "job", raises="HTTPStatusError")
@covers("jobs.retry_submission", "job", raises="HTTPStatusError")
def test_what_a_job_has_ended_cannot_be_cancelled_or_retried(frozen, circuit, project):
    job = execute(circuit, project)
    frozen.set_job_status(job.id, "COMPLETED")
    for action in (qnx.jobs.cancel, qnx.jobs.retry_submission):
        with pytest.raises(httpx.HTTPStatusError, match="409"):
            action(job)
    assert qnx.jobs.status(job).status is JobStatusEnum.COMPLETED


@covers("jobs.delete", "job", "scope")
def test_a_deleted_job_is_gone(frozen, circuit, project):
    job = execute(circuit, project)
    qnx.jobs.delete(job, scope=Scope.ORG_ADMIN)
    with pytest.raises(ZeroMatches):
        qnx.jobs.get(id=job.id)


@covers("jobs.status", "job", "scope")
def test_a_status_tells_times_place_and_reason(frozen, circuit, project):
    job = execute(circuit, project)
    status = qnx.jobs.status(job, scope=Scope.ORG_ADMIN)
    assert status.status is JobStatusEnum.QUEUED
    assert status.queue_position >= 1
    assert status.queued_time == job.last_status_detail.queued_time
    frozen.set_job_status(job.id, "ERROR", message="short", error_detail="at length")
    status = qnx.jobs.status(job)
    assert (status.message, status.error_detail) == ("short", "at length")
    assert status.error_time >= status.queued_time
    assert status.queue_position is None


@covers("JobRef.backend_config")
@covers("JobRef.df")
def test_a_listed_job_fetches_its_backend_config(frozen, project, circuit):
    own = qnx.projects.create("of one job")
    execute(circuit, own)
    (job,) = qnx.jobs.get_all(project=own)
    assert job.backend_config_store is None
    assert job.backend_config == QULACS
    (row,) = job.df().to_dict("records")
    assert row["backend_config"] == "QulacsConfig"
    assert row["last_status"] == JobStatusEnum.QUEUED
    assert row["project"] == "of one job"


@covers("jobs.execute", raises="JobError")
def test_execute_says_why_a_job_failed(circuit, project):
    with pytest.raises(JobError, match="H9-9"):
        qnx.execute(
            [circuit],
            [10],
            qnx.QuantinuumConfig(device_name="H9-9"),
            "failing",
            project=project,
        )


@covers("jobs.compile", raises="TimeoutError")
def test_compile_ends_with_its_time_limit(frozen, circuit, project):
    with pytest.raises(asyncio.TimeoutError):
        qnx.compile([circuit], QULACS, "slow", project=project, timeout=0.01)
