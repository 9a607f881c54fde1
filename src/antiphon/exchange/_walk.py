"""JSON of any length, cut into its records without being read into memory, and lines likewise.

A parser that meets a broken record loses what follows. Here the brackets are counted first and each record is parsed by
itself, so a broken one costs itself only, its place is known to the byte, and neither a text without an end nor a
million open brackets costs more than the limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from antiphon.exchange.interface import MAX_RECORD_BYTES, RAW_BYTES

__all__ = ["Path", "Piece", "lines", "pieces"]

Path = tuple[str, ...]
"""Where a value stands: the keys that lead to it, `[]` for a place in an array."""

MAX_DEPTH = 100
_CHUNK = 1 << 18
_BOM = b"\xef\xbb\xbf"
_QUOTE, _BACKSLASH = b'"\\'
_SPACE = re.compile(rb"[\s,]*")
_SCALAR = re.compile(rb"[^\s{}\[\]:,\"]+")
_COLON = re.compile(rb"\s*:")
_OUTSIDE = re.compile(rb'["{}\[\]]')
_CUT = "the file ends in the middle of this"
_LONG = f"it has over {MAX_RECORD_BYTES} bytes"
_DEEP = f"it is nested over {MAX_DEPTH} deep"


class Piece(NamedTuple):
    """A value of a JSON document, not parsed yet.

    Attributes:
        path: Where it stands.
        offset: Its first byte in the file.
        raw: The value, or the beginning of what is none.
        fault: What is wrong with it, if something is.
    """

    path: Path
    offset: int
    raw: bytes
    fault: str | None = None


class _Stop(Exception):  # noqa: N818 - no error of the program: the end of what can be told apart
    def __init__(self, offset: int, raw: bytes, reason: str) -> None:
        super().__init__(reason)
        self.piece = Piece((), offset, raw, reason)


def pieces(stream: BinaryIO, enter: Callable[[Path], bool]) -> Iterator[Piece]:
    """Yield the values of one or more JSON documents, each whole, going into those containers that `enter` names.

    What is gone into is yielded too, as its opening bracket, before what is in it.
    Where the brackets don't match or the file ends too early, the last piece says so, with its fault.
    """
    scanner = _Scanner(stream)
    try:
        while scanner.more():
            yield from scanner.value((), enter)
    except _Stop as stop:
        yield stop.piece


class _Scanner:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = stream.read(_CHUNK)
        self._base = 0
        self._at = len(_BOM) if self._data.startswith(_BOM) else 0
        self._ended = False

    def more(self) -> bool:
        """Return whether anything but white space follows, and go there."""
        while True:
            blank = _SPACE.match(self._data, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._data):
                return True
            if not self._fill():
                return False

    def value(self, path: Path, enter: Callable[[Path], bool]) -> Iterator[Piece]:
        """Yield the value that begins here, or what is in it."""
        first = self._data[self._at : self._at + 1]
        if first == b"{" and enter(path):
            yield Piece(path, self._base + self._at, first)
            yield from self._members(path, enter)
        elif first == b"[" and enter(path):
            yield Piece(path, self._base + self._at, first)
            yield from self._elements(path, enter)
        elif first in (b"{", b"["):
            yield self._container(path)
        else:
            yield self._scalar(path)

    def _members(self, path: Path, enter: Callable[[Path], bool]) -> Iterator[Piece]:
        start = self._step()
        while self._here(start) != b"}":
            key = self._scalar(path)
            while (colon := _COLON.match(self._data, self._at)) is None:
                if self._data[self._at :].strip() or not self._fill():
                    raise _Stop(key.offset, key.raw, "a key without a value; the rest can't be told apart")
            self._at = colon.end()
            self._here(start)
            yield from self.value((*path, key.raw[1:-1].decode("utf-8", "replace")), enter)
        self._at += 1

    def _elements(self, path: Path, enter: Callable[[Path], bool]) -> Iterator[Piece]:
        start = self._step()
        inside = (*path, "[]")
        while self._here(start) != b"]":
            yield from self.value(inside, enter)
        self._at += 1

    def _step(self) -> int:
        self._at += 1
        return self._base + self._at - 1

    def _here(self, start: int) -> bytes:
        if not self.more():
            raise _Stop(start, b"", _CUT)
        return self._data[self._at : self._at + 1]

    def _scalar(self, path: Path) -> Piece:
        while True:
            text, start = self._data[self._at] == _QUOTE, self._at
            end, offset = self._scalar_end(start), self._base + start
            if end > start and (text or self._ended or end < len(self._data)):
                return self._whole(path, start, end)
            raw = self._data[start:]
            if not text and (end == start or len(raw) > MAX_RECORD_BYTES):
                raise _Stop(offset, raw, "this is no JSON; the rest can't be told apart")
            if len(raw) > MAX_RECORD_BYTES:
                return self._skipped(path, offset, raw, _LONG, 0)
            if not self._fill() and text:
                raise _Stop(offset, raw, _CUT)

    def _scalar_end(self, start: int) -> int:
        """Where a text, number or word ends, as far as it was read; not behind its start where there is none yet."""
        if self._data[start] == _QUOTE:
            return _text_end(self._data, start + 1)
        found = _SCALAR.match(self._data, start)
        return found.end() if found else start

    def _whole(self, path: Path, start: int, end: int) -> Piece:
        """Return a value that was read, or only its beginning where it is longer than a record may be."""
        self._at = end
        if end - start > MAX_RECORD_BYTES:
            return Piece(path, self._base + start, self._data[start : start + RAW_BYTES], _LONG)
        return Piece(path, self._base + start, self._data[start:end])

    def _container(self, path: Path) -> Piece:
        start, depth, at = self._at, 0, self._at
        while True:
            while (found := _OUTSIDE.search(self._data, at)) is not None:
                at = found.end()
                if found[0] == b'"':
                    at = _text_end(self._data, at)
                    if at < 0:  # it goes on behind what was read
                        at = found.start()
                        break
                    continue
                depth += 1 if found[0] in b"{[" else -1
                if depth > MAX_DEPTH:
                    self._at = at
                    return self._skipped(path, self._base + start, self._data[start:at], _DEEP, depth)
                if not depth:
                    return self._whole(path, start, at)
            at = at if found else len(self._data)
            kept = at - start
            if kept > MAX_RECORD_BYTES or len(self._data) - start > 2 * MAX_RECORD_BYTES:
                self._at, raw = at, self._data[start : start + RAW_BYTES]
                return self._skipped(path, self._base + start, raw, _LONG, depth)
            self._at = start
            if not self._fill():
                raise _Stop(self._base + self._at, self._data[self._at :], _CUT)
            start, at = self._at, self._at + kept

    def _skipped(self, path: Path, offset: int, raw: bytes, fault: str, depth: int) -> Piece:
        """Go behind a value that won't be read, keeping none of it."""
        while True:
            found = _OUTSIDE.search(self._data, self._at)
            self._at = found.end() if found else len(self._data)
            if found is None:
                if not self._fill():
                    raise _Stop(offset, raw, _CUT)
                continue
            if found[0] == b'"':
                self._skip_text(offset, raw)
            else:
                depth += 1 if found[0] in b"{[" else -1
            if depth <= 0:
                return Piece(path, offset, raw, fault)

    def _skip_text(self, offset: int, raw: bytes) -> None:
        """Go behind the end of a text from inside of it."""
        while (end := _text_end(self._data, self._at)) < 0:
            self._at = len(self._data) - _slashes(self._data, self._at, len(self._data)) % 2  # half an escape is kept
            if not self._fill():
                raise _Stop(offset, raw, _CUT)
        self._at = end

    def _fill(self) -> bool:
        """Read on, forgetting what lies behind; doubles what is held, so that a long record is copied seldom."""
        held = self._data[self._at :]
        chunk, wanted = b"", max(_CHUNK, len(held))
        while len(chunk) < wanted and not self._ended:  # a pipe may give less than was asked for
            part = self._stream.read(wanted - len(chunk))
            chunk, self._ended = chunk + part, not part
        self._base += self._at
        self._at, self._data = 0, held + chunk
        return bool(chunk)


def _text_end(data: bytes, inside: int) -> int:
    """Return the place behind a text's closing quote, given where its inside begins; -1 where it is not there.

    By hand: patterns that can't backtrack, which this would need, are broken in the first releases of Python 3.11.
    """
    at = inside
    while (quote := data.find(b'"', at)) >= 0:
        if _slashes(data, inside, quote) % 2 == 0:
            return quote + 1
        at = quote + 1
    return -1


def _slashes(data: bytes, inside: int, end: int) -> int:
    """Return how many backslashes stand before a place."""
    at = end
    while at > inside and data[at - 1] == _BACKSLASH:
        at -= 1
    return end - at


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number; None for one that is too long to be read into memory."""
    number = 0
    while line := stream.readline(MAX_RECORD_BYTES):
        number += 1
        whole = line.endswith(b"\n") or len(line) < MAX_RECORD_BYTES
        yield number, (line.removeprefix(_BOM) if number == 1 else line) if whole else None
        while not whole:
            rest = stream.readline(MAX_RECORD_BYTES)
            whole = rest.endswith(b"\n") or len(rest) < MAX_RECORD_BYTES
