"""All that is in a lake against all that this node's banks know: MATCHES of every signal, text and address.

Run again at any time, after new material or new entries, it gives the same for the same: nothing is counted twice, and
what is withdrawn is no longer there. Only matches are kept, never all pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from antiphon.errors import MissingError
from antiphon.fingerprints.url import url_signals
from antiphon.matching.stage import MIN_IMAGE_QUALITY
from antiphon.model.schemas import MATCHES
from antiphon.node.lookup import Hit, LookUp, Query
from antiphon.storage.lake import Lake

__all__ = ["Flood", "Rematch", "bank_matches", "hit_row", "match_again", "matches_of"]

_ROWS = 10_000
_WORDS = ("text", "phrase")
_ADDRESSES = ("url", "url_domain")

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
        new: Matches that were not there before.
        gone: Matches that are no longer.
        look_again: Materials that matched known material and now match none: what followed from it is open again.
        floods: Entries that were held back.
    """

    counts: Mapping[str, int]
    new: pa.Table
    gone: pa.Table
    look_again: Sequence[str]
    floods: Sequence[Flood]


class _Asked(NamedTuple):
    """A query, and which part of which material it is about."""

    material_id: str
    part: str
    query: Query


def bank_matches(look_up: LookUp, lake: Lake) -> Iterator[pa.Table]:
    """Yield the matches of what is in a lake with the banks of a node, batch by batch."""
    for asked in _batches(look_up, lake):
        hits = look_up.look_up([one.query for one in asked])
        rows = [
            hit_row(one.material_id, one.part, hit)
            for one, found in zip(asked, hits, strict=True)
            for hit in _once(found)
        ]
        if rows:
            yield pa.Table.from_pylist(rows, MATCHES)


def match_again(out: Path, look_up: LookUp, by: str = "antiphon") -> Rematch:
    """Match all that was read into a folder with the banks as they stand, and hold back entries that flood.

    Args:
        out: The folder.
        look_up: This node's banks.
        by: In whose name floods are held.

    Raises:
        MissingError: nothing was read into the folder yet.
        StorageError: another run is writing there.
    """
    with Lake(_lake_in(out)) as lake:
        before = lake.query("SELECT * FROM matches")
        now = _match_all(look_up, lake)
        floods = [flood for flood in _floods(lake) if _hold(look_up, flood, by)]
        if floods:
            now = _match_all(look_up, lake)
    counts = Counter(now.column("effect").to_pylist())
    look_again = sorted(_known(before) - _known(now))
    return Rematch(counts, _only_in(now, before), _only_in(before, now), look_again, floods)


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


def _lake_in(out: Path) -> Path:
    if not (out / "lake").is_dir():
        raise MissingError("there are no results in the folder", where=str(out), do="Run `antiphon analyse` first.")
    return out / "lake"


def _known(matches: pa.Table) -> set[str]:
    """Return the materials that match known material."""
    rows = zip(matches.column("material_id").to_pylist(), matches.column("effect").to_pylist(), strict=True)
    return {material_id for material_id, effect in rows if effect == "known"}


def _match_all(look_up: LookUp, lake: Lake) -> pa.Table:
    found = pa.concat_tables([MATCHES.empty_table(), *bank_matches(look_up, lake)])
    lake.replace("matches", found)
    return found


def _only_in(left: pa.Table, right: pa.Table) -> pa.Table:
    keys = ["material_id", "part", "signal_type", "bank", "entry_id", "effect"]
    return left.join(right.select(keys), keys, join_type="left anti").select(MATCHES.names)


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


def hit_row(material_id: str, part: str, hit: Hit) -> dict[str, Any]:
    """Return the row of MATCHES that a hit is."""
    return {
        "material_id": material_id, "part": part, "signal_type": hit.entry.signal_type, "bank": hit.bank.name,
        "entry_id": hit.entry.entry_id, "distance": hit.distance, "threshold": hit.threshold,
        "alignment": hit.alignment, "effect": hit.effect, "label": hit.entry.label, "note": hit.entry.note,
    }  # fmt: skip


def _once(hits: Iterable[Hit]) -> list[Hit]:
    """Return one hit for each entry: a phrase may stand in a text many times."""
    found: dict[tuple[str, str, str], Hit] = {}
    for hit in hits:
        found.setdefault((hit.bank.name, hit.entry.entry_id, hit.entry.signal_type), hit)
    return list(found.values())


def _batches(look_up: LookUp, lake: Lake) -> Iterator[Sequence[_Asked]]:
    has = look_up.banks.store.has
    with lake.connect() as tables:
        kinds = [row[0] for row in tables.sql("SELECT DISTINCT signal_type FROM signals ORDER BY 1").fetchall()]
        for kind in filter(has, kinds):
            # Pictures of less quality are flat or empty, and near to one another for that reason alone.
            worth = f"coalesce(quality, 1) >= {MIN_IMAGE_QUALITY}" if kind == "pdq" else "TRUE"
            rows = tables.sql(f"SELECT material_id, part, value FROM signals WHERE signal_type = '{kind}' AND {worth}")
            for batch in rows.to_arrow_reader(_ROWS):
                columns = (batch.column(name).to_pylist() for name in ("material_id", "part", "value"))
                yield [_Asked(one, part, Query({kind: value})) for one, part, value in zip(*columns, strict=True)]
        if any(map(has, _WORDS)):
            said = "SELECT material_id, coalesce(nullif(trim(text), ''), title) AS said FROM materials"
            for batch in tables.sql(f"{said} WHERE said IS NOT NULL").to_arrow_reader(_ROWS):
                ids, texts = (batch.column(name).to_pylist() for name in ("material_id", "said"))
                yield [_Asked(one, "text", Query(text=text)) for one, text in zip(ids, texts, strict=True)]
        if any(map(has, _ADDRESSES)):
            rows = tables.sql("SELECT material_id, list_append(links, url) AS links FROM materials")
            for batch in rows.to_arrow_reader(_ROWS):
                yield list(_addresses(batch))


def _addresses(batch: pa.RecordBatch) -> Iterator[_Asked]:
    ids, links = batch.column("material_id").to_pylist(), batch.column("links").to_pylist()
    for material_id, some in zip(ids, links, strict=True):
        for link in dict.fromkeys(filter(None, some or ())):
            if signals := url_signals(link):
                yield _Asked(material_id, "link", Query(signals))
