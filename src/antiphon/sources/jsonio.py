"""JSON as exports hold it: what a head tells of its shape, and values read one by one in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

import ijson
import orjson

from antiphon.model.material import Skipped
from antiphon.sources.interface import HEAD_BYTES, MAX_RECORD_BYTES

__all__ = ["JsonHead", "broken_json", "json_head", "loads", "stream_items"]


_LOOKED_AT = 30


@dataclass(frozen=True)
class JsonHead:
    """What the first bytes of a JSON input show.

    Attributes:
        shape: `lines` (a value on each line), `array`, `object`, or `none` where it is no JSON of these.
        value: The first line's value, the array, or the object, as far as it could be read.
        first: The first record: the value itself, or the array's first element; empty where that is no object.
    """

    shape: str
    value: Any = None
    first: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=8)
def json_head(head: bytes) -> JsonHead:
    """Return the shape of a JSON input and its first record, which may be cut where the head ends."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    line, _, rest = text.partition(b"\n")
    if text.startswith(b"{"):
        value = _one(line)
        if isinstance(value, dict) and (not rest.strip() or rest.lstrip().startswith(b"{")):
            return JsonHead("lines", value, value)
    if (found := _mostly_objects(text)) is not None:
        return JsonHead("lines", found, found)
    if not text.startswith((b"{", b"[")):
        return JsonHead("none")
    value = _partial(text)
    if isinstance(value, list):
        return JsonHead("array", value, value[0] if value and isinstance(value[0], dict) else {})
    return JsonHead("object", value, value) if isinstance(value, dict) else JsonHead("none")


def loads(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value. NaN and infinities, which some exporters write, are read as null; duplicate keys: the last.

    Raises:
        ValueError: it is no JSON, or no UTF-8.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw.decode("utf-8"), parse_constant=lambda name: None)


def stream_items(stream: BinaryIO, prefix: str) -> Iterator[tuple[int, Any] | Skipped]:
    """Yield (number, value) for each value at an ijson prefix (`item`, `data.item`), in constant memory.

    Where the JSON breaks, what follows can't be told apart: one `Skipped` says so, and the reading ends.
    """
    number = 0
    try:
        for value in ijson.items(_Guarded(stream), prefix, use_float=True):
            yield number, value
            number += 1
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
        yield broken_json(number, fault)


class _Guarded:
    """A stream that refuses a text of endless length, which a parser would hold in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._since_quote = stream, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        last = data.rfind(b'"')
        self._since_quote = self._since_quote + len(data) if last < 0 else len(data) - last
        if self._since_quote > MAX_RECORD_BYTES:
            raise ValueError(f"a text or number longer than {MAX_RECORD_BYTES:,} bytes")
        return data


def broken_json(record: int, fault: Exception) -> Skipped:
    """Return the quarantine line for a JSON document that breaks after some records."""
    said = str(fault).splitlines()[0][:120] if str(fault).isascii() else type(fault).__name__  # it may quote the input
    reason = "json-truncated" if "incomplete" in said.lower() or "premature" in said.lower() else "json-broken"
    return Skipped(reason, f"after record {record}: {said}; get the file again, the rest can't be told apart", record)


def _one(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return loads(line)
    except (ValueError, RecursionError):
        return None


def _mostly_objects(text: bytes) -> dict[str, Any] | None:
    """Return the first object of lines that mostly are one each: a broken line at the top must not hide the rest."""
    lines = [line for line in text.split(b"\n")[:_LOOKED_AT] if line.strip()]
    if len(text) == HEAD_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut
    found = [value for value in map(_one, lines) if isinstance(value, dict) and value]
    return found[0] if len(found) > 1 and 2 * len(found) >= len(lines) else None


def _partial(text: bytes) -> Any:  # noqa: ANN401 - JSON
    builder = ijson.ObjectBuilder()
    try:
        for event, value in ijson.basic_parse(text, use_float=True):
            builder.event(event, value)
    except (ijson.JSONError, UnicodeDecodeError, ValueError):
        pass  # the head ends, or the JSON breaks: what was read so far is what there is to recognise it by
    return getattr(builder, "value", None)
