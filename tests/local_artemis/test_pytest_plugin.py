"""The fixtures as users of the package meet them: in a test run of their own.

What they do for a client that is imported, the contract tests show.
"""

pytest_plugins = ["pytester"]

USES_FIXTURES = """
import os
import sys
from pathlib import Path

from local_artemis import Fault, Progress

HOME = os.environ["HOME"]
DEFAULT = Progress.seconds(queued=0.25, submitted=2, running=0.5)
ports = []


def test_the_first_changes_its_server(local_artemis):
    ports.append(local_artemis.port)
    assert os.environ["HOME"] == local_artemis.env["HOME"] != HOME
    assert Path.home().is_dir()
    local_artemis.progress = Progress.after_reads(5)
    local_artemis.set_qpu_available(False)
    local_artemis.add_fault(Fault("drop"))


def test_the_second_finds_nothing_of_that(local_artemis):
    assert ports == [local_artemis.port]
    assert local_artemis.faults() == []
    assert local_artemis.progress == DEFAULT
    assert local_artemis.jobs() == []


def test_without_the_fixture_home_is_as_before():
    assert os.environ["HOME"] == HOME
    assert "lightworks" not in sys.modules


def test_the_session_has_a_server_of_its_own(local_artemis_session):
    assert local_artemis_session.port not in ports
    assert os.environ["HOME"] == local_artemis_session.env["HOME"]
"""

USES_NOTHING = """
import sys


def test_nothing_is_loaded_for_those_who_do_not_use_the_fixtures():
    loaded = {name for name in sys.modules if name.startswith("local_artemis")}
    assert loaded == {"local_artemis", "local_artemis.pytest_plugin"}
"""


def test_a_test_run_with_the_package_installed(pytester):
    pytester.makeini("[pytest]")  # settings of folders above do not count
    pytester.makepyfile(test_first=USES_NOTHING, test_second=USES_FIXTURES)
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:randomly")
    result.assert_outcomes(passed=5)
