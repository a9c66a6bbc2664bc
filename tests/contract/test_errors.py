"""What the client raises for what is not there, hidden or gone, or without a login.

The same calls are made about unknown ids, by another user, and without a login.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import qnexus as qnx
from qnexus import exceptions
from qnexus.models.references import ResultVersions
from tests.conftest import qnexus_connected
from tests.contract.kinds import KINDS, Kind
from tests.contract.world import World
from tests.helpers.contract import covers

from local_nexus import LocalNexus

# A call, and the error that it raises if what it is about is not there.
type Request = tuple[Callable[[World], Any], str]

QULACS = qnx.QulacsConfig()
H2 = qnx.QuantinuumConfig(device_name="H2-1")
HELIOS = "Helios-1"

NONE = "ZeroMatches"
FETCH = "ResourceFetchFailed"
CREATE = "ResourceCreateFailed"
UPDATE = "ResourceUpdateFailed"
DELETE = "ResourceDeleteFailed"
HTTP = "HTTPStatusError"


def of_kind(kind: Kind) -> dict[str, Request]:
    """Return the calls about an upload of a kind."""

    def ref(world: World) -> Any:
        return next(it for it in vars(world).values() if type(it).__name__ == kind.ref)

    return {
        f"{kind.name}.get": (lambda it: kind.module.get(id=ref(it).id), NONE),
        f"{kind.name}.update": (lambda it: kind.module.update(ref(it)), UPDATE),
        f"{kind.name}.upload": (
            lambda it: kind.upload(name="new", project=it.project),
            CREATE,
        ),
        f"{kind.ref}.{kind.download}": (
            lambda it: getattr(ref(it), kind.download)(),
            NONE,
        ),
    }


def submit(function: Callable[..., Any], **arguments: Any) -> Callable[[World], Any]:
    return lambda it: function(
        programs=[it.circuit],
        backend_config=QULACS,
        name="submitted",
        project=it.project,
        **arguments,
    )


# Costing makes a job, so it fails as that does.
COSTS: dict[str, Request] = {
    "circuits.cost": (
        lambda it: qnx.circuits.cost(it.circuit, 10, H2, project=it.project),
        CREATE,
    ),
    "hugr.cost_confidence": (
        lambda it: qnx.hugr.cost_confidence(it.hugr, 10, it.project, HELIOS),
        CREATE,
    ),
    "qir.cost_confidence": (
        lambda it: qnx.qir.cost_confidence(it.qir, 10, it.project, HELIOS),
        CREATE,
    ),
}

REQUESTS: dict[str, Request] = {
    "projects.get": (lambda it: qnx.projects.get(id=it.project.id), NONE),
    "projects.add_property": (
        lambda it: qnx.projects.add_property("size", "int", it.project),
        CREATE,
    ),
    "projects.update": (lambda it: qnx.projects.update(it.project), UPDATE),
    "projects.delete": (lambda it: qnx.projects.delete(it.project), DELETE),
    **{name: request for kind in KINDS for name, request in of_kind(kind).items()},
    "HUGRRef.download_hugr": (lambda it: it.hugr.download_hugr(), NONE),
    "start_execute_job": (submit(qnx.start_execute_job, n_shots=[10]), CREATE),
    "start_compile_job": (submit(qnx.start_compile_job), CREATE),
    "jobs.execute": (submit(qnx.execute, n_shots=[10]), CREATE),
    "jobs.compile": (submit(qnx.compile), CREATE),
    **COSTS,
    "jobs.get": (lambda it: qnx.jobs.get(id=it.job.id), NONE),
    "jobs.wait_for": (lambda it: qnx.jobs.wait_for(it.job), FETCH),
    "jobs.status": (lambda it: qnx.jobs.status(it.job), FETCH),
    "jobs.results": (lambda it: qnx.jobs.results(it.job), NONE),
    "jobs.retry_submission": (lambda it: qnx.jobs.retry_submission(it.job), HTTP),
    "jobs.cancel": (lambda it: qnx.jobs.cancel(it.job), HTTP),
    "jobs.delete": (lambda it: qnx.jobs.delete(it.job), HTTP),
    "jobs.cost": (lambda it: qnx.jobs.cost(it.job), FETCH),
    "jobs.cost_confidence": (lambda it: qnx.jobs.cost_confidence(it.job), FETCH),
    "jobs.runtime_traces": (lambda it: qnx.jobs.runtime_traces(it.job), FETCH),
    "JobRef.backend_config": (lambda it: listed(it.job).backend_config, NONE),
    "results.get": (lambda it: qnx.results.get(it.result.id), NONE),
    "results.fetch_pytket_execution_result_by_id": (
        lambda it: qnx.results.fetch_pytket_execution_result_by_id(it.result.id),
        FETCH,
    ),
    "results.fetch_qsys_result_by_id": (
        lambda it: qnx.results.fetch_qsys_result_by_id(
            it.result.id, ResultVersions.RAW
        ),
        NONE,
    ),
    "ExecutionResultRef.get_input": (lambda it: it.result.get_input(), FETCH),
    "ExecutionResultRef.download_result": (
        lambda it: it.qsys_result.download_result(),
        NONE,
    ),
    "ExecutionResultRef.download_backend_info": (
        lambda it: it.result.download_backend_info(),
        FETCH,
    ),
    "CompilationResultRef.get_input": (lambda it: it.compilation.get_input(), NONE),
    "CompilationResultRef.get_output": (lambda it: it.compilation.get_output(), NONE),
    "CompilationResultRef.get_passes": (lambda it: it.compilation.get_passes(), NONE),
    "IncompleteJobItemRef.get_input": (lambda it: it.incomplete.get_input(), NONE),
    "RuntimeTracesRef.download_runtime_traces": (
        lambda it: it.traces.download_runtime_traces(),
        FETCH,
    ),
    "roles.assignments": (lambda it: qnx.roles.assignments(it.project), FETCH),
    "roles.assign_team": (
        lambda it: qnx.roles.assign_team(it.project, it.team, "Reader"),
        UPDATE,
    ),
    "roles.assign_user": (
        lambda it: qnx.roles.assign_user(it.project, "other@example.com", "Reader"),
        UPDATE,
    ),
}

# What is there for every user who has logged in, or empty for those it is hidden from.
FOR_ALL: dict[str, Callable[[World], Any]] = {
    "projects.create": lambda _: qnx.projects.create("new"),
    "projects.get_or_create": lambda _: qnx.projects.get_or_create("one"),
    "projects.get_properties": lambda it: qnx.projects.get_properties(it.project),
    "projects.summarize": lambda it: qnx.projects.summarize(it.project),
    "NexusIterator.list": lambda it: qnx.jobs.get_all(project=it.project).list(),
    "NexusIterator.count": lambda it: qnx.qir.get_all(project=it.project).count(),
    "NexusIterator.df": lambda it: qnx.hugr.get_all(project=it.project).df(),
    "NexusIterator.summarize": lambda _: qnx.projects.get_all().summarize(),
    "NexusIterator.try_unique_match": (
        lambda _: qnx.wasm_modules.get_all().try_unique_match()
    ),
    "users.get_self": lambda _: qnx.users.get_self(),
    "teams.get_all": lambda _: qnx.teams.get_all(),
    "teams.get": lambda _: qnx.teams.get("a team"),
    "teams.create": lambda _: qnx.teams.create("new"),
    "roles.get_all": lambda _: qnx.roles.get_all(),
    "roles.get": lambda _: qnx.roles.get("Reader"),
    "quotas.get_all": lambda _: qnx.quotas.get_all(),
    "quotas.get": lambda _: qnx.quotas.get("simulation"),
    "quotas.check_quota": lambda _: qnx.quotas.check_quota("simulation"),
    "credentials.get_all": lambda _: qnx.credentials.get_all(),
    "devices.get_all": lambda _: qnx.devices.get_all(),
    "devices.supports_shots": lambda _: qnx.devices.supports_shots(QULACS),
    "devices.status": lambda _: qnx.devices.status(H2),
    "auth.get_token_expiry": lambda _: qnx.auth.get_token_expiry(),
}


def listed(job: Any) -> Any:
    """Return a job as a listing gives it: without its backend config."""
    return job.model_copy(update={"backend_config_store": None})


@pytest.fixture(scope="module")
def made(
    shared_nexus: LocalNexus, _connected: None, other_environment: dict[str, str]
) -> World:
    return World.make(shared_nexus)


@pytest.fixture
def world(made: World) -> World:
    return made.afresh()


def raising(name: str) -> type[Exception]:
    return httpx.HTTPStatusError if name == HTTP else getattr(exceptions, name)


def absent_cases() -> list[Any]:
    return [
        pytest.param(make, error, marks=covers(name, raises=error), id=name)
        for name, (make, error) in REQUESTS.items()
    ]


@pytest.fixture
def unchanged(nexus: LocalNexus) -> Iterator[None]:
    """Check that nothing was added or changed meanwhile."""

    def state() -> list[Any]:
        projects = [
            (it.id, it.annotations, it.contents_modified)
            for it in qnx.projects.get_all(is_archived=True, page_size=1000)
        ]
        return [projects, nexus.jobs()]

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize(("make", "error"), absent_cases())
def test_what_is_not_there_raises(world, unchanged, make, error):
    with pytest.raises(raising(error), match=r"There is no|^$|404"):
        make(world.with_other_ids())


@pytest.mark.parametrize(("make", "error"), absent_cases())
def test_what_is_somebody_elses_is_not_there(world, unchanged, as_other, make, error):
    with as_other(), pytest.raises(raising(error), match=r"There is no|^$|404"):
        make(world)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, marks=covers(name, raises="AuthenticationError"), id=name)
        for name, make in [
            *((name, make) for name, (make, _) in REQUESTS.items()),
            *FOR_ALL.items(),
        ]
    ],
)
def test_without_a_login_the_client_says_how_to_log_in(
    environment, world, tmp_path, make
):
    nowhere = environment | {"NEXUS_TOKEN_PATH": str(tmp_path)}
    with (
        qnexus_connected(nowhere),
        pytest.raises(exceptions.AuthenticationError, match="qnx login"),
    ):
        make(world)
