"""JSON lines whose records all look alike, turned into columns without an object for each record.

Most collections are such files: one tool wrote every line, with the same keys and plain values. What deviates in any
way is not read here, so that one reader decides about it, line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json

__all__ = ["Lines", "uniform_columns"]

_SAMPLES = 32
_NEWLINE, _OPEN, _CLOSE = b"\n{}"
_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), type(None): pa.null()}
_NUMBERS = {pa.int64(), pa.float64()}


class Lines(Sequence[bytes]):
    """The lines of some bytes, each ended by a newline, cut when they are asked for.

    Attributes:
        starts: Where each line begins, and the end of the last: (n + 1,).
    """

    def __init__(self, data: bytes) -> None:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
        self.data, self.starts = data, np.concatenate((np.zeros(1, np.int64), ends))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Return a line, or some, without their newlines."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        begin, end = self.starts[index], self.starts[index + 1]
        return self.data[begin : end - 1]

    def are_objects(self) -> bool:
        """Whether every break between lines could be a break between objects."""
        codes, ends = np.frombuffer(self.data, np.uint8), self.starts[1:]
        return bool(
            len(ends) and ends[-1] == len(codes) and ends[0] > 1
            and (codes[self.starts[:-1]] == _OPEN).all() and (codes[ends - 2] == _CLOSE).all()
        )  # fmt: skip


def uniform_columns(lines: Lines) -> dict[str, pa.Array] | None:
    """Return the columns of some lines, key by key; None where not each of them is an object of the same plain kinds.

    A key that some lines lack is null in them, as it would be if they were read one by one.
    """
    if not lines.are_objects() or (schema := _schema(lines)) is None:
        return None
    options = pa.json.ReadOptions(use_threads=False, block_size=len(lines.data) + 1)
    parse = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        table = pa.json.read_json(pa.BufferReader(lines.data), options, parse)
        table.validate(full=True)  # the parser lets broken UTF-8 pass
    except pa.ArrowException:
        return None
    if table.num_rows != len(lines):  # with as many rows as lines that are objects, each line is one object
        return None
    return {name: table.column(name).combine_chunks() for name in table.column_names}


def _schema(lines: Lines) -> pa.Schema | None:
    """Return the keys of some of the lines with their types, or None where they are no plain values of one type."""
    types: dict[str, pa.DataType] = {}
    for line in lines[:: max(1, len(lines) // _SAMPLES)]:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(record, dict):
            return None
        for key, value in record.items():
            kind = _PLAIN.get(type(value))
            if kind is None or not _agree(types, key, kind):
                return None
    return pa.schema(types.items()) if types else None


def _agree(types: dict[str, pa.DataType], key: str, kind: pa.DataType) -> bool:
    """Enter a value's type; return whether it goes with those seen before: null with any, whole numbers with broken."""
    known = types.setdefault(key, kind)
    if known != kind and known == pa.null():
        types[key] = kind
    elif {known, kind} == _NUMBERS:
        types[key] = pa.float64()
    return known == kind or pa.null() in (known, kind) or {known, kind} == _NUMBERS
