"""`antiphon bank`: lists of known material, and what curators do with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from antiphon import node
from antiphon.cli.show import bar_shown, console, json_option, rows_table
from antiphon.errors import InputError
from antiphon.model.bank import MARKINGS, SIGNAL_BYTES, STATUSES, Bank, BankEntry

if TYPE_CHECKING:
    from antiphon.node.banks import Banks, Change, EntryView, Imported

__all__ = ["bank"]

REVIEWER_VARIABLE = "ANTIPHON_REVIEWER"
SHOWN_REFUSALS = 10
_GIVEN = ("path", "text", "phrase", "url", "domain", "value")
_Readable = click.Path(path_type=Path)
_Type = click.Choice(sorted(SIGNAL_BYTES))
_Marking = click.Choice(MARKINGS)
_by = click.option(
    "--by", envvar=REVIEWER_VARIABLE, show_envvar=True, required=True, metavar="NAME",
    help="Your reviewer's pseudonym; it stands in the log for ever, so give no name and no address.",
)  # fmt: skip
_reason = click.option("--reason", default="", help="Why; it stands in the log.")
_why = click.option("--reason", required=True, help="Why; it stands in the log.")
_name = click.argument("name", metavar="BANK")
_ids = click.argument("entry_ids", nargs=-1, required=True, metavar="ENTRY...")


@click.group()
def bank() -> None:
    """Keep lists of known material: make them, fill them, correct them, give them on.

    A bank holds signals (digests, fingerprints, phrases), not the material itself. Every act has a name and a reason
    and stays in the log. Nothing that a list says undoes what people decided here.

    \b
    Examples:
      export ANTIPHON_REVIEWER=reviewer-7
      antiphon bank create harbour --description "Cards of the Ash Lantern, an invented group"
      antiphon bank import harbour list.csv
      antiphon bank add harbour --file card.png --label "card with the burning lantern"
      antiphon bank deconfirm harbour e-17 --reason "a newspaper's photograph of the card"
      antiphon bank export harbour harbour.jsonl
    """  # noqa: D301 - click reads the backspace as "do not wrap"


@bank.command("list")
@json_option
def list_banks(as_json: bool) -> None:
    """List all banks and how many entries each has."""
    with _opened() as banks:
        found = banks.banks()
    rows = [{**_bank_row(known), "entries": number} for known, number in found.values()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    elif rows:
        console.print(rows_table("Banks", [_shown_bank(row) for row in rows]))
    else:
        click.echo("There is no bank yet: antiphon bank create NAME.", err=True)


@bank.command()
@_name
@click.argument("entry_id", required=False, metavar="[ENTRY]")
@json_option
def show(name: str, entry_id: str | None, as_json: bool) -> None:
    """Show a bank, or one entry of it with its history and what people hold of it."""
    with _opened() as banks:
        if entry_id is not None:
            _show_entry(banks.entry(name, entry_id), as_json)
            return
        view = banks.show(name)
    counts = [{"signal_type": kind, "status": status, "entries": n} for (kind, status), n in view.counts.items()]
    if as_json:
        click.echo(json.dumps({**_bank_row(view.bank), "counts": counts}, ensure_ascii=False))
        return
    console.print(rows_table(f"Bank {name}", [{"": key, " ": value} for key, value in _bank_row(view.bank).items()]))
    console.print(rows_table("Entries", counts) if counts else "No entries yet: antiphon bank import, or add.")


@bank.command()
@_name
@click.option("--description", default="", help="What the bank holds, for people.")
@click.option(
    "--negative", is_flag=True, help="What was decided once to be no case: a match with it holds others back."
)
@click.option("--source", help="Who made the list.")
@click.option("--licence", help="Under what terms it may be used.")
@click.option(
    "--marking", type=_Marking, default="amber", show_default=True, help="How far it may be shared (TLP 2.0)."
)
@click.option("--shadow", is_flag=True, help="Only count its matches at first, to see what it would do.")
@_by
@_reason
def create(  # noqa: PLR0917 - click passes every option by name
    name: str, description: str, negative: bool, source: str | None, licence: str | None, marking: str, shadow: bool,
    by: str, reason: str,
) -> None:  # fmt: skip
    """Make an empty bank."""
    made = Bank(name, "negative" if negative else "known", source, licence, marking, description, shadow=shadow)
    with _opened() as banks:
        banks.create(made, by, reason)
    click.echo(f"Made the bank {name}. Fill it: antiphon bank import {name} FILE", err=True)


@bank.command()
@_name
@click.option("--id", "entry_id", default="", help="Its id; made from the value where none is given.")
@click.option("--file", "path", type=_Readable, help="Add every signal of this file, which is not kept.")
@click.option("--text", help="Add these words, to be found again in whole or in part.")
@click.option("--phrase", help="Add this name, slogan or hashtag, to be found as it stands.")
@click.option("--url", help="Add this web address.")
@click.option("--domain", help="Add this registered domain, with every address on it.")
@click.option("--type", "signal_type", type=_Type, help="Signal type of --value.")
@click.option("--value", metavar="HEX", help="Add this signal.")
@click.option("--label", help="What it is called.")
@click.option("--entity", help="Which group or event it belongs to.")
@click.option("--note", help="Why it is in the bank.")
@click.option("--source", help="Who contributed it.")
@click.option("--marking", type=_Marking, help="How far it may be shared, where that differs from the bank's.")
@click.option("--valid-from", type=click.DateTime(), help="Matches from this day on (UTC).")
@click.option("--valid-until", type=click.DateTime(), help="Matches before this day (UTC).")
@_by
@_reason
def add(name: str, by: str, reason: str, **given: Any) -> None:  # noqa: ANN401 - click's options, read below
    """Add one entry: a file's signals, words, a web address, or a value.

    \b
    Examples:
      antiphon bank add harbour --file card.png --label "card with the burning lantern"
      antiphon bank add harbour --phrase "light the ash lantern"
      antiphon bank add harbour --url https://quay.example/card
      antiphon bank add harbour --type sha256 --value 9f86d0...0a08 --id case-12
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    blank = BankEntry(
        name, given["entry_id"], "", b"", given["label"], given["entity"], given["note"], given["source"],
        given["marking"], _utc(given["valid_from"]), _utc(given["valid_until"]),
    )  # fmt: skip
    if sum(given[key] is not None for key in _GIVEN) != 1:
        raise click.UsageError("Give one of --file, --text, --phrase, --url, --domain, --value.")
    with _opened() as banks:
        if given["path"] is not None:
            added = banks.add_file(blank, given["path"], by, reason)
        else:
            added = [_entry(blank, given)]
            banks.add(added[0], by, reason)
    for entry in added:
        click.echo(f"Added {entry.signal_type} as {entry.entry_id}", err=True)
    if not added:
        click.echo("Nothing added: all its signals are there already.", err=True)


@bank.command("import")
@_name
@click.argument("path", type=_Readable, metavar="FILE")
@click.option("--format", "format_name", help="Form of the file; told by its beginning where nothing is said.")
@click.option("--type", "signal_type", type=_Type, help="Signal type of a plain list's values.")
@click.option("--label", help="What entries without a label are called.")
@click.option("--source", help="Who contributed the entries that don't say so.")
@click.option("--refused", type=_Readable, help="Write the lines that are no entry here, as JSON lines with reasons.")
@_by
@_reason
@json_option
def import_list(  # noqa: PLR0917 - click passes every option by name
    name: str, path: Path, format_name: str | None, signal_type: str | None, label: str | None, source: str | None,
    refused: Path | None, by: str, reason: str, as_json: bool,
) -> None:  # fmt: skip
    """Take a list into a bank: CSV, JSON lines, one value a line, and what plug-ins read.

    Lines that are no entry are told with their reason, and the others go in. The same list again adds nothing. Ctrl-C
    is safe, the same command goes on. Entries that people withdrew or hold back stay so.

    \b
    Examples:
      antiphon bank import harbour list.csv
      antiphon bank import harbour digests.txt --type md5 --refused refused.jsonl
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    with _opened() as banks, _import_shown(path, quiet=as_json) as progress:
        from antiphon.node.banks import ImportOptions

        options = ImportOptions(format_name, signal_type, label, source, refused)
        done = banks.import_file(name, path, by, reason, options, progress)
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
        return
    click.echo(
        f"{done.read:,} read = {done.added:,} added + {done.known:,} known + {done.changed:,} changed + "
        f"{done.refused:,} refused", err=True,
    )  # fmt: skip
    for refusal in done.refusals[:SHOWN_REFUSALS]:
        click.echo(f"  {path.name}, {refusal.where}: {refusal.reason}", err=True)
    if done.refused > SHOWN_REFUSALS:
        click.echo(f"  ... and {done.refused - SHOWN_REFUSALS:,} more; --refused FILE writes them all.", err=True)


@bank.command()
@_name
@click.argument("path", type=_Readable, metavar="FILE")
@click.option("--format", "format_name", help="Form of the file; told by its ending where nothing is said.")
@click.option("--type", "signal_type", type=_Type, help="Only entries of this signal type.")
@click.option("--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="Only these; may be repeated.")
def export(name: str, path: Path, format_name: str | None, signal_type: str | None, statuses: tuple[str, ...]) -> None:
    """Write the entries of a bank to a file that can be imported again.

    \b
    Examples:
      antiphon bank export harbour harbour.csv
      antiphon bank export harbour pdq.txt --type pdq --status active
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    with _opened() as banks:
        number = banks.export_file(
            name,
            path,
            format_name,
            signal_type=signal_type,
            statuses=[s for s in STATUSES if s in statuses or not statuses],
        )
    click.echo(f"{number:,} entries written to {path}", err=True)


@bank.command()
@_name
@_by
@_reason
def enable(name: str, by: str, reason: str) -> None:
    """Let a bank be matched."""
    with _opened() as banks:
        _told(banks.enable(name, by, reason), f"The bank {name} is matched from now on.", "It was enabled already.")


@bank.command()
@_name
@_by
@_reason
def disable(name: str, by: str, reason: str) -> None:
    """Let a bank be matched no longer; it keeps its entries."""
    with _opened() as banks:
        _told(banks.disable(name, by, reason), f"The bank {name} is not matched any more.", "It was disabled already.")


@bank.command()
@_name
@click.argument("state", type=click.Choice(["on", "off"]))
@_by
@_reason
def shadow(name: str, state: str, by: str, reason: str) -> None:
    """Only count a bank's matches (on), or let them count fully (off)."""
    with _opened() as banks:
        _told(banks.shadow(name, state == "on", by, reason), f"Shadow is {state} for {name}.", "It was so already.")


@bank.command()
@_name
@click.argument("signal_type", type=_Type, metavar="TYPE")
@click.argument("distance", type=click.IntRange(0), required=False, metavar="[DISTANCE]")
@_by
@_reason
def threshold(name: str, signal_type: str, distance: int | None, by: str, reason: str) -> None:
    """Set the largest distance that is a match in a bank; without DISTANCE the signal type's own holds again."""
    with _opened() as banks:
        changed = banks.threshold(name, signal_type, distance, by, reason)
    what = "the type's own" if distance is None else str(distance)
    _told(changed, f"The threshold of {signal_type} in {name} is {what}.", "It was so already.")


@bank.command()
@_name
@_ids
@_by
@_why
def hold(name: str, entry_ids: tuple[str, ...], by: str, reason: str) -> None:
    """Keep entries back until they are released: they match nothing meanwhile."""
    with _opened() as banks:
        _counted(banks.hold(name, entry_ids, by, reason), "held back")


@bank.command()
@_name
@_ids
@_by
@_reason
def release(name: str, entry_ids: tuple[str, ...], by: str, reason: str) -> None:
    """Let entries that were held back match again."""
    with _opened() as banks:
        _counted(banks.release(name, entry_ids, by, reason), "released")


@bank.command()
@_name
@_ids
@_by
@_why
def withdraw(name: str, entry_ids: tuple[str, ...], by: str, reason: str) -> None:
    """Take entries out of matching for good; they stay to be explained, and no list brings them back."""
    with _opened() as banks:
        _counted(banks.withdraw(name, entry_ids, by, reason), "withdrawn")


@bank.command()
@_name
@_ids
@_by
@_why
def reinstate(name: str, entry_ids: tuple[str, ...], by: str, reason: str) -> None:
    """Let entries that were withdrawn match again."""
    with _opened() as banks:
        _counted(banks.reinstate(name, entry_ids, by, reason), "reinstated")


@bank.command()
@_name
@click.argument("entry_id", metavar="ENTRY")
@_by
@_why
def confirm(name: str, entry_id: str, by: str, reason: str) -> None:
    """Say that you hold an entry to be right. One opinion a person; it goes on matching."""
    with _opened() as banks:
        _opinion_told(banks.give_opinion(name, entry_id, "confirmed", by, reason))


@bank.command()
@_name
@click.argument("entry_id", metavar="ENTRY")
@_by
@_why
def deconfirm(name: str, entry_id: str, by: str, reason: str) -> None:
    """Say that you hold an entry to be wrong. One opinion a person; it goes on matching until it is withdrawn."""
    with _opened() as banks:
        _opinion_told(banks.give_opinion(name, entry_id, "deconfirmed", by, reason))


@bank.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@_by
@_why
def delete(name: str, yes: bool, by: str, reason: str) -> None:
    """Remove a bank with all its entries; the log stays. To stop matching, `disable` is enough."""
    with _opened() as banks:
        number = banks.show(name).total
        if not yes:
            click.confirm(f"Remove the bank {name} and its {number:,} entries?", abort=True, err=True)
        click.echo(f"Removed {name} and its {banks.delete(name, by, reason):,} entries.", err=True)


@bank.command()
@click.option("--bank", "name", help="Only this bank.")
@click.option("--since", type=click.IntRange(0), default=0, show_default=True, help="Only changes after this number.")
@click.option("--limit", type=click.IntRange(1), default=1_000, show_default=True, help="At most so many.")
@json_option
def log(name: str | None, since: int, limit: int, as_json: bool) -> None:
    """Show what was done to the banks, by whom and why, oldest first."""
    with _opened() as banks:
        rows = [_change_row(change) for change in banks.log(since, bank=name, limit=limit)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for line in _log_lines(rows):
        click.echo(line)


@contextmanager
def _opened() -> Iterator[Banks]:
    from antiphon.node.banks import open_banks  # the database library: only those who use a bank wait for it

    settings, made = node.initialise()
    if made:
        click.echo(f"Made this node's key in {settings.home}; keep a backup.", err=True)
    with open_banks(settings.register) as banks:
        yield banks


@contextmanager
def _import_shown(path: Path, *, quiet: bool) -> Iterator[Callable[[Imported, int], None]]:
    """Show entries, rate and time left on a terminal."""
    size = path.stat().st_size if path.is_file() else 1
    with bar_shown("importing", "entries", size, quiet=quiet) as bar:
        yield lambda done, position: bar.show(position, done.read) if bar else None


def _entry(blank: BankEntry, given: Mapping[str, Any]) -> BankEntry:
    """Return the entry of some words, an address or a value."""
    from antiphon.node.banks import address_entry, text_entry

    if given["text"] is not None:
        return text_entry(blank, given["text"], "text")
    if given["phrase"] is not None:
        return text_entry(blank, given["phrase"], "phrase")
    if given["url"] is not None:
        return address_entry(blank, given["url"], "url")
    if given["domain"] is not None:
        return address_entry(blank, given["domain"], "url_domain")
    if given["signal_type"] is None:
        raise click.UsageError("Give the --type of the --value.")
    try:
        value = bytes.fromhex(given["value"])
    except ValueError:
        raise InputError("the value is no hex number", where="--value", do="Write two digits a byte.") from None
    return replace(blank, entry_id=blank.entry_id or value.hex()[:64], signal_type=given["signal_type"], value=value)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _bank_row(known: Bank) -> dict[str, object]:
    return asdict(known) | {"thresholds": dict(known.thresholds)}


def _shown_bank(row: Mapping[str, object]) -> dict[str, object]:
    return {key: row[key] for key in ("name", "purpose", "enabled", "shadow", "marking", "entries", "description")}


def _change_row(change: Change) -> dict[str, object]:
    rows = "" if change.first_row is None else f"{change.first_row}-{change.last_row}"
    return {
        "seq": change.seq, "at": change.at.isoformat(timespec="seconds"), "what": change.kind, "bank": change.bank,
        "entry": change.entry_id, "rows": rows, "by": change.by, "reason": change.reason, "detail": dict(change.detail),
    }  # fmt: skip


def _log_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for people for each change; the batches of one import are one."""
    for (_, what, bank_name, by, reason), group in groupby(rows, key=_same_import):
        same = list(group)
        first, begin, end = same[0], same[0]["rows"].partition("-")[0], same[-1]["rows"].rpartition("-")[2]
        about = f"entry {first['entry']}" if first["entry"] else f"rows {begin}-{end}" if begin else ""
        detail = json.dumps(first["detail"], ensure_ascii=False) if first["detail"] else ""
        shown = (first["seq"], first["at"][:16].replace("T", " "), by, what, bank_name, about, detail)
        yield "  ".join(str(part) for part in shown if part) + (f"  ({reason})" if reason else "")


def _same_import(row: Mapping[str, Any]) -> tuple[object, ...]:
    batch = row["what"] == "added" and row["entry"] is None
    return 0 if batch else row["seq"], row["what"], row["bank"], row["by"], row["reason"]


def _show_entry(view: EntryView, as_json: bool) -> None:
    entry = view.entry
    words = entry.signal_type in {"text", "phrase"}
    fields = asdict(entry) | {"value": entry.value.decode() if words else entry.value.hex(), "more": dict(entry.more)}
    fields = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}
    opinions = [asdict(opinion) | {"at": opinion.at.isoformat(timespec="seconds")} for opinion in view.opinions]
    history = [_change_row(change) for change in view.history]
    if as_json:
        whole = {**fields, "disputed": view.disputed, "opinions": opinions, "history": history}
        click.echo(json.dumps(whole, ensure_ascii=False))
        return
    shown = [{"": key, " ": value} for key, value in fields.items() if value]
    console.print(rows_table(f"Entry {entry.entry_id}" + (" (disputed)" if view.disputed else ""), shown))
    if opinions:
        console.print(rows_table("Opinions", opinions))
    for line in _log_lines(history):
        click.echo(line, err=True)


def _told(changed: bool, done: str, nothing: str) -> None:
    click.echo(done if changed else nothing, err=True)


def _counted(number: int, what: str) -> None:
    click.echo(f"{number:,} {what}." if number else "Nothing changed: they were so already.", err=True)


def _opinion_told(view: EntryView) -> None:
    confirmed = sum(opinion.opinion == "confirmed" for opinion in view.opinions)
    against = len(view.opinions) - confirmed
    click.echo(f"{view.entry.entry_id}: {confirmed} confirm it, {against} do not.", err=True)
