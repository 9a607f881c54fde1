"""Composition: settings, keys, the order of the stages, the stores. The doors call this room, and only this one.

Names are looked up when they are first used: a worker process needs one module of this room, and should not load the
lake, DuckDB and all stages for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.model.bank import Bank, BankEntry
    from antiphon.node.banks import open_banks
    from antiphon.node.doctor import Check, examine, known_sources
    from antiphon.node.files import FileFound, look_up_file
    from antiphon.node.lookup import Hit, LookUp, Query, open_look_up
    from antiphon.node.matches import Rematch, explained, hit_row, match_again, matches_of
    from antiphon.node.opinions import Policy, ask_opinions, read_policy
    from antiphon.node.quality import analyser_notes, evaluate, regressions, released_figures
    from antiphon.node.reading import Part
    from antiphon.node.runs import Analysis, Options, Progress, analyse, load_mapping
    from antiphon.node.settings import Settings, initialise, load_settings
    from antiphon.node.trial import BankTrial, shadow_report

__all__ = [
    "Analysis",
    "Bank",
    "BankEntry",
    "BankTrial",
    "Check",
    "FileFound",
    "Hit",
    "LookUp",
    "Options",
    "Part",
    "Policy",
    "Progress",
    "Query",
    "Rematch",
    "Settings",
    "analyse",
    "analyser_notes",
    "ask_opinions",
    "evaluate",
    "examine",
    "explained",
    "hit_row",
    "initialise",
    "known_sources",
    "load_mapping",
    "load_settings",
    "look_up_file",
    "match_again",
    "matches_of",
    "open_banks",
    "open_look_up",
    "read_policy",
    "regressions",
    "released_figures",
    "shadow_report",
]

_HOMES = {
    "runs": ("Analysis", "Options", "Progress", "analyse", "load_mapping"),
    "banks": ("Bank", "BankEntry", "open_banks"),
    "files": ("FileFound", "look_up_file"),
    "lookup": ("Hit", "LookUp", "Query", "open_look_up"),
    "matches": ("Rematch", "explained", "hit_row", "match_again", "matches_of"),
    "doctor": ("Check", "examine", "known_sources"),
    "quality": ("analyser_notes", "evaluate", "regressions", "released_figures"),
    "opinions": ("Policy", "ask_opinions", "read_policy"),
    "reading": ("Part",),
    "settings": ("Settings", "initialise", "load_settings"),
    "trial": ("BankTrial", "shadow_report"),
}


def __getattr__(name: str) -> object:
    """Return a name of this room from the module that holds it."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
