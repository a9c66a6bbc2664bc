"""What tasks of a workflow look up once."""

from quantinuum_schemas.models.backend_config import QuantinuumConfig

from tkr_nexus_worker import devices
from tkr_nexus_worker.nexus.client import warn_if_login_ends_soon
from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_runtime.tasks import workflow_memory

PROJECTS = "/api/projects/v1beta2"
LOGIN = "/auth/tokens"
DEVICES = "/api/v5/available_devices"


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


def test_a_login_that_lasts_is_looked_up_once_for_a_workflow(node, connected):
    warn_if_login_ends_soon(1.0)
    connected.clear_requests()
    warn_if_login_ends_soon(1.0)
    assert connected.requests(path=LOGIN) == []
    # A wait that is longer than the login makes it worth another look.
    warn_if_login_ends_soon(1e9)
    assert connected.requests(path=LOGIN)


def test_a_device_is_looked_up_once_for_a_workflow_within_an_hour(
    node, connected, monkeypatch
):
    def find() -> devices.DeviceDetails | str:
        config = QuantinuumConfig(device_name="H2-1LE")
        return devices.find_device(config, retry_time=5.0)

    first = find()
    assert isinstance(first, devices.DeviceDetails)
    connected.clear_requests()
    assert find() == first
    assert connected.requests(path=DEVICES) == []
    monkeypatch.setattr(devices, "_REMEMBERED_SECONDS", 0.0)
    workflow_memory.forget(node.parent)
    assert find() == find() == first
    assert len(connected.requests(path=DEVICES)) == 2


def test_outside_a_workflow_nothing_is_remembered(connected):
    workflow_memory.remember("a subject", "a text")
    assert workflow_memory.recall("a subject") is None
