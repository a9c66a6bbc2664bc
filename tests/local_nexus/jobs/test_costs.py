import pytest


def test_a_circuit_is_costed_by_the_syntax_checker(client):
    cost = client.run(
        """
        project = qnx.projects.get(name="shared")
        ref = qnx.circuits.upload(bell(), project=project)
        result = qnx.circuits.cost(
            ref, n_shots=1000, backend_config=qnx.QuantinuumConfig(device_name="H2-1"),
            project=project, timeout=120,
        )
        """
    )
    # 5 + 1000 shots (2 one-qubit + 10 x 1 two-qubit + 5 x 2 measurements) / 5000,
    # with the preparation of two qubits if that is counted, too.
    assert 5 < cost < 12


def test_a_hugr_program_is_costed_with_a_confidence(client):
    pytest.importorskip("guppylang")
    costs = client.run(
        """
        import guppy_coin
        project = qnx.projects.get(name="shared")
        ref = qnx.hugr.upload(guppy_coin.package(), name="coin", project=project)
        result = qnx.hugr.cost_confidence(
            ref, n_shots=10, project=project, system_name="Helios-1", timeout=250
        )
        """
    )
    ((cost, confidence),) = costs
    assert cost > 5
    assert 0 < confidence <= 1


def test_a_syntax_checker_costs_a_circuit(client):
    seen = client.run(
        """
        project = qnx.projects.get(name="shared")
        job = qnx.start_execute_job(
            programs=qnx.circuits.upload(bell(), project=project),
            n_shots=10,
            backend_config=qnx.QuantinuumConfig(device_name="H1-1SC"),
            name="checked",
            project=project,
        )
        status = qnx.jobs.wait_for(job, timeout=120)
        result = [status.status.name, qnx.jobs.cost(job)]
        """
    )
    state, cost = seen
    assert state == "COMPLETED"
    assert cost > 5


def test_a_program_beyond_its_maximal_cost_is_not_run(client):
    seen = client.run(
        """
        project = qnx.projects.get(name="shared")
        job = qnx.start_execute_job(
            programs=qnx.circuits.upload(bell(), project=project),
            n_shots=1000,
            backend_config=qnx.QuantinuumConfig(device_name="H1-1E"),
            name="too dear",
            project=project,
            max_cost=1.0,
        )
        try:
            qnx.jobs.wait_for(job, timeout=120)
        except Exception:
            pass
        (ref,) = qnx.jobs.results(job, allow_incomplete=True)
        result = [type(ref).__name__, qnx.jobs.status(job).status.name]
        """
    )
    assert seen == ["IncompleteJobItemRef", "ERROR"]
