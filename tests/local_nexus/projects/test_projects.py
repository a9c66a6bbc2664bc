import pytest
from tests.local_nexus.conftest import ClientError


def test_a_project_can_be_created_found_changed_archived_and_deleted(client):
    seen = client.run(
        """
        made = qnx.projects.create(name="life", description="first")
        found = qnx.projects.get(name="life")
        changed = qnx.projects.update(found, name="life 2", description="second")
        archived = qnx.projects.update(changed, archive=True)
        listed = qnx.projects.get_all(name_exact=["life 2"]).count()
        with_archived = qnx.projects.get_all(
            name_exact=["life 2"], is_archived=True
        ).count()
        qnx.projects.delete(archived)
        left = qnx.projects.get_all(name_exact=["life 2"], is_archived=True).count()
        result = [
            found.id == made.id, changed.annotations.description,
            archived.archived, listed, with_archived, left,
        ]
        """
    )
    assert seen == [True, "second", True, 0, 1, 0]


def test_a_project_in_use_is_not_deleted(client):
    with pytest.raises(ClientError, match="archive it before") as raised:
        client.run(
            """
            project = qnx.projects.create(name="in use")
            qnx.projects.delete(project)
            """
        )
    assert raised.value.kind == "ResourceDeleteFailed"
    assert client.run("result = qnx.projects.get(name='in use').archived") is False


def test_deleting_a_project_takes_its_contents_along(client):
    kind = client.run(
        """
        project = qnx.projects.create(name="with contents")
        circuit = qnx.circuits.upload(bell(), project=project)
        qnx.projects.update(project, archive=True)
        qnx.projects.delete(project)
        try:
            qnx.circuits.get(id=circuit.id)
        except Exception as error:
            result = type(error).__name__
        """
    )
    assert kind == "ZeroMatches"


def test_an_archived_project_takes_nothing_new(client):
    with pytest.raises(ClientError, match="takes nothing new"):
        client.run(
            """
            project = qnx.projects.create(name="archived")
            qnx.projects.update(project, archive=True)
            qnx.circuits.upload(bell(), project=project)
            """
        )


def test_two_projects_may_have_the_same_name(client):
    kind = client.run(
        """
        qnx.projects.create(name="twice")
        qnx.projects.create(name="twice")
        try:
            qnx.projects.get(name="twice")
        except Exception as error:
            result = type(error).__name__
        """
    )
    assert kind == "NoUniqueMatch"


def test_summarize_counts_jobs_by_state(nexus, client, submit):
    client.run("qnx.projects.create(name='summarized')")
    jobs = [submit(f"summarized {number}", project="summarized") for number in "123"]
    for job, status in zip(jobs, ["ERROR", "RUNNING", "CANCELLED"], strict=True):
        nexus.set_job_status(job, status)
    row = client.run(
        """
        table = qnx.projects.summarize(qnx.projects.get(name="summarized"))
        result = {name: int(number) for name, number in table.iloc[0, 1:].items()}
        """
    )
    assert row == {
        "total_jobs": 3,
        "pending_jobs": 1,
        "cancelled_jobs": 1,
        "errored_jobs": 1,
        "completed_jobs": 0,
    }


PROPERTIES = """
project = qnx.projects.create(name=name)
for kind in ["bool", "int", "float", "string"]:
    qnx.projects.add_property(name=kind, property_type=kind, project=project)
"""


def test_properties_are_defined_kept_and_found(client):
    seen = client.run(
        PROPERTIES
        + """
given = {"bool": True, "int": 3, "float": 0.5, "string": 'say "hi"'}
circuit = qnx.circuits.upload(bell(), project=project, properties=given)
again = qnx.circuits.get(id=circuit.id).annotations.properties
counts = [
    qnx.circuits.get_all(project=project, properties={key: value}).count()
    for key, value in [*given.items(), ("bool", False), ("int", 4), ("string", "3")]
]
names = [it.annotations.name for it in qnx.projects.get_properties(project)]
result = [again == given, counts, names]
""",
        name="properties",
    )
    assert seen == [True, [1, 1, 1, 1, 0, 0, 0], ["string", "float", "int", "bool"]]


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"int": True}, "is of type int, not True"),
        ({"int": 1.5}, "is of type int, not 1.5"),
        ({"string": 1}, "is of type string, not 1"),
        ({"unheard": 1}, "does not define the property 'unheard'"),
    ],
    ids=str,
)
def test_wrong_properties_are_refused(client, properties, sentence):
    with pytest.raises(ClientError, match=sentence):
        client.run(
            PROPERTIES
            + "qnx.circuits.upload(bell(), project=project, properties=properties)",
            name="wrong properties",
            properties=properties,
        )


def test_a_required_property_must_be_given(client):
    with pytest.raises(ClientError, match="'run' is required"):
        client.run(
            """
            project = qnx.projects.create(name="required")
            qnx.projects.add_property(
                name="run", property_type="int", required=True, project=project
            )
            qnx.circuits.upload(bell(), project=project)
            """
        )


def test_a_property_is_defined_once(client):
    with pytest.raises(ClientError, match="has a property 'bool' already"):
        client.run(
            PROPERTIES + "qnx.projects.add_property("
            "name='bool', property_type='int', project=project)",
            name="defined once",
        )


def test_projects_are_filtered_by_their_own_id(http, shared):
    parameters = {"filter[project][id]": shared}
    (found,) = http.get("/api/projects/v1beta2", params=parameters).json()["data"]
    assert found["id"] == shared
    count = http.get("/api/projects/v1beta2/meta/count", params=parameters)
    assert count.json() == {"count": 1}
