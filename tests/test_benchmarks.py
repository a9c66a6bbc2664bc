"""Benchmarks run; what they measure is for people to read."""

import subprocess
import sys

import pytest


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "command",
    [
        "submit_poll.py compare --circuits 2 --repeat 1",
        "submit_poll.py many --circuits 4 --streamed 3 --iterations 2 --repeat 1",
        "submit_poll.py growth --circuits 4 --repeat 1",
        "submit_poll.py start",
        "hybrid_loop.py --iterations 2 --repeat 1",
        "embedded_nexus.py --uploads 5 --repeat 1",
        "lightworks_submit_poll.py compare --samplers 2 --repeat 1",
        "embedded_artemis.py --repetitions 1",
    ],
)
def test_a_benchmark_runs_to_its_end(command):
    script, *arguments = command.split()
    result = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *arguments],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout
