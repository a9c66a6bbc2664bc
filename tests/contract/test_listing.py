"""Every filter, order and page of every listing, through ``get_all`` and ``get``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
import qnexus as qnx
from qnexus.exceptions import ZeroMatches
from qnexus.models import JobStatusEnum
from qnexus.models.filters import SortFilterEnum as Sort
from qnexus.models.references import JobType
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.contract.kinds import KINDS, bell
from tests.helpers.contract import covers

from local_nexus import LocalNexus, Progress

LISTINGS = ["projects", "jobs", *(kind.name for kind in KINDS)]
MADE = ["b first", "a second", "C third"]


@dataclass
class Listing:
    """Three resources of one kind and what restricts a listing to them."""

    module: ModuleType
    refs: list[Any]
    only: dict[str, Any]
    email: str

    def between(self, stamp: str) -> datetime:
        """Return a moment between the second and the third resource."""
        earlier, later = (getattr(ref.annotations, stamp) for ref in self.refs[1:])
        return earlier + (later - earlier) / 2

    def found(self, arguments: dict[str, Any]) -> list[str]:
        listing = self.module.get_all(**self.only | arguments)
        count = self.module.get_all(**self.only | arguments).count()
        names = [ref.annotations.name for ref in listing]
        assert count == len(names)
        return names


@pytest.fixture(scope="module")
def listings(shared_nexus: LocalNexus, _connected: None) -> dict[str, Listing]:
    programs = qnx.projects.create(name="programs of listed jobs")
    program = qnx.circuits.upload(bell(), project=programs)
    # Compiling adds circuits to the project of its job, so uploads have another one.
    for_jobs = qnx.projects.create(name="contract of listed jobs")
    project = qnx.projects.create(name="contract of listed uploads")
    for each in (project, for_jobs):
        qnx.projects.add_property("run", "int", each)
    email = shared_nexus.email
    # Projects are not in a project: this restricts their listing to the three made.
    newest = {"created_after": project.annotations.created}
    made = {
        "projects": Listing(
            qnx.projects,
            [qnx.projects.create(name=name) for name in MADE],
            newest,
            email,
        )
    }
    for kind in KINDS:
        refs = [
            kind.upload(name=name, project=project, properties={"run": number})
            for number, name in enumerate(MADE)
        ]
        made[kind.name] = Listing(kind.module, refs, {"project": project}, email)
    shared_nexus.progress = Progress.seconds(queued=1e6)
    jobs = _jobs(for_jobs, program)
    # Jobs that are held stay as they are: no listing changes while it is read.
    for job, status in zip(jobs, ["QUEUED", "TERMINATED", "QUEUED"], strict=True):
        shared_nexus.set_job_status(job.id, status, message="held")
    refs = [qnx.jobs.get(id=job.id) for job in jobs]
    made["jobs"] = Listing(qnx.jobs, refs, {"project": for_jobs}, email)
    return made


def _jobs(project: Any, program: Any) -> list[Any]:
    config = qnx.QulacsConfig()

    def execute(number: int) -> Any:
        return qnx.start_execute_job(
            program,
            n_shots=10,
            backend_config=config,
            name=MADE[number],
            project=project,
            properties={"run": number},
        )

    executing = [execute(0), execute(1)]
    compiling = qnx.start_compile_job(
        program,
        backend_config=config,
        name=MADE[2],
        project=project,
        properties={"run": 2},
    )
    return [*executing, compiling]


NEWEST_FIRST = MADE[::-1]
# Argument, its value, and what it finds. A text is the name of a method of Listing.
CASES: list[tuple[str, Any, list[str]]] = [
    ("name_like", "SEC", ["a second"]),
    ("name_like", "%", []),
    ("name_like", "_", []),
    ("creator_email", ["nobody@example.com"], []),
    ("creator_email", ["{email}", "nobody@example.com"], NEWEST_FIRST),
    ("created_before", "{created}", ["a second", "b first"]),
    ("created_after", "{created}", ["C third"]),
    ("modified_before", "{modified}", ["a second", "b first"]),
    ("modified_after", "{modified}", ["C third"]),
    ("sort_filters", [Sort.CREATED_ASC], MADE),
    ("sort_filters", [Sort.CREATED_DESC], NEWEST_FIRST),
    ("sort_filters", [Sort.MODIFIED_ASC], MADE),
    ("sort_filters", [Sort.MODIFIED_DESC], NEWEST_FIRST),
    ("sort_filters", [Sort.NAME_ASC], sorted(MADE)),
    ("sort_filters", [Sort.NAME_DESC, Sort.CREATED_ASC], sorted(MADE)[::-1]),
    ("page_number", 1, NEWEST_FIRST),
    ("page_size", 2, NEWEST_FIRST),
    ("scope", Scope.ORG_ADMIN, NEWEST_FIRST),
    ("scope", Scope.GLOBAL_ADMIN, NEWEST_FIRST),
    ("scope", Scope.HIGHEST, NEWEST_FIRST),
]
IN_PROJECTS = [
    ("properties", {"run": 1}, ["a second"]),
    ("properties", {"run": 1, "other": "2"}, []),
]
OF_JOBS = [
    ("job_status", [JobStatusEnum.TERMINATED, JobStatusEnum.ERROR], ["a second"]),
    ("job_status", [JobStatusEnum.QUEUED], ["C third", "b first"]),
    ("job_type", [JobType.EXECUTE], ["a second", "b first"]),
    ("job_type", [JobType.COMPILE], ["C third"]),
    ("job_type", [JobType.COMPILE, JobType.EXECUTE], NEWEST_FIRST),
]


def no_error(_expected: list[str]) -> None:
    """All that a listing finds may be nothing."""


def unless_one(expected: list[str]) -> str | None:
    return None if "a second" in expected else "ZeroMatches"


def owner(name: str) -> list[str]:
    """Return the argument by which a listing is one of the contents of a project."""
    return [] if name == "projects" else ["project"]


def cases(
    function: str,
    error: Callable[[list[str]], str | None],
    *more: tuple[str, Any, list[str]],
) -> list[Any]:
    """Return the cases of all listings, each with what it covers."""
    return [
        pytest.param(
            name,
            argument,
            value,
            expected,
            marks=covers(
                f"{name}.{function}", argument, *owner(name), raises=error(expected)
            ),
            id=f"{name}-{argument}-{value}",
        )
        for name in LISTINGS
        for argument, value, expected in [
            *CASES,
            *(IN_PROJECTS if name != "projects" else []),
            *(OF_JOBS if name == "jobs" else []),
            *more,
        ]
    ]


def filled_in(listing: Listing, value: Any) -> Any:
    match value:
        case ["{email}", *others]:
            return [listing.email, *others]
        case "{created}" | "{modified}":
            return listing.between(value.strip("{}"))
    return value


NAMES = ("name_exact", ["b first", "C third", "first"], ["C third", "b first"])


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"), cases("get_all", no_error, NAMES)
)
def test_get_all_finds(listings, name, argument, value, expected):
    listing = listings[name]
    assert listing.found({argument: filled_in(listing, value)}) == expected


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"),
    cases("get", unless_one, ("name", "a second", ["a second"])),
)
def test_get_finds_the_only_match(listings, name, argument, value, expected):
    listing = listings[name]
    arguments = {"name": "a second", argument: filled_in(listing, value)}
    if "a second" in expected:
        found = listing.module.get(**listing.only | arguments)
        assert found.id == listing.refs[1].id
    else:
        with pytest.raises(ZeroMatches):
            listing.module.get(**listing.only | arguments)
