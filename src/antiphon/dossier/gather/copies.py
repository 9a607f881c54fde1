"""Copy groups with their path over sources."""

from __future__ import annotations

from collections import defaultdict

from antiphon.dossier.content import CopyGroup, CopyStep, PathPoint, Shown
from antiphon.dossier.gather.reader import Reader, Row, instant, quoted
from antiphon.dossier.interface import Caps
from antiphon.dossier.text import plain
from antiphon.dossier.words import language

__all__ = ["gather_copies", "paths_of"]

_EXCERPT_CHARS = 240


def gather_copies(reader: Reader, caps: Caps) -> tuple[tuple[CopyGroup, ...], Shown]:
    """Return the copy groups that carry an act first, then those in most sources, and how many groups there are."""
    rows = reader.rows(
        "WITH flagged AS (SELECT DISTINCT copy_group, copy_kind, 1 AS flagged FROM copies "
        f"SEMI JOIN (SELECT material_id FROM {reader.findings} f WHERE flag) USING (material_id)) "
        "SELECT copy_group, copy_kind, count(*) AS materials, count(DISTINCT source) AS sources, "
        "epoch_us(min(published_at)) AS first_us, epoch_us(max(published_at)) AS last_us, "
        "max(coalesce(flagged, 0)) AS flagged FROM copies LEFT JOIN flagged USING (copy_group, copy_kind) "
        "GROUP BY 1, 2 ORDER BY flagged DESC, sources DESC, materials DESC, copy_group, copy_kind "
        f"LIMIT {caps.copies}"
    )
    total = reader.number("SELECT count(*) FROM (SELECT DISTINCT copy_group, copy_kind FROM copies)")
    wanted = quoted(dict.fromkeys(row["copy_group"] for row in rows))
    steps = _steps(reader, wanted, caps.steps)
    firsts = _firsts(reader, wanted)
    groups = tuple(
        _group(row, firsts.get(row["copy_group"], {}), steps[row["copy_group"], row["copy_kind"]]) for row in rows
    )
    return groups, Shown(len(groups), total, "copies")


def _group(row: Row, first: Row, steps: list[CopyStep]) -> CopyGroup:
    return CopyGroup(
        copy_group=row["copy_group"],
        copy_kind=plain(row["copy_kind"], 20),
        materials=row["materials"],
        sources=row["sources"],
        first_at=instant(row["first_us"]),
        last_at=instant(row["last_us"]),
        lang=language(first.get("lang"), first.get("lang_declared")),
        reading=first.get("reading"),
        excerpt=plain(first.get("excerpt"), _EXCERPT_CHARS),
        steps=tuple(steps),
    )


def _steps(reader: Reader, wanted: str, limit: int) -> dict[tuple[str, str], list[CopyStep]]:
    """The first sight of each group in each source, earliest first."""
    rows = reader.rows(
        "SELECT * FROM (SELECT copy_group, copy_kind, source, count(*) AS materials, "
        f"epoch_us(min(published_at)) AS first_us FROM copies WHERE copy_group IN {wanted} GROUP BY 1, 2, 3) "
        "QUALIFY row_number() OVER (PARTITION BY copy_group, copy_kind ORDER BY first_us NULLS LAST, source) "
        f"<= {limit} ORDER BY copy_group, copy_kind, first_us NULLS LAST, source"
    )
    steps: dict[tuple[str, str], list[CopyStep]] = defaultdict(list)
    for row in rows:
        step = CopyStep(plain(row["source"], 120), instant(row["first_us"]), row["materials"])
        steps[row["copy_group"], row["copy_kind"]].append(step)
    return steps


def _firsts(reader: Reader, wanted: str) -> dict[str, Row]:
    """The words of each group's earliest material, whose id is the group's."""
    rows = reader.rows(
        f"SELECT m.material_id, left(coalesce(nullif(m.text, ''), m.title), {_EXCERPT_CHARS * 2}) AS excerpt, "
        f"m.lang_declared, f.lang, f.reading FROM materials m LEFT JOIN {reader.findings} f USING (material_id) "
        f"WHERE m.material_id IN {wanted}"
    )
    return {row["material_id"]: row for row in rows}


def paths_of(groups: tuple[CopyGroup, ...], limit: int) -> tuple[PathPoint, ...]:
    """Return the paths of the first groups that went through several sources, for the chart of spread.

    Each path is named by its number in the list of copies, which stands in the same page.
    """
    points: list[PathPoint] = []
    drawn = 0
    for number, group in enumerate(groups, 1):
        dated = [step for step in group.steps if step.first_at is not None]
        if len(dated) < 2 or drawn >= limit:
            continue
        drawn += 1
        points.extend(
            PathPoint(f"Copy {number}", step.source, step.first_at, order, plain(group.excerpt, 60))
            for order, step in enumerate(dated, 1)
            if step.first_at is not None
        )
    return tuple(points)
