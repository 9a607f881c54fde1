"""Spread: how copies went from source to source, who moved together, and when."""

from antiphon.spread.coordination import FindCoordination
from antiphon.spread.paths import TraceSpread
from antiphon.spread.timeline import CountTimeline

__all__ = ["CountTimeline", "FindCoordination", "TraceSpread"]
