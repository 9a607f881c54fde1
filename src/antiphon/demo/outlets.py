"""The outlets of the invented world, and which of them carries which post."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any

from antiphon.demo.kinds import ADVOCACY
from antiphon.demo.phrases import LANGS, phrasebook
from antiphon.demo.planned import Outlet

__all__ = ["Outlets", "all_outlets"]

_TALK = {"plaza": 31, "riverside": 8, "mastodon": 13, "bluesky": 12, "telegram": 20, "x": 8, "reddit": 8}
_NEWS = {"feed": 40, "telegram": 25, "plaza": 15, "web": 20}
_FRINGE = {"telegram": 50, "plaza": 25, "mastodon": 15, "reddit": 10}
_IN_FRINGE = 0.45
"""How much advocacy stands in fringe outlets; the rest stands among everything else."""
_IN_NEWS = {"news": 0.75, "storm": 0.35, "football": 0.15}
_TOWNS = 8  # in how many towns each kind of Telegram channel exists


class Outlets:
    """Chooses an outlet for a post by its kind and language."""

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self.all = tuple(outlets)
        self._pools: dict[tuple[str, str, str], list[Outlet]] = defaultdict(list)
        for outlet in outlets:
            for lang in [outlet.lang] if outlet.lang else LANGS:
                self._pools[outlet.beat, outlet.format, lang].append(outlet)

    def choose(self, kind: str, lang: str, rng: Random) -> Outlet:
        """Return where a post of a kind and language appears."""
        if kind in ADVOCACY and rng.random() < _IN_FRINGE:
            return self._draw("fringe", _FRINGE, lang, rng)
        if rng.random() < _IN_NEWS.get(kind, 0.0):
            return self._draw("news", _NEWS, lang, rng)
        if kind in ("everyday", "football") and rng.random() < 0.02:
            return self._draw("fringe", _FRINGE, lang, rng)
        return self._draw("talk", _TALK, lang, rng)

    def news(self) -> list[Outlet]:
        """Return the outlets of newsrooms that publish short notices."""
        return [outlet for outlet in self.all if outlet.beat == "news" and outlet.format != "web"]

    def named(self, format_: str, names: Sequence[str]) -> list[Outlet]:
        """Return the outlets of a format by their names."""
        return [outlet for outlet in self.all if outlet.format == format_ and outlet.name in names]

    def _draw(self, beat: str, weights: dict[str, int], lang: str, rng: Random) -> Outlet:
        present = {name: weight for name, weight in weights.items() if self._pools[beat, name, lang]}
        format_ = rng.choices(list(present), list(present.values()))[0]
        return rng.choice(self._pools[beat, format_, lang])


@lru_cache(maxsize=1)
def all_outlets() -> tuple[Outlets, dict[str, list[str]]]:
    """Return the outlets, and the names of those that were made for campaigns."""
    table = tomllib.loads(files("antiphon.demo").joinpath("data/outlets.toml").read_text(encoding="utf-8"))
    found = [Outlet("bluesky", "", "", "talk"), Outlet("x", "", "", "talk")]
    for lang in LANGS:
        found += _of_language(table, lang)
    found += [Outlet("riverside", name, "", "talk") for name in table["riverside"]["sections"]]
    for format_, key in (("mastodon", "hosts"), ("reddit", "subreddits")):
        found += [Outlet(format_, name, "", "talk") for name in table[format_][key]]
        found += [Outlet(format_, name, "", "fringe") for name in table[format_]["fringe"]]
    campaign: dict[str, list[str]] = table["campaign"]
    found += [Outlet("telegram", name, "en", "talk") for name in campaign["dam"]]
    found += [Outlet("telegram", name, "tr", "talk") for name in campaign["posters"]]
    return Outlets(found), campaign


def _of_language(table: dict[str, Any], lang: str) -> list[Outlet]:
    plaza = table["plaza"]
    found = [Outlet("plaza", f"{board}-{lang}", lang, "talk") for board in plaza["boards"]]
    found += [Outlet("plaza", f"{plaza[beat]}-{lang}", lang, beat) for beat in ("news", "fringe")]
    towns = list(phrasebook(lang).words["town"])[:_TOWNS]
    for beat, patterns in table["telegram"][lang].items():
        names = dict.fromkeys(pattern.replace("{town}", town) for pattern in patterns for town in towns)
        found += [Outlet("telegram", name, lang, beat) for name in names]
    for host in table["sites"][lang]:
        found += [Outlet("feed", host, lang, "news"), Outlet("web", host, lang, "news")]
    return found
