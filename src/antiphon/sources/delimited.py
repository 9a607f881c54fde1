"""Tables as text: values set apart by commas, tabs, semicolons or bars, with a header that names the columns.

Delimiter, quoting and encoding are found by trying them on the head: the reading under which the header names what a
material has, and all rows have its width, is the right one. What no header explains, a mapping file can.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, ClassVar

from antiphon.errors import InputError
from antiphon.model.material import MAX_RAW_BYTES, MAX_TEXT_CHARS, Item, Material, Media, Passed, Skipped
from antiphon.sources._tables import Layout, encoding_of, layout_of
from antiphon.sources.columns import count_of, kind_of, list_of, normal_name, resolve, source_of
from antiphon.sources.interface import HEAD_BYTES, MAX_RECORD_BYTES, Example, ReadContext
from antiphon.sources.jsonrecords import joined

__all__ = ["Delimited"]

_CONTENT = ("text", "title", "url", "media")
_IDS = ("native_id", "reply_to", "repost_of", "thread", "author", "revision")
_EMPTY = frozenset(("", "null", "none", "nan", "n/a", "\\n", "<na>", "nat", "undefined"))
_MANGLED_ID = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+")
_FLOAT_ID = re.compile(r"(\d{1,15})\.0")
_AS_TEXT = re.compile(r'="(.*)"')
_RULE = re.compile(r"\s*:?-{3,}:?\s*")
_NAME = re.compile(r"[A-Za-z][\w.-]{0,30}(?: [\w.-]{1,20}){0,2}")
"""What may be quoted as a column's name: in a table without a header it would be the text of a material."""
_RUNS = re.compile(r"(.)\1+")
_BROKEN = re.compile("[\udc80-\udcff]")
_RUNAWAY_LINES = 20
_MAX_REREAD_CHARS = 256 * 2**20
"""How much of a table may be looked at again because of quotes that never close."""


class Delimited:
    """Reads CSV, TSV and their kin, columns found by name or by a mapping."""

    name: ClassVar[str] = "csv"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "CSV, TSV and other delimited tables, columns found by name or by a mapping"

    def recognise(self, head: bytes, name: str) -> float:
        """Return at most 0.4: any source that knows a table's origin reads it better."""
        encoding = encoding_of(head)
        if encoding is None:
            return 0.0
        layout = layout_of(head.decode(encoding, "ignore"), cut=len(head) >= HEAD_BYTES)
        suffixed = name.lower().split("!/")[-1].endswith((".csv", ".tsv", ".tab", ".psv", ".csv.txt"))
        if layout is None or layout.consistency < (0.5 if suffixed else 0.8):
            return 0.0
        fields = set(resolve(layout.header).values())
        if not fields.intersection(_CONTENT) or (len(fields) < 2 and not suffixed):
            return 0.15 if suffixed else 0.0
        return 0.4

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield a material for each row; rows of another width, or with a broken value, are skipped with the reason."""
        head = stream.read(HEAD_BYTES)
        encoding = encoding_of(head) or "utf-8"
        layout = layout_of(head.decode(encoding, "ignore"), cut=len(head) >= HEAD_BYTES)
        if layout is None:
            yield Skipped("no-table", "no delimiter gives rows of one width; check that it is a table")
            return
        fields = resolve(layout.header, context.mapping)
        if not set(fields.values()).intersection(_CONTENT):
            names = ", ".join(column for column in layout.header if _NAME.fullmatch(column)) or "none with a name"
            detail = f"no column is known to hold text, title or address; name it in a mapping file; columns: {names}"
            yield Skipped("columns-unknown", detail)
            return
        table = _Table(layout, fields, encoding, context, seen_utf8=not head.isascii())
        lines = _Lines(io.TextIOWrapper(joined(head, stream), encoding, errors="surrogateescape", newline=""))
        yield from table.items(lines)

    def examples(self) -> Iterable[Example]:
        """Return an invented comma table with quoted line breaks, and a table of tabs."""
        commas = 'id,created_at,text\n1,2026-03-01,"Ferry, late\nagain"\n2,2026-03-02,Market day\n'
        tabs = "Post ID\tMessage\tLikes\na1\tFog on the quay\t3\n"
        yield Example("posts.csv", commas.encode(), 2)
        yield Example("posts.tsv", tabs.encode(), 1)


class _Lines:
    """The lines of a table, those of the current row remembered, so that they can be read again."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream, self._again = stream, list[str]()
        self.row: list[str] = []
        self.too_long_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._stream.readline(MAX_RECORD_BYTES)
        if not line:
            raise StopIteration
        if len(line) >= MAX_RECORD_BYTES and not line.endswith(("\n", "\r")):
            self.too_long_bytes = len(line) + self._drain()
            line = "\n"
        self.row.append(line)
        return line

    def give_back_all_but_first(self) -> int:
        """Let all lines of the current row but its first be read once more; return how many characters they have."""
        size = sum(map(len, self.row[1:]))
        self._again += reversed(self.row[1:])
        del self.row[1:]
        return size

    def _drain(self) -> int:
        size = 0
        while piece := self._stream.readline(HEAD_BYTES):
            size += len(piece)
            if piece.endswith(("\n", "\r")):
                break
        return size


class _Table:
    """Makes materials of the rows of one table."""

    def __init__(
        self, layout: Layout, fields: Mapping[str, str], encoding: str, context: ReadContext, *, seen_utf8: bool
    ) -> None:
        self._layout, self._encoding, self._context = layout, encoding, context
        self._width = len(layout.header)
        places = {field: layout.header.index(column) for column, field in fields.items()}
        self._places = places
        self._time = _time_beside_date(layout.header, fields)
        self._reread_chars = 0
        self._seen_utf8 = seen_utf8

    def items(self, lines: _Lines) -> Iterator[Item]:
        """Yield what the rows are, the header and what stands before it left out."""
        for _ in range(self._layout.skip_lines):
            next(lines, None)
            yield Passed("line-before-header")
        header_seen, record = False, 0
        for row, fault in self._rows(lines):
            if not header_seen and fault is None and row:
                header_seen = True
                continue
            if fault is None and not any(row) and not lines.too_long_bytes:
                continue  # an empty line
            yield from self._row(row, fault, record, lines)
            record += 1

    def _rows(self, lines: _Lines) -> Iterator[tuple[list[str], str | None]]:
        """Yield (row, what is wrong with its quoting); a quote that never closes costs its own line only."""
        csv.field_size_limit(MAX_TEXT_CHARS)
        while True:
            reader = csv.reader(lines, **self._layout.reader_options())
            lines.row = []
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                row, runaway = [], True
            else:
                runaway = len(lines.row) > 1 and self._swallowed(row, lines.row)
            if runaway and self._reread_chars < _MAX_REREAD_CHARS:
                self._reread_chars += lines.give_back_all_but_first()
                yield [], "a quote opens and does not close; double the quotes inside of a value"
            else:
                yield row, "the row can't be told apart from what follows it" if runaway else None

    def _swallowed(self, row: list[str], lines: list[str]) -> bool:
        """Whether a row lost its closing quote and holds the rows after it: by its width, or by how its lines begin."""
        if len(row) != self._width and (len(lines) > _RUNAWAY_LINES or sum(line.count('"') for line in lines) % 2 == 1):
            return True
        delimiter = self._layout.delimiter
        begins = _shape(row[0])
        return all(
            _shape(line.partition(delimiter)[0]) == begins and line.count(delimiter) >= self._width - 1
            for line in lines[1:]
        )

    def _row(self, row: list[str], fault: str | None, record: int, lines: _Lines) -> Iterator[Item]:
        raw = "".join(lines.row).encode(self._encoding, "surrogateescape")
        if lines.too_long_bytes:
            size, lines.too_long_bytes = lines.too_long_bytes, 0
            detail = f"row {record}: longer than {MAX_RECORD_BYTES:,} bytes; split it, or leave it out"
            yield Skipped("record-too-long", detail, record, raw_bytes=size)
        elif fault is not None:
            yield _skipped("quote-open", fault, record, raw)
        elif len(row) < self._width or any(row[self._width :]):
            detail = f"{len(row)} values, expected {self._width}; quote values that hold the delimiter"
            yield _skipped("row-width", detail, record, raw)
        elif row[: self._width] == list(self._layout.header):
            yield Passed("header")
        elif all(_RULE.fullmatch(cell) for cell in row if cell):
            yield Passed("rule")
        else:
            yield from self._decoded(row, record, raw)

    def _decoded(self, row: list[str], record: int, raw: bytes) -> Iterator[Item]:
        """Yield the row's material once its bytes are known to be text."""
        joined_row = "".join(row)
        if not joined_row.isascii():
            if _BROKEN.search(joined_row):
                if self._encoding.startswith("utf-8") and not self._seen_utf8:
                    # Nothing so far has shown the table to be UTF-8: it is what spreadsheets write in Western Europe.
                    row = [_as_windows(cell) for cell in row]
                else:
                    yield _skipped("utf8-broken", f"broken {self._encoding}; export it again as UTF-8", record, raw)
                    return
            else:
                self._seen_utf8 = True
        try:
            yield self._material(row, record, raw)
        except InputError as fault:
            yield _skipped("field-invalid", fault.what, record, raw)

    def _material(self, row: list[str], record: int, raw: bytes) -> Material:
        cells = {field: row[place] for field, place in self._places.items()}
        values: dict[str, str | None] = {field: _cell(cell) for field, cell in cells.items()}
        text, title = cells.get("text", ""), values.get("title")
        ids = {name: _id(values.get(name)) for name in _IDS}
        kind = kind_of(values.get("kind") or "") or (
            "repost" if ids["repost_of"] else "reply" if ids["reply_to"] else "post"
        )
        found = Material(
            source=source_of(values.get("platform"), values.get("outlet")),
            url=_url(values.get("url")),
            kind=kind,
            published_at=self._published(values.get("published_at"), row),
            collected_at=values.get("collected_at"),
            lang_declared=values.get("lang_declared"),
            title=title,
            text=text if text.strip() else None,
            links=list_of(values.get("links")),
            media=[self._media(path) for path in list_of(values.get("media"))],
            record=record,
            raw=raw[:MAX_RAW_BYTES],
            native_id=ids["native_id"],
            revision=ids["revision"],
            author=ids["author"],
            reply_to=ids["reply_to"],
            repost_of=ids["repost_of"],
            thread=ids["thread"],
            views=_count("views", values.get("views")),
            reactions=_count("reactions", values.get("reactions")),
            shares=_count("shares", values.get("shares")),
            replies=_count("replies", values.get("replies")),
        )
        if not (found.text or title or found.url or found.media):
            raise InputError("no text, title, address or media in the row", do="Fill one of them.")
        return found

    def _published(self, date: str | None, row: list[str]) -> str | None:
        time = _cell(row[self._time]) if self._time is not None else None
        return f"{date} {time}" if date and time and ":" not in date else date

    def _media(self, path: str) -> Media:
        return Media(path=path) if "://" in path else self._context.media(path)


def _time_beside_date(header: tuple[str, ...], fields: Mapping[str, str]) -> int | None:
    """Return the column with the time of day, where the date stands in one of its own."""
    date = next((column for column, field in fields.items() if field == "published_at"), None)
    times = [i for i, name in enumerate(header) if normal_name(name) in ("time", "hour", "time_utc", "tweet_time")]
    return (
        times[0] if date is not None and times and header[times[0]] != date and header[times[0]] not in fields else None
    )


def _shape(value: str) -> str:
    """Return what a value looks like: digits as 9, letters as a, each run once."""
    return _RUNS.sub(r"\1", re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value.strip(' "\r\n'))))


def _cell(cell: str) -> str | None:
    stripped = cell.strip()
    return None if stripped.lower() in _EMPTY else stripped


def _id(value: str | None) -> str | None:
    """Return an id as it was before a spreadsheet touched it, or None where that can't be known any more."""
    if value is None or _MANGLED_ID.fullmatch(value):
        return None  # 1.2E+18 stands for many posts: better no id than a wrong one
    whole = _FLOAT_ID.fullmatch(value) or _AS_TEXT.fullmatch(value)
    return whole[1] if whole else value.lstrip("'")


def _url(value: str | None) -> str | None:
    """Return an address; Reddit's permalinks are written without their host."""
    return f"https://www.reddit.com{value}" if value and value.startswith(("/r/", "/user/")) else value


def _count(name: str, value: str | None) -> int | None:
    try:
        return count_of(value)
    except (ValueError, OverflowError) as fault:
        raise InputError(f"field {name}: no number", do="Correct it, or leave it empty.") from fault


def _as_windows(cell: str) -> str:
    return cell.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _skipped(reason: str, detail: str, record: int, raw: bytes) -> Skipped:
    return Skipped(reason, f"row {record}: {detail}", record, None, raw[:MAX_RAW_BYTES], len(raw))
