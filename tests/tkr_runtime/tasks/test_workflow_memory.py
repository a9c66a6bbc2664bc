"""What tasks of a workflow look up once."""

from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_runtime.tasks import workflow_memory

PROJECTS = "/api/projects/v1beta2"


def test_a_project_is_looked_up_once_for_a_workflow_until_it_is_resumed(
    node, connected
):
    first = get_or_create_project("tests of memory")
    connected.clear_requests()
    assert get_or_create_project("tests of memory") == first
    assert connected.requests(path=PROJECTS) == []
    workflow_memory.forget(node.parent)
    assert get_or_create_project("tests of memory") == first
    assert connected.requests(path=PROJECTS)


def test_outside_a_workflow_nothing_is_remembered(connected):
    workflow_memory.remember("a subject", "a text")
    assert workflow_memory.recall("a subject") is None
