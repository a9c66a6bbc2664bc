# noqa: INP001 - a folder of scripts
"""Say which public functions of the clients the contract tests cover.

For each client it prints the score and writes a file in ``docs``; with ``--check`` it
writes nothing and fails if a function or an argument is without a test, or a file is
old. The last section of a file, the differences from the cloud, is written by hand and
kept.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "uv run tools/contract_table.py"
INTRODUCTION = """\
The tests in `{tests}` call every public function of the unmodified client,
{client} {version}, against a running server. A fixture records these calls, so the
tables list only what was observed: an argument counts if a test passes a value other
than its default, an error if the function raises it in a test. Generated with
`{command}`."""


@dataclass(frozen=True)
class Subject:
    """A client whose functions are tested.

    :param client: its name, also that of its distribution.
    :param tests: the folder of the tests, whose registry lists the functions.
    :param cloud: what it is the client of.
    """

    client: str
    tests: str
    cloud: str

    @property
    def registry(self) -> Any:
        """The module that lists the functions."""
        # pytest imports the tests under this name, whatever else is called tests.
        return import_module(f"{self.tests.replace('/', '.')}.registry")

    @property
    def table(self) -> Path:
        """The document."""
        return ROOT / "docs" / f"{self.client.partition('-')[0]}_coverage.md"

    @property
    def differences(self) -> str:
        """The heading of the section that is written by hand."""
        return f"\n## Differences from {self.cloud}\n"


SUBJECTS = {
    it.client: it
    for it in (
        Subject("qnexus", "tests/contract", "Nexus"),
        Subject("lightworks-remote", "tests/local_artemis/contract", "Artemis"),
    )
}


@dataclass
class Row:
    """What is tested of one function.

    :param arguments: all that it takes, in their order.
    :param tested: those that tests give another value than the default.
    :param errors: the names of the errors that tests see it raise.
    :param n_tests: how many tests call it.
    """

    name: str
    arguments: list[str]
    tested: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    n_tests: int = 0

    @property
    def untested(self) -> list[str]:
        """The arguments that no test gives, in their order."""
        return [name for name in self.arguments if name not in self.tested]


class Collector:
    """A pytest plugin that fills the rows from the markers of the tests."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rows: dict[str, Row] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read what the collected tests claim."""
        contract = import_module("tests.helpers.contract")
        functions = self.subject.registry.public_functions()
        self.rows = {
            name: Row(name, contract.arguments_of(function))
            for name, function in functions.items()
        }
        for item in session.items:
            callers = set()
            for claim in contract.claims_of(item):
                row = self.rows[claim.function]
                row.tested |= claim.arguments
                row.errors |= {claim.error} if claim.error else set()
                callers.add(claim.function)
            for name in callers:
                self.rows[name].n_tests += 1


def collect(subject: Subject) -> list[Row]:
    """Return a row for every public function of a client.

    :raises SystemExit: if the tests cannot be collected.
    """
    collector = Collector(subject)
    with redirect_stdout(StringIO()) as output:
        arguments = ["--collect-only", "-q", str(ROOT / subject.tests)]
        code = pytest.main(arguments, plugins=[collector])
    if code != pytest.ExitCode.OK:
        sys.exit(output.getvalue())
    return list(collector.rows.values())


def score(rows: list[Row]) -> list[str]:
    """Return the score, one line for each thing counted."""
    functions = sum(row.n_tests > 0 for row in rows)
    arguments = sum(len(row.arguments) for row in rows)
    missing = sum(len(row.untested) for row in rows)
    errors = sum(len(row.errors) for row in rows)
    return [
        f"{functions} of {len(rows)} public functions and methods",
        f"{arguments - missing} of {arguments} arguments",
        f"{errors} errors, counted by function and class",
    ]


def gaps(rows: list[Row]) -> list[str]:
    """Return a sentence for everything without a test."""
    return [f"{row.name} has no contract test." for row in rows if not row.n_tests] + [
        f"No contract test gives {row.name} the argument {name}."
        for row in rows
        if row.n_tests
        for name in row.untested
    ]


def differences(subject: Subject) -> str:
    """Return the section of the document that is written by hand."""
    document = subject.table.read_text(encoding="utf-8")
    before, heading, text = document.partition(subject.differences)
    if not before or not heading:
        name = subject.table.relative_to(ROOT)
        sys.exit(f"{name} has no section {subject.differences.strip()!r}.")
    return heading + text


def render(subject: Subject, rows: list[Row]) -> str:
    """Return the document."""
    introduction = INTRODUCTION.format(
        tests=subject.tests,
        client=subject.client,
        version=version(subject.client),
        command=COMMAND,
    )
    lines = [
        f"# Tested functions of {subject.client}",
        "",
        introduction,
        "",
        *(f"- {line}" for line in score(rows)),
    ]
    modules = defaultdict(list)
    for row in rows:
        modules[subject.registry.heading(row.name)].append(row)
    for name, members in sorted(modules.items()):
        lines += ["", f"## {name}", "", *table(members)]
    return "\n".join(lines) + "\n" + differences(subject)


def table(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a table."""
    return [
        "| function | arguments | errors | tests |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{row.name}` | {codes(row.arguments, row.tested)} "
            f"| {codes(sorted(row.errors))} | {row.n_tests} |"
            for row in rows
        ),
    ]


def codes(names: list[str], tested: set[str] | None = None) -> str:
    """Return names as code; those that are not tested are struck out."""
    return ", ".join(
        f"`{name}`" if tested is None or name in tested else f"~~`{name}`~~"
        for name in names
    )


def main() -> None:
    """Print the scores, and write or check the documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("clients", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    options = parser.parse_args()
    for client in options.clients or SUBJECTS:
        subject = SUBJECTS[client]
        rows = collect(subject)
        print(client, *score(rows), *gaps(rows), sep="\n")
        text = render(subject, rows)
        if not options.check:
            subject.table.write_text(text, encoding="utf-8")
        elif gaps(rows):
            sys.exit(1)
        elif subject.table.read_text(encoding="utf-8") != text:
            sys.exit(f"{subject.table.relative_to(ROOT)} is old: run `{COMMAND}`.")


if __name__ == "__main__":
    main()
