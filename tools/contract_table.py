# noqa: INP001 - a folder of scripts
"""Say which public functions of qnexus the contract tests cover.

Prints the score and writes ``docs/qnexus_coverage.md``; with ``--check`` it writes
nothing and fails if a function or an argument is without a test, or the file is old.
The last section of the file, the differences from Nexus, is written by hand and kept.
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

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "contract"
TABLE = ROOT / "docs" / "qnexus_coverage.md"
COMMAND = "uv run tools/contract_table.py"
DIFFERENCES = "\n## Differences from Nexus\n"
INTRODUCTION = """\
The tests in `tests/contract` call every public function of the unmodified client,
qnexus {version}, against a running server. A fixture records these calls, so the
tables list only what was observed: an argument counts if a test passes a value other
than its default, an error if the function raises it in a test. Generated with
`{command}`."""


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

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read what the collected tests claim."""
        # pytest imports the tests under this name, whatever else is called tests.
        registry = import_module("tests.contract.registry")
        self.rows = {
            name: Row(name, registry.arguments_of(function))
            for name, function in registry.public_functions().items()
        }
        for item in session.items:
            callers = set()
            for claim in registry.claims_of(item):
                row = self.rows[claim.function]
                row.tested |= claim.arguments
                row.errors |= {claim.error} if claim.error else set()
                callers.add(claim.function)
            for name in callers:
                self.rows[name].n_tests += 1


def collect() -> list[Row]:
    """Return a row for every public function.

    :raises SystemExit: if the tests cannot be collected.
    """
    collector = Collector()
    with redirect_stdout(StringIO()) as output:
        code = pytest.main(["--collect-only", "-q", str(TESTS)], plugins=[collector])
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


def differences() -> str:
    """Return the section of the document that is written by hand."""
    before, heading_, text = TABLE.read_text(encoding="utf-8").partition(DIFFERENCES)
    if not before or not heading_:
        sys.exit(f"{TABLE.relative_to(ROOT)} has no section {DIFFERENCES.strip()!r}.")
    return heading_ + text


def render(rows: list[Row]) -> str:
    """Return the document."""
    lines = [
        "# Tested functions of qnexus",
        "",
        INTRODUCTION.format(version=version("qnexus"), command=COMMAND),
        "",
        *(f"- {line}" for line in score(rows)),
    ]
    modules = defaultdict(list)
    for row in rows:
        modules[heading(row.name)].append(row)
    for name, members in sorted(modules.items()):
        lines += ["", f"## {name}", "", *table(members)]
    return "\n".join(lines) + "\n" + differences()


def heading(name: str) -> str:
    """Return under which heading a function stands."""
    owner, _, _function = name.rpartition(".")
    if owner[:1].isupper():
        return "References and listings"
    return f"`qnexus.{owner}`" if owner else "`qnexus`"


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
    """Print the score, and write or check the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    rows = collect()
    print(*score(rows), *gaps(rows), sep="\n")
    text = render(rows)
    if not check:
        TABLE.write_text(text, encoding="utf-8")
    elif gaps(rows):
        sys.exit(1)
    elif TABLE.read_text(encoding="utf-8") != text:
        sys.exit(f"{TABLE.relative_to(ROOT)} is old: run `{COMMAND}`.")


if __name__ == "__main__":
    main()
