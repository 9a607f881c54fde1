"""The completeness ledger: what was found in each input, and what became of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from antiphon.model.schemas import LEDGER

__all__ = ["PARTS", "ledger_of"]

PARTS = pa.schema(
    [
        ("input", pa.string()),
        ("path", pa.string()),
        ("bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("part", pa.int64()),
        ("reader", pa.string()),
        ("found", pa.int64()),
        ("kept", pa.int64()),
        ("known", pa.int64()),
        ("quarantined", pa.int64()),
        ("other", pa.string()),
        ("gaps", pa.list_(pa.string())),
        ("next_record", pa.int64()),
        ("next_offset", pa.int64()),
        ("last", pa.bool_()),
    ]
)
"""One part of the reading of one input: what came of it, and where the next part begins."""

_COUNTS = ("found", "kept", "known", "quarantined")


def ledger_of(parts: pa.Table) -> pa.Table:
    """Return LEDGER rows for PARTS rows (with their `commit`): one an input, of its latest reading, by name."""
    readings: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(parts.to_pylist(), key=lambda row: (row["commit"], row["path"], row["part"])):
        reading = readings.setdefault(row["path"], [])
        if reading and _edition(reading[-1]) != _edition(row):
            reading.clear()  # the file changed and was read anew
        reading.append(row)
    rows = sorted(map(_entry, readings.values()), key=lambda row: str(row["input"]))
    return pa.Table.from_pylist(rows, schema=LEDGER)


def _edition(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["bytes"], row["modified_ns"]


def _entry(reading: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    other: Counter[str] = Counter()
    for row in reading:
        other.update(json.loads(row["other"] or "{}"))
    return {
        "input": reading[-1]["input"],
        "reader": reading[-1]["reader"],
        "bytes": reading[-1]["bytes"],
        **{name: sum(row[name] for row in reading) for name in _COUNTS},
        "other": other.total(),
        "other_detail": json.dumps(dict(sorted(other.items())), ensure_ascii=False) if other else None,
        "gaps": [gap for row in reading for gap in row["gaps"]],
        "complete": any(row["last"] for row in reading),
    }
