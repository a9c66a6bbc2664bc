"""A fork has what its preloaded process has: whatever differs makes another process."""

import os
import resource
import sys
from collections.abc import Callable

import pytest

from tkr_runtime.tasks.preloaded import identity

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="is about Linux")

type Change = Callable[[pytest.MonkeyPatch], None]


def digest() -> bytes | None:
    return identity.identity("tkr_nexus_worker", "TKR_NEXUS_")


@pytest.fixture(autouse=True)
def _few_files(monkeypatch):
    """Spare the look at all packages."""
    monkeypatch.setattr(identity, "watched_paths", lambda *_: [])


def status(field: str) -> Change:
    """Change a field of /proc/self/status."""

    def change(patch: pytest.MonkeyPatch) -> None:
        read = identity._read_status
        changed = {"self": {field: "\t0123"}}
        patch.setattr(
            identity, "_read_status", lambda name: read(name) | changed.get(name, {})
        )

    return change


def content(file: str) -> Change:
    """Change what a file of /proc holds."""

    def change(patch: pytest.MonkeyPatch) -> None:
        read = identity._read
        patch.setattr(
            identity, "_read", lambda path: "changed" if path == file else read(path)
        )

    return change


def link(file: str) -> Change:
    """Change where a link of /proc leads."""

    def change(patch: pytest.MonkeyPatch) -> None:
        readlink = os.readlink
        patch.setattr(
            os, "readlink", lambda path: "changed" if path == file else readlink(path)
        )

    return change


def answer(owner: object, name: str, value: object) -> Change:
    """Change what the system answers."""
    return lambda patch: patch.setattr(owner, name, lambda *_: value)


RIGHTS = [
    *("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
    *("NoNewPrivs", "Cpus_allowed", "Mems_allowed"),
]
NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
CHANGES = {
    **{name: status(name) for name in RIGHTS},
    **{f"{name} namespace": link(f"/proc/self/ns/{name}") for name in NAMESPACES},
    "root folder": link("/proc/self/root"),
    "control groups": content("/proc/self/cgroup"),
    "out-of-memory score": content("/proc/self/oom_score_adj"),
    "security label": content("/proc/self/attr/current"),
    "scheduler": answer(os, "sched_getscheduler", 99),
    "processors": answer(os, "sched_getaffinity", {4095}),
    "priority": answer(os, "getpriority", 19),
    "user": answer(os, "getuid", 4095),
    "group": answer(os, "getgid", 4095),
    "groups": answer(os, "getgroups", [4095]),
    "limits": answer(resource, "getrlimit", (1, 1)),
    "variable of the loader": lambda patch: patch.setenv("LD_PRELOAD", ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_process_that_differs_has_another_preloaded_process(change, monkeypatch):
    before = digest()
    assert before is not None
    assert digest() == before
    CHANGES[change](monkeypatch)
    assert digest() not in (before, None)


@pytest.mark.parametrize("field", ["Seccomp", "Seccomp_filters"])
def test_a_task_with_filters_of_its_own_starts_cold(field, monkeypatch):
    read = identity._read_status
    theirs = {"Seccomp": "\t2", "Seccomp_filters": "\t1"}
    monkeypatch.setattr(identity, "_read_status", lambda name: read(name) | theirs)
    assert digest() is not None
    monkeypatch.setattr(
        identity,
        "_read_status",
        lambda name: read(name) | theirs | ({field: "\t3"} if name == "self" else {}),
    )
    assert digest() is None


def test_a_task_whose_rights_cannot_be_seen_starts_cold(monkeypatch):
    def refuse(_path: str) -> str:
        raise PermissionError

    monkeypatch.setattr(identity, "_read", refuse)
    assert digest() is None
