"""Jobs: submitting, cancelling, retrying, deleting, and setting states by hand."""

import uuid
from collections.abc import Sequence

from local_cloud.clock import Clock
from local_cloud.errors import ApiError, blaming, not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.api.listing import by_ids
from local_nexus.devices.configs import with_defaults
from local_nexus.jobs import queries, simulation, states
from local_nexus.jobs.execution import Execution, refresh_job
from local_nexus.projects import service as projects
from local_nexus.results.service import add_traces
from local_nexus.uploads import service as uploads
from local_nexus.users import roles
from local_nexus.users.teams import require_member

_PROGRAM_TYPES = {"execute": ("circuit", "hugr", "qir"), "compile": ("circuit",)}


class Jobs:
    """The life of jobs, from submission on.

    :param store: Where they are kept.
    :param clock: The time of changes.
    :param execution: What runs them.
    """

    def __init__(self, store: Store, clock: Clock, execution: Execution) -> None:
        self._store = store
        self._clock = clock
        self._execution = execution

    def submit(
        self,
        user_id: str,
        project_id: str,
        annotations: Row,
        job_type: str,
        definition: Row,
    ) -> str:
        """Add a job, put its items in the queue, and return its id.

        :param definition: What to run, ``items`` included.
        """
        now = self._clock.now()
        items = definition.pop("items")
        definition["backend_config"] = with_defaults(definition["backend_config"])
        job_id = str(uuid.uuid4())
        queued = states.queued(now)
        with self._store.write() as tx:
            properties = annotations["properties"]
            projects.open_for_contents(tx, user_id, project_id, properties, now)
            _check_references(tx, user_id, definition)
            _check_user_groups(tx, user_id, definition)
            rows = [
                {
                    **queued,
                    "id": str(uuid.uuid4()),
                    "job_id": job_id,
                    "item_id": number,
                    "program_id": item.pop("program_id"),
                    "options": item,
                    "queued_at": now,
                    "outcome": None,
                    "held": False,
                }
                for number, item in enumerate(items)
            ]
            _add_program_types(tx, user_id, rows, _PROGRAM_TYPES[job_type])
            tx.insert(
                "jobs",
                {
                    **projects.new_row(user_id, annotations, now),
                    **queued,
                    "id": job_id,
                    "project_id": project_id,
                    "job_type": job_type,
                    "definition": definition,
                },
            )
            tx.insert("job_items", rows)
        self._execution.start(job_id)
        return job_id

    def cancel(self, user_id: str | None, job_id: str) -> None:
        """End every item that has not ended.

        :raises ApiError: 409 if there is none.
        """
        with self._store.write() as tx:
            job = require(tx, user_id, job_id, "WRITE")
            if states.is_final(job["status"]):
                raise ApiError(
                    409,
                    f"Job {job['name']!r} is {job['status']} and cannot be cancelled.",
                )
            for item in self._items(tx, job_id):
                if not states.is_final(item["status"]):
                    self._set(tx, item, "CANCELLED", "Cancelled by the user.", None)
            refresh_job(tx, job_id, self._clock.now())
        self._stop(job_id)

    def retry(
        self,
        user_id: str | None,
        job_id: str,
        retry_statuses: Sequence[str],
        user_group: str | None = None,
    ) -> None:
        """Put the items that ended in one of these states into the queue again.

        :param user_group: That the job is now for, if given.
        :raises ApiError: 409 if there is none.
        """
        now = self._clock.now()
        with self._store.write() as tx:
            job = require(tx, user_id, job_id, "WRITE")
            items = [
                item
                for item in self._items(tx, job_id)
                if item["status"] in retry_statuses
            ]
            if not items:
                raise ApiError(
                    409,
                    f"Job {job['name']!r} has no item to retry: none is "
                    f"{' or '.join(retry_statuses)}.",
                )
            for item in items:
                tx.update("job_items", item["id"], states.queued_again(now))
            if user_group is not None:
                with blaming("user_group"):
                    require_member(tx, job["creator_id"], user_group)
                definition = job["definition"] | {"user_group": user_group}
                tx.update("jobs", job_id, {"definition": definition})
            refresh_job(tx, job_id, now)
        self._execution.drop(item["id"] for item in items)
        self._execution.start(job_id)

    def delete(self, user_id: str | None, job_id: str) -> None:
        """Remove a job with its items and results, running or not."""
        with self._store.write() as tx:
            require(tx, user_id, job_id, "DELETE")
            items = self._items(tx, job_id)
            tx.delete("jobs", id=job_id)
        self._execution.drop(item["id"] for item in items)

    def expire_results(self, job_id: str) -> None:
        """Throw away the data of the results of a job, which Nexus keeps for a time."""
        with self._store.write() as tx:
            require(tx, None, job_id)
            for result in tx.find("results", job_id=job_id):
                tx.update("results", result["id"], {"contents": None})

    def set_runtime_traces(self, job_id: str, item_id: int, traces: str) -> None:
        """Store the traces of an item.

        :param traces: JSON text: one trace per shot.
        :raises ApiError: 404 if there is no such item.
        """
        with self._store.write() as tx:
            items = tx.find("job_items", job_id=job_id, item_id=item_id)
            if not items:
                raise not_found("job item", f"{job_id}/{item_id}")
            traces_id = add_traces(tx, items[0], traces)
            tx.update("job_items", items[0]["id"], {"traces_id": traces_id})

    def set_status(
        self,
        job_id: str,
        status: str,
        message: str,
        error_detail: str | None,
        item_id: int | None,
    ) -> None:
        """Put a job, or one of its items, into any state, and keep it there.

        :param status: A state; one that Nexus does not have is taken, too.
        :param item_id: The number of the item; all items if None.
        """
        with self._store.write() as tx:
            require(tx, None, job_id)
            for item in self._items(tx, job_id):
                if item_id in (None, item["item_id"]):
                    self._set(tx, item, status, message, error_detail)
            refresh_job(tx, job_id, self._clock.now())
        if states.is_final(status) and item_id is None:
            self._stop(job_id)
        self._execution.changed(job_id)

    def queue_position(self, tx: Transaction, job: Row) -> int | None:
        """Return how many queued jobs come first, plus one; None once it left."""
        if job["status"] != "QUEUED":
            return None
        return queries.queued_before(tx, job) + self._execution.ahead(job) + 1

    def queue_positions(
        self, tx: Transaction, listed: Sequence[Row]
    ) -> dict[str, int | None]:
        """Return the queue positions of many jobs by their ids."""
        queued = [job for job in listed if job["status"] == "QUEUED"]
        places = queries.queue_places(tx, queued)
        found: dict[str, int | None] = {job["id"]: None for job in listed}
        for job in queued:
            found[job["id"]] = places[job["id"]] + self._execution.ahead(job) + 1
        return found

    def _items(self, tx: Transaction, job_id: str) -> list[Row]:
        return tx.find("job_items", job_id=job_id)

    def _set(
        self,
        tx: Transaction,
        item: Row,
        status: str,
        message: str,
        error_detail: str | None,
    ) -> None:
        now = self._clock.now()
        changes = states.held(item, status, message, error_detail, now)
        if status == "COMPLETED" and item["outcome"] is not None:
            shown = simulation.shown(tx, item, now)
            made = (
                "outcome",
                "result_id",
                "result_type",
                "compilation_id",
                "traces_id",
            )
            changes |= {name: shown[name] for name in made if name in shown}
        tx.update("job_items", item["id"], changes)

    def _stop(self, job_id: str) -> None:
        with self._store.read() as tx:
            items = self._items(tx, job_id)
        self._execution.drop(item["id"] for item in items)
        self._execution.changed(job_id)


def require(
    tx: Transaction, user_id: str | None, job_id: str, permission: str = "READ"
) -> Row:
    """Return a job that a user may do something with.

    :raises ApiError: 404 if it is not there for the user, 403 if not permitted.
    """
    return roles.require(tx, user_id, "jobs", "job", job_id, permission)


def _check_references(tx: Transaction, user_id: str, definition: Row) -> None:
    """Check that what a job uses beside its programs is there for the user."""
    for name, kind in (
        ("wasm_module_id", "wasm"),
        ("gpu_decoder_config_id", "gpu_decoder_config"),
    ):
        if name in definition:
            with blaming(f"data.attributes.definition.{name}"):
                uploads.require(tx, user_id, kind, definition[name])


def _check_user_groups(tx: Transaction, user_id: str, definition: Row) -> None:
    """Check that a job is for groups of its user only; older configs name one, too."""
    for place, group in (
        ("user_group", definition.get("user_group")),
        ("backend_config.user_group", definition["backend_config"].get("user_group")),
    ):
        if group is not None:
            with blaming(f"data.attributes.definition.{place}"):
                require_member(tx, user_id, group)


def _add_program_types(
    tx: Transaction, user_id: str, items: list[Row], allowed: Sequence[str]
) -> None:
    # The first item to name a program is to blame for it.
    fields: dict[str, str] = {}
    for number, item in enumerate(items):
        field = f"data.attributes.definition.items.{number}.program_id"
        fields.setdefault(item["program_id"], field)
    programs = by_ids(tx, "uploads", fields)
    for key, program in programs.items():
        with blaming(fields[key]):
            roles.permit(tx, user_id, program, "READ")
    for item in items:
        key = item["program_id"]
        if key not in programs:
            raise not_found("program", key, field=fields[key])
        program = programs[key]
        if program["kind"] not in allowed:
            raise ApiError(
                422,
                f"{program['name']!r} is a {program['kind']}, and this job takes "
                f"{' or '.join(allowed)}.",
                field=fields[key],
            )
        item["program_type"] = program["kind"]
