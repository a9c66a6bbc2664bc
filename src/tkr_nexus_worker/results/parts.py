"""Results of the parts of a large run, in files beside its workflow.

Each part that has ended leaves an outcome, which names the one before it, and its
results, one on each line. No file, and no value in the workflow, has the results of
more than one part, except the list that a graph returns in the end.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import to_json
from pytket.backends.backendresult import BackendResult
from tierkreis.controller.data.types import TierkreisDecoder, TierkreisEncoder
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.items import ItemResult
from tkr_nexus_worker.jobs.receipt import read_receipt, write_receipt
from tkr_nexus_worker.jobs.runs import PartJob, Run, wait_for_end
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_nexus_worker.results.download import get_results_by_id
from tkr_runtime.tasks import kept_files
from tkr_runtime.tasks.receipts import RECEIPT_FILE


class PartOutcome(BaseModel):
    """The outcome of a part of a run whose job has ended.

    :param part: The place of the part, from 0.
    :param first: The place of its first circuit among all, from 0.
    :param n_programs: The number of its circuits.
    :param job_id: The id of its job.
    :param job_name: The name of its job.
    :param state: The state of the job, as Nexus spells it.
    :param cost: What the job cost in HQC, where Nexus reports it.
    :param failed: The circuits without a complete result, with their places among the
        circuits of the job.
    :param results: A reference to the file with the results, one on each line.
    :param previous: A reference to the outcome of the part that ended before; empty if
        none did.
    """

    part: int
    first: int
    n_programs: int
    job_id: str
    job_name: str
    state: str
    cost: float | None = None
    failed: list[ItemResult] = []
    results: str
    previous: str


def encode_result(result: BackendResult) -> bytes:
    """Return a result as JSON text on one line.

    :param result: The result.
    """
    content = result.to_dict()
    # Tierkreis visits each number of each shot, which takes ten times as long.
    if "shots" in content or "counts" in content:
        return to_json(content)
    return json.dumps(content, cls=TierkreisEncoder).encode()


def collect_part(
    run: Run, polling_interval: float, last: str, *, allow_failed: bool
) -> tuple[Run, str, str]:
    """Wait until a part of a run has ended, an hour at most, and keep its results.

    It does not wait where a further part may be submitted.

    :param run: The run.
    :param polling_interval: The longest time between two looks at its jobs, in seconds.
    :param last: A reference to the outcome of the part that ended last.
    :param allow_failed: Whether circuits may fail; their results are empty then.
    :returns: The run afterwards, a reference to the outcome of the part that ended
        last, and what runs and waits in one line.
    :raises JobFailedError: If only failed jobs are left.
    :raises NexusWorkerError: If Nexus refuses, or an outage lasts too long.
    """
    statuses = wait_for_end(run.jobs, polling_interval, at_once=run.may_submit)
    ended = [
        job for job, status in zip(run.jobs, statuses, strict=True) if status.is_final
    ]
    for job in ended:
        outcome = _keep_part(job, last, allow_failed=allow_failed)
        if outcome is not None:
            run, last = run.without(job, failed=False), outcome
            break
        if not run.is_last_look:
            run = run.without(job, failed=True)
            break
    else:
        if run.is_last_look and len(ended) == len(run.jobs):
            raise run.failure()
    return run, last, run.summary(statuses)


def _keep_part(job: PartJob, previous: str, *, allow_failed: bool) -> str | None:
    """Download the results of a part whose job has ended, and keep them in files.

    :param job: The job of the part.
    :param previous: A reference to the outcome of the part that ended before.
    :param allow_failed: Whether circuits may have failed; their results are empty then.
    :returns: A reference to the outcome; None if circuits failed and may not.
    :raises NexusWorkerError: If the download fails.
    """
    if not allow_failed and get_job_details(job).failed_items:
        return None
    found = get_results_by_id(job, allow_failed=True)
    write_receipt(found.job)
    results_file = f"results-{job.part}.jsonl"
    with kept_files.writing(results_file) as file:
        for result in found.backend_results():
            file.write(encode_result(result) + b"\n")
    failures = [one for one in found.item_results() if not one.succeeded]
    outcome = PartOutcome(
        part=job.part,
        first=job.first,
        n_programs=job.n_programs,
        job_id=found.job.job_id,
        job_name=found.job.name,
        state=found.job.state.name,
        cost=found.job.cost,
        failed=[one.model_copy(update={"result": None}) for one in failures],
        results=kept_files.reference(results_file),
        previous=previous,
    )
    outcome_file = f"outcome-{job.part}.json"
    with kept_files.writing(outcome_file) as file:
        file.write(outcome.model_dump_json().encode())
    return kept_files.reference(outcome_file)


def read_outcomes(last: str) -> list[PartOutcome]:
    """Return the outcomes of the parts of a run that have ended, by their places.

    :param last: A reference to the outcome of the part that ended last.
    """
    outcomes = []
    while last:
        content = kept_files.resolve(last).read_bytes()
        outcomes.append(PartOutcome.model_validate_json(content))
        last = outcomes[-1].previous
    return sorted(outcomes, key=lambda outcome: outcome.part)


def join_results(last: str) -> Iterator[bytes]:
    """Iterate over the results of all circuits of a run, as JSON text.

    :param last: A reference to the outcome of the part that ended last.
    """
    for outcome in read_outcomes(last):
        with kept_files.resolve(outcome.results).open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")


def part_results(storage: ControllerStorage) -> Iterator[JobResults]:
    """Iterate over the results that the parts of a run have left, part by part.

    It sends no request where the receipt of the part is there. The workflow may still
    run, or have failed. One part is in memory at a time.

    :param storage: The storage of the workflow, a ``FileStorage``.
    :returns: The results of each part that has ended, by the places of the parts.
    """
    found = [
        (PartOutcome.model_validate_json(path.read_bytes()), path.parent)
        for path in storage.workflow_dir.glob("*/outcome-*.json")
    ]
    for outcome, folder in sorted(found, key=lambda one: one[0].part):
        yield _read_part(outcome, folder, storage.workflow_dir / outcome.results)


def _read_part(outcome: PartOutcome, folder: Path, results: Path) -> JobResults:
    try:
        job = read_receipt(folder / RECEIPT_FILE).to_job()
    except InvalidInputError:
        # The job is paid: a receipt that is missing or damaged must not lose it.
        return get_results_by_id(outcome.job_id, allow_failed=True)
    with results.open("rb") as file:
        circuits = [
            CircuitResult(
                item, _decode(line) if item.succeeded else None, job=describe(job)
            )
            for item, line in zip(job.items, file, strict=True)
        ]
    return JobResults(job, circuits)


def _decode(line: bytes) -> BackendResult:
    return BackendResult.from_dict(json.loads(line, cls=TierkreisDecoder))
