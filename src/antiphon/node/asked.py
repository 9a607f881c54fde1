"""What of a lake is looked up, in passes: its signals type by type, the words of its materials, and their links.

A unit is one part of one material in one pass. What a unit matches depends on the unit and on the entries near it alone
(for texts: on all texts, for a text's score hangs on how rare its words are), so units are matched apart, in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from antiphon.fingerprints.stage import WORDS_PART, WORDS_TYPE
from antiphon.fingerprints.url import url_signals
from antiphon.matching.stage import MIN_IMAGE_QUALITY
from antiphon.model.schemas import MATCHES
from antiphon.node.lookup import Hit, LookUp, Query

__all__ = ["COMES_FROM", "Asked", "Pass", "hit_row", "matched", "passes_for", "passes_of", "units_in"]

_ROWS = 10_000

_MATCHED = {"words": ("text", "phrase"), WORDS_TYPE: ("text", "phrase"), "links": ("url", "url_domain")}
"""Pass → the signal types of the entries that it can match; any other pass matches entries of its own name."""

COMES_FROM = (
    f"CASE WHEN signal_type IN ('text', 'phrase') AND ends_with(part, '{WORDS_PART}') THEN '{WORDS_TYPE}' "
    "WHEN signal_type IN ('text', 'phrase') THEN 'words' WHEN signal_type IN ('url', 'url_domain') THEN 'links' "
    "ELSE signal_type END"
)
"""SQL: the pass that a row of MATCHES comes from."""


@dataclass(frozen=True)
class Pass:
    """One kind of thing to look up, and what it can match.

    Attributes:
        name: `words`, `links`, or a signal type of the lake; `ocr_text` is the words in pictures.
        types: The signal types of the entries that it can match.
    """

    name: str
    types: tuple[str, ...]

    @classmethod
    def named(cls, name: str) -> Pass:
        """Return the pass of a name."""
        return cls(name, _MATCHED.get(name, (name,)))

    @property
    def table(self) -> str:
        """The table whose rows are its units."""
        return "numbered_materials" if self.name in {"words", "links"} else "numbered_signals"

    @property
    def where(self) -> str:
        """SQL: which rows of the table are its units."""
        if self.name in {"words", "links"}:
            return "TRUE"
        # Pictures of less quality are flat or empty, and near to one another for that reason alone.
        worth = f"coalesce(quality, 1) >= {MIN_IMAGE_QUALITY}" if self.name == "pdq" else "TRUE"
        return f"signal_type = '{self.name}' AND {worth}"

    @property
    def units(self) -> str:
        """SQL: its units, each with what is looked up of it and the number of its commit."""
        if self.name == "words":
            said = "coalesce(nullif(trim(text), ''), title) AS said"
            return f"SELECT material_id, 'text' AS part, {said}, commit FROM {self.table} WHERE said IS NOT NULL"
        if self.name == "links":
            return f"SELECT material_id, 'link' AS part, list_append(links, url) AS said, commit FROM {self.table}"
        return f"SELECT material_id, part, value AS said, commit FROM {self.table} WHERE {self.where}"


class Asked(NamedTuple):
    """A query, and which part of which material it is about."""

    material_id: str
    part: str
    query: Query


def passes_for(kinds: Set[str]) -> list[Pass]:
    """Return the passes that can match entries of some signal types."""
    several = {kind for types in _MATCHED.values() for kind in types}
    names = {name for name, types in _MATCHED.items() if not kinds.isdisjoint(types)}
    return [Pass.named(name) for name in sorted(names | (kinds - several))]


def passes_of(tables: duckdb.DuckDBPyConnection) -> list[Pass]:
    """Return the passes over a lake: those that its signals, materials or matches call for."""
    kinds = f"SELECT signal_type FROM signals UNION SELECT {COMES_FROM} FROM matches"
    found = {row[0] for row in tables.sql(kinds).fetchall()} - {"text", "phrase", "url", "url_domain"}
    return [Pass.named(name) for name in sorted(found | {"words", "links"})]


def units_in(tables: duckdb.DuckDBPyConnection, one: Pass, sql: str) -> Iterator[list[Asked]]:
    """Yield what is looked up of the units that a query gives, batch by batch; a unit may have several links."""
    for batch in tables.sql(sql).to_arrow_reader(_ROWS):
        columns = (batch.column(name).to_pylist() for name in ("material_id", "part", "said"))
        yield [
            Asked(material_id, part, query)
            for material_id, part, said in zip(*columns, strict=True)
            for query in _queries(one, said)
        ]


def matched(look_up: LookUp, asked: Sequence[Asked], now: datetime) -> pa.Table:
    """Return the matches of some units at an instant: one for each entry, however often it is met in a part."""
    hits = look_up.look_up([one.query for one in asked], now)
    found: dict[tuple[str, str, str, str, str], dict[str, Any]] = {}
    for one, some in zip(asked, hits, strict=True):
        for hit in some:
            key = (one.material_id, one.part, hit.bank.name, hit.entry.entry_id, hit.entry.signal_type)
            if key not in found:
                found[key] = hit_row(one.material_id, one.part, hit)
    return pa.Table.from_pylist(list(found.values()), MATCHES)


def hit_row(material_id: str, part: str, hit: Hit) -> dict[str, Any]:
    """Return the row of MATCHES that a hit is."""
    return {
        "material_id": material_id, "part": part, "signal_type": hit.entry.signal_type, "bank": hit.bank.name,
        "entry_id": hit.entry.entry_id, "distance": hit.distance, "threshold": hit.threshold,
        "alignment": hit.alignment, "effect": hit.effect, "label": hit.entry.label, "note": hit.entry.note,
    }  # fmt: skip


def _queries(one: Pass, said: Any) -> Iterator[Query]:  # noqa: ANN401 - a text, a value or a list of addresses
    if one.name == "words":
        yield Query(text=said)
    elif one.name == WORDS_TYPE:
        yield Query(text=said.decode())
    elif one.name == "links":
        for link in dict.fromkeys(filter(None, said or ())):
            if signals := url_signals(link):
                yield Query(signals)
    else:
        yield Query({one.name: said})
