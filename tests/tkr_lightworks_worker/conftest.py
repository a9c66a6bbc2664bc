"""One embedded Artemis for the tests of the worker of photonic jobs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import EXECUTABLES
from tests.helpers.photonic_workflows import empty_queue

from local_artemis import LocalArtemis, Progress


@pytest.fixture(scope="session")
def shared_artemis() -> Iterator[LocalArtemis]:
    """One server for all tests; use the fixture ``artemis``."""
    with LocalArtemis() as artemis:
        yield artemis


@pytest.fixture
def artemis(shared_artemis, monkeypatch) -> Iterator[LocalArtemis]:
    """The shared server, to which this process is connected; jobs end at once."""
    shared_artemis.clear_requests()
    shared_artemis.progress = Progress.immediate()
    for name in ("TKR_LIGHTWORKS_HOME", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, shared_artemis.env[name])
    yield shared_artemis
    shared_artemis.clear_faults()
    shared_artemis.set_listing("names")
    empty_queue(shared_artemis)
    shared_artemis.clear_progress()


@pytest.fixture
def photonic_environment(artemis, tmp_path) -> dict[str, str]:
    """The environment for processes that run workflows against the shared server."""
    return {
        **os.environ,
        **{name: it for name, it in artemis.env.items() if name != "HOME"},
        "HOME": str(tmp_path),
        "TKR_DIR": str(tmp_path / "checkpoints"),
        "PATH": f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture
def own_settings(artemis, tmp_path, monkeypatch) -> Path:
    """A folder of Lightworks's settings of this test alone; returns the folder."""
    import shutil

    home = tmp_path / "home"
    shutil.copytree(artemis.env["TKR_LIGHTWORKS_HOME"], home)
    monkeypatch.setenv("TKR_LIGHTWORKS_HOME", str(home))
    [tokens] = home.rglob("tokens.json")
    return tokens.parent
