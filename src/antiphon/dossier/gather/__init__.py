"""Reads the result tables of a run into the content of a dossier, each list bounded by its cap."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.dossier.content import Content, Material, Shown
from antiphon.dossier.draw.network import place
from antiphon.dossier.gather.copies import gather_copies, paths_of
from antiphon.dossier.gather.counts import count
from antiphon.dossier.gather.ledger import gather_ledger
from antiphon.dossier.gather.materials import (
    Picked,
    load_materials,
    match_list,
    pick_protected,
    pick_review,
    pick_unclear,
)
from antiphon.dossier.gather.narratives import gather_narratives
from antiphon.dossier.gather.reader import Reader
from antiphon.dossier.gather.spread import gather_clusters, gather_pairs, gather_sources, gather_spread
from antiphon.dossier.gather.times import buckets_of, gather_timeline
from antiphon.dossier.interface import Caps, DossierSource

__all__ = ["gather"]


def gather(source: DossierSource, caps: Caps) -> Content:
    """Return the content of a dossier over a run's result tables. Same tables, same content."""
    reader = Reader.of(source)
    buckets = buckets_of(reader)
    review, review_shown = _materials(reader, pick_review, caps.review, caps)
    protected, protected_shown = _materials(reader, pick_protected, caps.protected, caps)
    unclear, unclear_shown = _materials(reader, pick_unclear, caps.unclear, caps)
    matches, matches_shown = match_list(reader, caps)
    copies, copies_shown = gather_copies(reader, caps)
    narratives, narratives_shown = gather_narratives(reader, caps, buckets)
    sources, sources_shown = gather_sources(reader, caps)
    spread, spread_shown = gather_spread(reader, caps)
    pairs, pairs_shown = gather_pairs(reader, caps)
    clusters = gather_clusters(pairs)
    return Content(
        counts=count(reader),
        ledger=gather_ledger(reader, caps),
        review=review,
        review_shown=review_shown,
        protected=protected,
        protected_shown=protected_shown,
        unclear=unclear,
        unclear_shown=unclear_shown,
        matches=matches,
        matches_shown=matches_shown,
        copies=copies,
        copies_shown=copies_shown,
        narratives=narratives,
        narratives_shown=narratives_shown,
        timeline=gather_timeline(reader, buckets),
        sources=sources,
        sources_shown=sources_shown,
        paths=paths_of(copies, caps.paths),
        spread=spread,
        spread_shown=spread_shown,
        clusters=clusters,
        pairs=pairs[: caps.pairs],
        pairs_shown=Shown(min(len(pairs), caps.pairs), pairs_shown.total, "coordination"),
        nodes=place(clusters, pairs, spread, caps.nodes),
    )


def _materials(
    reader: Reader, pick: Callable[[Reader, int], Picked], limit: int, caps: Caps
) -> tuple[tuple[Material, ...], Shown]:
    picked = pick(reader, limit)
    materials = tuple(load_materials(reader, picked.ids, caps.text_chars).values())
    return materials, Shown(len(materials), picked.total, "findings")
