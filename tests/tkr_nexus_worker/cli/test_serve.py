"""``tkr-nexus serve`` in real shells and at a real terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from tests.conftest import qnexus_connected
from tests.helpers.repetition import soak
from tests.helpers.waiting import wait_until

from local_cloud import RunningServer
from local_nexus import NEXUS

COMMAND = Path(sys.executable).with_name("tkr-nexus")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which temporary directories are easy to find."""
    names = ("NEXUS", "LOCAL_NEXUS", "TKR_NEXUS", "SSL_CERT")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"TMPDIR": str(tmp_path), "PATH": path}


def left_behind(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("local-nexus-*"))


def shell(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment
    )


def refusal(environment: dict[str, str], *arguments: str) -> str:
    """Return what the command says that it cannot do."""
    ended = subprocess.run(
        [COMMAND, "serve", *arguments], capture_output=True, text=True, env=environment
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_environment_and_ends_cleanly(environment, tmp_path, number):
    with subprocess.Popen(
        [COMMAND, "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        url = server.stdout.readline().strip()
        link = server.stderr.readline()
        (directory,) = left_behind(tmp_path)
        exports = RunningServer(NEXUS, directory, url).env
        printed = [server.stdout.readline() for _ in exports]
        children = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(number)
        output, errors = server.communicate(timeout=60)
    assert link.startswith(f"Web page (the link works once): {url}/?token=")
    assert [line.split("=")[0] for line in printed] == [
        f"export {name}" for name in exports
    ]
    assert (server.returncode, output, errors) == (0, "", "")
    assert children
    assert wait_until(lambda: not any(child.is_running() for child in children))
    assert left_behind(tmp_path) == []


def test_a_shell_gets_a_server_that_goes_on_until_it_is_stopped(environment, tmp_path):
    started = shell('eval "$(tkr-nexus serve --print-env)"; env -0', environment)
    variables = dict(line.split("=", 1) for line in started.stdout.split("\0") if line)
    nexus = RunningServer.find(NEXUS, Path(variables["LOCAL_NEXUS_DIRECTORY"]))
    with qnexus_connected({name: variables[name] for name in nexus.env}):
        assert qnx.users.get_self().display_name == "Local User"
    # The shell has ended, the server has not.
    assert nexus._call("GET", "jobs") == []
    stopped = shell(
        """
        eval "$(tkr-nexus serve --stop)"
        env | grep -E "^(LOCAL_)?NEXUS"
        """,
        environment | nexus.env,
    )
    assert (stopped.stdout, stopped.stderr) == ("", "")
    assert left_behind(tmp_path) == []


@pytest.fixture
def background(environment, tmp_path) -> Iterator[RunningServer]:
    """A server in the background, in a directory of the user's."""
    directory = tmp_path / "mine"
    command = [COMMAND, "serve", "--print-env", "--directory", directory]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    yield RunningServer.find(NEXUS, directory)
    subprocess.run(
        [COMMAND, "serve", "--stop", "--directory", directory],
        env=environment,
        capture_output=True,
    )


def test_a_server_can_be_stopped_by_its_directory(background, environment):
    stopped = shell(
        f"tkr-nexus serve --stop --directory '{background.directory}'", environment
    )
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
    assert RunningServer.find(NEXUS, background.directory) is None
    assert (background.directory / "nexus.db").exists()


def test_a_new_link_opens_the_page_of_a_running_server(background, environment):
    link = shell("tkr-nexus serve --link", environment | background.env).stdout.strip()
    context = ssl.create_default_context(cafile=background.env["SSL_CERT_FILE"])
    with httpx.Client(base_url=background.url, verify=context) as http:
        assert http.get("/api/projects/v1beta2").status_code == 401
        http.get(link)
        assert http.get("/api/projects/v1beta2").status_code == 200


@pytest.mark.parametrize("action", ["--stop", "--link"])
def test_a_shell_without_a_server_is_told_so(environment, action):
    assert refusal(environment, action) == (
        "Error: This shell uses no embedded Nexus; name the directory of one with "
        "--directory."
    )


@pytest.mark.parametrize("action", ["--stop", "--link"])
def test_a_directory_without_a_server_is_told_so(environment, tmp_path, action):
    assert refusal(environment, action, "--directory", str(tmp_path)) == (
        f"Error: No embedded Nexus is running in {tmp_path}."
    )


def test_a_shell_forgets_a_server_that_has_gone(environment, tmp_path):
    stale = environment | {"LOCAL_NEXUS_DIRECTORY": str(tmp_path / "gone")}
    ended = shell("tkr-nexus serve --stop", stale)
    assert ended.returncode == 1
    assert ended.stdout.startswith("unset NEXUS_PROTOCOL ")
    assert "No embedded Nexus is running" in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["--print-env"]], ids=str)
def test_a_port_in_use_is_one_sentence(environment, tmp_path, arguments):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(environment, *arguments, "--port", port)
    assert said.startswith(
        f"Error: The embedded Nexus did not start: Cannot listen on port {port}: "
    )
    assert left_behind(tmp_path) == []


def test_a_missing_extra_is_one_sentence(environment, tmp_path):
    broken = "raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')"
    (tmp_path / "uvicorn.py").write_text(broken)
    said = refusal(environment | {"PYTHONPATH": str(tmp_path)})
    assert "pip install 'PATH[local]'" in said


def test_an_unknown_host_is_one_sentence(environment):
    said = refusal(environment, "--host", "no-such-host.invalid")
    assert "Cannot listen on host no-such-host.invalid" in said


def test_opening_the_server_to_other_machines_is_warned_of(environment, tmp_path):
    directory = tmp_path / "open"
    options = f"--directory '{directory}'"
    script = f"tkr-nexus serve --print-env --host 0.0.0.0 {options}"
    started = shell(script, environment)
    shell(f"tkr-nexus serve --stop {options}", environment)
    assert started.stderr.splitlines()[0] == (
        "Warning: Other machines can reach this server at 0.0.0.0; whoever has its "
        "password or its tokens can use it, and runs programs on this machine as its "
        "user."
    )


class Terminal:
    """The command at a terminal of 80 columns and 24 lines."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [COMMAND, "serve"],
            stdin=end,
            stdout=end,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"TERM": "xterm"},
        )
        os.close(end)
        self.text = ""

    def read_until(self, condition: Callable[[str], object]) -> None:
        end = time.monotonic() + 60
        while not condition(self.text) and time.monotonic() < end:
            self._read()
        assert condition(self.text), self.text

    def _read(self) -> None:
        if select.select([self.screen], [], [], 0.1)[0]:
            self.text += os.read(self.screen, 65536).decode(errors="replace")


@pytest.fixture
def terminal(request, environment, tmp_path) -> Iterator[Terminal]:
    terminal = Terminal(environment | getattr(request, "param", {}))
    with terminal.process as process:
        yield terminal
        process.terminate()
        process.stderr.read()
    os.close(terminal.screen)


def submit(nexus: RunningServer) -> None:
    circuit = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    with qnexus_connected(nexus.env):
        project = qnx.projects.create(name="shown")
        qnx.start_execute_job(
            programs=qnx.circuits.upload(circuit, project=project),
            n_shots=10,
            backend_config=qnx.models.QulacsConfig(),
            name="live",
            project=project,
        )


@pytest.mark.parametrize(
    "terminal", [{}, soak({"NO_COLOR": "1"})], indirect=True, ids=str
)
def test_a_terminal_shows_the_jobs_as_they_move(terminal, tmp_path, request):
    terminal.read_until(lambda text: "No jobs yet." in text)
    (directory,) = left_behind(tmp_path)
    submit(RunningServer.find(NEXUS, directory))
    row = re.compile("│.*live.*shown.*COMPLETED.*│")
    terminal.read_until(lambda text: row.search(ESCAPES.sub("", text)))
    plain = ESCAPES.sub("", terminal.text)
    table = [line for line in re.split(r"[\r\n]+", plain) if "│" in line]
    assert max(map(len, table)) <= 80
    is_coloured = COLOURS.search(terminal.text) is not None
    assert is_coloured == ("NO_COLOR" not in request.node.callspec.params["terminal"])


def test_a_server_that_is_killed_ends_the_command_with_a_sentence(terminal, tmp_path):
    terminal.read_until(lambda text: "No jobs yet." in text)
    (server,) = psutil.Process(terminal.process.pid).children()
    server.kill()
    assert terminal.process.wait(30) == 1
    errors = terminal.process.stderr.read()
    assert "Error: The server ended with exit code -9." in errors
    assert "Traceback" not in errors


def test_a_server_that_another_shell_stops_ends_the_command(terminal, tmp_path):
    terminal.read_until(lambda text: "No jobs yet." in text)
    (directory,) = left_behind(tmp_path)
    stopped = subprocess.run([COMMAND, "serve", "--stop", "--directory", directory])
    assert stopped.returncode == 0
    assert terminal.process.wait(30) == 0
