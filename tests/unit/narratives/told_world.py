"""Invented posts in invented languages, some of which tell the same; and the tables that the stages read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from antiphon.model.schemas import COPIES, FINDINGS, MATERIALS, SIGNALS

START = datetime(2026, 3, 1, tzinfo=UTC)


def connection(order: int = 0, **tables: pa.Table) -> duckdb.DuckDBPyConnection:
    """The tables by name, their rows in an order of `order`'s choosing."""
    schemas = {"materials": MATERIALS, "signals": SIGNALS, "findings": FINDINGS, "copies": COPIES}
    made = duckdb.connect(config={"threads": "1"})
    for name, schema in schemas.items():
        table = tables.get(name, pa.Table.from_pylist([], schema=schema))
        rows = list(range(table.num_rows))
        if order:
            Random(order).shuffle(rows)
        made.register(name, table.take(pa.array(rows, pa.int64())))
    return made


def materials(rows: list[dict[str, Any]]) -> pa.Table:
    """MATERIALS of rows with `id`, and `source`, `text`, `at_s` where wanted."""
    provenance = {"input": "world", "record": 0, "offset": None, "reader": "world", "reader_version": "1"}
    made = [
        {
            "material_id": row["id"],
            "source": row.get("source", "telegram/harbour"),
            "kind": "post",
            "published_at": START + timedelta(seconds=row.get("at_s", number)),
            "text": row.get("text"),
            "provenance": provenance,
        }
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(made, schema=MATERIALS)


def findings(rows: list[dict[str, Any]]) -> pa.Table:
    """FINDINGS of rows with `id`, and `lang`, `reading`, `counters` where wanted."""
    fixed = {"review_priority": 0.0, "abstained": False, "analyser": "w", "version": "1", "calibration_id": "none"}
    made = [
        {
            "material_id": row["id"],
            "lang": row.get("lang", "en"),
            "reading": row.get("reading", "none"),
            "flag": row.get("reading") in ("direct", "indirect"),
            "contexts": {"counters": row.get("counters", 0.0)},
            **fixed,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(made, schema=FINDINGS)


def signals(rows: list[tuple[str, str, str, bytes, float | None]]) -> pa.Table:
    """SIGNALS of rows as material, part, type, value, quality."""
    names = ("material_id", "part", "signal_type", "value", "quality")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=SIGNALS)


def copies(groups: list[list[str]]) -> pa.Table:
    """COPIES of text groups, each a list of ids with the first in front."""
    made = [
        {
            "copy_group": group[0],
            "material_id": of,
            "copy_kind": "exact",
            "similarity": 1.0,
            "source": "telegram/harbour",
            "is_first": of == group[0],
        }
        for group in groups
        for of in group
    ]
    return pa.Table.from_pylist(made, schema=COPIES)


def told_world(
    posts: int = 3000, narratives: int = 12, tellings: int = 25, languages: int = 8, seed: int = 3
) -> list[dict[str, Any]]:
    """Posts of which some tell one of a few narratives; `tells` says which, -1 for none.

    Each language has its own words: 12 that stand everywhere and 400 others, used the more the earlier they stand. A
    telling joins four of the narrative's seven words, in any order, with words of the language.
    """
    rng = Random(seed)
    words = [[_word(rng) for _ in range(412)] for _ in range(languages)]
    keys = [[_word(rng) for _ in range(7)] for _ in range(narratives)]
    told = [number for number in range(narratives) for _ in range(tellings)]
    rows = []
    for at, number in enumerate([*told, *[-1] * (posts - len(told))]):
        lang = number % languages if number >= 0 else rng.randrange(languages)
        said = [words[lang][rng.randrange(12)] for _ in range(6)]
        said += [words[lang][12 + int(400 * rng.random() ** 2)] for _ in range(rng.randint(5, 9))]
        said += rng.sample(keys[number], 4) if number >= 0 else []
        rng.shuffle(said)
        reading = rng.choice(("direct", "indirect", "protected")) if number >= 0 else rng.choice(("none", "unclear"))
        row = {"id": f"m{at:05d}", "text": " ".join(said), "lang": f"l{lang}", "reading": reading, "tells": number}
        rows.append({**row, "source": f"telegram/c{rng.randrange(40)}", "at_s": rng.uniform(0, 30 * 86_400)})
    return rows


def _word(rng: Random) -> str:
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))
