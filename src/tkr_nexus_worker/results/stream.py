"""Results that flow on: those of finished programs, while others of their job run.

The results of a pass, and what the body of the stream returned for them, are kept in
files beside the workflow. Each file of outputs names the one before it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from pytket.backends.backendresult import BackendResult
from tierkreis.controller.data.types import TierkreisDecoder, TierkreisEncoder

from tkr_nexus_worker.jobs.models import Job, JobItem
from tkr_nexus_worker.jobs.receipt import write_receipt
from tkr_nexus_worker.jobs.runs import (
    PartJob,
    Run,
    Snapshot,
    new_items,
    wait_for_results,
)
from tkr_nexus_worker.results.download import download_items
from tkr_nexus_worker.results.parts import encode_result
from tkr_runtime.tasks import kept_files

_ARRIVALS_FILE = "arrivals.jsonl"
_OUTPUTS_FILE = "outputs.jsonl"


def await_results(
    run: Run, polling_interval: float, limit: int, *, allow_failed: bool
) -> tuple[Run, str, str]:
    """Wait until programs have finished, an hour at most, and keep their results.

    :param run: The run.
    :param polling_interval: The longest time between two looks at its jobs, in seconds.
    :param limit: The largest number of results; the others come in the next pass.
    :param allow_failed: Whether programs may fail. Their results are empty, and come
        once their job has ended.
    :returns: The run afterwards, a reference to the results, empty if there are none,
        and what runs and waits in one line.
    :raises JobFailedError: If only failed jobs are left.
    :raises NexusWorkerError: If Nexus refuses, or an outage lasts too long.
    """
    snapshot = wait_for_results(run.jobs, polling_interval, at_once=run.may_submit)
    found = [job for job in run.jobs if job.part in snapshot.details]
    arrived: list[tuple[PartJob, list[JobItem]]] = []
    for job in found:
        items = _arrived(job, snapshot.details[job.part], allow_failed=allow_failed)
        arrived.append((job, items[:limit]))
        limit -= len(items[:limit])
    arrivals = _keep(arrived, snapshot)
    run = run.with_seen(
        {job.part: [it.index for it in items] for job, items in arrived}
    )
    if run.is_last_look and not arrivals and _all_failed(run, snapshot):
        raise run.failure()
    run = _without_ended(run, snapshot, allow_failed=allow_failed)
    return run, arrivals, run.summary(snapshot.statuses)


def _arrived(job: PartJob, found: Job, *, allow_failed: bool) -> list[JobItem]:
    if found.is_final and allow_failed:
        seen = set(job.seen)
        return [item for item in found.items if item.index not in seen]
    return new_items(job, found)


def _keep(arrived: Sequence[tuple[PartJob, list[JobItem]]], snapshot: Snapshot) -> str:
    """Download results into a file; return a reference to it, empty without results."""
    lines = []
    for job, items in arrived:
        for circuit in download_items(snapshot.details[job.part], items):
            succeeded = circuit.item.succeeded
            result = circuit.backend_result if succeeded else BackendResult()
            lines.append((job.first + circuit.index, encode_result(result)))
    if not lines:
        return ""
    with kept_files.writing(_ARRIVALS_FILE) as file:
        file.writelines(b"%d %b\n" % line for line in sorted(lines))
    return kept_files.reference(_ARRIVALS_FILE)


def _all_failed(run: Run, snapshot: Snapshot) -> bool:
    details = [snapshot.details.get(job.part) for job in run.jobs]
    have_ended = all(found is not None and found.is_final for found in details)
    return have_ended and not any(map(_is_complete, run.jobs))


def _is_complete(job: PartJob) -> bool:
    return len(job.seen) == job.n_programs


def _without_ended(run: Run, snapshot: Snapshot, *, allow_failed: bool) -> Run:
    """Remove one job that has ended and has no more results to hand on.

    There is one receipt for each pass.
    """
    for job in run.jobs:
        found = snapshot.details.get(job.part)
        if found is None or not found.is_final:
            continue
        if not _arrived(job, found, allow_failed=allow_failed):
            write_receipt(found)
            return run.without(job, failed=not _is_complete(job))
    return run


def read_arrivals(arrivals: str) -> list[tuple[int, bytes]]:
    """Return the results of a pass.

    :param arrivals: A reference to them; empty if there are none.
    :returns: For each the place of the program among all, and the result as JSON.
    """
    if not arrivals:
        return []
    lines = kept_files.resolve(arrivals).read_bytes().splitlines()
    pairs = (line.split(b" ", 1) for line in lines)
    return [(int(place), text) for place, text in pairs]


def keep_outputs(arrivals: str, outputs: Sequence[bytes], previous: str) -> str:
    """Keep what the body of a stream returned for the results of a pass.

    :param arrivals: A reference to the results.
    :param outputs: What the body returned for each, as Tierkreis wrote it.
    :param previous: A reference to what was kept before; empty if nothing was.
    :returns: A reference to what is kept now.
    """
    places = [place for place, _ in read_arrivals(arrivals)]
    with kept_files.writing(_OUTPUTS_FILE) as file:
        file.write(previous.encode() + b"\n")
        for place, output in zip(places, outputs, strict=True):
            file.write(b"%d %b\n" % (place, _on_one_line(output)))
    return kept_files.reference(_OUTPUTS_FILE)


def join_outputs(last: str) -> Iterator[bytes]:
    """Return what the body of a stream returned, in the order of the programs.

    :param last: A reference to what was kept last; empty if nothing was.
    :returns: Each value as JSON.
    """
    outputs: dict[int, bytes] = {}
    while last:
        previous, *lines = kept_files.resolve(last).read_bytes().splitlines()
        for line in lines:
            place, text = line.split(b" ", 1)
            outputs[int(place)] = text
        last = previous.decode()
    return (outputs[place] for place in sorted(outputs))


def _on_one_line(output: bytes) -> bytes:
    """Return a value as an element of a list, as Tierkreis's ``fold_values`` does."""
    value: Any = output
    with suppress(ValueError):
        value = json.loads(output, cls=TierkreisDecoder)
    return json.dumps(value, cls=TierkreisEncoder).encode()
