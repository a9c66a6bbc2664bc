import pytest
from tests.local_nexus.conftest import ClientError


def test_quotas_without_a_limit(client):
    quotas = client.run(
        "result = [[it.name, it.usage >= 0, it.quota] for it in qnx.quotas.get_all()]"
    )
    assert quotas == [
        [name, True, "No quota set for user"]
        for name in ("compilation", "simulation", "jupyterhub", "database_usage")
    ]


def test_a_quota_that_is_used_up_is_guarded(nexus, client):
    assert client.run("result = qnx.quotas.check_quota('simulation')") is True
    nexus.set_quota(nexus.email, "simulation", 0)
    assert client.run("result = qnx.quotas.check_quota('simulation')") is False
    nexus.set_quota(nexus.email, "simulation", 1e9)
    assert client.run("result = qnx.quotas.get('simulation').quota") == 1e9
    nexus.set_quota(nexus.email, "simulation", None)
    assert client.run("result = qnx.quotas.check_quota('simulation')") is True


def test_simulations_and_uploads_count_towards_quotas(client, submit):
    job = submit("counted")
    used = client.run(
        """
        qnx.jobs.wait_for(qnx.jobs.get(id=job), timeout=120)
        names = ["simulation", "database_usage"]
        result = [qnx.quotas.get(name).usage for name in names]
        """,
        job=job,
    )
    assert min(used) > 0


def test_the_quotas_of_others_are_not_shown(http):
    answer = http.get("/api/quotas/v1beta3", params={"entity_id": "somebody"})
    assert answer.status_code == 403


def test_credentials_are_listed_by_issuer(nexus, client):
    nexus.add_credential(nexus.email, "mine", "Quantinuum")
    nexus.add_credential(nexus.email, "second", "Quantinuum")
    nexus.add_credential(nexus.email, "theirs", "Braket")
    seen = client.run(
        """
        result = [
            [it.name, it.is_default_for_issuer]
            for it in qnx.credentials.get_all(issuer="Quantinuum")
        ]
        """
    )
    assert seen == [["mine", True], ["second", False]]


RUN_H1 = """
project = qnx.projects.get(name="shared")
job = qnx.start_execute_job(
    programs=qnx.circuits.upload(bell(), project=project),
    n_shots=100,
    backend_config=qnx.QuantinuumConfig(device_name="H1-1E"),
    name="charged",
    project=project,
)
qnx.jobs.wait_for(job, timeout=120)
result = qnx.jobs.cost(job)
"""


def test_jobs_are_charged_until_the_credits_are_used_up(nexus, client):
    cost = client.run(RUN_H1)
    assert cost > 0
    nexus.set_balance(nexus.email, 1.5 * cost)
    try:
        assert client.run(RUN_H1) == cost
        with pytest.raises(ClientError, match="run out of account credits"):
            client.run(RUN_H1)
    finally:
        nexus.set_balance(nexus.email, None)
