"""JSON documents of platforms, whatever their wrapping, record by record in constant memory.

An answer of an API, an export and a crawl hold the same records as lines, in an array, or in lists of one envelope. The
readers of such formats get records from here, and say themselves what each one is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

import ijson
import orjson

from antiphon.errors import InputError
from antiphon.model.material import Item, Skipped
from antiphon.sources.interface import HEAD_BYTES, MAX_RECORD_BYTES, LineBlock
from antiphon.sources.jsonio import broken_json, json_head, loads

__all__ = [
    "Record",
    "count_field",
    "guarded",
    "id_field",
    "joined",
    "json_records",
    "line_records",
    "list_field",
    "object_field",
    "quarantined",
    "text_field",
]

_MAX_WHOLE_BYTES = 16 * 2**20
"""Documents up to this size are parsed at once, five times faster; larger ones are streamed."""
_ENVELOPE = "}"
_STARTS = frozenset(("start_map", "start_array"))
_END_ARRAY = ("end_array", None)
_BOM = b"\xef\xbb\xbf"
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of an input.

    Attributes:
        number: Its place in the input, from 0.
        key: The list of the envelope that it stood in; empty for a line, an array's element, or the envelope itself.
        value: The value.
        raw: The line it was read from, where it was one.
        offset: Where that line begins.
        envelope: Whether it is an object whose lists were given before it, and are no longer in it.
    """

    number: int
    key: str
    value: Any
    raw: bytes | None = None
    offset: int | None = None
    envelope: bool = False


def json_records(stream: BinaryIO, lists: Collection[str]) -> Iterator[Record | Skipped]:
    """Yield the values of JSON lines, of an array, or of an object's lists with the object itself, without them, last.

    Where the JSON breaks, what stands before is given first, then a `Skipped`.

    Args:
        stream: The input.
        lists: Keys of an object whose arrays hold records.
    """
    head = stream.read(HEAD_BYTES).removeprefix(_BOM)
    rest = joined(head, stream)
    if json_head(head).shape == "lines":
        yield from _numbered_lines(rest, lists)
        return
    data = rest.read(_MAX_WHOLE_BYTES)
    if len(data) < _MAX_WHOLE_BYTES:
        try:
            document = _whole(data)
        except (ValueError, RecursionError):
            rest = io.BufferedReader(io.BytesIO(data))
        else:
            yield from _expand(document, lists, count(), None, None)
            return
    else:
        rest = joined(data, rest)
    if _first_line_is_whole(data):
        yield from _numbered_lines(rest, lists)
    else:
        yield from _streamed(rest, lists)


def line_records(block: LineBlock, lists: Collection[str]) -> Iterator[Record | Skipped]:
    """Yield the values of some lines; what is no JSON, or no UTF-8, as `Skipped`."""
    for number, offset, line in block.lines():
        yield from _line(line, number, offset, lists)


def guarded(record: Record, read: Callable[[Record], Iterator[Item]]) -> Iterator[Item]:
    """Yield what a reader makes of a record; a record that can't be read costs itself only."""
    try:
        yield from read(record)
    except InputError as fault:
        yield quarantined(record, "field-invalid", f"{fault.what}. {fault.do}")
    except _FAULTS as fault:
        yield quarantined(record, "unreadable", f"{type(fault).__name__} while reading it; please report the format")


def quarantined(record: Record, reason: str, detail: str) -> Skipped:
    """Return the quarantine line of a record, with its bytes as they were, or as JSON again."""
    raw = record.raw
    if raw is None:
        try:
            raw = orjson.dumps(record.value)
        except (orjson.JSONEncodeError, RecursionError):
            raw = None
    return Skipped(reason, f"record {record.number}: {detail}", record.number, record.offset, raw)


def text_field(value: Mapping[str, Any], name: str) -> str | None:
    """Return a text, or None where there is none.

    Raises:
        InputError: it is no text.
    """
    found = value.get(name)
    if found is None or isinstance(found, str):
        return found
    raise _wrong(name, found, "text")


def id_field(value: Mapping[str, Any], name: str) -> str | None:
    """Return an id as text, whether it was written as text or as a number. Raises `InputError` on anything else."""
    found = value.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return text_field(value, name) or None


def count_field(value: Mapping[str, Any], name: str) -> int | None:
    """Return a counter, or None. Raises `InputError` where it is no whole number."""
    found = value.get(name)
    if isinstance(found, str) and found.isdecimal():
        return int(found)
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    raise _wrong(name, found, "a whole number")


def list_field(value: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list, empty where there is none. Raises `InputError` on anything else."""
    found = value.get(name)
    if found is None or isinstance(found, list):
        return found or []
    raise _wrong(name, found, "a list")


def object_field(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object, empty where there is none. Raises `InputError` on anything else."""
    found = value.get(name)
    if found is None or isinstance(found, dict):
        return found or {}
    raise _wrong(name, found, "an object")


def _wrong(name: str, found: object, expected: str) -> InputError:
    return InputError(
        f"field {name}: got {type(found).__name__}, expected {expected}",
        do="Correct it in the export, or leave it out.",
    )


class _Joined(io.RawIOBase):
    """Bytes already read from a stream, then the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the type that io declares
        piece = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        buffer[: len(piece)] = piece
        self._head = self._head[len(piece) :]
        return len(piece)


def joined(head: bytes, rest: BinaryIO) -> io.BufferedReader:
    """Return a stream of some bytes, then of what is left of another; closing it leaves the other open."""
    return io.BufferedReader(_Joined(head, rest), HEAD_BYTES)


def _whole(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return a document; raw line breaks inside of texts, which strict JSON forbids and some exporters write, pass."""
    try:
        return loads(data)
    except ValueError:
        return json.loads(data.decode("utf-8"), strict=False, parse_constant=lambda name: None)


def _first_line_is_whole(data: bytes) -> bool:
    """Whether these are JSON lines of which the first was longer than a head."""
    line, newline, rest = data.lstrip().partition(b"\n")
    if not newline or not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _numbered_lines(stream: io.BufferedReader, lists: Collection[str]) -> Iterator[Record | Skipped]:
    offset = number = 0
    while line := stream.readline(MAX_RECORD_BYTES):
        start, size = offset, len(line)
        while not line.endswith(b"\n") and size >= MAX_RECORD_BYTES and (more := stream.readline(MAX_RECORD_BYTES)):
            size += len(more)
            if more.endswith(b"\n"):
                break
        offset += size
        if size > MAX_RECORD_BYTES:
            detail = f"record {number}: longer than {MAX_RECORD_BYTES:,} bytes; split it, or leave it out"
            yield Skipped("record-too-long", detail, number, start, raw_bytes=size)
        elif stripped := line.strip():
            yield from _line(stripped, number, start, lists)
        number += 1


def _line(line: bytes, number: int, offset: int, lists: Collection[str]) -> Iterator[Record | Skipped]:
    try:
        value = loads(line.removeprefix(_BOM))
    except UnicodeDecodeError as fault:
        detail = f"record {number}: broken UTF-8 at byte {fault.start} of the line; export it again as UTF-8"
        yield Skipped("utf8-broken", detail, number, offset, line)
    except (ValueError, RecursionError):
        detail = f"record {number}: no JSON; one JSON object is expected on each line"
        yield Skipped("json-broken", detail, number, offset, line)
    else:
        yield from _expand(value, lists, count(number), line, offset)


def _expand(
    value: Any, lists: Collection[str], numbers: Iterator[int], raw: bytes | None, offset: int | None  # noqa: ANN401
) -> Iterator[Record]:  # fmt: skip
    """Yield a document's records: an array's elements, an envelope's lists and then the envelope, or the value."""
    if isinstance(value, list):
        for element in value:
            yield Record(next(numbers), "", element)
        return
    found = [key for key in value if key in lists and isinstance(value[key], list)] if isinstance(value, dict) else []
    for key in found:
        for element in value[key]:
            yield Record(next(numbers), key, element)
    envelope = {key: inner for key, inner in value.items() if key not in found} if found else value
    yield Record(next(numbers), "", envelope, None if found else raw, offset, bool(found))


def _streamed(stream: BinaryIO, lists: Collection[str]) -> Iterator[Record | Skipped]:
    """Yield what `_expand` does from a document that is too large to hold, or that breaks on the way."""
    numbers, last = count(), -1
    events = ijson.basic_parse(stream, use_float=True, multiple_values=True)
    try:
        for event, value in events:
            found = _members(events, lists) if event == "start_map" else _elements_of(event, value, events)
            for key, element in found:
                last = next(numbers)
                yield Record(last, key.rstrip("}"), element, envelope=key == _ENVELOPE)
    except (ijson.JSONError, ValueError, RecursionError) as fault:
        yield _broken(last + 1, fault)


def _broken(record: int, fault: Exception) -> Skipped:
    said = fault.args[0] if fault.args else ""
    if isinstance(said, bytes):  # the parser quotes the input where it isn't UTF-8; a message may not
        fault = ValueError(said.partition(b"\n")[0].decode("ascii", "replace"))
    if isinstance(fault, UnicodeDecodeError) or "utf8" in str(fault).lower():
        return Skipped("utf8-broken", f"before record {record}: broken UTF-8; export it again as UTF-8", record)
    return broken_json(record, fault)


def _elements_of(event: str, value: Any, events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if event != "start_array":
        yield "", value
        return
    for inner, scalar in events:
        if inner == "end_array":
            return
        yield "", _built(inner, scalar, events)


def _members(events: Iterator[tuple[str, Any]], lists: Collection[str]) -> Iterator[tuple[str, Any]]:
    envelope: dict[str, Any] = {}
    listed = False
    for event, key in events:
        if event == "end_map":
            break
        inner, scalar = next(events)
        if inner == "start_array" and key in lists:
            listed = True
            yield from ((key, element) for _, element in _elements_of(inner, scalar, events))
        else:
            envelope[key] = _built(inner, scalar, events)
    yield _ENVELOPE if listed else "", envelope


def _built(event: str, value: Any, events: Iterator[tuple[str, Any]]) -> Any:  # noqa: ANN401 - JSON
    """Return the value that begins with an event, taking its other events from the stream."""
    if event == "start_map":
        found: dict[str, Any] = {}
        for inner, key in events:
            if inner == "end_map":
                break
            inner, scalar = next(events)
            found[key] = _built(inner, scalar, events) if inner in _STARTS else scalar
        return found
    if event == "start_array":
        return [
            _built(inner, scalar, events) if inner in _STARTS else scalar
            for inner, scalar in iter(lambda: next(events), _END_ARRAY)
        ]
    return value
