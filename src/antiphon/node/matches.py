"""What the materials of a folder match: matched again as the banks stand, and one material's matches explained.

Run again at any time, after new material or new entries, it gives the same for the same: nothing is counted twice, and
what is withdrawn is no longer there. Only matches are kept, never all pairs. `rematch` says how little is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from antiphon.errors import MissingError
from antiphon.node.asked import hit_row
from antiphon.node.lookup import LookUp
from antiphon.node.rematch import Rematching, Step
from antiphon.node.reopened import LOOK_AGAIN_FILE, Reopened, note_reopened
from antiphon.storage.banks import Change, EntryView
from antiphon.storage.lake import Lake

__all__ = ["Flood", "Rematch", "bank_matches", "explained", "hit_row", "match_again", "matches_of"]

_FLOOD_LEAST = 200
_FLOOD_TIMES = 20
_FLOOD_DAYS = 7


@dataclass(frozen=True)
class Flood:
    """An entry that matched far more on one day than on the days before: held back until somebody has looked."""

    bank: str
    entry_id: str
    day: date
    materials: int
    usual: float


@dataclass(frozen=True)
class Rematch:
    """What became of a lake's matches when it was matched again.

    Attributes:
        counts: Effect → how many matches there are now.
        new: How many matches were not there when they were last complete.
        gone: How many are no longer.
        reopened: Materials that matched known material and now match none: what followed from it is open again.
        look_again: The file that names them.
        floods: Entries that were held back.
        complete: Whether all was matched; if not, the next run goes on.
    """

    counts: Mapping[str, int]
    new: int
    gone: int
    reopened: Reopened
    look_again: Path
    floods: Sequence[Flood]
    complete: bool


def bank_matches(look_up: LookUp, lake: Lake) -> Iterator[pa.Table]:
    """Yield the matches of what is in an open lake with the banks of a node; what was matched before is kept.

    The caller writes them, with what else there is, as the table `matches`.
    """
    matching = Rematching(lake, look_up)
    matching.run()
    with closing(lake.connect()) as tables:
        _reopened(tables, lake, matching)
    matching.finish()
    yield from matching.hand_over()


def match_again(
    out: Path, look_up: LookUp, by: str = "antiphon", *, full: bool = False, budget_s: float | None = None,
    progress: Callable[[Step], None] = lambda step: None,
) -> Rematch:  # fmt: skip
    """Match what was read into a folder with the banks as they stand, and hold back entries that flood.

    Only what may have changed is looked up. A run that is stopped or killed goes on when it is run again.

    Args:
        out: The folder.
        look_up: This node's banks.
        by: In whose name floods are held.
        full: Look up everything.
        budget_s: Stop after so many seconds; what was found so far stays.
        progress: Told after each step.

    Raises:
        MissingError: nothing was read into the folder yet.
        StorageError: another run is writing there.
    """
    with Lake(_lake_in(out)) as lake:
        matching = Rematching(lake, look_up, progress, budget_s)
        complete, floods = matching.run(full=full), list[Flood]()
        # A day that is looked up in part would look like a flood, or hide one.
        if complete:
            floods = [flood for flood in _floods(lake) if _hold(look_up, flood, by)]
            complete = matching.run() if floods else True
        with closing(lake.connect()) as tables:
            new, gone = _differing(tables, matching.differing())
            counts = dict(tables.sql("SELECT effect, count(*) FROM matches GROUP BY 1 ORDER BY 1").fetchall())
            reopened = _reopened(tables, lake, matching)
        if complete:
            matching.finish()
    return Rematch(counts, new, gone, reopened, out / LOOK_AGAIN_FILE, floods, complete)


def matches_of(out: Path, material_id: str) -> list[dict[str, Any]]:
    """Return the matches of one material in a folder, the nearest first.

    Raises:
        MissingError: nothing was read into the folder yet, or not this material.
    """
    with Lake(_lake_in(out)).connect() as tables:
        one = {"id": material_id}
        if not tables.execute("SELECT 1 FROM materials WHERE material_id = $id", one).fetchall():
            raise MissingError(
                "there is no such material", where=str(out), do="Copy its id from the dossier or the tables."
            )
        wanted = "SELECT * FROM matches WHERE material_id = $id ORDER BY effect, distance, bank, entry_id"
        found = tables.execute(wanted, one)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def explained(out: Path, material_id: str, look_up: LookUp) -> list[dict[str, Any]]:
    """Return the matches of one material, each with `entry`: what is known of the entry that it matches.

    `entry` is None where the entry is not, or no longer, in this node's banks.

    Raises:
        MissingError: nothing was read into the folder yet, or not this material.
    """
    known = look_up.banks.store.banks()
    rows = matches_of(out, material_id)
    for row in rows:
        row["entry"] = None
        if row["bank"] in known:
            try:
                view = look_up.banks.entry(row["bank"], row["entry_id"])
            except MissingError:
                continue
            row["entry"] = _entry_told(view, known[row["bank"]].marking, known[row["bank"]].source)
    return rows


def _entry_told(view: EntryView, marking: str, source: str | None) -> dict[str, Any]:
    entry = view.entry
    opinions = [
        {"by": one.by, "opinion": one.opinion, "at": one.at.isoformat(), "reason": one.reason} for one in view.opinions
    ]
    return {
        "status": entry.status, "disputed": view.disputed, "source": entry.source or source,
        "marking": entry.marking or marking, "entity": entry.entity,
        "valid_from": entry.valid_from.isoformat() if entry.valid_from else None,
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
        "opinions": opinions, "history": [_act_told(act) for act in view.history],
    }  # fmt: skip


def _act_told(act: Change) -> dict[str, Any]:
    return {"did": act.kind, "by": act.by, "at": act.at.isoformat(), "reason": act.reason, "detail": dict(act.detail)}


def _lake_in(out: Path) -> Path:
    if not (out / "lake").is_dir():
        raise MissingError("there are no results in the folder", where=str(out), do="Run `antiphon analyse` first.")
    return out / "lake"


def _differing(tables: duckdb.DuckDBPyConnection, differing: str | None) -> tuple[int, int]:
    """Return how many matches are new, and how many gone, over all rounds of a run."""
    if differing is None:
        return 0, 0
    keys = "material_id, part, signal_type, bank, entry_id, effect"
    net = f"SELECT {keys}, sum(if(gone, -1, 1)) AS n FROM {differing} GROUP BY ALL"
    counted = "count(*) FILTER (n > 0) AS new, count(*) FILTER (n < 0) AS gone"
    [(new, gone)] = tables.sql(f"SELECT {counted} FROM ({net})").fetchall()
    return new, gone


def _reopened(tables: duckdb.DuckDBPyConnection, lake: Lake, matching: Rematching) -> Reopened:
    banks = matching.look_up.banks
    return note_reopened(lake.folder.parent, tables, matching.differing(), banks, matching.token)


def _floods(lake: Lake) -> list[Flood]:
    """Return the entries whose fullest day has 200 materials, and 20 times those of the seven days before or more."""
    rows = lake.query(
        f"""WITH days AS (
              SELECT bank, entry_id, published_at::DATE AS day, count(DISTINCT material_id) AS n
              FROM matches JOIN materials USING (material_id)
              WHERE effect = 'known' AND published_at IS NOT NULL GROUP BY 1, 2, 3)
            SELECT a.bank, a.entry_id, a.day, a.n, coalesce(sum(b.n), 0) / {_FLOOD_DAYS} AS usual
            FROM days a LEFT JOIN days b ON a.bank = b.bank AND a.entry_id = b.entry_id
              AND b.day BETWEEN a.day - {_FLOOD_DAYS} AND a.day - 1
            WHERE a.n >= {_FLOOD_LEAST} GROUP BY 1, 2, 3, 4 HAVING a.n >= {_FLOOD_TIMES} * usual
            QUALIFY row_number() OVER (PARTITION BY a.bank, a.entry_id ORDER BY a.n DESC) = 1 ORDER BY a.n DESC"""
    ).to_pylist()
    return [Flood(row["bank"], row["entry_id"], row["day"], row["n"], float(row["usual"])) for row in rows]


def _hold(look_up: LookUp, flood: Flood, by: str) -> bool:
    """Hold an entry back, unless it is of a bank file, or somebody has released it before."""
    banks = look_up.banks
    if flood.bank not in banks.store.banks():
        return False
    if any(change.kind == "released" for change in banks.entry(flood.bank, flood.entry_id).history):
        return False
    reason = f"flood: {flood.materials} materials on {flood.day}, {flood.usual:.1f} a day in the week before"
    return banks.hold(flood.bank, [flood.entry_id], by, reason) > 0
