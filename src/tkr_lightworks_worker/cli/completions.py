"""What a shell completes: the jobs and QPUs of Artemis; raises whatever goes wrong."""

from collections.abc import Iterator


def jobs() -> Iterator[tuple[str, str]]:
    """Return the ids and names of jobs, with what they are."""
    from tkr_lightworks_worker.jobs.listing import read_items

    for item in read_items():
        yield str(item.job_id), item.name
        yield item.name, str(item.job_id)


def qpus() -> Iterator[tuple[str, str]]:
    """Return the names of QPUs."""
    from tkr_lightworks_worker.artemis.qpus import list_qpus

    for qpu in list_qpus():
        yield qpu.name, ""
