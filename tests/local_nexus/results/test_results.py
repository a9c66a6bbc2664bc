import pytest
from tests.local_nexus.conftest import ClientError


def test_a_result_has_its_program_and_its_backend(client, submit):
    job = submit("whole result", n_shots=[20])
    seen = client.run(
        """
        job = qnx.jobs.get(id=job)
        qnx.jobs.wait_for(job, timeout=120)
        (ref,) = qnx.jobs.results(job)
        counts, info, program = qnx.results.get(ref.id)
        result = [
            sum(counts.get_counts().values()), info.name, program.annotations.name
        ]
        """,
        job=job,
    )
    assert seen == [20, "QulacsBackend", "whole result"]


def test_expired_data_is_gone(nexus, client, submit):
    job = submit("expired")
    result = client.run(
        """
        job = qnx.jobs.get(id=job)
        qnx.jobs.wait_for(job, timeout=120)
        result = qnx.jobs.results(job)[0].id
        """,
        job=job,
    )
    nexus.expire_results(job)
    with pytest.raises(ClientError) as raised:
        client.run("qnx.results.get(key)", key=result)
    assert raised.value.kind == "DataGone"


def test_long_results_of_hugr_programs_come_in_parts(client):
    pytest.importorskip("guppylang")
    seen = client.run(
        """
        import guppy_coin
        project = qnx.projects.get(name="shared")
        program = qnx.hugr.upload(guppy_coin.package(), name="coin", project=project)
        job = qnx.start_execute_job(
            programs=program, n_shots=2500, name="coins", project=project, n_qubits=1,
            backend_config=qnx.models.SeleneConfig(),
        )
        qnx.jobs.wait_for(job, timeout=250)
        (ref,) = qnx.jobs.results(job)
        plain = ref.download_result()
        raw = ref.download_result(version=qnx.models.references.ResultVersions.RAW)
        result = [
            len(plain.results), len(raw.results),
            plain.results[0].entries[0][0], raw.results[0].entries[0][0],
        ]
        """
    )
    assert seen == [2500, 2500, "c", "USER:BOOL:c"]


def test_runtime_traces_are_downloaded(nexus, client, submit):
    pytest.importorskip("selene_core.trace")
    job = submit("traced", n_shots=[1, 1])
    trace = client.run(
        """
        from selene_core.trace import Trace
        result = Trace().model_dump(mode="json")
        """
    )
    nexus.set_runtime_traces(job, [trace], item=1)
    seen = client.run(
        """
        refs = qnx.jobs.runtime_traces(qnx.jobs.get(id=job))
        traces = [ref.download_runtime_traces().model_dump(mode="json") for ref in refs]
        result = [[ref.job_item_integer_id for ref in refs], traces]
        """,
        job=job,
    )
    assert seen == [[1], [trace]]


def test_an_item_without_traces_says_so(http, client, submit):
    job = submit("untraced")
    document = http.get(f"/api/jobs/v1beta3/{job}").json()
    (item,) = document["data"]["attributes"]["definition"]["items"]
    answer = http.get(f"/api/job_items/v1beta/{item['item_uuid']}/runtime_traces")
    assert answer.status_code == 404
    assert "has no runtime traces" in answer.json()["message"]
