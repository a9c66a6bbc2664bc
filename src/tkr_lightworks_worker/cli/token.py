"""``tkr-lightworks token``: the access tokens, address and certificate of Artemis.

They are stored where ``lightworks.remote`` looks for them, readable only by the user.
A token is never printed.
"""

import json
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.errors import InvalidInputError, SetupError, TokenError
from tkr_runtime.cli.errors import debug_option
from tkr_runtime.cli.results import force_option
from tkr_runtime.files import read_file, replace_file
from tkr_runtime.locks import hold_lock

_DEFAULT_NAME = "artemis"
# Longer than a change takes, unless its process is suspended.
_LOCK_SECONDS = 10.0
_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=_HELP)
def token() -> None:
    """Store, list and remove access tokens, where lightworks.remote looks for them.

    Aegiq gives you a token, an address and a certificate.
    """


def _subcommand(command: Callable[..., None]) -> click.Command:
    made = click.command(context_settings=_HELP)(command)
    made.params.append(debug_option())
    token.add_command(made)
    return made


@_subcommand
@click.argument("name", default=_DEFAULT_NAME)
@click.option("--url", help="Store this address of Artemis as well.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Store this certificate of Artemis as well.",
)
@force_option
def save(name: str, url: str | None, certificate: Path | None, force: bool) -> None:
    """Store a token, which is asked for or read from standard input.

    NAME is a name for the token, "artemis" by default. If there are several, set
    TKR_LIGHTWORKS_TOKEN_NAME to the name of the one to use.
    """
    if name in settings.token_names() and not force:
        raise InvalidInputError(
            f"There is a token {name!r} already; give another name, or replace it with "
            "--force."
        )
    address = None if url is None else _checked_address(url)
    authority = None if certificate is None else _checked_certificate(certificate)
    secret = _checked_token(_ask())
    _change_tokens(lambda tokens: tokens.update({name: secret}))
    click.echo(f"Saved the token {name!r} in {settings.tokens_file()}.")
    if address is not None:
        _store_address(address)
        click.echo(f"Saved the address {address}.")
    if authority is not None:
        path = settings.folder() / "certificate.pem"
        replace_file(path, authority, private=True)
        click.echo(f"Saved the certificate in {path}.")
    _tell_what_is_missing()


@_subcommand
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of names.")
def list(as_json: bool) -> None:  # noqa: A001 (the name of the command)
    """List the names of the stored tokens."""
    names = settings.token_names()
    if as_json:
        click.echo(json.dumps(names))
    for name in [] if as_json else names:
        click.echo(name)
    if not names:
        click.echo(f"There are no tokens in {settings.tokens_file()}.", err=True)


@_subcommand
@click.argument("name")
def remove(name: str) -> None:
    """Remove a stored token. Artemis still accepts it until it expires."""
    names = settings.token_names()
    if name not in names:
        raise InvalidInputError(
            f"There is no token {name!r}; there are {', '.join(names) or 'none'}."
        )
    _change_tokens(lambda tokens: tokens.pop(name, None))
    click.echo(f"Removed the token {name!r} from {settings.tokens_file()}.")


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read()
    return str(click.prompt("Access token (not shown)", hide_input=True, err=True))


def _checked_token(text: str) -> str:
    secret = text.strip()
    if not (secret and secret.isascii() and secret.isprintable() and " " not in secret):
        # What was given may be a part of a token, so it is not repeated.
        raise TokenError(
            f"The text of {len(secret)} characters is not an access token: a token is "
            "one word of ASCII characters; give it as Aegiq gave it to you."
        )
    return secret


def _checked_address(url: str) -> str:
    if not settings.is_address(url):
        raise InvalidInputError(
            f"{url!r} is not an address of Artemis; give one like https://…/."
        )
    return url if url.endswith("/") else f"{url}/"


def _checked_certificate(file: Path) -> bytes:
    content = read_file(file)
    try:
        # An empty text is one to Python's default: the certificates of the system.
        ssl.create_default_context(cadata=content.decode() or "nothing")
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{file} is not a certificate in PEM format ({type(error).__name__}); give "
            "the file that Aegiq gave you."
        ) from error
    return content


def _change_tokens(change: Callable[[dict[str, Any]], object]) -> None:
    path = settings.tokens_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(".tokens.lock")
    with hold_lock(lock, timeout=_LOCK_SECONDS, required=False):
        settings.token_names()  # raises an error for a file that cannot be read
        tokens = json.loads(path.read_text()) if path.exists() else {}
        change(tokens)
        replace_file(path, json.dumps(tokens, indent=4).encode(), private=True)


def _store_address(address: str) -> None:
    import yaml

    path = settings.folder() / "remote_settings.yaml"
    content = yaml.safe_load(path.read_text()) if path.exists() else None
    known = content if isinstance(content, dict) else {}
    text = yaml.safe_dump({**known, "api_url": address})
    replace_file(path, text.encode(), private=True)


def _tell_what_is_missing() -> None:
    for option, setting in (
        ("--url https://…/", settings.url),
        ("--certificate FILE", settings.certificate),
    ):
        try:
            setting()
        except SetupError as error:
            missing = str(error).partition(";")[0]
            command = f"tkr-lightworks token save --force {option}"
            click.echo(f"{missing}: store it with `{command}`.", err=True)
