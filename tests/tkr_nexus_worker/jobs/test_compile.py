"""Circuits compiled by a job of Nexus, and by pytket on this machine."""

import numpy as np
import pytest
import qnexus as qnx
from pytket.circuit import CircBox, Circuit, OpType, StatePreparationBox
from quantinuum_schemas.models.backend_config import (
    HeliosConfig,
    IBMQConfig,
    QuantinuumConfig,
    QulacsConfig,
)
from quantinuum_schemas.models.hypertket_config import HyperTketConfig, QubitReuseConfig
from sympy import Symbol
from tests.helpers.exact_distributions import distribution

from local_nexus import Fault
from tkr_nexus_worker import jobs, programs, tasks
from tkr_nexus_worker.costs.formula import hqc
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    ResultsNotReadyError,
)

PROJECT = "tests of compilations"
CONFIG = QuantinuumConfig(device_name="H2-1LE")
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
GHZ = Circuit(3, name="ghz").H(0).CX(0, 1).CX(1, 2).measure_all()


@pytest.fixture
def uploaded(connected):
    return programs.upload_circuits([BELL, GHZ], PROJECT)


def gates(circuit):
    return {command.op.type for command in circuit}


def test_compiled_circuits_come_in_their_order_and_run(uploaded):
    job = jobs.start_compile_job(PROJECT, "both", uploaded, CONFIG)
    assert jobs.wait_until_complete(job, poll_interval=0.1).state.name == "COMPLETED"
    compiled = jobs.get_compiled_programs(job)
    assert [one.annotations.name for one in compiled] == [
        "bell-compiled",
        "ghz-compiled",
    ]
    assert gates(compiled[0].download_circuit()) <= {
        *(OpType.PhasedX, OpType.Rz, OpType.ZZPhase, OpType.Measure)
    }
    run = jobs.start_execute_job(PROJECT, "both", compiled, [5, 5], CONFIG)
    assert jobs.find_job("both").id == run.id
    details = jobs.get_job_details(job)
    assert (details.compiles, details.items_done, details.items_total) == (True, 2, 2)
    assert [one.succeeded for one in details.items] == [True, True]
    assert [one.name for one in jobs.list_jobs(job_type="compile", limit=1)] == ["both"]
    assert jobs.cancel_job(job).state.name == "COMPLETED"
    submitted = jobs.get_job_payload(job)
    assert [one.name for one in submitted.programs] == ["bell", "ghz"]
    with pytest.raises(InvalidInputError, match="runs programs and compiles none"):
        jobs.get_compiled_programs(run)


def test_every_option_reaches_nexus(uploaded, connected):
    hypertket = HyperTketConfig(
        qubit_reuse_config=QubitReuseConfig(enable_qubit_reuse=True)
    )
    job = jobs.start_compile_job(
        PROJECT,
        "options",
        uploaded[:1],
        CONFIG,
        optimisation_level=1,
        target_2qb_gate="ZZMax",
        hypertket_config=hypertket,
        store_passes=True,
    )
    jobs.wait_until_complete(job, poll_interval=0.1)
    kept = jobs.get_job_payload(job)
    assert kept.options["optimisation_level"] == 1
    assert kept.options["skip_store_intermediate_passes"] is False
    assert kept.options["hypertket_config"]["qubit_reuse_config"]["enable_qubit_reuse"]
    assert kept.backend_config["target_2qb_gate"] == "ZZMax"
    [compiled] = jobs.get_compiled_programs(job)
    assert OpType.ZZMax in gates(compiled.download_circuit())
    [result] = qnx.jobs.results(job)
    assert result.get_passes()


@pytest.mark.usefixtures("quick_retries")
def test_a_lost_answer_submits_no_second_compile_job(uploaded, connected, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.2")
    lost = Fault("drop", when="after", path="/api/jobs/*", method="POST", times=1)
    with connected.fault(lost):
        job = jobs.start_compile_job(PROJECT, "only once", uploaded, CONFIG)
    named = [one for one in connected.jobs() if one["name"] == "only once"]
    assert [one["id"] for one in named] == [str(job.id)]


def test_a_circuit_that_could_not_be_compiled_is_named(uploaded, connected):
    job = jobs.start_compile_job(PROJECT, "fails", uploaded, CONFIG)
    jobs.wait_until_complete(job, poll_interval=0.1)
    connected.set_job_status(job.id, "ERROR", "no such gate", item=1)
    with pytest.raises(JobFailedError) as caught:
        jobs.get_compiled_programs(job)
    message = str(caught.value)
    assert "1 of its 2 circuits were not compiled: circuit 1: it ended" in message
    assert "no such gate" in message
    assert "get_item_results" not in message


def test_circuits_that_are_not_compiled_yet_are_not_ready(uploaded, connected):
    job = jobs.start_compile_job(PROJECT, "waits", uploaded[:1], CONFIG)
    jobs.wait_until_complete(job, poll_interval=0.1)
    connected.set_job_status(job.id, "QUEUED")
    with pytest.raises(ResultsNotReadyError, match="not compiled yet"):
        jobs.get_compiled_programs(job)
    assert jobs.cancel_job(job).state.name == "CANCELLED"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimisation_level": 4}, "optimisation level is 4; give 0, 1, 2 or 3"),
        ({"optimisation_level": True}, "optimisation level is True"),
        ({"target_2qb_gate": "CX"}, "target_2qb_gate is 'CX'; give ZZPhase, ZZMax or"),
    ],
)
def test_a_wrong_option_is_refused_before_any_request(
    uploaded, connected, options, words
):
    connected.clear_requests()
    with pytest.raises(InvalidInputError, match=words):
        jobs.start_compile_job(PROJECT, "wrong", uploaded, CONFIG, **options)
    with pytest.raises(InvalidInputError, match=words):
        tasks.prepare_compilation(PROJECT, "wrong", [BELL], CONFIG, **options)
    assert connected.requests() == []


def test_what_is_no_circuit_or_leaves_no_choice_is_refused(uploaded, connected):
    ref = qnx.models.references.QIRRef(
        id=uploaded[0].id,
        annotations=uploaded[0].annotations,
        project=uploaded[0].project,
    )
    with pytest.raises(InvalidInputError, match=r"Program 1 \('bell'\) is QIR, and"):
        jobs.start_compile_job(PROJECT, "wrong", [uploaded[0], ref], CONFIG)
    helios = HeliosConfig(system_name="Helios-1")
    with pytest.raises(InvalidInputError, match="HeliosConfig has no choice of"):
        jobs.start_compile_job(
            PROJECT, "wrong", uploaded, helios, target_2qb_gate="ZZMax"
        )
    with pytest.raises(InvalidInputError, match="no circuits to compile"):
        jobs.start_compile_job(PROJECT, "wrong", [], CONFIG)


@pytest.mark.parametrize("gate", ["ZZPhase", "ZZMax", "TK2"])
def test_pytket_changes_gates_on_this_machine_without_a_request(connected, gate):
    [bell, native] = jobs.compile_locally(
        [BELL, Circuit(1, name="native").PhasedX(1, 0, 0).measure_all()],
        CONFIG,
        target_2qb_gate=gate,
    )
    one_qubit = {OpType.PhasedX, OpType.Rz, OpType.Measure}
    assert gates(bell) <= {*one_qubit, OpType.from_name(gate)}
    assert (bell.name, native.name) == ("bell", "native")
    assert gates(native) == {OpType.PhasedX, OpType.Measure}
    assert connected.requests() == []
    assert gates(BELL) == {OpType.H, OpType.CX, OpType.Measure}


def test_chosen_passes_of_pytket_are_applied_before(connected):
    circuit = Circuit(2).CX(0, 1).CX(0, 1).H(0).measure_all()
    [compiled] = jobs.compile_locally(
        [circuit], CONFIG, passes=["RemoveRedundancies", "FullPeepholeOptimise"]
    )
    assert compiled.n_2qb_gates() == 0


def test_a_box_under_a_condition_does_what_it_did_whatever_it_writes(connected):
    prepared = Circuit(1, 2).X(0).Measure(0, 0)
    box = StatePreparationBox(np.array([0.0, 1.0]), with_initial_reset=True)
    prepared.add_gate(box, [0], condition_bits=[0], condition_value=1)
    prepared.Measure(0, 1)
    # The box writes the bit that it depends on.
    inner = CircBox(Circuit(1, 1).X(0).Measure(0, 0).X(0))
    written = Circuit(1, 2).X(0).Measure(0, 0)
    written.add_circbox(inner, [0, 0], condition_bits=[0], condition_value=1)
    written.Measure(0, 1)
    compiled = jobs.compile_locally([prepared, written], CONFIG)
    assert [distribution(circuit) for circuit in compiled] == [
        {"11": pytest.approx(1)},
        {"10": pytest.approx(1)},
    ]
    one_by_one = Circuit(1, 2).X(0).Measure(0, 0).X(0).Measure(0, 0).X(0).Measure(0, 1)
    assert hqc(written, 100) == hqc(one_by_one, 100)


def test_the_gates_of_other_devices_are_asked_for(connected):
    circuit = Circuit(2).ISWAPMax(0, 1).measure_all()
    [compiled] = jobs.compile_locally([circuit], QulacsConfig())
    assert compiled.n_gates_of_type(OpType.ISWAPMax) == 0
    machine = IBMQConfig(backend_name="ibm_torino", instance="x")
    with pytest.raises(InvalidInputError, match=r"ibm_torino couples .*compile on Nex"):
        jobs.compile_locally([circuit], machine)


@pytest.mark.parametrize("name", ["FullPeepholeOptimize", "RebaseCustom", "__doc__"])
def test_an_unknown_pass_is_refused_by_its_name(name):
    with pytest.raises(InvalidInputError, match=f"no pass {name!r}"):
        jobs.compile_locally([BELL], CONFIG, passes=[name])


def test_a_circuit_with_free_symbols_is_refused_before_it_is_compiled():
    circuit = Circuit(1).Rx(Symbol("a"), 0)
    with pytest.raises(InvalidInputError, match="free symbol a"):
        jobs.compile_locally([circuit], CONFIG)
