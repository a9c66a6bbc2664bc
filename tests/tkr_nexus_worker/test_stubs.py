import os
import subprocess
import sys
from pathlib import Path

import pytest
import tierkreis.nexus_worker as reference

from tkr_nexus_worker import stubs

TASKS_OF_TIERKREIS = [
    "upload_circuit",
    "start_execute_job",
    "start_single_job",
    "is_running",
    "get_results",
    "upload_hugr",
    "cost",
]
EXECUTABLES = Path(sys.executable).parent


def test_the_committed_stubs_are_those_that_tierkreis_generates(tmp_path):
    generated = tmp_path / "stubs.py"
    subprocess.run(
        [EXECUTABLES / "tkr_nexus_worker", "--stubs-path", generated],
        check=True,
        env={**os.environ, "PATH": f"{EXECUTABLES}:{os.environ['PATH']}"},
        capture_output=True,
    )
    assert generated.read_text() == Path(stubs.__file__).read_text()


@pytest.mark.parametrize("task", TASKS_OF_TIERKREIS)
def test_a_task_of_tierkreis_has_the_same_name_arguments_order_and_types(task):
    theirs, ours = getattr(reference, task), getattr(stubs, task)
    n_fields = len(theirs._fields)
    assert ours._fields[:n_fields] == theirs._fields
    assert all(name in ours._field_defaults for name in ours._fields[n_fields:])
    for name in theirs._fields:
        assert ours.__annotations__[name] == theirs.__annotations__[name]
    assert ours._field_defaults.keys() >= theirs._field_defaults.keys()
    assert ours.out() == theirs.out()


def test_the_namespace_is_the_launcher_name_of_tierkreis():
    job = reference.is_running(None)
    assert stubs.is_running(None).namespace == job.namespace == "nexus_worker"
