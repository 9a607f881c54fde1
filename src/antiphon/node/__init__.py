"""Composition: settings, keys, the order of the stages, the stores. The doors call this room, and only this one."""

from antiphon.node.analyse import Analysis, Options, Progress, analyse, load_mapping
from antiphon.node.doctor import Check, examine, known_sources
from antiphon.node.quality import analyser_notes, evaluate
from antiphon.node.reading import Part
from antiphon.node.settings import Settings, initialise, load_settings

__all__ = [
    "Analysis",
    "Check",
    "Options",
    "Part",
    "Progress",
    "Settings",
    "analyse",
    "analyser_notes",
    "evaluate",
    "examine",
    "initialise",
    "known_sources",
    "load_mapping",
    "load_settings",
]
