"""Completion in a shell: what each argument takes, and the command that installs it."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from tkr_runtime.cli.errors import UsageError
from tkr_runtime.cli.terminal_text import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

type Complete = Callable[
    [click.Context, click.Parameter, str], "list[CompletionItem[str]]"
]

JOB = "job"
"""The kind of arguments that name a job."""

SHELLS = ("bash", "zsh", "fish")
"""The shells in which completion can be installed."""

SECONDS = 2.0
"""How long a person waits for what a cloud knows, at most."""

# Shells put names into the command line as they are, and other users choose names: one
# that starts with a dash would be an option.
_SAFE = re.compile(r"\w[\w.:@%+=-]*")
# Without -i, it asks about folders of others, such as those of a package manager.
_ZSH_START = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }; "


def completes(kind: str, *, or_file: bool = False) -> Complete:
    """Return the completion of an argument by what the cloud of the command knows.

    The group of the command names a function for each kind, which returns pairs of a
    value and what it is. Where there is no login or no answer, nothing is completed.

    :param kind: What the argument names, for example ``job``.
    :param or_file: Whether it may name a file, which is completed where nothing fits.
    """

    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        group: Any = context.find_root().command
        found = _asked(getattr(group, "candidates", {}).get(kind, ""))
        items = [
            CompletionItem(value, help=printable(text) or None)
            for value, text in dict(found).items()
            if value.startswith(incomplete) and _SAFE.fullmatch(value)
        ]
        if not items and incomplete and or_file:
            return [CompletionItem(incomplete, type="file")]
        return items

    return complete


def _asked(function: str) -> list[tuple[str, str]]:
    """Return what a function returns in time; nothing if it fails."""
    if not function:
        return []
    found: list[tuple[str, str]] = []

    def ask(candidates: Callable[[], Iterable[tuple[str, str]]]) -> None:
        try:
            found.extend(candidates())
        except Exception:  # noqa: BLE001 (an error would destroy the line of the user)
            found.clear()

    try:
        from pkgutil import resolve_name

        thread = Thread(target=ask, args=[resolve_name(function)], daemon=True)
        thread.start()
        thread.join(SECONDS)
    except Exception:  # noqa: BLE001 (as above)
        return []
    return list(found)


@click.command()
@click.argument(
    "shell", required=False, type=click.Choice(SHELLS), metavar="[bash|zsh|fish]"
)
@click.option("--print", "only_print", is_flag=True, help="Print the script alone.")
@click.pass_context
def completion(context: click.Context, shell: str | None, only_print: bool) -> None:
    """Install completion of commands, options, jobs, devices and projects in a shell.

    Without an argument, it is installed for the shell that $SHELL names. Running it
    again changes nothing, or brings the script up to date.
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    if chosen not in SHELLS:
        raise UsageError(f"The shell is {chosen!r}; give one of {', '.join(SHELLS)}.")
    root = context.find_root()
    program = str(root.info_name)
    script = _script(root.command, program, chosen)
    if only_print:
        click.echo(script, nl=False)
        return
    changes = _install(program, chosen, script)
    for change in changes:
        click.echo(change)
    click.echo(
        f"Start a new {chosen} to use it{_activation(program, chosen)}."
        if changes
        else f"The completion of {program} is installed for {chosen} already."
    )


def _activation(program: str, shell: str) -> str:
    """Return what else a new shell needs, if only an environment has the program."""
    folder = Path(sys.prefix, "bin")
    script = folder / ("activate.fish" if shell == "fish" else "activate")
    if Path(shutil.which(program) or "").parent != folder or not script.exists():
        return ""
    return (
        f"; there, activate the environment by "
        f"`source {shlex.quote(str(script))}`, and type {program} without `uv run`"
    )


def _script(command: click.Command, program: str, shell: str) -> str:
    from click.shell_completion import get_completion_class

    from tkr_runtime.cli.shells import mend_shells

    mend_shells()
    made: Any = get_completion_class(shell)
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    completer = made(command, {}, program, variable)
    # The method of bash also starts one, to ask for its version.
    text: str = completer.source_template % completer.source_vars()
    return text


def _install(program: str, shell: str, script: str) -> list[str]:
    """Write the script, and the line that loads it; return what was done."""
    home = Path.home()
    if shell == "fish":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return _write(config / "fish" / "completions" / f"{program}.fish", script)
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    path = data / program / f"completion.{shell}"
    if shell == "bash":
        start, line = home / ".bashrc", f". {shlex.quote(str(path))}"
    else:
        start = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
        line = f"{_ZSH_START}. {shlex.quote(str(path))}"
    return [*_write(path, script), *_append(start, line)]


def _write(path: Path, text: str) -> list[str]:
    from tkr_runtime.files import replace_file

    if path.exists() and path.read_text() == text:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode())
    return [f"Wrote {path}."]


def _append(path: Path, line: str) -> list[str]:
    """Append a line to a file that the user owns, unless it has it."""
    text = path.read_text() if path.exists() else ""
    if line in text.splitlines():
        return []
    with path.open("a") as file:
        if text and not text.endswith("\n"):
            file.write("\n")
        file.write(f"{line}\n")
    return [f"Added to {path}: {line}"]
