"""What the dossier asks of its caller: tables to query, media to preview, and a word about the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

__all__ = ["About", "Caps", "DossierSource"]


@runtime_checkable
class DossierSource(Protocol):
    """Read access to the result tables of one run, as views named as in `antiphon.model.schemas.RESULT_TABLES`."""

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one DuckDB query. Every query of the dossier is bounded by aggregates or a limit."""

    def media(self, sha256: str) -> bytes | None:
        """Return the bytes of a media file by its SHA-256, or None where they were not kept."""

    def copy_to(self, sql: str, path: Path, format: str) -> int:
        """Stream the rows of a query to a file (`parquet`, `csv` or `json`, DuckDB's COPY); return how many."""


@dataclass(frozen=True)
class About:
    """What the page says of the run itself.

    Args:
        title: Title of the dossier.
        made_at: When it was made; an argument, so that the same input gives the same bytes.
        versions: Component to version: the program, readers, analyser, models.
        settings: Setting to value, as they stood.
        analyser_notes: What the analyser says of itself: what it was measured on, and how well it did.
        limits: What this run cannot tell, one sentence each.
        demo_score: Rows of a table that compares a planted truth with what was found, for a demonstration; each row
            has the same keys, which become the column heads.
    """

    title: str
    made_at: datetime
    versions: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    analyser_notes: Sequence[str] = ()
    limits: Sequence[str] = ()
    demo_score: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True)
class Caps:
    """How much of each list stands in the page. The page's size depends on these and not on the corpus."""

    review: int = 150
    protected: int = 60
    unclear: int = 20
    matches: int = 60
    copies: int = 40
    steps: int = 12
    narratives: int = 40
    inputs: int = 40
    reasons: int = 40
    sources: int = 25
    pairs: int = 60
    nodes: int = 120
    paths: int = 8
    pictures: int = 120
    text_chars: int = 1600
