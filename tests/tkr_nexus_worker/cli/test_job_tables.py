from datetime import UTC, datetime, timedelta

from rich.console import Console

from tkr_nexus_worker.cli.job_tables import jobs_table
from tkr_nexus_worker.cli.run import needs_table
from tkr_nexus_worker.validation import CircuitNeeds, JobValidation

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def job(**changes) -> dict:
    return {
        "name": "bell",
        "project": "my project",
        "status": "RUNNING",
        "queue_position": None,
        "cost": None,
        "created": (NOW - timedelta(minutes=3)).isoformat(),
        "items": ["COMPLETED", "ERROR", "RUNNING", "QUEUED"],
    } | changes


def lines(*jobs: dict) -> list[str]:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(jobs_table(jobs, NOW))
    return captured.get().splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_job_is_one_line_with_all_that_matters():
    shown = cells(lines(job(cost=5.055, queue_position=12))[3])
    assert shown == ["bell", "my project", "RUNNING", "12", "2/4", "5.05", "3 min"]


def test_what_is_not_known_is_left_empty():
    assert cells(lines(job())[3])[3:] == ["", "2/4", "", "3 min"]


def test_the_longest_values_fit_into_80_columns():
    long = job(
        name="a very long name " * 10,
        project="a very long project " * 10,
        status="TERMINATED",
        queue_position=100_000,
        items=["COMPLETED"] * 10_000,
        cost=123_456.78,
        created=(NOW - timedelta(days=1000)).isoformat(),
    )
    printed = lines(long)
    assert len(printed) == 5
    assert {len(line) for line in printed} == {80}
    assert cells(printed[3])[2:] == [
        "TERMINATED",
        "100000",
        "10000/10000",
        "123456.78",
        "1000 d",
    ]


def test_names_are_not_taken_for_markup():
    assert cells(lines(job(name="[red]x[/red]"))[3])[0] == "[red]x[/red]"


def test_a_table_without_jobs_says_so():
    assert "No jobs yet." in lines()[-1]


def test_a_long_name_of_a_circuit_leaves_its_numbers_whole():
    numbers = {
        "n_shots": 1000,
        "n_qubits": 20,
        "n_one_qubit_gates": 301,
        "n_two_qubit_gates": 302,
        "n_measurements": 21,
        "depth": 303,
    }
    needs = CircuitNeeds(index=0, name="n" * 150, **numbers)
    found = JobValidation(
        device="x", fits=True, problems=[], warnings=[], circuits=[needs]
    )
    console = Console(width=80)
    with console.capture() as captured:
        console.print(needs_table(found))
    shown = captured.get()
    assert shown.count("n") >= 150
    assert shown.split("\n")[2].split()[1:] == list(map(str, numbers.values()))
