"""Pages of long listings, whatever their reader may see."""

import itertools

import pytest

from local_cloud.store import Store
from local_nexus.api.filters import Filters, Page
from local_nexus.api.listing import DEEP, count, page
from local_nexus.projects.service import new_row
from local_nexus.tables import metadata
from local_nexus.users.roles import OWNER

JOBS = DEEP + 150
SIZE = 100


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two projects with many jobs: one reader owns both, one the first only."""
    store = Store(
        f"sqlite:///{tmp_path_factory.mktemp('pages') / 'nexus.db'}", metadata
    )
    with store.write() as tx:
        for number, owners in enumerate([("both", "one"), ("both",)]):
            project = f"project {number}"
            more = {"contents_modified": 0, "archived": False}
            tx.insert("projects", row(project, 0) | more)
            for owner in owners:
                assignment = {
                    "id": f"{project} {owner}",
                    "resource_id": project,
                    "role_id": OWNER.id,
                    "user_id": owner,
                    "team_id": None,
                }
                tx.insert("assignments", assignment)
        tx.insert("jobs", [job(i, f"project {i % 2}") for i in range(2 * JOBS)])
    yield store
    store.close()


def row(key, created):
    return new_row("owner", {"name": key, "description": None}, created) | {"id": key}


def job(number, project):
    return row(f"job {number}", number) | {
        "project_id": project,
        "job_type": "execute",
        "definition": {},
        "status": "COMPLETED",
        "times": {},
    }


def pages(store, filters):
    """Return the numbers of the jobs on all pages, the newest first."""
    found = []
    with store.read() as tx:
        for number in itertools.count():
            rows = page(tx, "jobs", filters, Page(number, SIZE))
            if not rows:
                break
            found += [it["created"] for it in rows]
        assert count(tx, "jobs", filters) == len(found)
    return found


NEWEST_FIRST = list(range(2 * JOBS))[::-1]
OF_FIRST = [number for number in NEWEST_FIRST if number % 2 == 0]


@pytest.mark.parametrize(
    ("reader", "projects", "expected"),
    [
        (None, [], NEWEST_FIRST),
        ("both", [], NEWEST_FIRST),
        ("one", [], OF_FIRST),
        ("nobody", [], []),
        ("one", ["project 0"], OF_FIRST),
        ("one", ["project 1"], []),
        ("one", ["project 0", "project 1"], OF_FIRST),
    ],
)
def test_the_last_pages_show_what_the_reader_may_see(store, reader, projects, expected):
    chosen = {"project_id": projects} if projects else {}
    filters = Filters(any_of=chosen, reader_id=reader)
    assert pages(store, filters) == expected
