"""List, watch, cancel, retry and delete jobs, and show their results.

The example uses functions of ``tkr_nexus_worker.jobs`` and names the command of
``tkr-nexus`` that does the same. It runs on the embedded Nexus, with a queue that is
slow enough to watch.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from rich.console import Console

from local_nexus import LocalNexus, Progress
from tkr_nexus_worker import InvalidInputError
from tkr_nexus_worker.reports import WaitProgress

PROJECT = "tkr-nexus-worker examples"


@click.command(help=__doc__)
def main() -> None:
    """Submit three jobs and manage them."""
    slowly = Progress.seconds(queued=3, queue=4)
    with LocalNexus(progress=slowly) as nexus:
        nexus.set_progress(Progress.seconds(queued=3600), job="not wanted")
        os.environ.update(nexus.env)
        submit_jobs()
        show_jobs()
        wait_for_jobs()
        show_results()
        cancel_and_delete()
        nexus.set_progress(Progress.immediate(), job="not wanted")
        retry_and_delete()


def submit_jobs() -> None:
    """Submit three jobs; one has more qubits than the device."""
    # qnexus reads its settings from the environment when it is imported.
    from tkr_nexus_worker.jobs import start_execute_job
    from tkr_nexus_worker.programs import upload_circuit

    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    ghz = Circuit(3, name="ghz").H(0).CX(0, 1).CX(1, 2).measure_all()
    large = Circuit(60, name="large").H(0).measure_all()
    for circuit in (bell, ghz, large):
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    config = QuantinuumConfig(device_name="H2-1LE")
    for name, circuits in {
        "two circuits": [bell, ghz],
        "too large": [large],
        "not wanted": [bell],
    }.items():
        uploaded = [upload_circuit(circuit, PROJECT) for circuit in circuits]
        n_shots = [100] * len(circuits)
        start_execute_job(PROJECT, name, uploaded, n_shots, config)


def show_jobs() -> None:
    """List the waiting and running jobs, and show what one of them submitted."""
    from tkr_nexus_worker.jobs import get_job_payload, list_scheduled_jobs

    click.echo("\nWaiting and running jobs (tkr-nexus jobs):")
    for job in list_scheduled_jobs():
        click.echo(f"  {job.name}: {job.state}, queue position {job.queue_position}")

    click.echo("\nWhat a job submitted (tkr-nexus payload 'two circuits'):")
    for program in get_job_payload("two circuits").programs:
        click.echo(f"  {program.index}: {program.name}, {program.n_shots} shots")


def wait_for_jobs() -> None:
    """Wait for two jobs. The second fails, and its details say why."""
    from tkr_nexus_worker.jobs import get_job_details, wait_until_complete

    click.echo("\nWaiting (tkr-nexus watch 'two circuits'):")
    status = wait_until_complete(
        "two circuits", timeout=120, poll_interval=0.5, on_progress=progress_printer()
    )
    click.echo(f"  It ended in state {status.state}.")

    wait_until_complete("too large", timeout=120, allow_failed=True)
    click.echo("\nWhy a job failed (tkr-nexus show 'too large'):")
    for event in get_job_details("too large").log:
        click.echo(f"  {event.subject} {event.state} {event.message}")


def progress_printer() -> Callable[[WaitProgress], None]:
    """Return a function that prints a line for each change of a job."""
    printed = [""]

    def print_progress(progress: WaitProgress) -> None:
        place, start = progress.status.queue_position, progress.starts_in_seconds
        text = progress.status.state
        if place is not None:
            text += f", queue position {place}"
        if start is not None:
            text += f", starts in about {start:.0f} s"
        if text != printed[-1]:
            printed.append(text)
            click.echo(f"  {text}")

    return print_progress


def show_results() -> None:
    """Show the results of the completed job, and save them."""
    from tkr_nexus_worker.devices import get_device_details
    from tkr_nexus_worker.plots import histogram, terminal_histogram
    from tkr_nexus_worker.results import get_results_by_id, load_results, save_results

    click.echo("\nResults (tkr-nexus results 'two circuits'):")
    found = get_results_by_id("two circuits")
    for circuit in found:
        click.echo(f"  {circuit.name}: {dict(circuit)}")
    chosen = found[1].post_select({"c[0]": 1})
    click.echo(f"  ghz, shots with c[0] = 1: {dict(chosen)}")

    click.echo("\nA histogram (tkr-nexus plot 'two circuits'):")
    Console().print(terminal_histogram(histogram(found[0]), width=60))

    with TemporaryDirectory() as folder:
        path = save_results(found, Path(folder) / "results.json.gz")
        same = [dict(one) for one in load_results(path)] == [dict(one) for one in found]
    click.echo("\nSaved and loaded (tkr-nexus results 'two circuits' --save FILE):")
    click.echo(f"  The counts are {'the same' if same else 'different'}.")

    device = get_device_details("H2-1")
    click.echo("\nA device (tkr-nexus device H2-1):")
    click.echo(f"  {device.name}: {device.n_qubits} qubits, {device.connectivity}")


def cancel_and_delete() -> None:
    """Try to delete a waiting job, which is refused, and cancel it instead."""
    from tkr_nexus_worker.jobs import cancel_job, delete_job

    click.echo("\nDeleting a waiting job (tkr-nexus delete 'not wanted'):")
    try:
        delete_job("not wanted")
    except InvalidInputError as error:
        click.echo(f"  {error}")
    click.echo("\nCancelling it (tkr-nexus cancel 'not wanted'):")
    click.echo(f"  It is now in state {cancel_job('not wanted').state}.")


def retry_and_delete() -> None:
    """Rerun the cancelled job, and delete it."""
    from tkr_nexus_worker.jobs import delete_job, retry_job, wait_until_complete

    click.echo("\nRunning it again (tkr-nexus retry 'not wanted'):")
    retry_job("not wanted")
    status = wait_until_complete("not wanted", timeout=120)
    click.echo(f"  It ended in state {status.state}.")
    click.echo("\nDeleting it (tkr-nexus delete 'not wanted'):")
    click.echo(f"  Deleted job {delete_job('not wanted')}.")


if __name__ == "__main__":
    main()
