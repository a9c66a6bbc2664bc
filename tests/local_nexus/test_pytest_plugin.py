"""The fixtures as users of the package meet them: in a test run of their own."""

pytest_plugins = ["pytester"]

USES_QNEXUS = """
import os
import subprocess
import sys

import pytest

from local_nexus import Fault, Progress

ports = []


@pytest.fixture(scope="module", autouse=True)
def imported():
    # The client is there before the fixture of the first test here.
    global qnexus, CONFIG, REAL
    import qnexus
    import qnexus.client
    from qnexus.config import CONFIG

    REAL = CONFIG.model_copy()


def project_names():
    return [project.annotations.name for project in qnexus.projects.get_all()]


def test_the_first_fills_its_server(local_nexus):
    ports.append(local_nexus.port)
    qnexus.projects.create(name="of the first")
    assert project_names() == ["of the first"]
    local_nexus.progress = Progress.after_reads(5)
    local_nexus.set_progress(Progress.after_reads(5), job="mine")
    local_nexus.advance(40 * 86_400)
    local_nexus.add_fault(Fault("drop"))


def test_the_second_finds_nothing_of_that(local_nexus):
    assert local_nexus.requests() == []
    assert local_nexus.faults() == []
    assert len(local_nexus.progress_rules()) == 1
    assert local_nexus.progress == Progress.immediate()
    assert project_names() == []
    assert qnexus.users.get_self().display_name == "Local User"


def test_without_the_fixture_the_client_is_as_before():
    assert CONFIG == REAL
    assert "NEXUS_PORT" not in os.environ
    assert qnexus.client._nexus_client is None


def test_processes_that_a_test_starts_are_connected_too(local_nexus):
    show = "import os; print(os.environ['NEXUS_PORT'])"
    shown = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True)
    assert shown.stdout.strip() == str(CONFIG.port) == str(local_nexus.port)


@pytest.mark.xfail(strict=True, reason="shows that a failure does no harm")
def test_that_fails(local_nexus):
    qnexus.projects.create(name="of a failure")
    local_nexus.stop()
    raise AssertionError


def test_after_a_test_that_stopped_its_server(local_nexus):
    assert project_names() == []


def test_the_session_keeps_its_data(local_nexus_session):
    assert CONFIG.port == local_nexus_session.port
    qnexus.projects.create(name="kept")


def test_a_server_for_one_test_goes_before_that_of_the_session(local_nexus):
    assert CONFIG.port == local_nexus.port
    assert project_names() == []


def test_the_session_is_as_it_was_left(local_nexus_session):
    assert CONFIG.port == local_nexus_session.port
    assert project_names() == ["kept"]
"""

USES_NOTHING = """
import sys


def test_nothing_is_loaded_for_those_who_do_not_use_the_fixtures():
    loaded = {name for name in sys.modules if name.startswith("local_nexus")}
    assert loaded == {"local_nexus", "local_nexus.pytest_plugin"}
    assert "qnexus" not in sys.modules
"""

IMPORTS_LATE = """
import sys


def test_that_imports_the_client_itself(local_nexus):
    assert "qnexus" not in sys.modules
    import qnexus

    assert qnexus.users.get_self().display_name == "Local User"


def test_that_comes_later():
    from qnexus.config import CONFIG

    assert CONFIG.domain == "nexus.quantinuum.com"
"""


def test_a_test_run_with_the_package_installed(pytester):
    pytester.makeini("[pytest]")  # settings of folders above do not count
    # In the order of their names: the first finds a process in which nothing is loaded.
    pytester.makepyfile(test_1=USES_NOTHING, test_2=IMPORTS_LATE, test_3=USES_QNEXUS)
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:randomly")
    result.assert_outcomes(passed=1 + 2 + 8, xfailed=1)


def test_the_fixtures_are_documented(pytester):
    result = pytester.runpytest_inprocess("--fixtures")
    result.stdout.fnmatch_lines(
        [
            "local_nexus_session *session scope*",
            "*Give an embedded Nexus that all tests of the session share*",
            "local_nexus -- *",
            "*Give an embedded Nexus without data, for one test.",
        ]
    )
