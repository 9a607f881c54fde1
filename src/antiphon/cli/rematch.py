"""`antiphon match again`, `explain` and `shadow`: what the materials of an output folder match, and would match."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from antiphon import node
from antiphon.cli.show import bar_shown, console, json_option, rows_table

if TYPE_CHECKING:
    from antiphon.node.lookup import LookUp
    from antiphon.node.rematch import Step

__all__ = ["again", "explain", "opened", "shadow", "told"]

_out = click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
_EFFECTS = {
    "known": "known material: look at it",
    "negative": "decided once to be no case",
    "held_back": "known, but as near to what was decided to be no case",
    "shadow": "in a list on trial: leads to nothing",
}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHOWN = 20


class _Duration(click.ParamType[float]):
    """A time: `90`, `90s`, `10m`, `2h`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no time; write it as 90s, 10m or 2h.", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


@click.command()
@_out
@click.argument("material_id")
@json_option
def explain(out: Path, material_id: str, as_json: bool) -> None:
    """Say why a material of an output folder matched: signal, distance, part, and all that is known of the entry.

    Who added the entry, when and why, what people hold of it, where it comes from, how far it may be shared and how
    long it is valid.
    """
    with opened() as look_up:
        rows = node.explained(out, material_id, look_up)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        click.echo("It matches no entry.")
    for row in rows:
        click.echo("\n".join([told(row), *_entry_lines(row["entry"])]))


@click.command()
@_out
@click.option("--full", is_flag=True, help="Look up everything, not only what may have changed.")
@click.option("--budget", type=_Duration(), help="Stop after this time (90s, 10m, 2h); the next run goes on.")
@json_option
def again(out: Path, full: bool, budget: float | None, as_json: bool) -> None:
    """Match what is in an output folder with the banks as they stand, and say what is new and what is gone.

    Only what may have changed is looked up: new entries against all materials, new materials against all entries. Run
    it as often as you like: the same banks give the same. Ctrl-C is safe, the same command goes on. An entry that
    suddenly matches far more than ever is held back and shown; `antiphon bank release` lets it match again.
    """
    with opened() as look_up, _progress_shown(quiet=as_json) as progress:
        found = node.match_again(out, look_up, full=full, budget_s=budget, progress=progress)
    if as_json:
        said = {
            "complete": found.complete, "counts": found.counts, "new": found.new, "gone": found.gone,
            "look_again": list(found.reopened.first), "look_again_number": found.reopened.number,
            "held": [f"{flood.bank}/{flood.entry_id}" for flood in found.floods],
        }  # fmt: skip
        click.echo(json.dumps(said))
        return
    rows = [{"matches": effect, "meaning": _EFFECTS[effect], "number": n} for effect, n in sorted(found.counts.items())]
    console.print(rows_table("Matches now", rows) if rows else "No material matches an entry.")
    click.echo(f"{found.new:,} are new, {found.gone:,} are gone.")
    for flood in found.floods:
        usual = f"{flood.usual:.1f} a day in the week before"
        click.echo(f"Held back: {flood.bank} {flood.entry_id}, {flood.materials} materials on {flood.day}, {usual}.")
    if found.reopened.number:
        some = ", ".join(found.reopened.first[:_SHOWN])
        click.echo(f"Look again at {found.reopened.number:,} materials that matched and no longer do: {some}")
        click.echo(f"All of them, with what they matched, stand in {found.look_again}.")
    if not found.complete:
        click.echo("Not complete: the time was over. What was found so far is there; run it again to go on.")


@click.command()
@_out
@click.option("--bank", help="Only this bank; without it all banks on trial.")
@click.option("--type", "signal_type", help="With --distance: another threshold of the bank for this signal type.")
@click.option("--distance", type=click.IntRange(min=0), help="The largest distance that would be a match.")
@json_option
def shadow(out: Path, bank: str | None, signal_type: str | None, distance: int | None, as_json: bool) -> None:
    """Say what would change if the banks on trial took effect, or a bank had another threshold. Changes nothing.

    \b
    Examples:
      antiphon match shadow out
      antiphon match shadow out --bank harbour --type pdq --distance 25
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    settings = node.load_settings()
    trials = node.shadow_report(out, settings.home, settings.register, bank, signal_type, distance)
    if as_json:
        click.echo(json.dumps([asdict(trial) for trial in trials], ensure_ascii=False))
        return
    if not trials:
        click.echo("No bank is on trial; `antiphon bank shadow NAME on` sets one.")
    for trial in trials:
        _show_trial(trial)


def opened() -> LookUp:
    """Return the look-up of this node."""
    settings = node.load_settings()
    return node.open_look_up(settings.home, settings.register)


def told(row: Mapping[str, Any]) -> str:
    """Return a match in sentences."""
    lines = [
        f"{row['bank']} {row['entry_id']}: {_EFFECTS[row['effect']]}",
        f"  {row['signal_type']}, distance {row['distance']} of at most {row['threshold']}",
        *_if("  which part: ", row["alignment"]),
        *_if("  called: ", row["label"]),
        *_if("  in the bank because: ", row["note"]),
    ]
    return "\n".join(lines)


def _entry_lines(entry: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what is known of an entry."""
    if entry is None:
        yield "  the entry is in no bank of this node"
        return
    yield f"  entry: {entry['status']}" + (", disputed" if entry["disputed"] else "")
    yield from _if("  source: ", entry["source"])
    yield f"  marking: {entry['marking']}"
    if entry["valid_from"] or entry["valid_until"]:
        yield f"  valid: from {entry['valid_from'] or 'the beginning'} until {entry['valid_until'] or 'revoked'}"
    for one in entry["opinions"]:
        yield f"  {one['opinion']} by {one['by']}, {one['at'][:16]}" + (f": {one['reason']}" if one["reason"] else "")
    for act in entry["history"]:
        yield f"  {act['did']} by {act['by']}, {act['at'][:16]}" + (f": {act['reason']}" if act["reason"] else "")


def _if(words: str, value: str | None) -> Sequence[str]:
    return [words + value] if value else []


def _show_trial(trial: node.BankTrial) -> None:
    rows = [
        {"materials": "newly known", "number": trial.newly_known},
        {"materials": "known already through other banks", "number": trial.known_already},
        {"materials": "held back by negative entries", "number": trial.held_back},
        {"materials": "no longer known", "number": trial.no_longer_known},
    ]
    console.print(rows_table(f"If {trial.bank} took effect", rows))
    if trial.protected_share is not None:
        click.echo(f"{trial.protected_share:.1%} of the newly known are read as protected speech.")
    for name, some in (("reading", trial.readings), ("source", trial.by_source), ("day", trial.by_day)):
        if some:
            listed = [{name: key, "newly known": number} for key, number in some.items()]
            console.print(rows_table(f"Newly known by {name}", listed[:_SHOWN]))
    for title, examples in (("Nearest", trial.nearest), ("Farthest", trial.farthest)):
        if examples:
            console.print(rows_table(title, examples))
    if not trial.complete:
        click.echo("The folder's matches are older than the banks or the material: run `antiphon match again` first.")


@contextmanager
def _progress_shown(*, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """Show how much is looked up, rate and time left on a terminal; say nothing where the output is for a machine."""
    with bar_shown("matching", "parts", quiet=quiet) as bar:
        yield lambda step: bar.show(step.done, step.done, max(1, step.total)) if bar else None
