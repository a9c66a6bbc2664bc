"""A Slurm cluster of one node on this machine, for tests of batch systems."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.postgresql import free_port
from tests.helpers.waiting import wait_until

# Without systemd, control groups and accounting, and with more cores than there are:
# most tasks wait for Nexus.
_CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=1
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=16000
PartitionName=tests Nodes={host} Default=YES State=UP
"""
_PROGRAMS = ("munged", "slurmctld", "slurmd")


@contextlib.contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Start a cluster, and give the variables by which Slurm's commands find it.

    A test is skipped where Slurm is not installed, or may not be started.
    """
    if os.geteuid() != 0 or not all(map(shutil.which, _PROGRAMS)):
        pytest.skip("Slurm needs root: apt-get install slurm-wlm munge")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # sockets have short paths
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(64))
    key.chmod(0o600)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            host=socket.gethostname().partition(".")[0],
            controller_port=free_port(),
            node_port=free_port(),
        )
    )
    environment = {"SLURM_CONF": str(configuration)}
    munge = [
        f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")
    ]
    commands = [
        ["munged", "--foreground", f"--socket={folder}/munge.socket", *munge],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    ]
    with contextlib.ExitStack() as stack, (folder / "log").open("w") as log:
        for command in commands:
            process = subprocess.Popen(
                command, env=os.environ | environment, stdout=log, stderr=log
            )
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            assert wait_until((folder / "munge.socket").exists)
        assert wait_until(lambda: _states(environment) == ["idle"]), log.name
        yield environment
    shutil.rmtree(folder)


def _states(environment: dict[str, str]) -> list[str]:
    """Return the state of each node; none while the controller starts."""
    listing = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    return listing.stdout.split()
