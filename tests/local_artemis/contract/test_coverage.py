"""Every public function has a test, and the table of them in the docs is of today."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.local_artemis.contract.registry import public_functions

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def check() -> subprocess.CompletedProcess[str]:
    tool = ROOT / "tools" / "contract_table.py"
    command = [sys.executable, tool, "--check", "lightworks-remote"]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_public_function_and_argument_has_a_test(check):
    assert "o contract test" not in check.stdout, check.stdout


def test_the_table_in_the_docs_is_of_today(check):
    assert check.returncode == 0, check.stderr


def test_public_functions_are_found_where_users_call_them():
    functions = public_functions()
    for name in ("list_qpus", "QPU.run", "BatchJob.cancel_all", "Token.load"):
        assert name in functions
    assert not [name for name in functions if "._" in name and "__call__" not in name]
