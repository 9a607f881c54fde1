"""What the JSON readers of platforms share: records one by one in constant memory, and fields read with their faults.

A field of a wrong type is an `InputError` that names the field; `attempt` makes it, and whatever else a record can go
wrong with, one `Skipped`, so that a bad record costs one record.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NoReturn, cast

import ijson
import orjson

from antiphon.errors import InputError
from antiphon.model.material import Item, Skipped
from antiphon.sources.interface import HEAD_BYTES, MAX_RECORD_BYTES
from antiphon.sources.jsonio import broken_json, json_head, loads, stream_items

__all__ = [
    "after",
    "attempt",
    "count_in",
    "id_in",
    "is_one_line",
    "json_documents",
    "json_line",
    "json_values",
    "list_in",
    "object_in",
    "raw_of",
    "require_one",
    "rewound",
    "text_in",
    "wrong",
]

Record = dict[str, Any]
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, OSError)
_DO = "Look at the record in the quarantine; export it again, or report the variant of the format."


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the type that io declares
        piece = self._head[: len(buffer)] or memoryview(self._rest.read(len(buffer)))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def rewound(stream: BinaryIO, size_bytes: int = HEAD_BYTES) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of a stream, and a stream that gives them again with all that follows."""
    head = b""
    while len(head) < size_bytes and (piece := stream.read(size_bytes - len(head))):
        head += piece
    return head, after(head, stream)


def after(head: bytes, rest: BinaryIO) -> BinaryIO:
    """Return a stream of some bytes and then of what is left of another stream."""
    return cast(BinaryIO, io.BufferedReader(_Rejoined(head, rest), HEAD_BYTES))


def json_values(stream: BinaryIO) -> Iterator[tuple[int, Any] | Skipped]:
    """Yield (number, value) for each element of an array, each line, or each of the values that follow one another."""
    head, stream = rewound(stream)
    shape = json_head(head).shape
    if shape == "lines" or (shape == "object" and is_one_line(head)):
        yield from _json_lines(stream)
    elif shape == "array":
        yield from stream_items(stream, "item")
    else:
        yield from json_documents(stream)


def is_one_line(head: bytes) -> bool:
    """Tell whether the first line is longer than the head, so that more lines may follow it."""
    return len(head) >= HEAD_BYTES and b"\n" not in head.strip()


def json_documents(stream: BinaryIO) -> Iterator[tuple[int, Any] | Skipped]:
    """Yield (number, value) for values that follow one another, each over as many lines as it likes."""
    number = 0
    try:
        for value in ijson.items(stream, "", use_float=True, multiple_values=True):
            yield number, value
            number += 1
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
        yield broken_json(number, fault)


def _json_lines(stream: BinaryIO) -> Iterator[tuple[int, Any] | Skipped]:
    number = 0
    while line := stream.readline(MAX_RECORD_BYTES + 1):
        if len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
            size = len(line) + _skip_line(stream)
            yield Skipped("record-too-long", f"longer than {MAX_RECORD_BYTES:,} bytes", number, raw_bytes=size)
        elif line.strip(b"\x00\xef\xbb\xbf \t\r\n"):
            value = json_line(line, number)
            yield value if isinstance(value, Skipped) else (number, value)
        number += 1


def _skip_line(stream: BinaryIO) -> int:
    size = 0
    while piece := stream.readline(HEAD_BYTES):
        size += len(piece)
        if piece.endswith(b"\n"):
            break
    return size


def json_line(line: bytes, record: int, offset: int | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return the value of a line, or the `Skipped` that says why there is none."""
    try:
        return loads(line.removeprefix(b"\xef\xbb\xbf").strip(b"\x00 \t\r\n"))
    except UnicodeDecodeError as fault:
        detail = f"broken UTF-8 at byte {fault.start} of the line; export it again as UTF-8"
        return Skipped("utf8-broken", detail, record, offset, line)
    except (ValueError, RecursionError) as fault:
        where = f"column {fault.colno}" if isinstance(fault, json.JSONDecodeError) else type(fault).__name__
        return Skipped("json-broken", f"the line is no JSON ({where}); get the file again", record, offset, line)


def attempt(make: Callable[[Any], Iterable[Item]], value: Any, record: int, offset: int | None = None) -> list[Item]:  # noqa: ANN401 - JSON
    """Return what a record gives; where it can't be read, one `Skipped` with the field or the fault."""
    try:
        if not isinstance(value, dict):
            wrong("record", value, "an object")
        return list(make(value))
    except InputError as error:
        return [Skipped("field-invalid", error.what, record, offset, raw_of(value))]
    except _FAULTS as fault:
        detail = f"{type(fault).__name__} while reading the record. {_DO}"
        return [Skipped("unreadable", detail, record, offset, raw_of(value))]


def raw_of(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return a record as JSON again, for the quarantine."""
    try:
        return orjson.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):
        pass  # lone surrogates, whole numbers beyond 64 bits
    try:
        return json.dumps(value, default=str).encode()
    except (TypeError, ValueError, RecursionError):
        return b""


def wrong(field: str, value: object, expected: str) -> NoReturn:
    """Raise the error for a field of a wrong type."""
    raise InputError(f"field {field}: got {type(value).__name__}, expected {expected}", do=_DO)


def require_one(record: Record, *fields: str) -> None:
    """Raise the error for a record that has none of the fields by which it would be one."""
    if all(record.get(field) in (None, "") for field in fields):
        others = f", and no {' or '.join(fields[1:])} either" if len(fields) > 1 else ""
        raise InputError(f"field {fields[0]}: missing{others}", do=_DO)


def text_in(record: Record, field: str) -> str | None:
    """Return a field that must be text, None where it is missing or empty."""
    value = record.get(field)
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else wrong(field, value, "text")


def id_in(record: Record, *fields: str) -> str | None:
    """Return the first of some fields that is there, as text; exporters write ids as text or as numbers."""
    for field in fields:
        value = record.get(field)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        wrong(field, value, "an id")
    return None


def count_in(record: Record, *fields: str) -> int | None:
    """Return the first of some counters that is there; exporters write them as numbers or as text."""
    for field in fields:
        value = record.get(field)
        if value is None or value == "" or value is False:
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            return int(value)
        wrong(field, value, "a whole number")
    return None


def object_in(record: Record, field: str) -> Record:
    """Return a field that must be an object; an empty one where it is missing."""
    value = record.get(field)
    if value is None or value in ("", []):
        return {}
    return value if isinstance(value, dict) else wrong(field, value, "an object")


def list_in(record: Record, field: str) -> list[Any]:
    """Return a field that must be a list; an empty one where it is missing."""
    value = record.get(field)
    if value is None or value in ("", {}):
        return []
    return value if isinstance(value, list) else wrong(field, value, "a list")
