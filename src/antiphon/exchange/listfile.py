"""Plain lists, and the two forms of our own that hold every field of an entry: CSV and JSON lines.

=========  =======================================================================================================
list       one value a line, or `signal type, space or colon, value`; `#` begins a comment. What a line has no place
           for stands before it in a comment that begins `#+`, so that other programs still read the list
csv        a header, then one entry a line
jsonl      one JSON object a line
=========  =======================================================================================================

Values are written in hex; those of `text` and `phrase` as the words that they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, BinaryIO, ClassVar

import orjson

from antiphon.errors import InputError
from antiphon.exchange._lossless import (
    EMPTY,
    FIELDS,
    UNKNOWN,
    WORDS,
    Fields,
    Native,
    Seen,
    UnfitError,
    bank_record,
    blank,
    each_once,
    first_bytes,
    from_entry,
    loads,
    moment,
    parsed,
    read_bank_record,
    record_in,
    record_out,
    refused,
    text_or_none,
    to_entry,
    value_of,
    value_text,
)
from antiphon.exchange._walk import lines
from antiphon.exchange.interface import HEAD_BYTES, MAX_RECORD_BYTES, Refused
from antiphon.model.bank import SIGNAL_BYTES, Bank, BankEntry

__all__ = ["COLUMNS", "EntryLines", "EntryTable", "PlainList"]

COLUMNS = (
    "entry_id", "signal_type", "value", "label", "entity", "note", "source", "marking", "valid_from", "valid_until",
    "status", "more", "bank",
)  # fmt: skip
_NEEDED = COLUMNS[:3]
_TYPED = re.compile(r"(\w+)(?:\s*:\s*|\s+)(\S.*)", re.DOTALL)
_BANK_LINE, _RECORD_LINE = "#! bank ", "#+ "
_TOO_LONG = f"the line has over {MAX_RECORD_BYTES} bytes"
_NOT_TEXT = "the line is no UTF-8 text"
_HEX_DIGITS_SHOWN = 128
_LOOKED_AT = 10


class _ListCodec:
    """A line of a plain list: signal type and value; the id is the value."""

    name: ClassVar[str | None] = None
    consumed: ClassVar[frozenset[str]] = frozenset(("signal_type", "value"))

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def encode(self, fields: Fields) -> Native:
        kind = fields["signal_type"]
        return {"signal_type": kind, "value": " ".join(value_text(kind, fields["value"]).split())}

    def decode(self, native: Native) -> Fields:
        kind, text = native["signal_type"], native["value"]
        value = value_of(kind, " ".join(text.split()))
        return {**blank(self.bank), "signal_type": kind, "value": value, "entry_id": _list_id(kind, value)}


def _list_id(signal_type: str, value: bytes) -> str:
    """Return an id that hangs on nothing but the value, so that a line that moves stays the same entry."""
    if signal_type in WORDS or 2 * len(value) > _HEX_DIGITS_SHOWN:  # words don't belong into an id, which is logged
        return blake2b(value, digest_size=16, person=b"antiphon-id").hexdigest()
    return value.hex()


@dataclass(frozen=True)
class PlainList:
    """Reads and writes one value a line.

    Attributes:
        signal_type: Of which type the values are; needed where their length leaves a doubt.
    """

    signal_type: str | None = None
    name: ClassVar[str] = "list"
    title: ClassVar[str] = "plain list: one value a line, or signal type and value"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".list")

    def recognise(self, head: bytes, name: str) -> float:
        """Return a low number for text that looks like nothing else."""
        if head.startswith(_BANK_LINE.encode()):
            return 1.0
        return 0.1 if head and b"\0" not in head and not head.lstrip().startswith((b"{", b"[", b"<")) else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entries of a list; an entry's id is its value.

        Raises:
            InputError: the file is no text.
        """
        codec, seen, record = _ListCodec(UNKNOWN), Seen(), ""
        for number, raw in lines(stream):
            where = f"line {number}"
            if raw is None:
                yield refused(where, b"", _TOO_LONG)
                continue
            if number < _LOOKED_AT and b"\0" in raw:
                raise InputError("it is no text in UTF-8", where=where, do="Save the list as UTF-8 text.")
            try:
                text = raw.decode().strip()
                if text.startswith(_BANK_LINE):
                    codec.bank = read_bank_record(text[len(_BANK_LINE) :]) or codec.bank
                elif text.startswith(_RECORD_LINE):
                    record = text[len(_RECORD_LINE) :]
                elif text and not text.startswith("#"):
                    told, record = record_in(loads(record.encode())) if record else EMPTY, ""
                    yield from each_once(to_entry(codec, self._native(text), told), where, raw, seen)
            except (UnfitError, UnicodeDecodeError) as fault:
                yield refused(where, raw, fault if isinstance(fault, UnfitError) else _NOT_TEXT)
                record = ""

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return what the first line says of the bank, or None."""
        first = first_bytes(stream, HEAD_BYTES).partition(b"\n")[0].decode("utf-8", "replace")
        return read_bank_record(first[len(_BANK_LINE) :]) if first.startswith(_BANK_LINE) else None

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write a bank as a list; what a line has no place for stands in comments."""
        stream.write(f"{_BANK_LINE}{bank_record(bank)}\n".encode())
        codec = _ListCodec(bank)
        for entry in entries:
            native, record = from_entry(codec, entry)
            if record:
                stream.write(_RECORD_LINE.encode() + orjson.dumps(record_out(record)) + b"\n")
            between = ": " if native["value"].startswith(":") else " "  # behind a space alone it would be lost
            stream.write(f"{native['signal_type']}{between}{native['value']}\n".encode())

    def _native(self, text: str) -> Native:
        found = _TYPED.fullmatch(text)
        if found and found[1] in SIGNAL_BYTES and self.signal_type in (None, found[1]):
            return {"signal_type": found[1], "value": found[2]}
        if self.signal_type is not None:
            return {"signal_type": self.signal_type, "value": text}
        fitting = [kind for kind, size in SIGNAL_BYTES.items() if size and 2 * size == len(text)]
        if len(fitting) == 1:
            return {"signal_type": fitting[0], "value": text}
        if fitting:
            raise UnfitError(f"{len(text)} digits can be {' or '.join(fitting)}: say which, by name or in the line")
        raise UnfitError("it names no signal type, and its length fits none")


class EntryLines:
    """Reads and writes JSON lines with every field of an entry."""

    name: ClassVar[str] = "jsonl"
    title: ClassVar[str] = "JSON lines, every field of an entry"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def recognise(self, head: bytes, name: str) -> float:
        """Return 1 where the first line is an object with what an entry needs."""
        line = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
        named = all(b'"%b"' % column.encode() in line for column in _NEEDED)
        return 1.0 if line.startswith(b"{") and named else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entry of each line.

        Raises:
            InputError: the first line is no JSON object.
        """
        seen = Seen()
        for number, raw in lines(stream):
            where = f"line {number}"
            if raw is None:
                yield refused(where, b"", _TOO_LONG)
            elif raw.strip():
                if number == 1 and not raw.lstrip().startswith(b"{"):
                    raise InputError("it is no JSON object", where=where, do="Write one JSON object a line.")
                try:
                    yield from each_once(_from_cells(parsed(raw)), where, raw, seen)
                except UnfitError as fault:
                    yield refused(where, raw, fault)

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return None: the form holds entries alone."""

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write one line an entry; the bank's own fields have no place in it."""
        for entry in entries:
            option = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
            stream.write(orjson.dumps(_cells(entry), option=option))


class EntryTable:
    """Reads and writes CSV with every field of an entry."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV with a header, every field of an entry"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)

    def recognise(self, head: bytes, name: str) -> float:
        """Return 1 where the header has what an entry needs."""
        first = head.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
        cells = first[0].decode("utf-8", "replace").replace('"', "").split(",") if first else []
        return 1.0 if set(_NEEDED) <= set(cells) else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entry of each row; columns that no entry has are kept in its `more`.

        Raises:
            InputError: the header lacks a column.
        """
        seen, header = Seen(), list[str]()
        for where, raw, cells in csv_rows(stream):
            if isinstance(cells, str):
                yield refused(where, raw, cells)
            elif not header:
                header = cells
                _require(header)
            else:
                try:
                    yield from each_once(_from_cells(_named(header, cells)), where, raw, seen)
                except UnfitError as fault:
                    yield refused(where, raw, fault)
        if not header:
            _require(header)

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return None: the form holds entries alone."""

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write a header and one row an entry; the bank's own fields have no place in it."""
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")  # RFC 4180; else a lone \r stands bare
        writer.writeheader()
        for entry in entries:
            cells = {name: _cell_out(value) for name, value in _cells(entry).items()}
            writer.writerow(cells)
        text.detach()


def _require(header: list[str]) -> None:
    if missing := [column for column in _NEEDED if column not in header]:
        do = "Begin the file with the line " + ",".join(COLUMNS) + "; only the first three must be there."
        raise InputError(f"the header lacks {', '.join(missing)}", where="line 1", do=do)


def csv_rows(stream: BinaryIO) -> Iterator[tuple[str, bytes, list[str] | str]]:
    """Yield place, bytes and cells of each row of a CSV file; a reason in place of the cells where there are none."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))  # one for the whole process; never lowered
    held, size, began, quotes = list[bytes](), 0, 1, 0
    for number, raw in lines(stream):
        part = raw or b""
        held.append(part)
        size, quotes = size + len(part), quotes + part.count(b'"')
        if raw is None or size > MAX_RECORD_BYTES:
            yield f"line {began}", b"".join(held), _TOO_LONG
        elif quotes % 2:  # a line end inside quotes
            continue
        elif (row := b"".join(held)).strip():
            yield f"line {began}", row, _split(row)
        held, size, began, quotes = [], 0, number + 1, 0
    if held:
        yield f"line {began}", b"".join(held), "the file ends inside of quotes"


def _split(raw: bytes) -> list[str] | str:
    try:
        return next(csv.reader(io.StringIO(raw.decode(), newline=""), strict=True), [])
    except UnicodeDecodeError:
        return _NOT_TEXT
    except csv.Error:
        return "the line is no CSV"


def _named(header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise UnfitError(f"the row has {len(cells)} cells, expected {len(header)}")
    named: dict[str, Any] = {name: _cell_in(cell) for name, cell in zip(header, cells, strict=True) if cell}
    if "more" in named:
        named["more"] = loads(named["more"].encode("utf-8", "surrogatepass"))
    return named


def _cell_out(value: object) -> object:
    """Return a cell that tells an empty text from none: the first is written as two quotes."""
    if isinstance(value, dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return f'{value}""' if isinstance(value, str) and not value.strip('"') else value


def _cell_in(cell: str) -> str:
    return cell[2:] if len(cell) > 1 and not cell.strip('"') else cell


def _cells(entry: BankEntry) -> dict[str, Any]:
    """Return the fields of an entry that have a value, as JSON.

    Raises:
        InputError: the entry is none.
    """
    _, record = from_entry(_NOTHING, entry)
    cells = record_out({name: value for name, value in record.items() if name not in ("value", "address", "more")})
    cells.pop("absent", None)
    cells["value"] = value_text(entry.signal_type, entry.value)
    return cells | ({"more": dict(entry.more)} if entry.more else {})


class _NothingCodec:
    """A row that holds nothing by itself: all of an entry is in its record."""

    name: ClassVar[str | None] = None
    consumed: ClassVar[frozenset[str]] = frozenset()
    bank = UNKNOWN

    def encode(self, fields: Fields) -> Native:
        return {}

    def decode(self, native: Native) -> Fields:
        return dict.fromkeys(FIELDS)


_NOTHING = _NothingCodec()


def _from_cells(cells: Mapping[str, Any]) -> BankEntry:
    kind = text_or_none(cells.get("signal_type"), "signal_type") or ""
    record: dict[str, Any] = {name: text_or_none(cells.get(name), name) for name in COLUMNS if name not in _OTHER}
    entry_id = cells.get("entry_id")
    record["entry_id"] = str(entry_id) if isinstance(entry_id, int) else text_or_none(entry_id, "entry_id")
    record["value"] = value_of(kind, cells.get("value"))
    record |= {name: moment(cells.get(name), name) for name in ("valid_from", "valid_until")}
    record["status"], record["bank"] = record["status"] or "active", record["bank"] or ""
    more = cells.get("more") or {}
    if not isinstance(more, dict):
        raise UnfitError("`more` is no JSON object")
    foreign = {name: value for name, value in cells.items() if name not in COLUMNS}
    record["more"] = {**foreign, **more}
    return to_entry(_NOTHING, {}, record)


_OTHER = frozenset(("entry_id", "value", "valid_from", "valid_until", "more"))
