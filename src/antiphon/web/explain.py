"""Why something is near an entry, and what that means: for a person, and for a program that keeps reasons."""

from __future__ import annotations

from typing import Any

from antiphon.node.lookup import Effect, Hit

__all__ = ["explained"]

_MEANING: dict[Effect, str] = {
    "known": "near known material: somebody should look at it",
    "negative": "near material that was decided to be no case",
    "held_back": "near known material, but as near to material that was decided to be no case",
    "shadow": "near an entry of a list on trial, which leads to nothing",
}


def explained(hit: Hit) -> dict[str, Any]:
    """Return a hit with its effect, a sentence that says why, and what the curators know of the entry."""
    entry = hit.entry
    why = f"{_MEANING[hit.effect]}; distance {hit.distance}, and {hit.threshold} is the largest that matches here"
    return {
        "effect": hit.effect,
        "is_match": hit.effect == "known",
        "why": why,
        "alignment": hit.alignment,
        "bank": hit.bank.name,
        "bank_content_id": hit.row,
        "entry_id": entry.entry_id,
        "signal_type": entry.signal_type,
        "distance": hit.distance,
        "threshold": hit.threshold,
        "label": entry.label,
        "entity": entry.entity,
        "note": entry.note,
        "source": entry.source or hit.bank.source,
        "marking": entry.marking or hit.bank.marking,
    }
