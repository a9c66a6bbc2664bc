"""Results of samplers: the counts of detected states, raw and post-selected.

States are texts as Lightworks prints them, such as ``|1,0,1>``. Detectors are threshold
detectors: 1 stands for at least one photon.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from tkr_lightworks_worker import lightworks
from tkr_lightworks_worker.artemis.client import call, request
from tkr_lightworks_worker.artemis.states import (
    TIMED_OUT,
    WAITING_STATES,
    Phase,
    job_state,
)
from tkr_lightworks_worker.errors import (
    ArtemisRefusedError,
    JobFailedError,
    LightworksWorkerError,
    ResultFormatError,
    ResultsNotReadyError,
)
from tkr_lightworks_worker.jobs.find import resolve_job
from tkr_lightworks_worker.jobs.listing import read_items
from tkr_lightworks_worker.jobs.models import Job, JobRef
from tkr_lightworks_worker.jobs.status import (
    check_server,
    describe,
    failure_message,
    get_details,
)
from tkr_lightworks_worker.samplers import Rule
from tkr_runtime.counts import data_frame

if TYPE_CHECKING:
    from lightworks_remote.results import QPUSamplingResult
    from pandas import DataFrame

logger = logging.getLogger(__name__)

_DOWNLOADS_AT_ONCE = 8
# A job may complete a moment before its results can be read.
_TRIES = 20
_PAUSE = 0.5


class SamplingResult(BaseModel):
    """What a job sampled.

    :param job_id: The id of the job.
    :param job_name: The name of the job, where it is known.
    :param state: The state in which the job ended.
    :param is_partial: Whether the job timed out, so that samples are missing.
    :param raw_counts: How often each state of all modes was detected.
    :param post_selection: The rules for all modes that samples must meet.
    :param heralds: The rules for the heralded modes, one each.
    :param job_data: What else Artemis keeps with the job.
    """

    model_config = ConfigDict(frozen=True)

    job_id: int
    job_name: str = ""
    state: str
    is_partial: bool = False
    raw_counts: dict[str, int]
    post_selection: list[Rule] = Field(default_factory=list)
    heralds: list[Rule] = Field(default_factory=list)
    job_data: dict[str, Any] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def counts(self) -> dict[str, int]:
        """How often each state was detected that meets the rules, without heralds."""
        rules = [*self.post_selection, *self.heralds]
        if not rules:
            return self.raw_counts
        counts: Counter[str] = Counter()
        try:
            heralded = {rule.modes[0] for rule in self.heralds}
            for text, count in self.raw_counts.items():
                state = read_state(text)
                if all(sum(state[m] for m in it.modes) in it.photons for it in rules):
                    kept = [n for mode, n in enumerate(state) if mode not in heralded]
                    counts[state_text(kept)] += count
        except IndexError:
            # Lightworks's client does the same: what was sampled is not lost.
            logger.warning(
                "artemis: the rules of job %d select by modes that it has not; its "
                "counts are those of all samples",
                self.job_id,
            )
            return self.raw_counts
        return dict(counts)

    @property
    def states(self) -> list[tuple[int, ...]]:
        """The detected states that meet the rules, the most frequent first."""
        ordered = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [read_state(text) for text, _ in ordered]

    @property
    def n_samples(self) -> int:
        """The number of samples before post-selection."""
        return sum(self.raw_counts.values())

    def df(self, *, raw: bool = False) -> "DataFrame":
        """Return the counts as a data frame of pandas, a row for each state.

        The columns are ``job_id``, ``job_name``, ``outcome`` (the state), ``count``,
        ``probability`` and ``standard_error``, the most frequent state first.
        ``pandas.concat`` joins those of several results.

        :param raw: Whether to leave heralds and post-selection out.
        """
        counts = self.raw_counts if raw else self.counts
        ordered = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        return data_frame(
            ("job_id", "job_name"), [((self.job_id, self.job_name), ordered)]
        )

    def to_result(self) -> "QPUSamplingResult":
        """Return the result as Lightworks's client returns it.

        :raises SetupError: If Lightworks is not installed.
        """
        from importlib import import_module

        lw = lightworks.lightworks()
        lightworks.remote()
        results = import_module("lightworks_remote.results")
        data = {
            lw.State(list(read_state(text))): count
            for text, count in self.raw_counts.items()
        }
        rules = {
            name: [(tuple(rule.modes), tuple(rule.photons)) for rule in found]
            for name, found in (
                ("post_select", self.post_selection),
                ("herald", self.heralds),
            )
        }
        is_plain = not (self.job_data or any(rules.values()))
        job_data = None if is_plain else {**rules, **self.job_data}
        content = {"results": data, "job_data": job_data}
        result: QPUSamplingResult = results.QPUSamplingResult(content)
        return result


def state_text(state: Sequence[int]) -> str:
    """Return a state as Lightworks prints it.

    :param state: The number of photons in each mode.
    """
    return f"|{','.join(map(str, state))}>"


def read_state(text: str) -> tuple[int, ...]:
    """Return the number of photons in each mode.

    :param text: The state as Lightworks prints it, or as Artemis writes it.
    :raises ResultFormatError: If it is not a state.
    """
    try:
        return tuple(int(it) for it in text.strip("|>()").split(",") if it.strip())
    except ValueError as error:
        raise ResultFormatError(
            f"{text!r} is not a state; a state looks like |1,0,1>."
        ) from error


def get_results(
    jobs: Sequence[JobRef],
    *,
    allow_failed: bool = False,
    allow_partial: bool = True,
) -> list[SamplingResult]:
    """Download the results of jobs that have ended.

    :param jobs: The jobs.
    :param allow_failed: Whether to mark a job that failed by a result without counts.
    :param allow_partial: Whether to take the samples of a job that timed out, marked as
        partial, instead of raising an error.
    :returns: One result for each job, in their order.
    :raises ResultsNotReadyError: If a job has not ended.
    :raises JobFailedError: If a job failed or timed out, and that is not allowed.
    :raises ResultFormatError: If a result cannot be read.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    return list(
        iterate_results(jobs, allow_failed=allow_failed, allow_partial=allow_partial)
    )


def get_result(
    job: JobRef | int | str, *, allow_failed: bool = False, allow_partial: bool = True
) -> SamplingResult:
    """Download the result of a job that has ended.

    :param job: The job, or its id, or its name.
    :param allow_failed: As for :func:`get_results`.
    :param allow_partial: As for :func:`get_results`.
    :raises LightworksWorkerError: As :func:`get_results` does.
    """
    [result] = get_results(
        [resolve_job(job)], allow_failed=allow_failed, allow_partial=allow_partial
    )
    return result


def iterate_results(
    jobs: Sequence[JobRef], *, allow_failed: bool = False, allow_partial: bool = True
) -> Iterator[SamplingResult]:
    """Download results as :func:`get_results` does, a few at the same time.

    :param jobs: The jobs.
    :param allow_failed: As for :func:`get_results`.
    :param allow_partial: As for :func:`get_results`.
    :returns: The results, in the order of the jobs; few of them are held at once.
    """
    unsure = _may_be_partial() if len(jobs) > 1 else None

    def download(job: JobRef) -> SamplingResult:
        if unsure is not None and job.job_id not in unsure:
            result = _download_completed(job)
            if result is not None:
                return result
        return _download(job, allow_failed=allow_failed, allow_partial=allow_partial)

    waiting = iter(jobs)
    n_threads = max(1, min(_DOWNLOADS_AT_ONCE, len(jobs) // 4))
    with ThreadPoolExecutor(n_threads) as pool:
        downloads: deque[Future[SamplingResult]] = deque(
            pool.submit(download, job) for job in islice(waiting, _DOWNLOADS_AT_ONCE)
        )
        try:
            while downloads:
                result = downloads.popleft().result()
                downloads.extend(pool.submit(download, it) for it in islice(waiting, 1))
                yield result
        finally:
            for download_ahead in downloads:
                download_ahead.cancel()


def _may_be_partial() -> frozenset[int] | None:
    """Return the ids of the jobs that timed out, or may do so before they are read.

    None where a list does not tell.
    """
    try:
        items = call("list jobs", lambda: read_items([TIMED_OUT, *WAITING_STATES]))
    except LightworksWorkerError:
        return None
    return frozenset(item.job_id for item in items)


def _download_completed(job: JobRef) -> SamplingResult | None:
    """Return the result of a job that has completed; None if it has none now."""
    check_server(job)
    path = f"jobs/{job.job_id}/results"
    try:
        content = call(
            f"download the results of {describe(job)}",
            lambda: request("GET", path).json(),
        )
    except ArtemisRefusedError:
        return None  # the details of the job say why
    if not isinstance(content, dict) or content.get("results") is None:
        return None
    return read_result(job, "Completed", content)


def _download(
    job: JobRef, *, allow_failed: bool, allow_partial: bool
) -> SamplingResult:
    details = get_details(job)
    state = details.state
    if state.phase is Phase.WAITING:
        raise ResultsNotReadyError(
            f"The results of {describe(job)} are not ready: it {state.meaning} "
            f"({state.name}). Wait until it has ended."
        )
    if state.phase is Phase.FAILED:
        if not allow_failed:
            raise JobFailedError(failure_message(details))
        logger.warning("artemis: %s", failure_message(details))
        return SamplingResult(
            job_id=job.job_id, job_name=job.name, state=state.name, raw_counts={}
        )
    is_partial = state.name == TIMED_OUT
    if is_partial:
        message = failure_message(details)
        if not allow_partial:
            raise JobFailedError(message)
        logger.warning("artemis: %s", message)
    return read_result(job, state.name, _fetch(job, details))


def _fetch(job: JobRef, details: Job) -> dict[str, Any]:
    action = f"download the results of {describe(job)}"
    path = f"jobs/{job.job_id}/results"
    for remaining in reversed(range(_TRIES)):
        try:
            content = call(action, lambda: request("GET", path).json())
        except ArtemisRefusedError as error:
            if error.status_code == HTTPStatus.BAD_REQUEST:
                if details.state.name == TIMED_OUT:
                    return {"results": None}
                raise ResultFormatError(
                    f"The {describe(job)} {details.state.meaning} but gave no results "
                    f"({error})"
                ) from error
            if error.status_code != HTTPStatus.NOT_FOUND or not remaining:
                raise
            time.sleep(_PAUSE)
        else:
            if isinstance(content, dict):
                return content
            break
    raise ResultFormatError(
        f"The answer of Artemis for the results of {describe(job)} is not an object; "
        "update tkr-nexus-worker if this lasts."
    )


def read_result(job: JobRef, state: str, content: dict[str, Any]) -> SamplingResult:
    """Read what Artemis sends as results.

    :param job: The job.
    :param state: The state in which it ended.
    :param content: The decoded answer.
    :raises ResultFormatError: If it cannot be read.
    """
    if content.get("results") is None:
        logger.warning("artemis: there is no data in the results of %s", describe(job))
    try:
        job_data = dict(content.get("job_data") or {})
        return SamplingResult(
            job_id=job.job_id,
            job_name=job.name,
            state=job_state(state).name,
            is_partial=state == TIMED_OUT,
            raw_counts={
                state_text(read_state(text)): count
                for text, count in (content.get("results") or {}).items()
            },
            post_selection=_rules(job_data.pop("post_select", None)),
            heralds=_rules(job_data.pop("herald", None)),
            job_data=job_data,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise ResultFormatError(
            f"The results of {describe(job)} cannot be read "
            f"({' '.join(str(error).split())[:200]}); update tkr-nexus-worker if this "
            "lasts."
        ) from error


def _rules(rules: Any) -> list[Rule]:
    return [Rule(modes=modes, photons=photons) for modes, photons in rules or []]
