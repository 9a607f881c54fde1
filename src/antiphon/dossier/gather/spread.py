"""How copies went from source to source, and which sources acted together."""

from __future__ import annotations

from collections import defaultdict

from antiphon.dossier.content import Cluster, Pair, Shown, SourceRow, SpreadEdge
from antiphon.dossier.gather.reader import Reader
from antiphon.dossier.interface import Caps
from antiphon.dossier.text import plain

__all__ = ["gather_clusters", "gather_pairs", "gather_sources", "gather_spread"]

_NAME_CHARS = 80


def gather_sources(reader: Reader, caps: Caps) -> tuple[tuple[SourceRow, ...], Shown]:
    """Return the sources with most flagged and then most materials, and how many sources there are."""
    rows = reader.rows(
        "WITH m AS (SELECT source, count(*) AS materials, count_if(f.flag) AS flagged, "
        "count_if(f.reading = 'protected') AS protected "
        f"FROM materials LEFT JOIN {reader.findings} f USING (material_id) GROUP BY 1), "
        "c AS (SELECT source, count(DISTINCT material_id) AS copies, "
        "count(DISTINCT material_id) FILTER (is_first) AS firsts FROM copies GROUP BY 1) "
        "SELECT m.*, coalesce(c.copies, 0) AS copies, coalesce(c.firsts, 0) AS firsts "
        "FROM m LEFT JOIN c USING (source) "
        f"ORDER BY flagged DESC, materials DESC, source LIMIT {caps.sources}"
    )
    sources = tuple(
        SourceRow(plain(row["source"], _NAME_CHARS), row["materials"], int(row["flagged"] or 0),
                  int(row["protected"] or 0), row["copies"], row["firsts"])
        for row in rows
    )  # fmt: skip
    return sources, Shown(len(sources), reader.number("SELECT count(DISTINCT source) FROM materials"), "materials")


def gather_spread(reader: Reader, caps: Caps) -> tuple[tuple[SpreadEdge, ...], Shown]:
    """Return the ways from source to source that most copies went, and how many ways there are."""
    rows = reader.rows(
        "SELECT from_source, to_source, copies, median_delay_s FROM spread "
        f"ORDER BY copies DESC, from_source, to_source LIMIT {caps.pairs}"
    )
    edges = tuple(
        SpreadEdge(plain(row["from_source"], _NAME_CHARS), plain(row["to_source"], _NAME_CHARS), row["copies"],
                   row["median_delay_s"])
        for row in rows
    )  # fmt: skip
    return edges, Shown(len(edges), reader.number("SELECT count(*) FROM spread"), "spread")


def gather_pairs(reader: Reader, caps: Caps) -> tuple[tuple[Pair, ...], Shown]:
    """Return the pairs of sources that chance explains least, and how many pairs there are."""
    rows = reader.rows(
        "SELECT * FROM coordination "
        f"ORDER BY p_value, shared_objects DESC, source_a, source_b LIMIT {max(caps.pairs, caps.nodes * 2)}"
    )
    pairs = tuple(
        Pair(
            cluster_id=row["cluster_id"],
            source_a=plain(row["source_a"], _NAME_CHARS),
            source_b=plain(row["source_b"], _NAME_CHARS),
            shared_objects=row["shared_objects"],
            expected=row["expected"],
            p_value=row["p_value"],
            window_s=row["window_s"],
        )
        for row in rows
    )
    return pairs, Shown(len(pairs), reader.number("SELECT count(*) FROM coordination"), "coordination")


def gather_clusters(pairs: tuple[Pair, ...]) -> tuple[Cluster, ...]:
    """Return the clusters that the pairs form, numbered from 1 in the order of their strongest pair."""
    members: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        members[pair.cluster_id].append(pair)
    return tuple(
        Cluster(
            number=number,
            cluster_id=cluster_id,
            sources=tuple(sorted({source for pair in group for source in (pair.source_a, pair.source_b)})),
            pairs=len(group),
            shared_objects=max(pair.shared_objects for pair in group),
            min_p_value=min(pair.p_value for pair in group),
        )
        for number, (cluster_id, group) in enumerate(members.items(), 1)
    )
