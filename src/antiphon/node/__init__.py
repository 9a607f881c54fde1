"""Composition: settings, keys, the order of the stages, the stores. The doors call this room, and only this one.

Names are looked up when they are first used: a worker process needs one module of this room, and should not load the
lake, DuckDB and all stages for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.node.doctor import Check, examine, known_sources
    from antiphon.node.quality import analyser_notes, evaluate
    from antiphon.node.reading import Part
    from antiphon.node.runs import Analysis, Options, Progress, analyse, load_mapping
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

_HOMES = {
    "runs": ("Analysis", "Options", "Progress", "analyse", "load_mapping"),
    "doctor": ("Check", "examine", "known_sources"),
    "quality": ("analyser_notes", "evaluate"),
    "reading": ("Part",),
    "settings": ("Settings", "initialise", "load_settings"),
}


def __getattr__(name: str) -> object:
    """Return a name of this room from the module that holds it."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
