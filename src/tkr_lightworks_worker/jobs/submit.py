"""Submit samplers as jobs of Artemis, each of them once.

The requests of one task are sent one after the other, so that jobs stand in the queue
in the order of the samplers. All jobs are listed before the first and after the last;
what an earlier try has made is used, and what it made beside that is cancelled.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from tkr_lightworks_worker import lightworks
from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.artemis.client import (
    RefusedResponseError,
    call,
    limits,
    request,
)
from tkr_lightworks_worker.artemis.states import Phase
from tkr_lightworks_worker.errors import (
    InvalidInputError,
    LightworksWorkerError,
    SubmissionUnclearError,
    TokenError,
)
from tkr_lightworks_worker.jobs.duplicates import cancel_duplicate
from tkr_lightworks_worker.jobs.listing import JobItem, read_items
from tkr_lightworks_worker.jobs.models import JobRef
from tkr_lightworks_worker.jobs.receipt import ReceiptJob, write_receipt
from tkr_lightworks_worker.jobs.status import describe, get_details
from tkr_lightworks_worker.jobs.submissions import (
    Doubt,
    Submission,
    SubmissionLog,
    named,
    short,
)
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_lightworks_worker.validation import check_job
from tkr_runtime.jobs.idempotency import key_of, make_once

logger = logging.getLogger(__name__)

_ID_HEADER = "X-Job-Id"


def submit_job(qpu_name: str, job_name: str, sampler: SamplerSpec) -> JobRef:
    """Submit a sampler as a job.

    A task that is started again takes the job that it has submitted before.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the job; a digest is added.
    :param sampler: The sampler.
    :returns: A reference to the job.
    :raises LightworksWorkerError: As :func:`submit_jobs` does.
    """
    [job] = submit_jobs(qpu_name, job_name, [sampler])
    return job


def submit_jobs(
    qpu_name: str, job_name: str, samplers: Sequence[SamplerSpec]
) -> list[JobRef]:
    """Submit samplers, one job for each.

    A task that is started again takes the jobs that it has submitted before, and
    submits the rest.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the jobs; of several each gets its number, from 1, and
        all get a digest.
    :param samplers: The samplers, at least one.
    :returns: References to the jobs, in the order of the samplers.
    :raises InvalidInputError: If an input is wrong; nothing is submitted then.
    :raises SubmissionUnclearError: If it cannot be found out whether a job was
        submitted; it names the jobs that may be it.
    :raises LightworksWorkerError: If a job cannot be submitted.
    """
    prepare_job(qpu_name, job_name, samplers)
    names = [job_name]
    if len(samplers) > 1:
        names = [f"{job_name}_{number}" for number in range(1, len(samplers) + 1)]
    drafts = [
        _draft(qpu_name, name, index, sampler)
        for index, (name, sampler) in enumerate(zip(names, samplers, strict=True))
    ]
    return _submit(drafts)


def prepare_job(qpu_name: str, job_name: str, samplers: Sequence[SamplerSpec]) -> str:
    """Check a job before anything is submitted.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the jobs.
    :param samplers: The samplers, at least one.
    :returns: The name of the QPU.
    :raises InvalidInputError: If anything is wrong with the job, or the QPU is offline.
    :raises TokenError: If there is no valid token.
    :raises LightworksWorkerError: If Artemis does not answer.
    """
    check_job(qpu_name, job_name, samplers)
    return qpu_name


def resubmit(job: JobRef, payload: dict[str, Any], name: str) -> JobRef:
    """Submit the payload of a job again, as a new job.

    :param job: The job.
    :param payload: Its payload.
    :param name: The name that the user gave it.
    :returns: A reference to the new job.
    :raises LightworksWorkerError: As :func:`submit_jobs` does.
    """
    digest = key_of("retry", settings.url(), job.job_id).digest
    content = {**payload, "job_name": named(name, digest)}
    [new] = _submit([_Draft(digest, content)])
    return new


@dataclass(frozen=True)
class _Draft:
    """A job that is to be submitted.

    :param digest: The digest of its key.
    :param payload: What is sent.
    """

    digest: str
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the job."""
        return str(self.payload["job_name"])

    def ref(self, job_id: int) -> JobRef:
        """Return a reference to the job with an id."""
        return JobRef(
            job_id=job_id,
            name=self.name,
            qpu_name=self.payload["qpu"],
            url=settings.url(),
        )


def _draft(qpu_name: str, name: str, index: int, spec: SamplerSpec) -> _Draft:
    key = key_of(
        "job", settings.url(), qpu_name, name, index, spec.model_dump(mode="json")
    )
    try:
        payload = lightworks.to_payload(
            spec.to_sampler(),
            qpu_name,
            named(name, key.digest),
            direct=spec.direct_implementation,
        )
    except LightworksWorkerError:
        raise
    # Lightworks has its own exceptions, which have no common base.
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
        raise InvalidInputError(
            f"Lightworks makes no job of sampler {index} of the input samplers: "
            f"{reason}."
        ) from error
    return _Draft(key.digest, payload)


def _submit(drafts: Sequence[_Draft]) -> list[JobRef]:
    all_digests = "".join(draft.digest for draft in drafts)
    log = SubmissionLog.of_task(hashlib.sha256(all_digests.encode()).hexdigest()[:32])
    submitter = _Submitter(log)
    jobs = [submitter.submit(draft) for draft in drafts]
    submitter.settle(drafts)
    write_receipt(
        [
            ReceiptJob(
                job_id=job.job_id,
                job_name=job.name,
                qpu_name=job.qpu_name,
                artemis_url=job.url,
                payload=draft.payload,
                duplicates=Doubt(short(draft.digest)).noted("billed"),
            )
            for draft, job in zip(drafts, jobs, strict=True)
        ]
    )
    return jobs


class _Submitter:
    """Submits the jobs of one task.

    :param log: What is known of their submission.
    """

    def __init__(self, log: SubmissionLog) -> None:
        self._log = log
        # The first look for each job is at one list, read before any was submitted.
        self._listed: list[JobItem] = call("list jobs", read_items)
        log.note_before(item.job_id for item in self._listed)

    def submit(self, draft: _Draft) -> JobRef:
        """Submit a job, or use what an earlier try has made.

        :param draft: The job.
        """
        submission = Submission(self._log, draft.digest)
        # A try of an earlier process may arrive after that list was read.
        known = None if submission.exists() else self._listed

        def find() -> int | None:
            nonlocal known
            items = read_items() if known is None else known
            known = None
            return self._find(draft, items)

        job_id = make_once(
            f"submit job {draft.name!r}",
            find,
            lambda: _post(draft),
            call=call,
            was_refused=_was_refused,
            settle_time=limits().settle_time,
            marker=submission,
            on_doubt=Doubt(short(draft.digest)).record,
            look_first=True,
        )
        self._log.note_made(draft.digest, job_id)
        return draft.ref(job_id)

    def settle(self, drafts: Sequence[_Draft]) -> None:
        """Look once more at all jobs, and cancel those that were made twice.

        :param drafts: The jobs, which were submitted.
        """
        try:
            found = _by_digest(call("list jobs", read_items))
        except LightworksWorkerError as error:
            logger.warning("artemis: could not look for duplicates: %s", error)
            for draft in drafts:
                Doubt(short(draft.digest)).record()
            return
        for draft in drafts:
            digest = short(draft.digest)
            self._keep(draft, found.get(digest, []), self._log.made[draft.digest])

    def _find(self, draft: _Draft, items: list[JobItem]) -> int | None:
        digest = short(draft.digest)
        own = set(_by_digest(items).get(digest, []))
        if draft.digest in self._log.made:
            own.add(self._log.made[draft.digest])
        own -= set(map(int, Doubt(digest).noted("cancelled")))
        useful = _useful(draft, own)
        if useful:
            logger.info("artemis: found job %d, submitted before", useful[0])
            self._keep(draft, useful, useful[0])
            return useful[0]
        if own or not Submission(self._log, draft.digest).exists():
            return None
        return self._find_nameless(draft, items)

    def _keep(self, draft: _Draft, ids: Sequence[int], kept: int) -> None:
        """Cancel all jobs of a submission but one."""
        doubt = Doubt(short(draft.digest))
        for job_id in ids:
            if job_id != kept and str(job_id) not in doubt.noted("cancelled"):
                doubt.record()
                cancel_duplicate(draft.ref(job_id), kept, doubt)

    def _find_nameless(self, draft: _Draft, items: list[JobItem]) -> int | None:
        """Find a job that a lost request made, where lists do not show whole names."""
        known = (self._log.before or frozenset()) | self._log.made_in_workflow()
        suspects = {
            item.job_id
            for item in items
            if item.job_id not in known and draft.name.startswith(item.name)
        }
        useful = _useful(draft, suspects)
        if len(useful) > 1:
            raise SubmissionUnclearError(
                f"Whether job {draft.name!r} was submitted is not clear: its request "
                "got no answer, the list of jobs has no names, and the jobs "
                f"{', '.join(map(str, useful))} are new. Nothing is submitted again: "
                "look which of them is yours, cancel it, and resume the workflow."
            )
        if not useful:
            return None
        logger.warning(
            "artemis: the request to submit job %r got no answer; job %d is the only "
            "new one and is taken for it",
            draft.name,
            useful[0],
        )
        return useful[0]


_DIGEST = re.compile(r"\[([0-9a-f]{16})\]")


def _by_digest(items: list[JobItem]) -> dict[str, list[int]]:
    """Return the ids of jobs by the digests in their texts, the lowest first."""
    found: dict[str, list[int]] = {}
    for item in reversed(items):
        for text in item.texts():
            for digest in _DIGEST.findall(text):
                found.setdefault(digest, []).append(item.job_id)
    return found


def _useful(draft: _Draft, ids: Iterable[int]) -> list[int]:
    """Return the ids of the jobs that live or have completed, the lowest first."""
    useful = []
    for job_id in sorted(ids):
        job = get_details(draft.ref(job_id))
        if job.phase is not Phase.FAILED:
            useful.append(job_id)
        else:
            logger.warning(
                "artemis: %s, submitted by this task before, %s (%s)",
                describe(job),
                job.state.meaning,
                job.state.name,
            )
    return useful


def _post(draft: _Draft) -> int:
    response = request("POST", "jobs", content=draft.payload)
    try:
        job_id = int(response.headers[_ID_HEADER])
    except (KeyError, ValueError) as error:
        # The job exists all the same: it is looked for, as if the answer were lost.
        raise httpx.RemoteProtocolError(
            f"the answer has no header {_ID_HEADER}"
        ) from error
    logger.info("artemis: submitted %s", describe(draft.ref(job_id)))
    return job_id


def _was_refused(error: Exception) -> bool:
    """Return whether Artemis has answered that it makes nothing."""
    if isinstance(error, TokenError):
        return True
    return (
        isinstance(error, RefusedResponseError)
        and HTTPStatus.BAD_REQUEST
        <= error.status_code
        < HTTPStatus.INTERNAL_SERVER_ERROR
    )
