import pytest

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
