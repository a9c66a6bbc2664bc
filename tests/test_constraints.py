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


def test_the_example_installs_as_many_packages_as_the_readme_says():
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    command = ["uv", "export", "--frozen", "--no-header", "--no-hashes"]
    command += ["--no-annotate", "--only-group", "examples"]
    exported = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    # A package is exported once for each system that has a version of its own.
    packages = {line.partition("==")[0] for line in exported}
    assert f"installs {len(packages)} packages" in (ROOT / "README.md").read_text()
