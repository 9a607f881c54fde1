"""`antiphon match serve`: the look-up over HTTP, in the shape of HMA."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from antiphon.errors import ConfigError
from antiphon.node.settings import load_settings

__all__ = ["TOKEN_VARIABLE", "serve"]

TOKEN_VARIABLE = "ANTIPHON_LOOK_UP_TOKEN"  # noqa: S105 - the name of a variable


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; any other needs a token.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65_535), help="0: any that is free.")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with the token that requests must carry; or set ${TOKEN_VARIABLE}.",
)
@click.option("--max-mib", default=64, show_default=True, type=click.IntRange(1, 4_096), help="Largest file, in MiB.")
def serve(host: str, port: int, token_file: Path | None, max_mib: int) -> None:
    """Answer look-ups in this node's banks over HTTP, as the Hasher-Matcher-Actioner does.

    A program that speaks to HMA can ask here instead: /h/hash, /m/raw_lookup, /m/lookup, /c/banks; /m/explain says why.
    Changes to banks count within a second. No address is ever fetched and no bank is changed. Ctrl-C ends it.

    \b
    Examples:
      antiphon match serve
      antiphon match serve --host 0.0.0.0 --token-file /etc/antiphon/token
      curl "http://127.0.0.1:5000/m/lookup?signal_type=pdq&signal=..."
      curl -F photo=@picture.jpg http://127.0.0.1:5000/m/explain
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    from antiphon.web import Limits, serve_look_up  # a web server, which no other command needs

    token, limits = _token(token_file), Limits(body_bytes=max_mib * 2**20)
    with contextlib.suppress(KeyboardInterrupt):  # ending it so is how it ends
        settings = load_settings()
        serve_look_up(settings.home, settings.register, host=host, port=port, token=token, limits=limits, ready=_told)


def _told(address: str) -> None:
    click.echo(f"Answering look-ups on {address}; Ctrl-C ends it.", err=True)


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            "the token can't be read", where=str(path), do="Check the file and its permissions."
        ) from fault
