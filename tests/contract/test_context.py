"""What the context adds to requests: project, properties, scope and target region."""

import pytest
import qnexus as qnx
from qnexus import context
from qnexus.client import get_nexus_client
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.contract.kinds import bell
from tests.helpers.contract import covers


@pytest.fixture
def own():
    """A project with two definitions of properties."""
    project = qnx.projects.create("in context")
    for name in ("run", "part"):
        qnx.projects.add_property(name, "int", project)
    return project


def region_of_new_job(own) -> str | None:
    circuit = qnx.circuits.upload(bell(), project=own)
    job = qnx.start_execute_job(circuit, 1, qnx.QulacsConfig(), "job", project=own)
    answer = get_nexus_client().get(f"/api/jobs/v1beta3/{job.id}").json()
    return answer["data"]["attributes"]["definition"].get("target_region")


@covers("context.using_project", "project")
@covers("context.get_active_project")
@covers("context.get_active_project", "project_required", raises="UnboundLocalError")
def test_the_active_project_gets_uploads_and_jobs(frozen, own):
    with context.using_project(own):
        assert context.get_active_project() == own
        circuit = qnx.circuits.upload(bell())
        job = qnx.start_execute_job(circuit, 1, qnx.QulacsConfig(), "job")
        assert qnx.circuits.get_all().count() == 1
        assert qnx.jobs.get_all().list()[0].id == job.id
        assert qnx.projects.summarize()["total_jobs"][0] == 1
    assert circuit.project.id == own.id
    assert context.get_active_project() is None
    with pytest.raises(UnboundLocalError, match="No Project set"):
        context.get_active_project(project_required=True)


@covers("context.set_active_project_token", "project")
@covers("context.deactivate_project", "token")
@covers("context.set_active_project", "project")
def test_a_project_is_active_until_it_is_deactivated(own):
    token = context.set_active_project_token(own)
    other = qnx.projects.create("the other")
    context.set_active_project(other)
    assert qnx.circuits.upload(bell()).project.id == other.id
    context.deactivate_project(token)
    assert context.get_active_project() is None


@covers("context.using_properties", "properties")
@covers("context.get_active_properties")
def test_active_properties_are_added_to_uploads(own):
    with context.using_properties(run=3):
        assert context.get_active_properties() == {"run": 3}
        one = qnx.circuits.upload(bell(), project=own, properties={"part": 1})
        two = qnx.circuits.upload(bell(), project=own, properties={"run": 4})
    assert one.annotations.properties == {"run": 3, "part": 1}
    assert two.annotations.properties == {"run": 4}
    assert qnx.circuits.get_all(project=own, properties={"run": 3}).count() == 1
    assert context.get_active_properties() == {}


@covers("context.update_active_properties_token", "properties")
@covers("context.update_active_properties", "properties")
@covers("context.deactivate_properties", "token")
def test_properties_are_active_until_they_are_deactivated(own):
    token = context.update_active_properties_token(run=1)
    context.update_active_properties(part=2)
    ref = qnx.qir.upload(b"qir", "qir", own)
    assert ref.annotations.properties == {"run": 1, "part": 2}
    context.deactivate_properties(token)
    assert context.get_active_properties() == {}


@covers("context.using_scope", "scope")
@covers("context.set_active_scope_token", "scope")
@covers("context.set_active_scope", "scope")
@covers("context.get_active_scope")
@covers("context.deactivate_scope", "token")
def test_the_active_scope_widens_listings(as_other):
    with as_other():
        hidden = qnx.projects.create("seen by administrators")
    named = {"name_exact": [hidden.annotations.name]}
    assert qnx.projects.get_all(**named).count() == 0
    with context.using_scope(Scope.ORG_ADMIN):
        assert qnx.projects.get_all(**named).count() == 1
        assert qnx.projects.get_all(**named, scope=Scope.USER).count() == 0
    token = context.set_active_scope_token(Scope.GLOBAL_ADMIN)
    context.set_active_scope(Scope.HIGHEST)
    assert context.get_active_scope() is Scope.HIGHEST
    assert qnx.projects.get(id=hidden.id).id == hidden.id
    context.deactivate_scope(token)
    assert context.get_active_scope() is Scope.USER


@covers("context.using_target_region", "target_region")
@covers("context.set_active_target_region_token", "target_region")
@covers("context.set_active_target_region", "target_region")
@covers("context.get_active_target_region")
@covers("context.deactivate_target_region", "token")
def test_the_active_region_is_that_of_new_jobs(frozen, own):
    assert region_of_new_job(own) is None
    with context.using_target_region("sg"):
        assert region_of_new_job(own) == "sg"
    token = context.set_active_target_region_token("sg")
    context.set_active_target_region("us")
    assert context.get_active_target_region() == "us"
    assert region_of_new_job(own) == "us"
    context.deactivate_target_region(token)
    assert context.get_active_target_region() is None
