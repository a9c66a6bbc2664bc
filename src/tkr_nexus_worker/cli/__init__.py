"""The command ``tkr-nexus`` for people."""

import click

from tkr_nexus_worker._version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tkr-nexus")
def cli() -> None:
    """Work with Quantinuum Nexus beside Tierkreis workflows."""
