"""Every public function has a test, and the table of them in the docs is of today."""

import subprocess
import sys
from pathlib import Path

import pytest
import qnexus as qnx
from tests.contract.registry import public_functions
from tests.helpers.contract import Call, Claim, Watch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def check() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "contract_table.py", "--check"]
    command.append("qnexus")
    return subprocess.run(command, capture_output=True, text=True)


def test_every_public_function_and_argument_has_a_test(check):
    assert "No contract test" not in check.stdout, check.stdout
    assert "has no contract test" not in check.stdout, check.stdout


def test_the_table_in_the_docs_is_of_today(check):
    assert check.returncode == 0, check.stderr


def test_public_functions_are_found_where_users_call_them():
    functions = public_functions()
    for name in (
        "auth.login",
        "jobs.get_all",
        "start_execute_job",
        "NexusIterator.count",
        "CircuitRef.download_circuit",
        "JobRef.backend_config",
    ):
        assert name in functions
    assert not [name for name in functions if "._" in name]


def test_calls_are_seen_with_arguments_and_errors(watch: Watch):
    with pytest.raises(qnx.exceptions.ZeroMatches):
        qnx.projects.get(name="nowhere to be seen", page_size=None)
    expected = Call("projects.get", frozenset({"name"}), "ZeroMatches")
    assert watch.calls == [expected]
    assert expected.proves(Claim("projects.get", frozenset({"name"}), "ZeroMatches"))
    for claim in (
        Claim("projects.get", frozenset({"name"})),
        Claim("projects.get", frozenset({"page_size"}), "ZeroMatches"),
        Claim("projects.get_all"),
    ):
        assert not expected.proves(claim)
