"""JSON lines and plain JSON arrays of records, their keys found by name or given in a mapping.

The way that most collection tools and researchers hand over posts. Records are turned into columns block by block: at a
million records a minute, one object a record would cost more than reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, BinaryIO, ClassVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.model.material import Columns, Item, Media, Skipped
from antiphon.sources.columns import count_of, kind_of, list_of, resolve, source_of
from antiphon.sources.interface import MAX_RECORD_BYTES, Example, LineBlock, ReadContext
from antiphon.sources.jsonio import json_head, loads, stream_items
from antiphon.sources.lines import line_blocks
from antiphon.sources.uniform import Lines, uniform_columns

__all__ = ["JsonLines"]

_ROWS = 2_000
_TEXTS = ("native_id", "revision", "url", "author", "lang_declared", "title", "text", "reply_to", "repost_of", "thread")
_COUNTS = ("views", "reactions", "shares", "replies")
_CONTENT = ("text", "title", "url", "media")
_NAMES_OF_A_PERSON = ("id", "id_str", "username", "screen_name", "acct", "did", "handle", "name")
_LISTS = ("data", "items", "posts", "results", "records", "messages", "documents", "articles", "comments", "tweets")
_STRING = {str, type(None)}
_WHOLE = {int, type(None)}
_ONLY_OBJECTS = {dict}


class JsonLines:
    """Reads JSON lines, and JSON arrays of records; the keys decide what is what."""

    name: ClassVar[str] = "jsonl"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "JSON lines and JSON arrays of records, keys found by name or by a mapping"

    def recognise(self, head: bytes, name: str) -> float:
        """Return at most 0.4: any source that knows the shape of the records reads them better."""
        shape = json_head(head)
        first = shape.first or _first_of_list(shape.value)
        fields = set(resolve(first).values()) if first else set()
        if shape.shape == "none" or not fields.intersection(_CONTENT):
            return 0.1 if shape.shape == "lines" or name.endswith((".jsonl", ".ndjson")) else 0.0
        return 0.4 if shape.shape == "lines" else 0.35

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the records of an array, of a list under a usual key, or of lines read one after another."""
        head = stream.peek(65_536) if hasattr(stream, "peek") else b""
        shape = json_head(bytes(head[:65_536]))
        if shape.shape == "array":
            yield from self._items(stream_items(stream, "item"), context)
        elif key := _list_key(shape.value):
            yield from self._items(stream_items(stream, f"{key}.item"), context)
        elif shape.shape == "object" and b"\n" in head:
            yield from self._items(stream_items(stream, ""), context)
        else:
            yield from self._lines(stream, context)

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the records of some lines as columns."""
        uniform = _uniform(block, context)
        if uniform is not None:
            yield uniform
            return
        lines = block.data.removesuffix(b"\n").split(b"\n")
        offsets = list(accumulate((len(line) + 1 for line in lines), initial=block.offset))
        for start in range(0, len(lines), _ROWS):
            chunk = lines[start : start + _ROWS]
            places = list(enumerate(offsets[start : start + len(chunk)], block.first_record + start))
            try:
                records = list(map(orjson.loads, chunk))
            except orjson.JSONDecodeError:
                records = []
            if records and _ONLY_OBJECTS.issuperset(map(type, records)):
                yield from _columns(records, places, chunk, context)
            else:
                yield from _line_by_line(chunk, places, context)

    def examples(self) -> Iterable[Example]:
        """Return invented posts, one of them broken."""
        lines = (
            b'{"id": 1, "text": "The ferry to Veyl is late again", "created_at": "2026-03-01T08:00:00Z"}\n'
            b'{"id": 2, "text": "Rain until Thursday, says the harbour office", "lang": "en", "likes": 4}\n'
        )
        yield Example("posts.jsonl", lines, 2)
        yield Example("posts.json", b'[{"id": "a", "body": "Market day", "date": "2026-03-02"}]', 1)

    def _lines(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        for block in line_blocks(stream):
            yield from [block] if isinstance(block, Skipped) else self.read_block(block, context)

    def _items(self, items: Iterator[tuple[int, Any] | Skipped], context: ReadContext) -> Iterator[Item]:
        records: list[dict[str, Any]] = []
        places: list[tuple[int, int | None]] = []
        for item in items:
            if isinstance(item, Skipped):
                yield item
            elif isinstance(item[1], dict):
                records.append(item[1])
                places.append((item[0], None))
            else:
                yield _no_object(item[1], item[0], None, orjson.dumps(item[1], default=str))
            if len(records) == _ROWS:
                yield from _columns(records, places, [b""] * len(records), context)
                records, places = [], []
        yield from _columns(records, places, [b""] * len(records), context)


def _line_by_line(lines: Sequence[bytes], places: Sequence[tuple[int, int]], context: ReadContext) -> Iterator[Item]:
    """Yield the records of lines of which some are blank, broken or no objects."""
    records: list[dict[str, Any]] = []
    kept: list[tuple[int, int]] = []
    raws: list[bytes] = []
    for line, (record, offset) in zip(map(bytes.strip, lines), places, strict=True):
        value = _second_try(line, record, offset) if line else None
        if isinstance(value, dict):
            records.append(value)
            kept.append((record, offset))
            raws.append(line)
        elif line:
            yield value if isinstance(value, Skipped) else _no_object(value, record, offset, line)
    yield from _columns(records, kept, raws, context)


def _second_try(line: bytes, record: int, offset: int) -> Any:  # noqa: ANN401 - JSON
    """Return the value of a line, or the reason why there is none."""
    if len(line) > MAX_RECORD_BYTES:
        return Skipped("record-too-long", f"longer than {MAX_RECORD_BYTES:,} bytes", record, offset, line, len(line))
    try:
        return loads(line)
    except UnicodeDecodeError as fault:
        detail = f"broken UTF-8 at byte {fault.start} of the line; export it again as UTF-8"
        return Skipped("utf8-broken", detail, record, offset, line)
    except (ValueError, RecursionError) as fault:
        detail = f"no JSON: {str(fault)[:120]}; one JSON object is expected on each line"
        return Skipped("json-broken", detail, record, offset, line)


def _no_object(value: object, record: int, offset: int | None, raw: bytes) -> Skipped:
    detail = f"got {type(value).__name__}, expected a JSON object with keys such as text and created_at"
    return Skipped("not-an-object", detail, record, offset, raw)


def _first_of_list(value: object) -> dict[str, Any]:
    key = _list_key(value)
    return value[key][0] if key and isinstance(value, dict) else {}


def _list_key(value: object) -> str | None:
    """Return under which usual key an object keeps its list of records."""
    if not isinstance(value, dict):
        return None
    return next(
        (k for k in _LISTS if isinstance(value.get(k), list) and value[k] and isinstance(value[k][0], dict)), None
    )


def _columns(
    records: list[dict[str, Any]], places: Sequence[tuple[int, int | None]], raws: Sequence[bytes], context: ReadContext
) -> Iterator[Item]:
    if not records:
        return
    values = _values(records, context)
    values["record"], values["offset"] = map(list, zip(*places, strict=True))
    kept, skipped = _convert(values, records, places, raws)
    yield from skipped
    if kept is not None:
        yield kept


def _uniform(block: LineBlock, context: ReadContext) -> Columns | None:
    """Return the records of lines that are all alike and all have a text: most files are of such lines."""
    lines = Lines(block.data)
    columns = uniform_columns(lines)
    fields = _fields([tuple(columns)], context) if columns else {}
    if columns is None or any(len(keys) > 1 for keys in fields.values()):
        return None
    found = {field: columns[key] for field, (key,) in fields.items() if not pa.types.is_null(columns[key].type)}
    if "text" not in found or not all(_is_plain(field, column.type) for field, column in found.items()):
        return None
    if found["text"].null_count or not pc.min(pc.binary_length(found["text"].cast(pa.string()))).as_py():
        return None
    n = len(lines)
    values: dict[str, Any] = {
        field: column.cast(pa.string()) if field in _TEXTS else column for field, column in found.items()
    }
    values["source"] = _sources(values.pop("platform", None), values.pop("outlet", None), n)
    values["kind"] = _all_kinds(values, n)
    values["record"] = pa.array(np.arange(block.first_record, block.first_record + n))
    values["offset"] = pa.array(lines.starts[:-1] + block.offset)
    return Columns(values, lines)


def _is_plain(field: str, kind: pa.DataType) -> bool:
    """Whether a column of this type is what its field takes, with no value to be looked at."""
    if field in (*_TEXTS, "published_at", "collected_at"):
        return kind in (pa.string(), pa.int64())
    return kind == (pa.int64() if field in _COUNTS else pa.string()) and field not in ("links", "media")


def _sources(platforms: pa.Array | None, outlets: pa.Array | None, n: int) -> pa.Array:
    """Return what `source_of` says of each row; there are far fewer places than rows."""
    none = pa.nulls(n, pa.string())
    table = pa.table(
        {"platform": none if platforms is None else platforms, "outlet": none if outlets is None else outlets}
    )
    codes = [table.column(at).combine_chunks().dictionary_encode(null_encoding="encode") for at in range(2)]
    left, right = (code.indices.to_numpy().astype(np.int64) for code in codes)
    pairs, rows = np.unique(left * len(codes[1].dictionary) + right, return_inverse=True)
    words = [code.dictionary.to_pylist() for code in codes]
    names = [
        source_of(*(word[at] for word, at in zip(words, divmod(pair, len(words[1])), strict=True))) for pair in pairs
    ]
    return pa.array(names, pa.string()).take(pa.array(rows))


def _all_kinds(values: dict[str, Any], n: int) -> list[str]:
    names = ("kind", "reply_to", "repost_of")
    given: dict[str, list[Any]] = {name: values[name].to_pylist() for name in names if name in values}
    return _kinds(given, n) if given else ["post"] * n


def _values(records: list[dict[str, Any]], context: ReadContext) -> dict[str, list[Any]]:
    """Return the values that feed each field, row by row."""
    shapes = dict.fromkeys(map(tuple, records))
    fields = _fields(shapes, context)
    if len(shapes) == 1:  # every record has the same keys in the same order: turned over as a whole
        columns = dict(zip(*shapes, zip(*map(dict.values, records), strict=True), strict=True))
        if all(len(keys) == 1 for keys in fields.values()):
            return {field: list(columns[key]) for field, (key,) in fields.items()}
    return {
        field: [_first(record, keys) for record in records] if len(keys) > 1 else [r.get(keys[0]) for r in records]
        for field, keys in fields.items()
    }


def _fields(shapes: Iterable[tuple[str, ...]], context: ReadContext) -> dict[str, list[str]]:
    """Return which keys feed each field: records of one file may call the same thing by different names."""
    fields: dict[str, list[str]] = {}
    for keys in shapes:
        # JSON leaves out what is empty, so a mapping may name a key that these records do not have.
        mapping = {field: key for field, key in context.mapping.items() if key in keys}
        for key, field in resolve(keys, mapping).items():
            known = fields.setdefault(field, [])
            if key not in known:
                known.append(key)
    return fields


def _first(record: dict[str, Any], keys: list[str]) -> Any:  # noqa: ANN401 - JSON
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _convert(
    values: dict[str, list[Any]], records: list[dict[str, Any]], places: Sequence[tuple[int, int | None]],
    raws: Sequence[bytes],
) -> tuple[Columns | None, list[Skipped]]:  # fmt: skip
    n = len(records)
    outlets = _texts(values.pop("outlet", [None] * n))
    platforms = _texts(values.pop("platform", [None] * n))
    values["source"] = list(map(source_of, map(_text_or_none, platforms), map(_text_or_none, outlets)))
    for name in _TEXTS:
        if name in values:
            values[name] = _texts(values[name])
    for name in _COUNTS:
        if name in values and not _WHOLE.issuperset(map(type, values[name])):
            values[name] = [_count(value) for value in values[name]]
    if "links" in values:
        values["links"] = [list_of(value) for value in values["links"]]
    if "media" in values:
        values["media"] = [[Media(path=link) for link in list_of(value)] for value in values["media"]]
    values["kind"] = _kinds(values, n)
    return _with_content(values, places, raws)


def _texts(column: list[Any]) -> list[Any]:
    """Return a column as texts: numbers written out, a person's object by its id; what else it holds stays."""
    if _STRING.issuperset(map(type, column)):
        return column
    return [_text(value) for value in column]


def _text(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        found = next((value[key] for key in _NAMES_OF_A_PERSON if value.get(key) not in (None, "")), None)
        return value if found is None else _text(found)
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return value[0]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value != value else str(int(value) if value == int(value) else value)  # noqa: PLR0124 - NaN
    return value


def _text_or_none(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) else None


def _count(value: Any) -> Any:  # noqa: ANN401 - JSON
    try:
        return count_of(value)
    except (ValueError, OverflowError):
        return value  # stays as it is: the row's check names the field


def _kinds(values: dict[str, list[Any]], n: int) -> list[str]:
    given = values.get("kind", [None] * n)
    answers, repeats = values.get("reply_to", [None] * n), values.get("repost_of", [None] * n)
    return [
        kind_of(kind) or ("repost" if repeat else "reply" if answer else "post")
        for kind, answer, repeat in zip(given, answers, repeats, strict=True)
    ]


def _with_content(
    values: dict[str, list[Any]], places: Sequence[tuple[int, int | None]], raws: Sequence[bytes]
) -> tuple[Columns | None, list[Skipped]]:
    """Return the rows that hold any content, and the others as skipped."""
    texts = values.get("text")
    if texts is not None and all(texts):
        return Columns(values, raws), []
    columns = [values[name] for name in _CONTENT if name in values]
    full = [any(cells) for cells in zip(*columns, strict=True)] if columns else [False] * len(raws)
    detail = "no text, title, address or media; name the key in a mapping file if it is called otherwise"
    skipped = [
        Skipped("no-content", detail, *place, raw)
        for keep, place, raw in zip(full, places, raws, strict=True)
        if not keep
    ]
    if not any(full):
        return None, skipped
    if skipped:
        values = {name: [v for v, keep in zip(column, full, strict=True) if keep] for name, column in values.items()}
        raws = [raw for raw, keep in zip(raws, full, strict=True) if keep]
    return Columns(values, raws), skipped
