"""The numbers of the summary."""

from __future__ import annotations

from antiphon.dossier.content import Counts
from antiphon.dossier.gather.reader import KNOWN_MATCHES, Reader, instant
from antiphon.dossier.text import plain
from antiphon.dossier.words import LANGUAGES
from antiphon.model.schemas import READINGS

__all__ = ["count"]

_SAME = "copy_kind <> 'image'"
_TOP_LANGS = 12


def count(reader: Reader) -> Counts:
    """Return the numbers of the summary; each is one aggregate over a result table."""
    whole = reader.row(
        "SELECT count(*) AS materials, count(DISTINCT source) AS sources, count(*) - count(published_at) AS undated, "
        "epoch_us(min(published_at)) AS first_us, epoch_us(max(published_at)) AS last_us FROM materials"
    )
    found = reader.row(
        f"SELECT count(*) AS n, count_if(flag) AS flagged, count_if(abstained) AS abstained FROM {reader.findings} f"
    )
    matched = reader.row(f"SELECT count(*) AS n, count(DISTINCT material_id) AS materials FROM {KNOWN_MATCHES}")
    copied = reader.row(
        "SELECT count(DISTINCT (copy_group, copy_kind)) AS n, count(DISTINCT material_id) AS materials FROM copies"
    )
    tied = reader.row("SELECT count(DISTINCT cluster_id) AS clusters FROM coordination")
    return Counts(
        materials=whole["materials"],
        sources=whole["sources"],
        undated=whole["undated"],
        first_at=instant(whole["first_us"]),
        last_at=instant(whole["last_us"]),
        read=found["n"],
        flagged=int(found["flagged"] or 0),
        flagged_groups=_flagged_groups(reader),
        abstained=int(found["abstained"] or 0),
        readings=_readings(reader),
        langs=_langs(reader),
        matches=matched["n"],
        matched_materials=matched["materials"],
        banks=_banks(reader),
        copy_groups=copied["n"],
        copied_materials=copied["materials"],
        narratives=reader.number("SELECT count(*) FROM narratives"),
        spread_edges=reader.number("SELECT count(*) FROM spread"),
        clusters=tied["clusters"],
        clustered_sources=reader.number(
            "SELECT count(*) FROM (SELECT source_a FROM coordination UNION SELECT source_b FROM coordination)"
        ),
    )


def _flagged_groups(reader: Reader) -> int:
    """How many different flagged things there are, copies of one text counted once."""
    return reader.number(
        f"WITH g AS (SELECT material_id, min(copy_group) AS grp FROM copies WHERE {_SAME} GROUP BY 1) "
        "SELECT count(DISTINCT coalesce(g.grp, f.material_id)) "
        f"FROM {reader.findings} f LEFT JOIN g USING (material_id) WHERE f.flag"
    )


def _readings(reader: Reader) -> dict[str, int]:
    rows = reader.rows(f"SELECT reading, count(*) AS n FROM {reader.findings} f GROUP BY 1")
    found = {row["reading"]: row["n"] for row in rows}
    return {reading: found.get(reading, 0) for reading in READINGS}


def _langs(reader: Reader) -> tuple[tuple[str, str, int], ...]:
    rows = reader.rows(
        f"SELECT coalesce(lang, 'und') AS lang, count(*) AS n FROM {reader.findings} f "
        f"GROUP BY 1 ORDER BY n DESC, lang LIMIT {_TOP_LANGS}"
    )
    return tuple((str(row["lang"]), LANGUAGES.get(row["lang"], str(row["lang"])), row["n"]) for row in rows)


def _banks(reader: Reader) -> tuple[tuple[str, str, int], ...]:
    rows = reader.rows(
        f"SELECT bank, signal_type, count(DISTINCT material_id) AS n FROM {KNOWN_MATCHES} "
        "GROUP BY 1, 2 ORDER BY n DESC, bank, signal_type LIMIT 20"
    )
    return tuple((plain(row["bank"], 80), plain(row["signal_type"], 40), row["n"]) for row in rows)
