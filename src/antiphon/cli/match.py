"""`antiphon match`: what this node's banks know of a text, a file, an address or a signal, and why."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon import node
from antiphon.cli.look_up_server import serve
from antiphon.cli.rematch import again, explain, opened, shadow, told
from antiphon.cli.show import console, json_option, rows_table
from antiphon.errors import InputError

if TYPE_CHECKING:
    from antiphon.node.lookup import Hit

__all__ = ["match"]

_Readable = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def match() -> None:
    """Look up what the banks of this node know, and match again what was read before.

    A match says that something lies near an entry of a bank. It does not say what the material does with it: a news
    report matches the picture that it reports on. People decide.

    \b
    Examples:
      antiphon match text "the words to compare"
      antiphon match file picture.jpg
      antiphon match signal pdq ef9acc31d67a3325...
      antiphon match explain out 9f0c...        why a material of an output folder matched
      antiphon match again out                  the folder's materials with the banks as they are now
      antiphon match shadow out                 what would change if the banks on trial took effect
      antiphon match serve                      answer look-ups over HTTP
    """  # noqa: D301 - click reads the backspace as "do not wrap"


@match.command()
@click.argument("words")
@json_option
def text(words: str, as_json: bool) -> None:
    """Look up a text: what it repeats, whole or in part, and the phrases in it, disguised or not."""
    with opened() as look_up:
        _show(look_up.text(words), as_json)


@match.command("file")
@click.argument("path", type=_Readable)
@json_option
def look_up_file(path: Path, as_json: bool) -> None:
    """Look up a picture, a video or any file by all of its signals. The file is read and not kept."""
    with opened() as look_up:
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found = node.look_up_file(look_up, path.read_bytes(), media_type)
        if not as_json:
            rows = [{"signal type": name, "value": value.hex()[:64]} for name, value in found.signals.items()]
            console.print(rows_table("Signals", rows))
            if found.words is not None:
                click.echo(f"Words in the picture: {found.words.text}")
        _show(found.hits, as_json)


@match.command()
@click.argument("signal_type")
@click.argument("value")
@json_option
def signal(signal_type: str, value: str, as_json: bool) -> None:
    """Look up one signal, its value in hex."""
    try:
        content = bytes.fromhex(value)
    except ValueError as fault:
        raise InputError("the value is not in hex", where="VALUE", do="Write two digits 0-9, a-f a byte.") from fault
    with opened() as look_up:
        _show(look_up.signals(signal_type, [content])[0], as_json)


def _show(hits: Sequence[Hit], as_json: bool) -> None:
    rows = [node.hit_row("", "", hit) for hit in hits]
    if as_json:
        kept = [{key: value for key, value in row.items() if key not in ("material_id", "part")} for row in rows]
        click.echo(json.dumps(kept, ensure_ascii=False))
        return
    if not rows:
        click.echo("Nothing near it is known here.")
    for row in rows:
        click.echo(told(row))


for command in (again, explain, serve, shadow):
    match.add_command(command)
