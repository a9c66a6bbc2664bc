"""A group of commands, each imported only when it is used."""

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from tkr_runtime.cli.errors import debug_option, one_line_errors
from tkr_runtime.cli.terminal_text import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group that imports the module of a command when that command is used.

    Every command has the option ``--debug``, and its errors are one line.

    :param package: The package of the modules.
    :param modules: Name of a command -> the module that defines it, as a function of
        that name with ``_`` for ``-``, and its one-line summary. A module of another
        package has its full name.
    :param candidates: What arguments name -> the function that returns candidates for
        them, as ``package.module:name``, for :mod:`tkr_runtime.cli.completion`.
    :param before: Called with the name of a command before it runs; its help shows
        without.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        modules: Mapping[str, tuple[str, str]],
        candidates: Mapping[str, str] | None = None,
        before: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._modules = modules
        self.candidates = dict(candidates or {})
        self._before = before
        self._prepared: set[str] = set()
        self.params.append(debug_option())

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(self._modules)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names, and the other arguments.

        :raises click.UsageError: If there is no such command; it suggests the closest.
        """
        name = args[0]
        is_word = name[:1].isalnum() and not context.resilient_parsing
        if name not in self._modules and is_word:
            raise click.UsageError(_unknown(name, self._modules), context)
        return super().resolve_command(context, args)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import and return a command, or return None if it does not exist."""
        if name not in self._modules:
            return None
        module_name, _ = self._modules[name]
        if "." not in module_name:
            module_name = f"{self._package}.{module_name}"
        module = importlib.import_module(module_name)
        command: click.Command = getattr(module, name.replace("-", "_"))
        if not any(option.name == "debug" for option in command.params):
            command.params.append(debug_option())
        if self._before is not None and name not in self._prepared:
            self._prepared.add(name)
            command.callback = _after(
                functools.partial(self._before, name), command.callback
            )
        return command

    def format_commands(
        self, _context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the summary of each command without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, text) for name, (_, text) in sorted(self._modules.items())]
            )

    def shell_complete(
        self, context: click.Context, incomplete: str
    ) -> "list[CompletionItem[str]]":
        """Return the commands and options that start so, without importing any."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, (_, text) in sorted(self._modules.items())
            if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, context, incomplete)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, or complete one where a shell asks for it."""
        if "COMP_WORDS" in os.environ:  # set by the scripts of all shells
            from tkr_runtime.cli.shells import mend_shells

            mend_shells()
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments before the name of a command."""
        with one_line_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        with one_line_errors():
            return super().invoke(context)


def _unknown(name: str, known: Iterable[str]) -> str:
    """Return the sentence for an unknown command, with those that are spelled alike."""
    # Only an error needs it.
    from difflib import get_close_matches

    close = [f"{one!r}" for one in get_close_matches(name.lower(), list(known))]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"No such command {printable(name)!r}.{hint}"


def _after(
    first: Callable[[], None], callback: Callable[..., Any] | None
) -> Callable[..., Any]:
    """Return a callback that does something else first."""

    def run(*args: Any, **kwargs: Any) -> Any:
        first()
        return None if callback is None else callback(*args, **kwargs)

    return run if callback is None else functools.wraps(callback)(run)
