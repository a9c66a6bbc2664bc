"""What programs cost, in HQC."""

import functools

import pytest
import qnexus as qnx
from pytket.wasm import WasmModuleHandler
from qnexus.exceptions import JobError
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.contract.kinds import KINDS, bell
from tests.helpers.contract import covers, for_each
from tests.local_nexus import guppy_coin
from tests.local_nexus.simulators.test_hybrid import bell_qir

H2 = qnx.QuantinuumConfig(device_name="H2-1")


@pytest.fixture(scope="module")
def circuit(project):
    return qnx.circuits.upload(bell(), project=project)


@covers(
    "circuits.cost", "circuit_ref", "n_shots", "backend_config", "project", "timeout"
)
@covers("circuits.cost", "syntax_checker")
def test_the_cost_of_a_circuit_is_estimated(circuit, project):
    one = qnx.circuits.cost(circuit, 100, H2, project=project, timeout=250)
    assert one > 5
    two = qnx.circuits.cost(
        [circuit, circuit], [100, 100], H2, syntax_checker="H2-2", project=project
    )
    assert two == pytest.approx(2 * one)


@covers("circuits.cost", "backend_config", raises="ValueError")
def test_only_h2_estimates_the_cost_of_circuits(circuit, project, nexus):
    for config in (qnx.QulacsConfig(), qnx.QuantinuumConfig(device_name="H1-1")):
        with pytest.raises(ValueError, match="only supported"):
            qnx.circuits.cost(circuit, 100, config, project=project)
    assert nexus.requests() == []


@covers("circuits.cost", "circuit_ref")
def test_the_project_of_the_circuit_pays_where_none_is_given(circuit, project):
    with pytest.warns(DeprecationWarning, match="ProjectRef from the first"):
        qnx.circuits.cost(circuit, 100, H2)
    job = qnx.jobs.get_all(project=project, page_size=1).list()[0]
    assert job.annotations.name == "Circuit cost estimation job"


for_programs = functools.partial(
    for_each,
    "kind",
    {name: name for name in ("hugr", "qir")},
    lambda kind: {"module": kind},
)


@pytest.fixture(scope="module")
def programs(project):
    """A HUGR program and a QIR program by the names of their modules."""
    return {
        "hugr": qnx.hugr.upload(guppy_coin.package(), "coin", project),
        "qir": qnx.qir.upload(bell_qir(), "bell", project),
    }


@for_programs(
    ("{module}.cost", "programs", "n_shots", "project", "system_name", "timeout")
)
def test_cost_is_that_of_cost_confidence(kind, programs, project):
    module, program = getattr(qnx, kind), programs[kind]
    with pytest.warns(DeprecationWarning, match="cost_confidence"):
        cost = module.cost(program, 100, project, "Helios-1", timeout=250)
    ((same, confidence),) = module.cost_confidence(program, 100, project, "Helios-1")
    assert cost == pytest.approx(same, abs=0.01)
    assert cost > 5
    assert 0 <= confidence <= 1


@for_programs(
    ("{module}.cost", "target_region"),
    ("{module}.cost_confidence", "programs", "n_shots", "project", "timeout"),
    ("{module}.cost_confidence", "target_region"),
)
def test_the_region_chooses_the_system(kind, programs, project):
    module, program = getattr(qnx, kind), programs[kind]
    for region, system in (("us", "Helios-1SC"), ("sg", "Helios-2SC")):
        with pytest.warns(DeprecationWarning, match="system_name is unset"):
            costs = module.cost_confidence(
                [program, program],
                [50, 100],
                project,
                timeout=250,
                target_region=region,
            )
        assert costs[0][0] < costs[1][0]
        job = qnx.jobs.get_all(project=project, page_size=1).list()[0]
        assert job.backend_config.system_name == system
    with (
        pytest.warns(DeprecationWarning, match="system_name is unset"),
        pytest.warns(DeprecationWarning, match="cost_confidence"),
    ):
        assert module.cost(program, 50, project, target_region="sg") > 0


@for_programs(
    ("{module}.cost_confidence", "system_name", "wasm_module", "gpu_decoder_config")
)
def test_what_a_program_does_not_call_does_not_change_the_cost(kind, programs, project):
    wasm, decoder = (one.upload(name="used", project=project) for one in KINDS[3:])
    module, program = getattr(qnx, kind), programs[kind]
    costs = [
        module.cost_confidence(program, 100, project, "Helios-1", **given)
        for given in ({}, {"wasm_module": wasm, "gpu_decoder_config": decoder})
    ]
    assert costs[0] == costs[1]


@for_programs(("{module}.cost_confidence", "wasm_module"), raises="JobError")
def test_what_is_no_wasm_module_fails_the_job(kind, programs, project):
    nonsense = WasmModuleHandler(b"nonsense", check=False)
    wasm = qnx.wasm_modules.upload(nonsense, project=project, name="nonsense")
    with pytest.raises(JobError, match="WASM"):
        getattr(qnx, kind).cost_confidence(
            programs[kind], 100, project, "Helios-1", wasm_module=wasm
        )


@covers("jobs.cost", "job", "scope")
@covers("jobs.cost_confidence", "job", "scope")
def test_a_job_says_what_it_cost(circuit, project):
    emulator = qnx.QuantinuumConfig(device_name="H2-1E")
    job = qnx.start_execute_job(
        [circuit, circuit], 100, emulator, "charged", project=project
    )
    assert qnx.jobs.cost(job) == 0.0 or qnx.jobs.cost(job) > 5
    status = qnx.jobs.wait_for(job, timeout=250)
    items = qnx.jobs.cost_confidence(job, scope=Scope.ORG_ADMIN)
    cost = qnx.jobs.cost(job, scope=Scope.ORG_ADMIN)
    assert cost == pytest.approx(sum(each for each, _ in items))
    assert status.cost == pytest.approx(cost, abs=0.01)
    assert all(-1 <= confidence <= 1 for _, confidence in items)


@covers("jobs.cost", "job")
@covers("jobs.cost_confidence", "job")
def test_simulators_are_free(circuit, project):
    job = qnx.start_execute_job(
        circuit, 100, qnx.QulacsConfig(), "free", project=project
    )
    qnx.jobs.wait_for(job, timeout=250)
    assert qnx.jobs.cost(job) == 0.0
    assert qnx.jobs.cost_confidence(job) == [(0.0, -1.0)]
