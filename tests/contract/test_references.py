"""Listings as tables, and references that are kept in files."""

import pytest
import qnexus as qnx
from qnexus.models.references import SystemRef
from tests.contract.kinds import KINDS
from tests.helpers.contract import covers


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=covers(f"{kind.ref}.df"), id=kind.name)
        for kind in KINDS
    ],
)
@covers("NexusIterator.list")
@covers("NexusIterator.count")
@covers("NexusIterator.df")
@covers("NexusIterator.summarize")
@covers("DataframableList.df")
def test_a_listing_becomes_a_table(kind):
    project = qnx.projects.create("in a table")
    qnx.projects.add_property("size", "int", project)
    refs = [
        kind.upload(name=f"{number:02}", project=project, properties={"size": number})
        for number in range(12)
    ]

    def listing():
        return kind.module.get_all(project=project, page_size=5)

    assert [ref.id for ref in listing().list()] == [ref.id for ref in refs[::-1]]
    assert listing().count() == 12
    table = listing().df()
    assert list(table["size"]) == list(range(12))[::-1]
    assert set(table["project"]) == {"in a table"}
    assert listing().list().df().equals(table)
    assert listing().summarize()["total_count"][0] == 12
    assert refs[0].df()["name"][0] == "00"


@covers("NexusIterator.try_unique_match")
@covers("ProjectRef.df")
def test_the_only_match_is_found():
    project = qnx.projects.create("the only one", description="of its name")
    listing = qnx.projects.get_all(name_exact=["the only one"])
    found = listing.try_unique_match()
    assert found == project
    (row,) = found.df().to_dict("records")
    assert row["description"] == "of its name"
    assert row["contents_modified"] == project.contents_modified


@covers("NexusIterator.try_unique_match", raises="ZeroMatches")
@covers("NexusIterator.try_unique_match", raises="NoUniqueMatch")
def test_no_match_and_several_are_told_apart():
    listing = qnx.projects.get_all(name_exact=["one of two"])
    with pytest.raises(qnx.exceptions.ZeroMatches):
        listing.try_unique_match()
    for _ in range(2):
        qnx.projects.create("one of two")
    with pytest.raises(qnx.exceptions.NoUniqueMatch):
        listing.try_unique_match()


@covers("NexusIterator.list", raises="ResourceFetchFailed")
def test_a_page_is_never_too_large():
    with pytest.raises(qnx.exceptions.ResourceFetchFailed, match=r"page\[size\]") as it:
        qnx.projects.get_all(page_size=1_000_000).list()
    assert it.value.status_code == 422


@covers("filesystem.save", "ref", "path", "mkdir")
@covers("filesystem.load", "path")
def test_a_reference_from_a_file_is_as_good_as_new(tmp_path, project):
    for kind in KINDS:
        ref = kind.upload(name="sent", project=project)
        path = tmp_path / "below" / f"{kind.name}.json"
        qnx.filesystem.save(ref, path, mkdir=True)
        loaded = qnx.filesystem.load(path)
        assert loaded == ref
        assert kind.same(getattr(loaded, kind.download)(), kind.make())


@covers("SystemRef.df")
def test_the_system_of_a_job_is_shown(frozen, project):
    circuit = KINDS[0].upload(project=project)
    config = qnx.QuantinuumConfig(device_name="H2-1LE")
    job = qnx.start_execute_job(circuit, 1, config, "on a system", project=project)
    found = qnx.jobs.get(id=job.id)
    (listed,) = qnx.jobs.get_all(name_exact=["on a system"])
    assert isinstance(found.system, SystemRef)
    assert listed.system == found.system
    (row,) = found.system.df().to_dict("records")
    assert row["name"] == "H2-1LE"
    assert found.df()["system"][0] == "H2-1LE"
