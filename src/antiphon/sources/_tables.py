"""How a table was written: its encoding, its delimiter and quoting, and where its header stands."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import Any

from antiphon.sources.columns import resolve

__all__ = ["Layout", "encoding_of", "layout_of"]

_DELIMITERS = (",", "\t", ";", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (b"{", b"[", b"<", b"%PDF", b"PK\x03\x04", b"WARC/", b"WEBVTT", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_MAX_NAME_CHARS = 80
_MAX_HEADER_ROW = 5
_MAX_TRIED_ROWS = 400
_CONTENT = ("text", "title", "url", "media")


@dataclass(frozen=True)
class Layout:
    """One reading of a table, and how well it fits.

    Attributes:
        delimiter: What stands between values.
        quoted: Whether `"` encloses values.
        escaped: Whether a backslash, and no doubling, marks a quote inside of a value.
        header: The names of the columns.
        skip_lines: How many lines stand before the header.
        consistency: Share of the tried rows that have the header's width.
        well_quoted: Whether every quote stands where this reading lets one stand.
    """

    delimiter: str
    quoted: bool
    escaped: bool
    header: tuple[str, ...]
    skip_lines: int
    consistency: float
    well_quoted: bool

    def reader_options(self) -> dict[str, Any]:
        """Return the options for `csv.reader`."""
        return _options(self.delimiter, quoted=self.quoted, escaped=self.escaped)


def encoding_of(head: bytes) -> str | None:
    """Return the encoding of a table, or None where the bytes are another format, or no text.

    Example:
        >>> encoding_of(b"id;text"), encoding_of("id;größe".encode("cp1252")), encoding_of(b"%PDF-1.7")
        ('utf-8', 'cp1252', None)
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if not head.strip() or head.lstrip().startswith(_OTHER_FORMATS):
        return None
    zeros = head.count(0)
    if zeros > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\x00" else "utf-16-be" if head[:1] == b"\x00" else None
    if not _is_text(head):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _likelier(head)
    return "utf-8"


def _likelier(head: bytes) -> str:
    """Return UTF-8 where most lines beyond ASCII are that, its broken lines being broken, else Windows-1252."""
    votes = 0
    for line in head.split(b"\n")[:-1] or [head]:
        if not line.isascii():
            votes += 3 if _is_utf8(line) else -1  # by chance a line is hardly ever UTF-8
    return "utf-8" if votes > 0 else "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_text(head: bytes) -> bool:
    controls = sum(head.count(byte) for byte in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return controls <= len(head) // 200


def layout_of(text: str, *, cut: bool) -> Layout | None:
    """Return the reading under which a table's header is known best and its rows agree most, or None.

    Args:
        text: The head of the table.
        cut: Whether the table goes on after it, so that its last row may not be whole.
    """
    text = text.removeprefix("\ufeff")
    said, skip = _said_delimiter(text)
    quotings = [(True, False), (True, True), (False, False)] if '\\"' in text else [(True, False), (False, False)]
    best: Layout | None = None
    for delimiter in said or _DELIMITERS:
        for quoted, escaped in quotings:
            layout = _tried(text, delimiter, cut=cut, quoted=quoted, escaped=escaped, skip=skip)
            if layout is not None and (best is None or _score(layout) > _score(best)):
                best = layout
    return best


def _score(layout: Layout) -> tuple[int, float, bool, int]:
    return _known(layout.header), round(layout.consistency, 2), layout.well_quoted, len(layout.header)


def _said_delimiter(text: str) -> tuple[tuple[str, ...], int]:
    """Return what Excel's first line `sep=;` says, and how many lines that takes."""
    first = text[:16].partition("\n")[0].strip().strip('"')
    return ((first[4:],), 1) if first.startswith("sep=") and len(first) == 5 else ((), 0)


def _options(delimiter: str, *, quoted: bool, escaped: bool) -> dict[str, Any]:
    return {
        "delimiter": delimiter,
        "quoting": csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        "escapechar": "\\" if escaped else None,
        "doublequote": not escaped,
        "skipinitialspace": False,
    }


def _tried(text: str, delimiter: str, *, cut: bool, quoted: bool, escaped: bool, skip: int) -> Layout | None:
    lines = list(io.StringIO(text, newline=""))[skip:]
    options = _options(delimiter, quoted=quoted, escaped=escaped)
    try:
        rows = list(islice(csv.reader(lines, **options), _MAX_TRIED_ROWS))
    except csv.Error:
        return None
    if cut and len(rows) < _MAX_TRIED_ROWS:
        rows = rows[:-1]
    at = next((i for i, row in enumerate(rows[:_MAX_HEADER_ROW]) if _known(tuple(row)) >= 2), 0)
    header = _without_empty_end(rows[at]) if rows else ()
    if not _is_header(header):
        return None
    fits = [len(row) >= len(header) and not any(row[len(header) :]) for row in rows[at + 1 :] if any(row)]
    share = sum(fits) / len(fits) if fits else 1.0
    well = quoted and _well_quoted(lines, options, cut=cut)
    if quoted and not well and delimiter in "\t|":
        share *= 0.95  # tables of tabs often know no quotes: that reading wins, where it fits
    return Layout(delimiter, quoted, escaped, header, at + skip, share, well)


def _without_empty_end(row: list[str]) -> tuple[str, ...]:
    """Return a header without the unnamed columns that a delimiter at the line's end makes."""
    while row and not row[-1].strip():
        row = row[:-1]
    return tuple(row)


def _well_quoted(lines: list[str], options: dict[str, Any], *, cut: bool) -> bool:
    try:
        for _ in islice(csv.reader(lines, strict=True, **options), _MAX_TRIED_ROWS):
            pass
    except csv.Error as fault:
        return cut and "unexpected end" in str(fault)
    return True


def _known(header: tuple[str, ...]) -> int:
    """Return how many columns mean something to a material, 0 where none of them holds content."""
    fields = set(resolve(header).values())
    return len(fields) if fields.intersection(_CONTENT) else 0


def _is_header(header: tuple[str, ...]) -> bool:
    names = [name.strip() for name in header if name.strip()]
    if not names or (len(set(names)) < len(names) and _known(header) < 2):
        return False
    return all(len(name) <= _MAX_NAME_CHARS and "\n" not in name for name in names)
