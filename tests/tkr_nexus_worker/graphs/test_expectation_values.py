"""The loop of the example vqe_loop.py finds the ground energy of hydrogen."""

from pathlib import Path

import numpy as np
import pytest
from tests.helpers.hydrogen import hydrogen_terms
from tierkreis.storage import read_loop_trace

from tkr_nexus_worker import run

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_operator_of_the_example_follows_from_first_principles(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import vqe_loop

    assert hydrogen_terms(0.75) == pytest.approx(vqe_loop.H2, abs=5e-5)


def test_the_loop_converges_to_the_ground_energy_with_a_job_for_each_iteration(
    connected, make_storage, monkeypatch
):
    monkeypatch.syspath_prepend(EXAMPLES)
    import vqe_loop

    matrix = vqe_loop.hamiltonian().to_sparse_matrix(2).toarray()
    exact = np.linalg.eigvalsh(matrix)[0]
    assert exact == pytest.approx(vqe_loop.GROUND_ENERGY, abs=5e-5)

    storage = make_storage()
    graph = vqe_loop.vqe_graph(polling_interval=0.1)
    executor = vqe_loop.make_executor("in-process", storage)
    before = len(connected.jobs())
    found = run(graph, vqe_loop.vqe_inputs(1000), storage, executor)

    error = found["standard_error"]
    assert 0 < error < 0.05
    assert abs(found["energy"] - exact) < 5 * error
    energies = read_loop_trace(graph, storage, vqe_loop.LOOP, "energy")
    assert energies[0] > exact + 0.2
    names = [job["name"] for job in connected.jobs()[before:]]
    assert len(set(names)) == len(names) == len(energies)
    assert {name.rsplit(" ", 1)[1] for name in names} == {
        str(number + 1) for number in range(len(energies))
    }
