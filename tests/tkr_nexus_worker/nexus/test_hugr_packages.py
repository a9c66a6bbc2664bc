"""HUGR packages of other versions: refused, or warned of, before they are uploaded."""

from pathlib import Path

import pytest
from hugr.package import Package
from quantinuum_schemas.models.backend_config import SeleneConfig
from tests.local_nexus import guppy_coin

from tkr_nexus_worker import InvalidInputError, programs
from tkr_nexus_worker.jobs.parts import split_programs
from tkr_nexus_worker.program_files.read import read_programs

# One coin, compiled by guppylang 0.21.6.
OLD = Path(__file__).parents[2] / "local_nexus/simulators/coin_guppylang_0_21_6.hugr"


@pytest.fixture
def package():
    return guppy_coin.package()


def metadata(package) -> dict:
    module = package.modules[0]
    return module[module.module_root].metadata


def use(package, name: str, version: str) -> None:
    """Let a package say that it uses an extension of a version."""
    others = [
        one for one in metadata(package)["core.used_extensions"] if one["name"] != name
    ]
    used = [*others, {"name": name, "version": version}]
    metadata(package)["core.used_extensions"] = used


def split(package) -> list:
    return split_programs("a project", "a job", [package], [1], SeleneConfig())


@pytest.mark.parametrize("send", [split, lambda it: programs.upload_hugr(it, "new")])
def test_an_extension_that_is_newer_than_hugr_is_refused_before_anything_is_sent(
    connected, package, send
):
    use(package, "prelude", "0.9.1")
    words = r"uses version 0\.9\.1 of the HUGR extension prelude, and hugr 0\.\S+ has 0"
    with pytest.raises(InvalidInputError, match=words):
        send(package)
    assert connected.requests() == []


@pytest.mark.parametrize(
    ("name", "version"),
    [("prelude", "0.2.99"), ("prelude", "0.1.0"), ("tket.quantum", "9.0.0")],
)
def test_what_hugr_can_read_is_left_to_the_system(package, caplog, name, version):
    use(package, name, version)
    assert len(split(package)) == 1
    assert caplog.text == ""


@pytest.mark.parametrize("made_by", ["0.21.6", "2.0.0"])
def test_another_major_version_of_guppylang_is_a_warning(package, caplog, made_by):
    generator = metadata(package)["core.generator"]
    metadata(package)["core.generator"] = {**generator, "version": made_by}
    split(package)
    assert f"Program 0: guppylang {made_by} made this HUGR package, and" in caplog.text
    assert "may refuse it; make it again with guppylang 1 unless" in caplog.text


def test_an_older_package_is_read_and_warned_of(caplog):
    split(Package.from_bytes(OLD.read_bytes()))
    assert "guppylang 0.21.6 made this HUGR package" in caplog.text


@pytest.mark.parametrize(("place", "value"), [(8, 99), (9, 0b0100_0011)])
def test_a_format_that_hugr_does_not_know_is_refused_with_what_helps(
    package, tmp_path, place, value
):
    content = bytearray(package.to_bytes())
    content[place] = value
    words = r"cannot be read by hugr 0\.\S+ \(.*\): update hugr if a newer one made"
    with pytest.raises(InvalidInputError, match=words):
        programs.read_program(bytes(content))
    file = tmp_path / "new.hugr"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match=rf"new\.hugr: A HUGR package {words}"):
        read_programs([file])
