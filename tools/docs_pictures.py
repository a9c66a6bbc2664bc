#!/usr/bin/env python3
"""Make the pictures of docs/job_operations.md: every command, as at a terminal.

It runs the commands on an embedded Nexus, in a terminal of 80 columns, and writes what
they print as SVG; the plots are those that the commands write. Run it from a checkout::

    uv run tools/docs_pictures.py
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path

from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from rich.console import Console
from rich.text import Text

from local_nexus import LocalNexus, Progress

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
COMMAND = Path(sys.executable).with_name("tkr-nexus")
COLUMNS = 80
SECONDS = 300
PROJECT = "entanglement"

# Name of the picture -> the command, as it stands in the title of the picture.
AT_A_TERMINAL = {
    "jobs": "jobs --all",
    "show": "show 'ghz states'",
    "payload": "payload 'ghz states'",
    "results": "results 'ghz states' --top 4",
    "post_select": "results 'ghz states' --circuit 1 --post-select c[0]=1 --top 3",
    "plot": "plot 'ghz states' --circuit 0 --ideal bell.json",
    "devices": "devices",
    "device": "device H1-1 H2-1",
    "check": "check ghz.qasm --device H2-1 --shots 1000",
    "run": "run ghz.qasm --device H2-1LE --shots 100",
    "whoami": "whoami",
}
IN_A_PIPE = {
    "status": "status 'ghz states'",
    "watch": "watch 'ghz states'",
}
PLOTS = {
    "histogram.png": "plot 'ghz states' -o histogram.png",
    "ideal.svg": "plot 'ghz states' --circuit 0 --ideal bell.json -o ideal.svg",
}


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(exist_ok=True)
    # The files of the pictures have gates that the device does not have.
    server = LocalNexus(strict=False)
    with tempfile.TemporaryDirectory() as folder, server as nexus:
        environment = {
            **os.environ,
            **nexus.env,
            "HOME": folder,
            "COLUMNS": str(COLUMNS),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        environment.pop("NO_COLOR", None)
        os.environ.update(nexus.env)
        _write_files(Path(folder))
        _submit_jobs(nexus)
        for name, command in AT_A_TERMINAL.items():
            _draw(name, command, _at_a_terminal(command, Path(folder), environment))
        for name, command in IN_A_PIPE.items():
            _draw(name, command, _in_a_pipe(command, Path(folder), environment))
        for name, command in PLOTS.items():
            _in_a_pipe(command, Path(folder), environment)
            (PICTURES / name).write_bytes((Path(folder) / name).read_bytes())


def _write_files(folder: Path) -> None:
    (folder / "bell.json").write_text('{"00": 0.5, "11": 0.5}')
    (folder / "ghz.qasm").write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg c[3];\n'
        "h q[0];\ncx q[0], q[1];\ncx q[1], q[2];\nmeasure q -> c;\n"
    )


def _ghz(n_qubits: int) -> Circuit:
    circuit = Circuit(n_qubits, name=f"ghz-{n_qubits}").H(0)
    for qubit in range(n_qubits - 1):
        circuit.CX(qubit, qubit + 1)
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    return circuit.measure_all()


def _submit_jobs(nexus: LocalNexus) -> None:
    """Leave one job in each of the states that a person meets."""
    # qnexus reads its settings from the environment when it is imported.
    from tkr_nexus_worker.devices import config_of
    from tkr_nexus_worker.jobs import start_execute_job, wait_until_complete
    from tkr_nexus_worker.programs import upload_circuit

    nexus.set_progress(Progress.seconds(queued=36_000, queue=4), job="magic states")
    nexus.set_progress(Progress.seconds(running=36_000), job="teleportation")
    jobs = {
        "ghz states": ("H2-1E", [_ghz(2), _ghz(4)]),
        "too large": ("H2-1LE", [_ghz(60)]),
        "teleportation": ("H2-1E", [_ghz(3)]),
        "magic states": ("H2-1E", [_ghz(5)]),
    }
    for name, (device, circuits) in jobs.items():
        programs = [upload_circuit(circuit, PROJECT) for circuit in circuits]
        shots = [1000] * len(programs)
        start_execute_job(PROJECT, name, programs, shots, config_of(device))
    for name in ("ghz states", "too large"):
        wait_until_complete(name, timeout=SECONDS, poll_interval=0.2, allow_failed=True)


def _arguments(command: str) -> list[str]:
    words = re.findall(r"'[^']*'|\S+", command)
    return [str(COMMAND), *(word.strip("'") for word in words)]


def _in_a_pipe(command: str, folder: Path, environment: dict[str, str]) -> str:
    result = subprocess.run(
        _arguments(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return result.stdout


def _at_a_terminal(command: str, folder: Path, environment: dict[str, str]) -> str:
    with _terminal() as (ours, theirs):
        process = subprocess.Popen(
            _arguments(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            # Progress and hints go there, and are no part of the picture.
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        pieces = list(_read(ours))
        if process.wait(timeout=SECONDS):
            raise RuntimeError(f"tkr-nexus {command} failed: {b''.join(pieces)!r}")
    return b"".join(pieces).decode().replace("\r\n", "\n")


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 200, COLUMNS, 0, 0))
    with closing(os.fdopen(ours, "rb", closefd=True)) as file:
        yield file.fileno(), theirs


def _read(ours: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # Linux tells in this way that the other end is closed.
            return
        if not piece:
            return
        yield piece


def _draw(name: str, command: str, output: str) -> None:
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    # Without a line below it, the last one is cut.
    console.print(Text.from_ansi(output.rstrip("\n") + "\n"))
    picture = console.export_svg(title=f"tkr-nexus {command}", unique_id=name)
    # A picture that fetches fonts from elsewhere is not shown everywhere.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (PICTURES / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
