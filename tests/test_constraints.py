"""The constraints for pip are the versions that were tested, those of the lock file."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def command_of_releases() -> list[str]:
    """Return the command that CONTRIBUTING.md names, without where it writes."""
    lines = (ROOT / "CONTRIBUTING.md").read_text().splitlines()
    [line] = [line for line in lines if line.strip().startswith("uv export ")]
    command, _, file = line.strip().partition(" --output-file ")
    assert file == "constraints.txt"
    return command.split()


def test_the_constraints_are_those_of_the_lock_file():
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    made = subprocess.run(
        command_of_releases(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ROOT / "constraints.txt").read_text() == made.stdout
