"""The table stage that groups copies: SIGNALS to COPIES."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.model.schemas import COPIES
from antiphon.narratives._linking import (
    BANDS,
    Ints,
    distance_bits,
    kernel,
    link_equal,
    link_images,
    link_texts,
    roots,
    short_keys,
)

__all__ = ["GroupCopies"]

MIN_IMAGE_QUALITY = 0.5
CHUNK_ROWS = 65_536
KINDS = ("exact", "near", "image")

_ORDER = """
CREATE OR REPLACE TEMP TABLE _copies_order AS
SELECT (row_number() OVER (ORDER BY published_at NULLS LAST, material_id) - 1)::INTEGER AS ord,
       material_id, published_at, source
FROM materials
"""
_TEXTS = """
SELECT o.ord, s.value FROM signals AS s JOIN _copies_order AS o USING (material_id)
WHERE s.part = 'text' AND s.signal_type = $kind
"""
_FILES = """
CREATE OR REPLACE TEMP TABLE _copies_files AS
SELECT (row_number() OVER (ORDER BY ord, number) - 1)::INTEGER AS node, ord, number, sha256, pdq
FROM (
    SELECT o.ord, split_part(s.part, '/', 2)::INTEGER AS number,
           any_value(s.value) FILTER (s.signal_type = 'sha256') AS sha256,
           any_value(s.value) FILTER (s.signal_type = 'pdq' AND s.quality >= $quality) AS pdq
    FROM signals AS s JOIN _copies_order AS o USING (material_id)
    WHERE s.part LIKE 'media/%' AND s.signal_type IN ('sha256', 'pdq')
    GROUP BY ALL
)
"""
_WRITE = """
SELECT f.material_id || m.suffix AS copy_group, o.material_id, m.copy_kind, m.similarity, o.published_at, o.source,
       m.ord = m.first AS is_first
FROM _copies_members AS m
JOIN _copies_order AS o ON o.ord = m.ord
JOIN _copies_order AS f ON f.ord = m.first
ORDER BY copy_group, m.ord
"""


class _Members(NamedTuple):
    """Members of groups: their row, the row of their group's first, and what they are to it."""

    rows: Ints
    firsts: Ints
    kinds: npt.NDArray[np.int8]
    similarities: npt.NDArray[np.float32]


class GroupCopies:
    """Table stage: groups of two materials or more that are the same thing.

    A text group joins equal normal forms and, through a chain if need be, texts of which 26 of 32 minima agree. An
    image group (its id ends in `/media/N`) joins the same file and pictures within 31 PDQ bits, those of a quality
    under 0.5 left out. A material is in one text group at most, and in one image group for each of its files.
    """

    name: str = "group_copies"
    version: str = "1"
    writes: Mapping[str, pa.Schema] = {"copies": COPIES}

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return `copies`, sorted by group, then by time; reads `materials` and `signals`."""
        tables.execute(_ORDER)
        try:
            members = pa.concat_tables([_text_members(tables), _file_members(tables)])
            tables.register("_copies_members", members)
            return {"copies": tables.sql(_WRITE).to_arrow_table().cast(COPIES)}
        finally:
            tables.execute("DROP VIEW IF EXISTS _copies_members")
            tables.execute("DROP TABLE IF EXISTS _copies_files")
            tables.execute("DROP TABLE IF EXISTS _copies_order")


def _text_members(tables: duckdb.DuckDBPyConnection) -> pa.Table:
    count = _count(tables, "_copies_order")
    parent = np.arange(count, dtype=np.int32)
    values, given = np.zeros((count, 2), dtype=np.uint64), np.zeros(count, dtype=np.bool_)
    for rows, chunk in _values(tables, _TEXTS, "text_exact", 16):
        values[rows], given[rows] = chunk.view(np.uint64), True
    link_equal(parent, np.flatnonzero(given).astype(np.int32), values)
    del values, given
    exact = roots(parent)
    slots, minima = _minima(tables, exact)
    link_texts(parent, np.flatnonzero(slots >= 0).astype(np.int32), minima)
    return _table(_compare_texts(_in_groups(roots(parent)), exact, slots, minima), None)


def _minima(tables: duckdb.DuckDBPyConnection, exact: Ints) -> tuple[Ints, npt.NDArray[np.uint32]]:
    """The minima of the first of each exact group, and in which of their rows each material's stand (-1: none).

    Only of those that share a band with another: the rest, most of a large case, can have no near copy.
    """
    keys = np.zeros((BANDS, exact.size), dtype=np.uint32)
    first = exact == np.arange(exact.size)
    for rows, values in _values(tables, _TEXTS, "text_near", 128):
        kept = first[rows]
        keys[:, rows[kept]] = short_keys(values[kept].view(np.uint32))
    wanted = np.flatnonzero(_shared(keys))
    del keys
    slots = np.full(exact.size, -1, dtype=np.int32)
    slots[wanted] = np.arange(wanted.size)
    minima = np.empty((wanted.size, 32), dtype=np.uint32)
    for rows, values in _values(tables, _TEXTS, "text_near", 128):
        kept = slots[rows] >= 0
        minima[slots[rows[kept]]] = values[kept].view(np.uint32)
    return slots, minima


def _shared(keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which columns share a key with another in some row; 0 is no key."""
    shared = np.zeros(keys.shape[1], dtype=np.bool_)
    for row in keys:
        order = np.argsort(row).astype(np.int32)
        same = np.flatnonzero((row[order[1:]] == row[order[:-1]]) & (row[order[1:]] > 0))
        shared[order[same]] = True
        shared[order[same + 1]] = True
    return shared


def _values(
    tables: duckdb.DuckDBPyConnection, sql: str, kind: str, width: int
) -> Iterator[tuple[Ints, npt.NDArray[np.uint8]]]:
    """Rows and values of one signal type, chunk by chunk, in no order."""
    for batch in tables.sql(sql, params={"kind": kind}).to_arrow_reader(CHUNK_ROWS):
        yield batch.column(0).to_numpy(), _bytes(batch.column(1), width)


def _bytes(values: pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Binary values of one length as a matrix of bytes; a null is a row of zeros."""
    fixed = values.cast(pa.binary(width)).fill_null(bytes(width))
    return np.frombuffer(fixed.buffers()[1], np.uint8, len(fixed) * width, fixed.offset * width).reshape(-1, width)


def _in_groups(root: Ints) -> tuple[Ints, Ints]:
    """The rows whose set has two members or more, and their roots."""
    sizes = np.bincount(root, minlength=root.size)
    rows = np.flatnonzero(sizes[root] > 1).astype(np.int32)
    return rows, root[rows]


def _compare_texts(groups: tuple[Ints, Ints], exact: Ints, slots: Ints, minima: npt.NDArray[np.uint32]) -> _Members:
    rows, firsts = groups
    kinds = (exact[rows] != exact[firsts]).astype(np.int8)
    similarities = np.ones(rows.size, dtype=np.float32)
    for at in np.flatnonzero(kinds):
        left, right = minima[slots[exact[rows[at]]]], minima[slots[firsts[at]]]
        similarities[at] = np.count_nonzero(left == right) / 32
    return _Members(rows, firsts, kinds, similarities)


def _file_members(tables: duckdb.DuckDBPyConnection) -> pa.Table:
    tables.execute(_FILES, {"quality": MIN_IMAGE_QUALITY})
    files = tables.sql("FROM _copies_files ORDER BY node").to_arrow_table().combine_chunks()
    parent = np.arange(files.num_rows, dtype=np.int32)
    hashed = np.flatnonzero(files["sha256"].is_valid()).astype(np.int32)
    link_equal(parent, hashed, _words(files["sha256"], np.arange(files.num_rows, dtype=np.int32)))
    equal = roots(parent)
    seen = np.flatnonzero(files["pdq"].is_valid()).astype(np.int32)
    seen = seen[equal[seen] == seen]
    bits = _words(files["pdq"], np.arange(files.num_rows, dtype=np.int32))
    link_images(parent, seen, bits[seen])
    members = _compare_files(_in_groups(roots(parent)), equal, bits)
    return _table(members, files)


def _words(values: pa.ChunkedArray, rows: Ints) -> npt.NDArray[np.uint64]:
    return _bytes(pa.concat_arrays(values.take(pa.array(rows)).chunks or [pa.array([], pa.binary())]), 32).view(
        np.uint64
    )


def _compare_files(groups: tuple[Ints, Ints], equal: Ints, bits: npt.NDArray[np.uint64]) -> _Members:
    rows, firsts = groups
    similarities = _image_similarities(equal[rows], firsts, bits)
    return _Members(rows, firsts, np.full(rows.size, 2, dtype=np.int8), similarities)


@kernel
def _image_similarities(rows: Ints, firsts: Ints, bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.float32]:
    similarities = np.ones(rows.size, dtype=np.float32)
    for at in range(rows.size):
        if rows[at] != firsts[at]:
            similarities[at] = np.float32(1.0 - distance_bits(bits[rows[at]], bits[firsts[at]]) / 256.0)
    return similarities


def _table(members: _Members, files: pa.Table | None) -> pa.Table:
    """Members as a table of materials; for files, the first of each material in a group and the group's suffix."""
    columns: dict[str, Any] = {
        "ord": members.rows,
        "first": members.firsts,
        "copy_kind": pa.array(KINDS).take(pa.array(members.kinds)),
        "similarity": members.similarities,
    }
    if files is None:
        return pa.table({**columns, "suffix": pa.repeat(pa.scalar(""), len(members.rows))})
    ords = files["ord"].to_numpy()
    numbers = files["number"].to_numpy()[members.firsts]
    columns.update(ord=ords[members.rows], first=ords[members.firsts])
    columns["suffix"] = pa.array([f"/media/{number}" for number in numbers], pa.string())
    pairs = np.stack([members.firsts, columns["ord"]]) if len(members.rows) else np.empty((2, 0), np.int32)
    _, once = np.unique(pairs, axis=1, return_index=True)
    found = pa.table(columns).take(pa.array(np.sort(once)))
    # A group whose members are all files of one material is no spread of anything.
    firsts = members.firsts[np.sort(once)]
    several = np.bincount(firsts, minlength=1)[firsts] > 1 if len(firsts) else np.empty(0, bool)
    return found.filter(pa.array(several))


def _count(tables: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(tables.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
