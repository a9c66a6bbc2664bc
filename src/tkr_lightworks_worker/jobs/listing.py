"""Lists of jobs, as Artemis writes them.

Of an item of a list only its id is certain. What else it may say (name, state) is read
where it is there; missing states are asked for job by job.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.artemis.client import Query, get_json, request
from tkr_lightworks_worker.artemis.states import JOB_STATES, WAITING_STATES, Phase
from tkr_lightworks_worker.errors import ArtemisRefusedError, InvalidInputError
from tkr_lightworks_worker.jobs.models import Job, JobRef
from tkr_lightworks_worker.jobs.status import get_details, read_details

_ALL = 2**31 - 1
_READS_AT_ONCE = 8
_NAME_KEYS = ("name", "jobname", "job_name")
_STATE_KEYS = ("jobstatus", "status", "state")


class JobItem:
    """An item of a list.

    :param content: What Artemis wrote.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.job_id = int(content["id"])

    @property
    def name(self) -> str:
        """The name of the job; empty where the item has none."""
        return self._first(_NAME_KEYS)

    @property
    def state(self) -> str:
        """The state of the job; empty where the item has none."""
        return self._first(_STATE_KEYS)

    def texts(self) -> Iterator[str]:
        """Iterate over all texts of the item."""
        return _texts(self.content)

    def ref(self) -> JobRef:
        """Return a reference to the job."""
        qpu_name = self._first(("qpu", "qpuname", "qpu_name"))
        return JobRef(
            job_id=self.job_id, name=self.name, qpu_name=qpu_name, url=settings.url()
        )

    def _first(self, keys: Sequence[str]) -> str:
        for name, value in self.content.items():
            if name.lower() in keys and isinstance(value, str):
                return value
        return ""


def _texts(content: object) -> Iterator[str]:
    match content:
        case str():
            yield content
        case dict():
            for value in content.values():
                yield from _texts(value)
        case list():
            for value in content:
                yield from _texts(value)


def read_items(states: Sequence[str] = ()) -> list[JobItem]:
    """Read the list of jobs once, for use inside ``call``; the newest first.

    :param states: States, to list only jobs in one of them.
    """
    return _items(request("GET", "jobs", query=_query(states)).json())


def _query(states: Sequence[str]) -> Query:
    query: dict[str, int | Sequence[str]] = {"pageSize": _ALL}
    if states:
        query["statuses"] = list(states)
    return query


def _items(content: Any) -> list[JobItem]:
    # To take an answer that is not understood for an empty list could submit twice.
    try:
        items = [JobItem(it) for it in content["items"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtemisRefusedError(
            f"The list of jobs of Artemis at {settings.url()} cannot be read; update "
            "tkr-nexus-worker if this lasts."
        ) from error
    return sorted(items, key=lambda item: item.job_id, reverse=True)


def list_jobs(*, states: Sequence[str] = (), limit: int = 20) -> list[Job]:
    """List your jobs, the newest first.

    Each of them is asked for its details, which the list may lack.

    :param states: States, to list only jobs in one of them.
    :param limit: The largest number of jobs to list.
    :raises InvalidInputError: If the limit is below 1 or a state is unknown.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    if limit < 1:
        raise InvalidInputError(f"The limit is {limit}; give at least 1 job.")
    known = {name.lower(): name for name in JOB_STATES}
    wanted = []
    for state in states:
        name = known.get(state.lower().replace(" ", ""))
        if name is None:
            raise InvalidInputError(
                f"{state!r} is not a state of a job; give one of "
                f"{', '.join(JOB_STATES)}."
            )
        wanted.append(name)
    items = _items(get_json("list jobs", "jobs", _query(wanted)))[:limit]
    with ThreadPoolExecutor(max_workers=_READS_AT_ONCE) as pool:
        return list(pool.map(_complete, items))


def list_scheduled_jobs(*, limit: int = 100) -> list[Job]:
    """List your jobs that wait or run, the newest first.

    :param limit: The largest number of jobs to list.
    :raises LightworksWorkerError: As :func:`list_jobs` does.
    """
    listed = list_jobs(states=WAITING_STATES, limit=limit)
    return [job for job in listed if job.phase is Phase.WAITING]


def _complete(item: JobItem) -> Job:
    if not item.state or "logs" not in item.content:
        return get_details(item.ref())
    return read_details(item.ref(), {**item.content, "jobStatus": item.state})
