"""Measure how long ``tkr-nexus`` takes for what people do most.

Each command runs in a process of its own, in turn with the import of qnexus, without
which nothing of Nexus can be asked; figures are medians. The embedded Nexus holds many
jobs that have ended.

    uv run benchmarks/command_line.py
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click
from embedded_nexus import filled_nexus
from rich.console import Console
from rich.table import Table

COMMAND = str(Path(sys.executable).with_name("tkr-nexus"))
COMMANDS = {
    "--help": ["--help"],
    "jobs": ["jobs"],
    "jobs --all, 20 of them": ["jobs", "--all"],
    "status, by a name": ["status", "job 7"],
}


@click.command(help=__doc__)
@click.option("--jobs", default=10_000, show_default=True, help="Jobs on the server.")
@click.option("--repeat", default=7, show_default=True, help="Runs of each side.")
def main(jobs: int, repeat: int) -> None:
    """Run the benchmark."""
    table = Table("tkr-nexus", "median", "import of qnexus", "beyond the import")
    with filled_nexus(jobs) as (nexus, _project):
        environment = os.environ | nexus.env
        # Without bytecode every start compiles qnexus afresh.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, arguments in COMMANDS.items():
            pairs = [
                (
                    seconds([COMMAND, *arguments], environment),
                    seconds([sys.executable, "-c", "import qnexus"], environment),
                )
                for _ in range(repeat)
            ]
            table.add_row(
                name,
                *(f"{statistics.median(it):.2f} s" for it in zip(*pairs, strict=True)),
                f"{statistics.median(one - other for one, other in pairs):+.2f} s",
            )
    Console().print(table)


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return how long a command takes."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
