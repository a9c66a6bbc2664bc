"""The command ``tkr-nexus`` for people."""

import importlib

import click

from tkr_nexus_worker._version import __version__

# Name of a command -> the module of this package that has it, and what it does.
_COMMANDS = {
    "cancel": ("jobs", "Cancel a job on Nexus."),
    "resume": ("workflows", "Go on with a workflow that was stopped or failed."),
    "serve": ("serve", "Serve an embedded Nexus on this machine."),
}


class _LazyGroup(click.Group):
    """Imports the module of a command when that command is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module_name, _ = _COMMANDS[name]
        module = importlib.import_module(f"tkr_nexus_worker.cli.{module_name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(
        self, _context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, text) for name, (_, text) in sorted(_COMMANDS.items())]
            )


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tkr-nexus")
def cli() -> None:
    """Work with Quantinuum Nexus beside Tierkreis workflows."""
