# /// script
# requires-python = ">=3.12"
# dependencies = ["tkr-nexus-worker[local,guppy,selene]"]
#
# [tool.uv.sources]
# tkr-nexus-worker = { path = "..", editable = true }
# ///
"""Run a Guppy program, a QIR program and a circuit in one call.

Each kind of program becomes a job, and the shots come back in the order of the
programs. By default, the example starts an embedded Nexus on this machine, which runs
HUGR and QIR on Selene and needs no account. With --nexus, it uses the real Nexus and
your login.
"""
# Guppy functions have types of their own, which type checkers of Python do not read.
# pyright: reportCallIssue=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from collections import Counter
from pathlib import Path
from uuid import uuid4

import click
from guppylang import guppy
from guppylang.std.builtins import output as report
from guppylang.std.quantum import h, measure, qubit
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import SeleneConfig
from tierkreis.storage import FileStorage

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import NexusWorkerError, run, uv_executor
from tkr_nexus_worker.graphs import nexus_submit_programs
from tkr_nexus_worker.results import ProgramShots

BELL = Path(__file__).parent / "data" / "bell.ll"


@guppy
def tosses() -> None:
    """Toss a coin until it shows tails, and report each toss under the same tag."""
    heads = True
    while heads:
        coin = qubit()
        h(coin)
        heads = measure(coin).read()
        report("toss", heads)


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
def main(*, nexus: bool, shots: int, polling_interval: float | None) -> None:
    """Run the programs and print what they reported."""
    flip = Circuit(2, name="flip").X(0).measure_all()
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "job_name": "hugr_and_qir",
        "programs": [tosses.compile(), BELL.read_bytes(), flip],
        "n_shots": [shots, shots, shots],
        "n_qubits": [1, 2, 2],
        "max_cost": None,
        "backend_config": SeleneConfig(),
    }
    graph = nexus_submit_programs(polling_seconds(polling_interval, nexus=nexus))
    storage = FileStorage(uuid4(), name="hugr_and_qir")
    try:
        with use_nexus(real=nexus):
            outputs = run(graph, inputs, storage, uv_executor(storage))
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    coin, bell, flipped = (ProgramShots(**one) for one in outputs)
    # Shots differ in their number of tosses, so that they are no registers of bits.
    lengths = Counter(len(shot) for shot in coin.shots)
    click.echo(f"tosses until tails: {dict(sorted(lengths.items()))}")
    click.echo(f"bell: {dict(bell.to_pytket().get_counts())}")
    click.echo(f"flip: {dict(flipped.to_pytket().get_counts())}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
