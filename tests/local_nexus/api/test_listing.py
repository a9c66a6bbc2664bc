import pytest

from local_nexus import Progress

MADE = ["b first", "a second", "C third"]


@pytest.fixture(scope="module")
def project(client) -> str:
    """A project with three circuits."""
    return client.run(
        """
        project = qnx.projects.create(name="listing")
        for name in names:
            qnx.circuits.upload(bell(name), project=project)
        result = project.id
        """,
        names=MADE,
    )


def names(client, project: str, arguments: str) -> list[str]:
    return client.run(
        f"""
        from datetime import datetime, timedelta, timezone
        from qnexus.models.filters import SortFilterEnum as Sort
        project = qnx.projects.get(id=project)
        now = datetime.now(timezone.utc)
        found = qnx.circuits.get_all(project=project, {arguments})
        result = [ref.annotations.name for ref in found]
        assert len(result) == qnx.circuits.get_all(project=project, {arguments}).count()
        """,
        project=project,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", MADE[::-1]),
        ("page_size=1", MADE[::-1]),
        ("sort_filters=[Sort.CREATED_ASC]", MADE),
        ("sort_filters=[Sort.NAME_ASC]", sorted(MADE)),
        ("sort_filters=[Sort.NAME_DESC]", sorted(MADE)[::-1]),
        ("sort_filters=[Sort.MODIFIED_ASC]", MADE),
        ("name_like='SEC'", ["a second"]),
        ("name_like='%'", []),
        ("name_exact=['b first', 'C third']", ["C third", "b first"]),
        ("name_exact=['first']", []),
        ("creator_email=['nobody@example.com']", []),
        ("created_after=now - timedelta(hours=1)", MADE[::-1]),
        ("created_after=now + timedelta(hours=1)", []),
        ("created_before=now - timedelta(hours=1)", []),
        ("modified_after=now - timedelta(hours=1)", MADE[::-1]),
        ("modified_before=now + timedelta(hours=1)", MADE[::-1]),
    ],
    ids=str,
)
def test_filters_and_orders(client, project, arguments, expected):
    assert names(client, project, arguments) == expected


def test_the_creators_address_finds_their_resources(nexus, client, project):
    found = names(client, project, f"creator_email=[{nexus.email!r}]")
    assert found == MADE[::-1]


def test_jobs_are_found_by_state_and_type(nexus, client, submit):
    job = submit("found by state")
    nexus.set_job_status(job, "TERMINATED")
    seen = client.run(
        """
        from qnexus.models.references import JobType
        Status = qnx.models.JobStatusEnum
        result = [
            qnx.jobs.get_all(name_exact=["found by state"], **given).count()
            for given in [
                {},
                {"job_status": [Status.TERMINATED, Status.ERROR]},
                {"job_status": [Status.QUEUED]},
                {"job_type": [JobType.EXECUTE]},
                {"job_type": [JobType.COMPILE]},
            ]
        ]
        """
    )
    assert seen == [1, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page[number]": "-1"}, "page[number]"),
        ({"page[size]": "0"}, "page[size]"),
        ({"page[size]": "many"}, "page[size]"),
        ({"sort": "colour"}, "sort"),
        ({"scope": "everything"}, "scope"),
        ({"filter[properties]": "(name"}, "filter[properties]"),
        ({"filter[properties]": "(name,[1])"}, "filter[properties]"),
        ({"filter[properties]": ["(name,1)"] * 101}, "filter[properties]"),
        (
            {"filter[timestamps][created][after]": "soon"},
            "filter[timestamps][created][after]",
        ),
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(http, query, field):
    answer = http.get("/api/circuits/v1beta2", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_as_many_properties_as_are_allowed_are_filtered_by(http):
    query = {"filter[properties]": [f"(p{number},1)" for number in range(100)]}
    answer = http.get("/api/circuits/v1beta2", params=query)
    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize("backslashes", range(1, 6))
def test_only_the_character_nul_is_refused_in_a_text(http, backslashes):
    """An even number of backslashes stands for some of them, and for no character."""
    text = "\\" * backslashes + "u0000"
    body = f'{{"data": {{"attributes": {{"name": "a{text}"}}}}}}'
    answer = http.post("/api/projects/v1beta2", content=body)
    if backslashes % 2:
        assert answer.status_code == 422
        assert "NUL" in answer.text
    else:
        expected = "a" + "\\" * (backslashes // 2) + "u0000"
        assert answer.json()["data"]["attributes"]["name"] == expected


def test_a_page_shows_the_same_queue_positions_as_each_job(nexus, http, submit):
    nexus.progress = Progress.seconds(queued=1e6, queue=3)
    jobs = [submit(f"in the queue {number}") for number in range(4)]
    nexus.set_job_status(jobs[1], "CANCELLED")
    shown = {
        it["id"]: it["attributes"]["status"].get("queue_position")
        for it in http.get("/api/jobs/v1beta3").json()["data"]
    }
    alone = [
        http.get(f"/api/jobs/v1beta3/{job}/attributes/status").json() for job in jobs
    ]
    positions = [it.get("queue_position") for it in alone]
    assert [shown[job] for job in jobs] == positions
    assert positions[1] is None
    assert positions[3] == positions[2] + 1 == positions[0] + 2
    listed = {it["id"]: it["queue_position"] for it in nexus.jobs()}
    assert [listed[job] for job in jobs] == positions
