"""Materials that matched known material and no longer do: what followed from it is open again, and must not be lost.

They stand in `look_again.jsonl` beside the results, a line a material, until somebody has looked and removes the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import orjson

from antiphon.errors import MissingError, StorageError
from antiphon.model.bank import BankEntry
from antiphon.node.banks import Banks
from antiphon.storage.banks import EntryView

__all__ = ["LOOK_AGAIN_FILE", "Reopened", "note_reopened"]

LOOK_AGAIN_FILE = "look_again.jsonl"
_SHOWN = 1_000


class Reopened(NamedTuple):
    """How many materials are open again, and the ids of the first of them."""

    number: int
    first: tuple[str, ...]


def note_reopened(
    out: Path, tables: duckdb.DuckDBPyConnection, differing: str | None, banks: Banks, token: str
) -> Reopened:
    """Write the materials that a run has left without a match into the file, and return how many there are.

    A run that writes again takes the place of what it wrote before.

    Args:
        out: The folder of results.
        tables: The lake's, with `matches` as it is now.
        differing: What the run found to differ, as SQL.
        banks: Where it is told what became of an entry.
        token: What tells the run from others.

    Raises:
        StorageError: the file can't be written.
    """
    path, counted = out / LOOK_AGAIN_FILE, _Counted()
    if differing is None:
        return Reopened(0, ())
    lines = counted.lines(_rows(tables, differing), banks, token)
    first = next(lines, None)
    if first is None and not path.exists():
        return Reopened(0, ())
    fresh = path.with_suffix(".part")
    try:
        with fresh.open("wb") as file:
            file.writelines(_of_others(path, token))
            file.writelines(line for line in (first, *lines) if line)
        fresh.replace(path)
    except OSError as fault:
        raise StorageError(
            f"the file can't be written: {fault.strerror}", where=str(path), do="Make room, then run it again."
        ) from fault
    return Reopened(counted.number, tuple(counted.first))


class _Counted:
    """Makes the lines and counts them."""

    def __init__(self) -> None:
        self.number, self.first = 0, list[str]()

    def lines(self, rows: Iterable[Sequence[Any]], banks: Banks, token: str) -> Iterator[bytes]:
        why, noted_at = lru_cache(10_000)(_Why(banks).told), banks.clock()
        for material_id, some in groupby(rows, key=lambda row: row[0]):
            lost = [
                {"signal_type": kind, "bank": bank, "entry_id": entry_id, "why": why(bank, entry_id, effect)}
                for _, kind, bank, entry_id, effect in some
            ]
            self.number += 1
            if self.number <= _SHOWN:
                self.first.append(material_id)
            line = {"material_id": material_id, "noted_at": noted_at, "no_longer": lost, "run": token}
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _rows(tables: duckdb.DuckDBPyConnection, differing: str) -> Iterator[Sequence[Any]]:
    """Yield what materials that are no longer known were known by, and what the same match is now, if it is one."""
    keys = "material_id, signal_type, bank, entry_id"
    found = tables.execute(
        f"""WITH lost AS (
              SELECT {keys}, sum(if(gone, -1, 1)) AS n FROM {differing} WHERE effect = 'known'
              GROUP BY ALL HAVING n < 0)
            SELECT {keys}, min(effect) FROM lost LEFT JOIN matches USING ({keys})
            WHERE material_id NOT IN (SELECT material_id FROM matches WHERE effect = 'known')
            GROUP BY ALL ORDER BY ALL"""
    )
    while rows := found.fetchmany(10_000):
        yield from rows


def _of_others(path: Path, token: str) -> Iterator[bytes]:
    """Yield the lines that other runs wrote."""
    if path.exists():
        with path.open("rb") as file:
            yield from (line for line in file if token.encode() not in line)


class _Why:
    """Says in words why an entry no longer makes a material known."""

    def __init__(self, banks: Banks) -> None:
        self._banks, self._known, self._now = banks, banks.store.banks(), banks.clock()

    def told(self, bank: str, entry_id: str, effect: str | None) -> str:
        known = self._known.get(bank)
        if known is None:
            return "the bank was deleted"
        if not known.enabled:
            return "the bank is disabled"
        if effect is not None:  # it matches, but leads to nothing
            return "the bank is on trial" if effect == "shadow" else "a negative entry is as near"
        try:
            return self._of_entry(self._banks.entry(bank, entry_id))
        except MissingError:
            return "the entry is gone"

    def _of_entry(self, view: EntryView) -> str:
        if view.entry.status != "active":
            last = next((act for act in reversed(view.history) if act.kind == view.entry.status), None)
            return f"{view.entry.status} by {last.by}: {last.reason}" if last else view.entry.status
        return "no longer near enough" if _is_valid(view.entry, self._now) else "not valid at this time"


def _is_valid(entry: BankEntry, now: datetime) -> bool:
    begun = entry.valid_from is None or entry.valid_from <= now
    return begun and (entry.valid_until is None or now < entry.valid_until)
