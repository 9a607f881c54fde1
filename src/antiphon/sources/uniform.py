"""JSON lines whose records all look alike, turned into columns without an object for each record.

Most collections are such files: one tool wrote every line, with the same keys and plain values. What deviates in any
way is not read here, so that one reader decides about it, line by line.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import orjson
import pyarrow as pa
import pyarrow.json

__all__ = ["uniform_columns"]

_SAMPLES = 32
_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), type(None): pa.null()}
_NUMBERS = {pa.int64(), pa.float64()}


def uniform_columns(data: bytes, lines: Sequence[bytes]) -> dict[str, pa.Array] | None:
    """Return the columns of some lines, key by key; None where not each of them is an object of the same plain kinds.

    A key that some lines lack is null in them, as it would be if they were read one by one.

    Args:
        data: The lines, each ended by a newline.
        lines: The same lines, apart.
    """
    schema = _schema(lines)
    # Every break between lines is a break between objects; with as many rows as lines, each line is one object.
    if schema is None or data[:1] != b"{" or data[-2:] != b"}\n" or data.count(b"}\n{") != len(lines) - 1:
        return None
    options = pa.json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    parse = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        table = pa.json.read_json(pa.BufferReader(data), options, parse)
        table.validate(full=True)  # the parser lets broken UTF-8 pass
    except pa.ArrowException:
        return None
    if table.num_rows != len(lines):
        return None
    return {name: table.column(name).combine_chunks() for name in table.column_names}


def _schema(lines: Sequence[bytes]) -> pa.Schema | None:
    """Return the keys of some of the lines with their types, or None where they are no plain values of one type."""
    types: dict[str, pa.DataType] = {}
    for line in itertools.islice(lines, 0, None, max(1, len(lines) // _SAMPLES)):
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
