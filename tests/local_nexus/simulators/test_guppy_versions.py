"""Packages that an older guppylang made, of which Selene says what helps."""

from pathlib import Path

import pytest
from hugr.hugr import Hugr
from hugr.package import Package
from tests.local_nexus import guppy_coin

from local_nexus.simulators import RunRequest
from local_nexus.simulators.guppy_versions import guppy_version, version_problem

from .conftest import SELENE

# One coin, compiled by guppylang 0.21.6, in which a measurement gave a bool.
OLD = Path(__file__).with_name("coin_guppylang_0_21_6.hugr")


def test_an_older_package_ends_in_error_with_both_versions_and_what_helps(run):
    outcome = run(RunRequest("hugr", OLD.read_bytes(), SELENE, 5))
    assert outcome.status == "ERROR"
    assert outcome.error_detail.startswith("guppylang 0.21.6 made the HUGR package")
    assert "those of guppylang 1." in outcome.error_detail
    assert "pip install 'guppylang~=1." in outcome.error_detail
    assert "uv run --no-project --with guppylang==0.21.6" in outcome.error_detail


def test_the_version_is_known_before_a_package_is_sent():
    old = Package.from_bytes(OLD.read_bytes())
    assert guppy_version(old) == "0.21.6"
    assert "0.21.6" in version_problem(old)


@pytest.mark.parametrize("version", ["1.0.1", "2.0", "dev"])
def test_what_may_run_is_left_to_the_simulator(version):
    package = guppy_coin.package()
    module = package.modules[0]
    generator = module[module.module_root].metadata["core.generator"]
    module[module.module_root].metadata["core.generator"] = {
        **generator,
        "version": version,
    }
    assert guppy_version(package) == version
    assert version_problem(package) is None


def test_a_package_that_does_not_say_who_made_it_is_left_to_the_simulator():
    package = Package([Hugr()])
    assert guppy_version(package) is None
    assert version_problem(package) is None
