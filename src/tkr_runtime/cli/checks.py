"""Checks, of an installation and of jobs: run them, and print what they found.

The checks of an installation change nothing, and a failed one does not stop the next.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import click
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from tkr_runtime.cli.output import new_table, print_json, print_table
from tkr_runtime.errors import WorkerError

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


class Check(BaseModel):
    """The outcome of a check of the installation.

    :param name: The subject of the check.
    :param outcome: ``ok``; ``warning`` where something could be better; ``failure``
        where something does not work.
    :param finding: What was found.
    :param remedy: How to fix it; may be empty.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: Literal["ok", "warning", "failure"]
    finding: str
    remedy: str = ""


class ProblemError(Exception):
    """A check found a problem.

    :param finding: The problem.
    :param remedy: How to fix it.
    :param fatal: Whether it prevents the worker from working.
    """

    def __init__(self, finding: str, remedy: str, *, fatal: bool = True) -> None:
        super().__init__(finding)
        self.finding = finding
        self.remedy = remedy
        self.fatal = fatal


def run_checks(
    checks: Mapping[str, Callable[[], str]],
    prerequisites: Collection[str],
    remedies: Mapping[type[Exception], str],
) -> Iterator[Check]:
    """Run checks in order.

    Stops early if a check fails that all later ones depend on.

    :param checks: By their names; each returns its finding or raises an error.
    :param prerequisites: The names of the checks without which no later one can pass.
    :param remedies: How to fix errors that any check may raise.
    :returns: The finding of each check, as soon as it is known.
    """
    for name, check in checks.items():
        found = _run(name, check, remedies)
        yield found
        if name in prerequisites and found.outcome == "failure":
            return


def _run(
    name: str, check: Callable[[], str], remedies: Mapping[type[Exception], str]
) -> Check:
    try:
        return Check(name=name, outcome="ok", finding=check())
    except ProblemError as found:
        return Check(
            name=name,
            outcome="failure" if found.fatal else "warning",
            finding=found.finding,
            remedy=found.remedy,
        )
    except (WorkerError, OSError) as error:
        return Check(
            name=name,
            outcome="failure",
            finding=str(error),
            remedy=remedies.get(type(error), ""),
        )


def print_checks(
    context: click.Context, checks: Sequence[Check], *, as_json: bool
) -> None:
    """Print what checks found, and exit with 1 if something does not work.

    :param context: The context of the command.
    :param checks: What they found.
    :param as_json: Whether to print JSON.
    """
    if as_json:
        print_json(checks)
    else:
        table = new_table()
        table.add_column("", no_wrap=True)
        table.add_column("check", no_wrap=True)
        table.add_column("finding", overflow="fold")
        for check in checks:
            remedy = f". {check.remedy}" if check.remedy else ""
            table.add_row(
                Text(check.outcome, style=_COLOURS[check.outcome]),
                check.name,
                f"{check.finding.rstrip('.')}{remedy}",
            )
        print_table(table)
    context.exit(any(check.outcome == "failure" for check in checks))


class Validation(Protocol):
    """Whether a job fits; a pydantic model."""

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against the job."""

    @property
    def problems(self) -> list[str]:
        """What is refused."""

    @property
    def warnings(self) -> list[str]:
        """What may be refused, or has to be known."""


def print_validation(
    context: click.Context,
    found: Validation,
    needs: Table,
    target: str,
    *,
    as_json: bool,
) -> None:
    """Print whether a job fits, and exit with 1 if it does not.

    :param context: The context of the command.
    :param found: What was found.
    :param needs: A table of what the job needs.
    :param target: The name of what is to run it.
    :param as_json: Whether to print JSON.
    """
    if as_json:
        model: Any = found
        print_json(model)
    else:
        print_table(needs)
        for problem in found.problems:
            click.secho(f"problem: {problem}", fg="red")
        for warning in found.warnings:
            click.secho(f"warning: {warning}", fg="yellow")
        if found.problems:
            click.echo(f"The job does not fit {target}.")
        elif found.fits:
            click.echo(f"The job fits {target}.")
        else:
            click.echo(f"{target} may refuse the job.")
    context.exit(1 if found.problems else 0)
