"""`antiphon match`: what this node's banks know of a text, a file, an address or a signal, and why."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from antiphon import node
from antiphon.cli.look_up_server import serve
from antiphon.cli.show import console, rows_table
from antiphon.errors import InputError

if TYPE_CHECKING:
    from antiphon.node.lookup import Hit, LookUp

__all__ = ["match"]

_as_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
_Readable = click.Path(exists=True, dir_okay=False, path_type=Path)
_EFFECTS = {
    "known": "known material: look at it",
    "negative": "decided once to be no case",
    "held_back": "known, but as near to what was decided to be no case",
    "shadow": "in a list on trial: leads to nothing",
}


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
      antiphon match serve                      answer look-ups over HTTP
    """  # noqa: D301 - click reads the backspace as "do not wrap"


@match.command()
@click.argument("words")
@_as_json
def text(words: str, as_json: bool) -> None:
    """Look up a text: what it repeats, whole or in part, and the phrases in it, disguised or not."""
    with _opened() as look_up:
        _show(look_up.text(words), as_json)


@match.command("file")
@click.argument("path", type=_Readable)
@_as_json
def look_up_file(path: Path, as_json: bool) -> None:
    """Look up a picture, a video or any file by all of its signals. The file is read and not kept."""
    with _opened() as look_up:
        signals, hits = look_up.file(
            path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
        if not as_json:
            rows = [{"signal type": name, "value": value.hex()[:64]} for name, value in signals.items()]
            console.print(rows_table("Signals", rows))
        _show(hits, as_json)


@match.command()
@click.argument("signal_type")
@click.argument("value")
@_as_json
def signal(signal_type: str, value: str, as_json: bool) -> None:
    """Look up one signal, its value in hex."""
    try:
        content = bytes.fromhex(value)
    except ValueError as fault:
        raise InputError("the value is not in hex", where="VALUE", do="Write two digits 0-9, a-f a byte.") from fault
    with _opened() as look_up:
        _show(look_up.signals(signal_type, [content])[0], as_json)


@match.command()
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("material_id")
@_as_json
def explain(out: Path, material_id: str, as_json: bool) -> None:
    """Say why a material of an output folder matched: signal, distance, part, entry, and why that is in its bank."""
    rows = node.matches_of(out, material_id)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        click.echo("It matches no entry.")
    for row in rows:
        click.echo(_told(row))


@match.command()
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_as_json
def again(out: Path, as_json: bool) -> None:
    """Match all that is in an output folder with the banks as they stand, and say what is new and what is gone.

    Run it as often as you like: the same banks give the same. An entry that suddenly matches far more than ever is
    held back and shown; `antiphon bank release` lets it match again.
    """
    with _opened() as look_up:
        found = node.match_again(out, look_up)
    if as_json:
        told = {
            "counts": found.counts,
            "new": found.new.num_rows,
            "gone": found.gone.num_rows,
            "look_again": list(found.look_again),
        }
        click.echo(json.dumps({**told, "held": [f"{flood.bank}/{flood.entry_id}" for flood in found.floods]}))
        return
    rows = [{"matches": effect, "meaning": _EFFECTS[effect], "number": n} for effect, n in sorted(found.counts.items())]
    console.print(rows_table("Matches now", rows) if rows else "No material matches an entry.")
    click.echo(f"{found.new.num_rows} are new, {found.gone.num_rows} are gone.")
    for flood in found.floods:
        usual = f"{flood.usual:.1f} a day in the week before"
        click.echo(f"Held back: {flood.bank} {flood.entry_id}, {flood.materials} materials on {flood.day}, {usual}.")
    if found.look_again:
        some = ", ".join(found.look_again[:20])
        click.echo(f"Look again at {len(found.look_again)} materials that matched and no longer do: {some}")


def _opened() -> LookUp:
    settings = node.load_settings()
    return node.open_look_up(settings.home, settings.register)


def _show(hits: Sequence[Hit], as_json: bool) -> None:
    rows = [node.hit_row("", "", hit) for hit in hits]
    if as_json:
        kept = [{key: value for key, value in row.items() if key not in ("material_id", "part")} for row in rows]
        click.echo(json.dumps(kept, ensure_ascii=False))
        return
    if not rows:
        click.echo("Nothing near it is known here.")
    for row in rows:
        click.echo(_told(row))


def _told(row: dict[str, Any]) -> str:
    """Return a match in sentences."""
    lines = [
        f"{row['bank']} {row['entry_id']}: {_EFFECTS[row['effect']]}",
        f"  {row['signal_type']}, distance {row['distance']} of at most {row['threshold']}",
        *_if("  which part: ", row["alignment"]),
        *_if("  called: ", row["label"]),
        *_if("  in the bank because: ", row["note"]),
    ]
    return "\n".join(lines)


def _if(words: str, value: str | None) -> Iterable[str]:
    return [words + value] if value else []


match.add_command(serve)
