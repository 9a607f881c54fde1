"""An invented world of sources: ordinary days, ordinary copies, campaigns, a football final and a storm."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from antiphon.model.schemas import COPIES, FINDINGS, MATERIALS

START = datetime(2026, 3, 1, tzinfo=UTC)
LANGS = ("en", "de", "tr", "ar")
DAY_S = 86_400.0


@dataclass
class World:
    """Posts, added one by one; `connection` lays them out as the stages read them."""

    seed: int = 1
    days: int = 60
    rng: Random = field(init=False)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.sources = {
            "telegram": [(f"telegram/{lang}-{n}", lang) for lang in LANGS for n in range(20)],
            "forum": [(f"forum/board-{lang}-{n}", lang) for lang in LANGS for n in range(5)],
            "mastodon": [(f"mastodon/host-{n}", "") for n in range(16)],
            "news": [(f"news/{lang}-{n}", lang) for lang in LANGS for n in range(6)],
        }

    def post(self, source: str, lang: str, at_s: float, group: str = "", links: tuple[str, ...] = ()) -> None:
        """Add one post, so many seconds after the start; posts of one group are copies."""
        self.rows.append({"source": source, "lang": lang, "at_s": at_s, "group": group, "links": list(links)})

    def any_source(self, platforms: tuple[str, ...] = ("telegram", "forum", "mastodon", "news")) -> tuple[str, str]:
        """A source by chance, and a language that it writes."""
        source, lang = self.rng.choice(self.sources[self.rng.choice(platforms)])
        return source, lang or self.rng.choice(LANGS)

    def ordinary(self, posts: int) -> None:
        """Days as they are; one post in ten is copied elsewhere hours to days later."""
        for number in range(posts):
            source, lang = self.any_source()
            at_s = self.rng.uniform(0, self.days * DAY_S)
            copied = self.rng.random() < 0.1
            self.post(source, lang, at_s, f"copy-{number}" if copied else "")
            for _ in range(self.rng.randint(1, 4) if copied else 0):
                late_s = self.rng.lognormvariate(2.2, 1.1) * 3600
                self.post(self.any_source()[0], lang, at_s + late_s, f"copy-{number}")

    def campaign(self, name: str, members: list[str], lang: str, texts: int, slowest_s: float) -> None:
        """The same text by most members within minutes, again and again over the weeks."""
        for number in range(texts):
            at_s = self.rng.uniform(2, self.days - 2) * DAY_S
            for source in self.rng.sample(members, round(len(members) * self.rng.uniform(0.6, 1.0))):
                self.post(source, lang, at_s + self.rng.uniform(0, slowest_s), f"{name}-{number}")

    def storm(self, warnings: int = 5) -> None:
        """Every newsroom of a language copies each warning of the weather service within nine minutes."""
        for lang in LANGS:
            for number in range(warnings):
                at_s = self.days * 0.35 * DAY_S + number * 9 * 3600
                for source, spoken in self.sources["news"]:
                    if spoken == lang:
                        self.post(source, lang, at_s + self.rng.uniform(20, 540), f"storm-{lang}-{number}")

    def final(self, cheers: int) -> None:
        """Short cheers from everywhere within two hours, many of them the same."""
        for _ in range(cheers):
            source, lang = self.any_source(("telegram", "mastodon", "mastodon", "forum"))
            at_s = (self.days // 2) * DAY_S + (19 + self.rng.triangular(0, 2, 1.8)) * 3600
            self.post(source, lang, at_s, f"cheer-{lang}-{self.rng.randrange(25)}")

    def connection(self, order: int = 0) -> duckdb.DuckDBPyConnection:
        """The tables of this world, their rows in an order of `order`'s choosing."""
        rows = [{**row, "id": f"{number:06d}"} for number, row in enumerate(self.rows)]
        tables = {"materials": _materials(rows), "findings": _findings(rows), "copies": _copies(rows)}
        connection = duckdb.connect(config={"threads": "1"})
        for name, table in tables.items():
            shuffled = list(range(table.num_rows))
            Random(order).shuffle(shuffled)
            connection.register(name, table.take(pa.array(shuffled)) if order else table)
        return connection


def whole_world(seed: int = 1, posts: int = 6000) -> tuple[World, dict[str, set[str]]]:
    """A world with everything in it, and the members of its campaigns."""
    world = World(seed)
    telegram, forum = [f"telegram/en-{n}" for n in range(9)], [f"forum/board-de-{n}" for n in range(3)]
    planted = {
        "dam": telegram,
        "posters": [f"telegram/tr-{n}" for n in range(5, 13)],
        "column": [*forum, *(f"mastodon/host-{n}" for n in range(6))],
    }
    world.ordinary(posts)
    world.campaign("dam", planted["dam"], "en", 14, 90)
    world.campaign("posters", planted["posters"], "tr", 12, 150)
    world.campaign("column", planted["column"], "de", 12, 240)
    world.storm()
    world.final(posts // 8)
    return world, {name: set(members) for name, members in planted.items()}


def _instant(row: dict[str, Any]) -> datetime:
    return START + timedelta(seconds=row["at_s"])


def _materials(rows: list[dict[str, Any]]) -> pa.Table:
    provenance = {"input": "world", "record": 0, "offset": None, "reader": "world", "reader_version": "1"}
    return pa.Table.from_pylist(
        [
            {
                "material_id": row["id"],
                "source": row["source"],
                "kind": "post",
                "published_at": _instant(row),
                "links": row["links"],
                "provenance": provenance,
            }
            for row in rows
        ],
        schema=MATERIALS,
    )


def _findings(rows: list[dict[str, Any]]) -> pa.Table:
    fixed = {"reading": "none", "flag": False, "review_priority": 0.0, "abstained": False}
    made = {"analyser": "world", "version": "1", "calibration_id": "none"}
    return pa.Table.from_pylist(
        [{"material_id": row["id"], "lang": row["lang"], **fixed, **made} for row in rows], schema=FINDINGS
    )


def _copies(rows: list[dict[str, Any]]) -> pa.Table:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["at_s"], row["id"])):
        if row["group"]:
            groups.setdefault(row["group"], []).append(row)
    return pa.Table.from_pylist(
        [
            {
                "copy_group": members[0]["id"],
                "material_id": row["id"],
                "copy_kind": "exact",
                "similarity": 1.0,
                "published_at": _instant(row),
                "source": row["source"],
                "is_first": row is members[0],
            }
            for members in groups.values()
            if len(members) > 1
            for row in members
        ],
        schema=COPIES,
    )
