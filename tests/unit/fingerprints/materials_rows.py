"""Rows of MATERIALS for the tests of this room, all invented."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.model.schemas import MATERIALS


def materials(*rows: dict[str, Any]) -> pa.RecordBatch:
    """A batch of materials; what a row does not say is filled in."""
    provenance = {"input": "posts.jsonl", "offset": None, "reader": "test", "reader_version": "1"}
    filled = [
        {
            "material_id": f"m{number}",
            "source": "telegram/harbour",
            "kind": "post",
            "provenance": {**provenance, "record": number},
            **row,
        }
        for number, row in enumerate(rows)
    ]
    return pa.RecordBatch.from_pylist(filled, schema=MATERIALS)


def of_texts(texts: Sequence[str | None]) -> pa.RecordBatch:
    """A batch of materials that have only a text."""
    return materials(*({"text": text} for text in texts))


def file_of(sha256: str, mime: str = "image/png") -> dict[str, Any]:
    """A file as readers write it down."""
    return {"sha256": sha256, "mime": mime, "bytes": 1, "path": "x", "role": "attachment"}


def kept(root: Path, content: bytes) -> str:
    """Keep a copy where readers keep them, and return its digest."""
    digest = hashlib.sha256(content).hexdigest()
    (root / digest[:2]).mkdir(exist_ok=True)
    (root / digest[:2] / digest).write_bytes(content)
    return digest
