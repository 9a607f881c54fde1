"""The kinds of posts in the invented world, how often each is written, and how a careful reader would label it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ADVOCACY", "KINDS", "ORDINARY", "PROTECTED", "Kind"]


@dataclass(frozen=True)
class Kind:
    """A kind of post and its true labels, in the words of `antiphon.model.schemas`."""

    name: str
    share: float
    """Part of the posts that are neither campaign, burst nor copy."""
    speech_act: str | None
    context: str | None
    reading: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("everyday", 0.68, None, "everyday", "none"),
        Kind("football", 0.06, None, "figurative", "none"),
        Kind("storm", 0.04, None, "everyday", "none"),
        Kind("faith", 0.03, None, "devotional", "none"),
        Kind("cheer", 0.0, None, "everyday", "none"),
        Kind("warning", 0.0, None, "everyday", "none"),
        Kind("rumour", 0.0, None, "debates", "none"),
        Kind("protest", 0.018, None, "protests", "protected"),
        Kind("news", 0.05, None, "reports", "protected"),
        Kind("counter", 0.042, None, "counters", "protected"),
        Kind("satire", 0.01, None, "creates", "protected"),
        Kind("research", 0.01, None, "analyses", "protected"),
        Kind("testimony", 0.01, None, "testifies", "protected"),
        Kind("direct", 0.014, "incites", None, "direct"),
        Kind("indirect", 0.014, "incites", None, "indirect"),
        Kind("recruitment", 0.009, "solicits", None, "direct"),
        Kind("threat", 0.006, "threatens", None, "direct"),
        Kind("glorification", 0.010, "glorifies", None, "indirect"),
    )
}
"""`cheer`, `warning` and `rumour` come only in the football final, the storm and a campaign."""

ADVOCACY = tuple(name for name, kind in KINDS.items() if kind.reading in ("direct", "indirect"))
PROTECTED = tuple(name for name, kind in KINDS.items() if kind.reading == "protected")
ORDINARY = tuple(name for name, kind in KINDS.items() if kind.reading == "none")
