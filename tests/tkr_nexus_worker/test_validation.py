"""Does a job fit a device?"""

import logging
import time

import pytest
from pytket.circuit import Bit, CircBox, Circuit, Qubit
from quantinuum_schemas.models.backend_config import (
    AerConfig,
    IBMQEmulatorConfig,
    QuantinuumConfig,
    QulacsConfig,
)
from sympy import Symbol

from local_nexus import Fault
from tkr_nexus_worker import jobs, programs, tasks
from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.results import get_results_by_id
from tkr_nexus_worker.validation import check_fit, check_gates, validate_job

LOCAL = QuantinuumConfig(device_name="H2-1LE")
MACHINE = QuantinuumConfig(device_name="H2-1")
NATIVE = Circuit(2, name="native").PhasedX(0.5, 0.5, 0).ZZPhase(0.5, 0, 1).measure_all()
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
LARGE = Circuit(57, name="large")
for qubit in range(57):
    LARGE.PhasedX(0.5, 0.5, qubit)
LARGE.measure_all()
SYMBOLIC = Circuit(1).Rz(Symbol("theta"), 0).measure_all()
WIDE = Circuit(1)
WIDE.add_c_register("r", 80)
WIDE.PhasedX(1, 0, 0).Measure(Qubit(0), Bit("r", 79))
MANY_REGISTERS = Circuit(1)
for number in range(4001):
    MANY_REGISTERS.add_c_register(f"r{number}", 1)
COPIES = Circuit(1, 2).X(0).Measure(0, 0).add_c_copybits([0], [1])
CONDITIONAL_RESET = Circuit(1, 1).Measure(0, 0)
CONDITIONAL_RESET.Reset(0, condition_bits=[0], condition_value=1)
SUMS = Circuit(1).PhasedX(1, 0, 0)
SUMS_OF = SUMS.add_c_register("a", 2)
SUMS.measure_all().add_clexpr_from_logicexp(SUMS_OF + 1, SUMS_OF.to_list())
RANDOM = Circuit(1).PhasedX(1, 0, 0)
RANDOM.set_rng_seed(RANDOM.add_c_register("seed", 64))
RANDOM.get_rng_num(RANDOM.add_c_register("number", 32))
RANDOM.measure_all()
ROTATION = Circuit(1).PhasedX(0.3, 0, 0).measure_all()
STABILIZER = QuantinuumConfig(device_name="H2-1LE", simulator="stabilizer")
FEEDFORWARD = Circuit(1, 2).X(0).Measure(0, 0)
FEEDFORWARD.X(0, condition_bits=[0], condition_value=1).Measure(0, 1)


def test_a_job_that_fits_has_neither_problems_nor_warnings(connected):
    found = validate_job([NATIVE], [10], LOCAL)
    assert (found.fits, found.problems, found.warnings) == (True, [], [])
    assert found.device == "H2-1LE"
    [needs] = found.circuits
    assert needs.model_dump() == {
        "index": 0,
        "name": "native",
        "n_shots": 10,
        "n_qubits": 2,
        "n_one_qubit_gates": 1,
        "n_two_qubit_gates": 1,
        "n_measurements": 2,
        "depth": 3,
        "cost": None,
    }


@pytest.mark.parametrize("circuit", [SUMS, RANDOM], ids=["sums", "random numbers"])
@pytest.mark.parametrize("config", [LOCAL, MACHINE, STABILIZER])
def test_operations_on_bits_fit_devices_that_have_them(connected, circuit, config):
    found = validate_job([circuit], [10], config)
    assert found.fits, found


@pytest.mark.parametrize(
    ("circuit", "shots", "config", "problem"),
    [
        (LARGE, 10, LOCAL, "circuits 0-1: 57 qubits, and H2-1LE has 56"),
        (
            NATIVE,
            10_001,
            MACHINE,
            "0-1: n_shots is 10001, and H2-1 takes 10000 at most",
        ),
        (SYMBOLIC, 10, LOCAL, "circuits 0-1: has free symbols (theta); substitute"),
    ],
)
def test_what_is_certain_to_be_refused_is_a_problem(
    connected, circuit, shots, config, problem
):
    found = validate_job([circuit, circuit], [shots, shots], config)
    assert not found.fits
    [text] = found.problems
    assert problem in text
    connected.clear_requests()
    with pytest.raises(InvalidInputError, match="does not fit"):
        check_fit([circuit], [shots], config)
    assert len(connected.requests()) == 1


@pytest.mark.parametrize(
    ("circuit", "config", "warning"),
    [
        (BELL, LOCAL, "gates that are not among those of H2-1LE, such as CX, H;"),
        (Circuit(60, 1).PhasedX(1, 0, 0).Measure(0, 0), LOCAL, "60 qubits"),
        (FEEDFORWARD, QulacsConfig(), "measures before its end, which Qulacs"),
        (Circuit(1, 1).Reset(0).Measure(0, 0), QulacsConfig(), "resets qubits"),
        (
            FEEDFORWARD,
            IBMQEmulatorConfig(backend_name="ibm_torino", instance="x"),
            "uses measured bits before its end, which ibm_torino",
        ),
        (NATIVE, QuantinuumConfig(device_name="H2-7"), "no device 'H2-7'"),
        (WIDE, MACHINE, "circuit 0: the register r has 80 bits, and H2-1 takes 63 at"),
        (MANY_REGISTERS, LOCAL, "4001 classical registers, and H2-1LE takes 4000 at"),
        (COPIES, AerConfig(), "gates that are not among those of aer_simulator, such"),
        (CONDITIONAL_RESET, QulacsConfig(), "resets qubits, which Qulacs"),
        (ROTATION, STABILIZER, "no Clifford gates, such as PhasedX(0.3, 0); the stab"),
        (RANDOM, QulacsConfig(), "such as PhasedX, RNGNum, RNGSeed"),
    ],
)
def test_what_nexus_may_judge_in_another_way_is_a_warning(
    connected, caplog, circuit, config, warning
):
    found = validate_job([circuit], [10], config)
    assert (found.fits, found.problems) == (False, [])
    assert any(warning in text for text in found.warnings)
    with caplog.at_level(logging.WARNING):
        check_fit([circuit], [10], config)
    assert warning in caplog.text


@pytest.mark.parametrize("name", ["H2-1", "H2-1E"])
def test_other_gates_than_those_of_hardware_are_refused_where_asked(connected, name):
    config = QuantinuumConfig(device_name=name)
    check_gates([NATIVE, SYMBOLIC], config)
    connected.clear_requests()
    with pytest.raises(InvalidInputError) as caught:
        check_gates([NATIVE, BELL, BELL], config)
    assert str(caught.value).startswith(
        f"circuits 1-2: has gates that are not among those of {name}, such as CX, H. "
    )
    assert "--compile, which lets Nexus" in str(caught.value)
    assert len(connected.requests()) == 1
    check_gates([BELL], LOCAL)


def test_circuits_that_are_to_be_compiled_may_have_any_gates(connected, caplog):
    with caplog.at_level(logging.WARNING):
        check_fit([BELL], [10], MACHINE, compiled=True)
        with pytest.raises(InvalidInputError, match="57 qubits"):
            check_fit([LARGE], [10], MACHINE, compiled=True)
    assert "gates" not in caplog.text


def test_a_device_that_is_not_online_is_a_warning(connected):
    fault = Fault(
        "answer", path="/api/machines/*", status=200, body='{"state": "offline"}'
    )
    with connected.fault(fault):
        assert "H2-1 is offline now" in "".join(
            validate_job([NATIVE], [10], MACHINE).warnings
        )


def test_a_quota_that_is_used_up_is_a_warning(connected):
    ref = programs.upload_circuit(BELL, "quotas")
    job = jobs.start_execute_job("quotas", "quotas", [ref], [100], LOCAL)
    while jobs.is_running(job):
        time.sleep(0.05)
    connected.set_quota(connected.email, "simulation", 1e-9)
    [warning] = validate_job([NATIVE], [10], LOCAL).warnings
    connected.set_quota(connected.email, "simulation", None)
    assert "quota of simulations is used up" in warning
    assert validate_job([NATIVE], [10], LOCAL).warnings == []


def test_the_estimated_cost_is_what_the_device_charges(connected):
    inner = Circuit(2).Ry(0.3, 0).CZ(0, 1).T(1)
    circuit = Circuit(3).H(0).CX(0, 1).SWAP(1, 2).add_gate(CircBox(inner), [0, 2])
    circuit.Rz(0.1, 0).ZZMax(0, 1).TK2(0.1, 0.2, 0.3, 1, 2).measure_all()
    device = QuantinuumConfig(device_name="H2-1SC")
    refs = [programs.upload_circuit(one, "costs") for one in (circuit, BELL)]
    job = jobs.start_execute_job("costs", "costs", refs, [100, 7], device)
    while jobs.is_running(job):
        time.sleep(0.05)
    charged = get_results_by_id(job).receipt.items
    found = validate_job([circuit, BELL], [100, 7], MACHINE)
    assert [one.cost for one in found.circuits] == pytest.approx(
        [one.cost for one in charged]
    )
    assert found.cost == pytest.approx(sum(one.cost for one in charged))


def test_a_cost_above_its_limit_is_a_warning(connected):
    with pytest.warns(DeprecationWarning, match="max_cost"):
        config = QuantinuumConfig(device_name="H2-1", max_cost=6)
    warnings = validate_job([NATIVE], [10_000], config).warnings
    assert any("above its max_cost of 6" in text for text in warnings)


@pytest.mark.parametrize(("circuits", "shots"), [([], []), ([NATIVE], [0])])
def test_what_is_no_job_is_refused_without_a_request(connected, circuits, shots):
    with pytest.raises(InvalidInputError):
        validate_job(circuits, shots, LOCAL)
    assert connected.requests() == []


def test_the_graph_checks_the_device_before_anything_is_uploaded(connected):
    with pytest.raises(InvalidInputError, match="57 qubits, and H2-1LE has 56"):
        tasks.prepare_job("never made", "a job", [LARGE], [10], LOCAL)
    assert {request.path for request in connected.requests()} == {
        "/api/v5/available_devices"
    }


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("status", [403, 503])
def test_a_check_that_cannot_be_made_stops_no_job(connected, caplog, status):
    with (
        connected.fault(Fault("answer", path="/api/v5/*", status=status)),
        caplog.at_level(logging.WARNING),
    ):
        tasks.prepare_job("a project", "a job", [NATIVE], [10], LOCAL)
    assert "whether the job fits it is not known" in caplog.text
