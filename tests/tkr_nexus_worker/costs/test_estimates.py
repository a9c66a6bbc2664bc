"""What programs are estimated to cost, and what Nexus bills for them."""

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import (
    HeliosConfig,
    QuantinuumConfig,
    QulacsConfig,
)
from sympy import Symbol
from tests.local_nexus import guppy_coin
from tests.local_nexus.simulators.test_hybrid import bell_qir

from tkr_nexus_worker import jobs, programs
from tkr_nexus_worker.costs import estimate_cost
from tkr_nexus_worker.errors import InvalidInputError

PROJECT = "tests of costs"
# Without noise it is simulated fast.
MACHINE = QuantinuumConfig(device_name="H2-1", noisy_simulation=False)
NATIVE = Circuit(2, name="native").PhasedX(0.5, 0.5, 0).ZZPhase(0.5, 0, 1).measure_all()
SYMBOLIC = Circuit(1, name="symbolic").Rz(Symbol("theta"), 0).measure_all()


def test_a_circuit_costs_what_was_estimated_before_and_after_its_upload(connected):
    estimate = estimate_cost([NATIVE, NATIVE], [100, 200], MACHINE)
    uploaded = programs.upload_circuits([NATIVE, NATIVE], PROJECT)
    assert estimate_cost(uploaded, [100, 200], MACHINE) == estimate
    assert (estimate.charged, estimate.kind, estimate.confidence) == (
        True,
        "hardware",
        1,
    )
    job = jobs.start_execute_job(PROJECT, "a job", uploaded, [100, 200], MACHINE)
    status = jobs.wait_until_complete(job, poll_interval=0.1)
    assert status.cost == pytest.approx(estimate.cost)
    items = [item.cost for item in jobs.get_job_details(job).items]
    assert items == pytest.approx([one.cost for one in estimate.programs])


def test_simulators_are_free_of_charge(connected):
    for config in (QulacsConfig(), QuantinuumConfig(device_name="H2-1LE")):
        found = estimate_cost([SYMBOLIC], [100], config)
        assert (found.charged, found.cost, found.confidence) == (False, 0, 1)


def test_hugr_and_qir_programs_are_tried_on_nexus(connected):
    hugr = programs.upload_hugr(guppy_coin.package(), PROJECT, "coin")
    qir = qnx.qir.upload(bell_qir(), "bell", hugr.project)
    config = HeliosConfig(system_name="Helios-1")
    found = estimate_cost([hugr, qir], [100, 50], config)
    assert [one.name for one in found.programs] == ["coin", "bell"]
    assert found.cost == sum(one.cost for one in found.programs)
    assert all(one.cost > 5 and 0 < one.confidence <= 1 for one in found.programs)
    assert not any(one.is_exact for one in found.programs)
    assert found.charged
    costing = [job for job in connected.jobs() if "cost" in job["name"]]
    assert len(costing) >= 2


def test_what_a_symbolic_circuit_and_an_unknown_device_cost_is_not_known(connected):
    found = estimate_cost([NATIVE, SYMBOLIC], [1, 1], MACHINE)
    assert (found.cost, found.confidence) == (None, None)
    assert found.reason == "the cost of program 1 cannot be estimated"
    found = estimate_cost([NATIVE], [1], QuantinuumConfig(device_name="H9-1"))
    assert (found.charged, found.cost) == (None, None)
    assert "lists no device 'H9-1'" in found.reason


def test_circuits_on_other_systems_and_with_leakage_detection_are_less_certain(
    connected,
):
    detecting = QuantinuumConfig(device_name="H2-1", leakage_detection=True)
    for config in (HeliosConfig(system_name="Helios-1"), detecting):
        found = estimate_cost([NATIVE], [100], config)
        assert found.cost > 5
        assert found.confidence is None


def test_wrong_input_is_refused_before_any_request(connected):
    connected.clear_requests()
    with pytest.raises(InvalidInputError, match="no programs"):
        estimate_cost([], [], MACHINE)
    with pytest.raises(InvalidInputError, match="n_shots has length 2"):
        estimate_cost([NATIVE], [1, 2], MACHINE)
    assert connected.requests() == []
