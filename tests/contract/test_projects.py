import pytest
import qnexus as qnx
from qnexus.exceptions import (
    NoUniqueMatch,
    ResourceCreateFailed,
    ResourceDeleteFailed,
    ResourceUpdateFailed,
    ZeroMatches,
)
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.contract.kinds import bell
from tests.helpers.contract import covers


@covers("projects.create", "name", "description", "properties")
@covers("projects.get", "id", "scope")
def test_a_project_keeps_what_it_was_created_with():
    properties = {"colour": "red", "size": 3, "ratio": 0.5, "open": True}
    made = qnx.projects.create("kept", description="all of it", properties=properties)
    found = qnx.projects.get(id=made.id, scope=Scope.ORG_ADMIN)
    assert found == made
    assert found.annotations.description == "all of it"
    assert found.annotations.properties == properties
    assert not found.archived
    assert found.contents_modified == found.annotations.modified


@covers("projects.get_or_create", "name", "description", "properties")
def test_get_or_create_creates_once():
    made = qnx.projects.get_or_create("once", "described", {"size": 1})
    again = qnx.projects.get_or_create("once", "otherwise", {"size": 2})
    assert again == made
    assert made.annotations.description == "described"
    assert made.annotations.properties == {"size": 1}


@covers("projects.get", "name", raises="NoUniqueMatch")
@covers("projects.get_or_create", "name", raises="NoUniqueMatch")
def test_two_projects_of_one_name_are_no_unique_match():
    for _ in range(2):
        qnx.projects.create("twice")
    with pytest.raises(NoUniqueMatch):
        qnx.projects.get(name="twice")
    with pytest.raises(NoUniqueMatch):
        qnx.projects.get_or_create("twice")


@covers("projects.get_all", "is_archived")
@covers("projects.get", "is_archived")
@covers("projects.get", raises="ZeroMatches")
def test_archived_projects_are_listed_on_demand():
    project = qnx.projects.create("put away")
    qnx.projects.update(project, archive=True)
    assert qnx.projects.get_all(name_exact=["put away"]).list() == []
    (listed,) = qnx.projects.get_all(name_exact=["put away"], is_archived=True)
    assert listed.archived
    assert qnx.projects.get(name="put away", is_archived=True).id == project.id
    with pytest.raises(ZeroMatches):
        qnx.projects.get(name="put away")


@covers("projects.update", "project", "name", "description", "archive", "scope")
def test_a_project_is_changed_archived_and_taken_back():
    project = qnx.projects.create("before", description="old")
    changed = qnx.projects.update(
        project, name="after", description="new", archive=True, scope=Scope.HIGHEST
    )
    assert (changed.annotations.name, changed.annotations.description) == (
        "after",
        "new",
    )
    assert changed.archived
    assert changed.annotations.modified > project.annotations.modified
    back = qnx.projects.update(changed)
    assert not back.archived
    assert back.annotations.name == "after"


@covers("projects.update", "name", raises="ResourceUpdateFailed")
def test_an_empty_name_is_refused():
    project = qnx.projects.create("named")
    with pytest.raises(ResourceUpdateFailed, match=r"data\.attributes\.name") as raised:
        qnx.projects.update(project, name="")
    assert raised.value.status_code == 422
    assert qnx.projects.get(id=project.id) == project


@covers("projects.create", "name", raises="ResourceCreateFailed")
@pytest.mark.parametrize("name", ["", "x" * 1001], ids=["empty", "too long"])
def test_a_new_project_needs_a_name(name):
    before = qnx.projects.get_all().count()
    with pytest.raises(ResourceCreateFailed, match=r"data\.attributes\.name") as raised:
        qnx.projects.create(name)
    assert raised.value.status_code == 422
    assert qnx.projects.get_all().count() == before


@covers("projects.create", "properties", raises="ResourceCreateFailed")
def test_a_number_beyond_64_bits_is_refused():
    with pytest.raises(ResourceCreateFailed, match=r"properties\.size") as raised:
        qnx.projects.create("big", properties={"size": 2**63})
    assert raised.value.status_code == 422
    assert qnx.projects.get_all(name_exact=["big"]).count() == 0


@covers("projects.delete", "project", "scope")
def test_deleting_a_project_takes_its_contents_along():
    project = qnx.projects.create("to delete")
    circuit = qnx.circuits.upload(bell(), project=project)
    archived = qnx.projects.update(project, archive=True)
    qnx.projects.delete(archived, scope=Scope.ORG_ADMIN)
    for module, ref in [(qnx.projects, project), (qnx.circuits, circuit)]:
        with pytest.raises(ZeroMatches):
            module.get(id=ref.id)


@covers("projects.delete", "project", raises="ResourceDeleteFailed")
def test_a_project_that_is_not_archived_is_not_deleted():
    project = qnx.projects.create("in use")
    with pytest.raises(ResourceDeleteFailed, match="archive it before") as raised:
        qnx.projects.delete(project)
    assert raised.value.status_code == 409
    assert qnx.projects.get(id=project.id) == project


@covers(
    "projects.add_property",
    "name",
    "property_type",
    "project",
    "description",
    "required",
)
@covers("projects.get_properties", "project")
@covers("Property.df")
def test_properties_of_every_type_are_defined():
    project = qnx.projects.create("defined")
    types = ["bool", "int", "float", "string"]
    for kind in types:
        qnx.projects.add_property(
            f"a {kind}", kind, project, description=kind, required=kind == "int"
        )
    properties = qnx.projects.get_properties(project)
    table = properties.df().sort_values("name")
    assert list(table["property_type"]) == sorted(types)
    assert list(table["description"]) == sorted(types)
    assert list(table["required"]) == [kind == "int" for kind in sorted(types)]
    assert all(it.color.startswith("#") for it in properties)
    assert properties[0].df()["name"][0] == properties[0].annotations.name


@covers("projects.get_properties")
@covers("projects.add_property", "name", "property_type")
def test_all_of_many_properties_are_listed():
    with qnx.context.using_project(qnx.projects.create("many properties")):
        for number in range(60):
            qnx.projects.add_property(f"property {number}", "int")
        assert len(qnx.projects.get_properties()) == 60


@covers("projects.add_property", "name", raises="ResourceCreateFailed")
def test_a_property_is_defined_once():
    project = qnx.projects.create("defined once")
    qnx.projects.add_property("run", "int", project)
    with pytest.raises(ResourceCreateFailed, match="has a property 'run'") as raised:
        qnx.projects.add_property("run", "float", project)
    assert raised.value.status_code == 409
    assert len(qnx.projects.get_properties(project)) == 1


@covers("projects.add_property", "property_type", raises="ResourceCreateFailed")
def test_a_property_has_one_of_four_types():
    project = qnx.projects.create("of a type")
    with pytest.raises(ResourceCreateFailed, match="property_type") as raised:
        qnx.projects.add_property("run", "complex", project)
    assert raised.value.status_code == 422


@covers("projects.summarize", "project")
def test_a_summary_counts_jobs_by_state(frozen):
    project = qnx.projects.create("summarized")
    program = qnx.circuits.upload(bell(), project=project)
    states = ["QUEUED", "RUNNING", "COMPLETED", "CANCELLED", "ERROR", "ERROR"]
    for state in states:
        job = qnx.start_execute_job(
            program, 10, qnx.QulacsConfig(), name=state, project=project
        )
        frozen.set_job_status(job.id, state)
    (summary,) = qnx.projects.summarize(project).to_dict("records")
    assert summary == {
        "project": "summarized",
        "total_jobs": 6,
        "pending_jobs": 2,
        "cancelled_jobs": 1,
        "errored_jobs": 2,
        "completed_jobs": 1,
    }
    with qnx.context.using_project(project):
        assert qnx.projects.summarize()["total_jobs"][0] == 6
