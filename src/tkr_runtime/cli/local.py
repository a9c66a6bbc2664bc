"""``--local``: an embedded cloud, for which a command has defaults of other options."""

from collections.abc import Callable
from typing import Any

import click


class UnlessLocal(click.Option):
    """An option that a command needs, except with ``--local``.

    The value is None where ``--local`` leaves it to the command.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, callback=_require, **kwargs)

    def is_needed(self, context: click.Context) -> bool:
        """Return whether the command needs the option.

        :param context: The context of the command.
        """
        return not context.params.get("local")


def local_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--local``, which a command takes as ``local``.

    :param help_text: What runs where.
    """
    # Eager: other options depend on it, wherever it stands.
    return click.option("--local", is_flag=True, is_eager=True, help=help_text)


def announce_defaults(command: str, chosen: dict[str, object]) -> None:
    """Say on stderr what ``--local`` chose.

    :param command: The name of the command.
    :param chosen: The values by the names of their options.
    """
    if chosen:
        options = " ".join(f"{name} {value}" for name, value in chosen.items())
        click.echo(f"{command} --local takes {options}", err=True)


def _require(context: click.Context, option: click.Parameter, value: Any) -> Any:
    if (
        value is None
        and isinstance(option, UnlessLocal)
        and option.is_needed(context)
        and not context.resilient_parsing
    ):
        raise click.MissingParameter(ctx=context, param=option)
    return value
