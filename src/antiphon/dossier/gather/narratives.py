"""Narratives with quotations and a small timeline each."""

from __future__ import annotations

from collections import defaultdict

from antiphon.dossier.content import Narrative, Quote, Shown
from antiphon.dossier.gather.reader import Reader, Row, instant, quoted
from antiphon.dossier.gather.times import Buckets
from antiphon.dossier.interface import Caps
from antiphon.dossier.text import plain
from antiphon.dossier.words import language

__all__ = ["gather_narratives"]

_QUOTES = 3
_TERMS = 10
_LANGS = 8


def gather_narratives(reader: Reader, caps: Caps, buckets: Buckets) -> tuple[tuple[Narrative, ...], Shown]:
    """Return the narratives with most advocacy, then the most told, and how many there are."""
    rows = reader.rows(
        "SELECT *, epoch_us(first_at) AS first_us, epoch_us(last_at) AS last_us FROM narratives "
        f"ORDER BY direct + indirect DESC, materials DESC, narrative_id LIMIT {caps.narratives}"
    )
    total = reader.number("SELECT count(*) FROM narratives")
    quotes = _quotes(reader, [quote for row in rows for quote in (row["quotes"] or [])[:_QUOTES]])
    lines = _lines(reader, quoted(row["narrative_id"] for row in rows), buckets)
    narratives = tuple(_narrative(row, quotes, lines[row["narrative_id"]], buckets) for row in rows)
    return narratives, Shown(len(narratives), total, "narratives")


def _narrative(row: Row, quotes: dict[str, Quote], line: dict[int, int], buckets: Buckets) -> Narrative:
    return Narrative(
        narrative_id=row["narrative_id"],
        title=plain(row["title"], 140),
        terms=tuple(plain(term, 40) for term in (row["terms"] or [])[:_TERMS]),
        quotes=tuple(quotes[quote] for quote in (row["quotes"] or [])[:_QUOTES] if quote in quotes),
        materials=row["materials"],
        sources=row["sources"],
        langs=tuple(plain(lang, 12) for lang in (row["langs"] or [])[:_LANGS]),
        first_at=instant(row["first_us"]),
        last_at=instant(row["last_us"]),
        direct=row["direct"],
        indirect=row["indirect"],
        protected=row["protected"],
        countered_by=row["countered_by"],
        timeline=tuple(line.get(bucket, 0) for bucket in range(buckets.count)),
    )


def _quotes(reader: Reader, ids: list[str]) -> dict[str, Quote]:
    rows = reader.rows(
        "SELECT m.material_id, m.source, epoch_us(m.published_at) AS published_us, m.lang_declared, f.lang, f.reading, "
        "left(coalesce(nullif(m.text, ''), m.title), 600) AS excerpt "
        f"FROM materials m LEFT JOIN {reader.findings} f USING (material_id) "
        f"WHERE m.material_id IN {quoted(dict.fromkeys(ids))}"
    )
    return {
        row["material_id"]: Quote(
            material_id=row["material_id"],
            source=plain(row["source"], 120),
            published_at=instant(row["published_us"]),
            lang=language(row["lang"], row["lang_declared"]),
            reading=row["reading"],
            excerpt=plain(row["excerpt"], 280),
        )
        for row in rows
    }


def _lines(reader: Reader, wanted: str, buckets: Buckets) -> dict[str, dict[int, int]]:
    lines: dict[str, dict[int, int]] = defaultdict(dict)
    if not buckets.count:
        return lines
    rows = reader.rows(
        f"SELECT n.narrative_id, {buckets.number_sql('m.published_at')} AS bucket, count(*) AS n "
        "FROM narrative_members n JOIN materials m USING (material_id) "
        f"WHERE n.narrative_id IN {wanted} AND {buckets.inside_sql('m.published_at')} GROUP BY 1, 2"
    )
    for row in rows:
        lines[row["narrative_id"]][row["bucket"]] = row["n"]
    return lines
