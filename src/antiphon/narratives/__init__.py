"""Narratives: what is a copy of what (COPIES), and which materials tell the same (NARRATIVES)."""

from antiphon.narratives.copies import GroupCopies
from antiphon.narratives.narratives import TellNarratives

__all__ = ["GroupCopies", "TellNarratives"]
