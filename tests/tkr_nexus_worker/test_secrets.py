"""No file that a workflow leaves and no line that it prints holds a secret."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from pytket.circuit import Circuit

GOOD = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
# Too large for the simulator, but not by the qubits that it uses.
TOO_LARGE = Circuit(60, 1, name="too large").H(0).Measure(0, 0)
JOB_NAME = "a job without secrets"


def tokens_in(folder: Path) -> set[str]:
    contents = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return {
        content["data"][name]
        for content in contents
        for name in ("access_token", "refresh_token")
        if name in content["data"]
    }


@pytest.fixture
def login(nexus, tmp_path_factory) -> Path:
    """A login whose access token has to be renewed."""
    folder = tmp_path_factory.mktemp("login") / "tokens"
    shutil.copytree(nexus.env["NEXUS_TOKEN_PATH"], folder)
    expired = {"data": {"access_token": f"expired-{uuid4()}"}}
    (folder / "id.json").write_text(json.dumps(expired))
    return folder


def inputs(circuit: Circuit) -> dict:
    return {
        "project_name": "tests of secrets",
        "job_name": JOB_NAME,
        "circuits": [circuit.to_dict()],
        "n_shots": [5],
    }


@pytest.mark.parametrize("executor", ["uv-ready", "shell"])
def test_no_secret_is_in_anything_that_a_workflow_leaves(
    executor, nexus, login, worker_environment, run_workflow, tmp_path
):
    password = f"password-{uuid4()}"
    environment = worker_environment | {
        "NEXUS_TOKEN_PATH": str(login),
        "NEXUS_QA_USER_PASSWORD": password,
        "TKR_LOG_LEVEL": "DEBUG",
    }
    secrets = tokens_in(login) | {nexus.password, password}
    for circuit, end in [(GOOD, '"shots"'), (TOO_LARGE, "WorkflowFailedError")]:
        result = run_workflow(executor, inputs(circuit), environment=environment)
        printed = result.stdout + result.stderr
        assert end in printed
        assert not [secret for secret in secrets if secret in printed]
    secrets |= tokens_in(login)
    assert len(secrets) == 5, "the access token was not renewed"

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    contents = {path: path.read_bytes() for path in files}
    for secret in secrets:
        leaks = [path for path, bs in contents.items() if secret.encode() in bs]
        assert leaks == []
    # The search has seen what it is to search, and finds what is there.
    names = {path.name for path in files}
    assert {"logs", "_error", "_message", "receipt.json", "definition"} <= names
    assert any("debug" in path.parts for path in files)
    assert any(JOB_NAME.encode() in bs for bs in contents.values())
