"""Writing what an analysis gave: the dossier and the tables, only where something changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from antiphon import node

__all__ = ["write_results"]

LIMITS = (
    "The analyser misses some of what is said between the lines, and flags some quotations and jokes; how often, "
    "`antiphon evaluate` tells. Every finding must be read by a person.",
    "Only what is in the inputs was seen. The ledger says what could not be read, and gaps that the inputs report.",
    "A copy is a copy of wording or picture. Who made it first, and who stands behind a source, is not known here.",
    "A text keeps the mentions of accounts that it had when it was published; authors are pseudonyms, and nothing is "
    "grouped by them.",
)


def write_results(
    analysis: node.Analysis, title: str, progress: node.Progress | None = None,
    score: Sequence[Mapping[str, object]] = (),
) -> list[Path]:  # fmt: skip
    """Return the files of the dossier and the tables, made anew where they are not those of this state."""
    out, note = analysis.out, analysis.out / ".written"
    state = f"{title}\n{analysis.state}\n"
    if note.exists() and note.read_text(encoding="utf-8") == state and (out / "dossier.html").exists():
        return [out / "dossier.html", out / "dossier.json"]
    from antiphon.dossier import About, export_tables, write_dossier

    if progress is not None:
        progress.phase("write")
    note.unlink(missing_ok=True)
    written = export_tables(analysis, out, ("parquet",))
    for form in ("csv", "json"):
        written += export_tables(analysis, out / form, (form,))
    about = About(
        title, datetime.now(UTC), versions=analysis.versions, settings=analysis.settings,
        analyser_notes=node.analyser_notes(), limits=LIMITS, demo_score=score,
    )  # fmt: skip
    written = [*write_dossier(analysis, out, about), *written]
    note.write_text(state, encoding="utf-8")  # last: a run that was cut off writes them again
    return written
