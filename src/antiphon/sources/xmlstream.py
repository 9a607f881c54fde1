"""XML documents too large to hold, and the usual faults of XML written by hand, element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import Any, BinaryIO

from lxml import etree

__all__ = ["MendedXml", "Rejoined", "XmlFault", "local_name", "stream_elements"]

_CHUNK = 65_536
_LONGEST_ENTITY = 40
_LONGEST_CDATA = 16 * 2**20
_OWN_ENTITIES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_SPOTS = re.compile(
    rb"<!\[CDATA\[.*?\]\]>|&#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});|&([A-Za-z][A-Za-z0-9]{1,32});|&|[\x00-\x08\x0b\x0c\x0e-\x1f]",
    re.DOTALL,
)
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")
_CUT = ("Premature end", "EndTag", "not terminated", "unexpected end", "not finished", "document is empty")


class Rejoined:
    """Some bytes read ahead and the stream that they were taken from, as one stream again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, the ones read ahead first."""
        if not self._head:
            return self._rest.read(size)
        piece, self._head = (self._head, b"") if size < 0 else (self._head[:size], self._head[size:])
        return piece + self._rest.read() if size < 0 else piece


class MendedXml:
    """A stream of XML with its commonest faults mended: a bare `&`, entities of HTML, control characters.

    A parser that recovers by itself drops what follows a bare `&`, which makes another address of an address.
    """

    def __init__(self, stream: BinaryIO | Rejoined) -> None:
        self._stream, self._held = stream, b""
        self._wide: bool | None = None
        self._tail = b""

    def ends_with(self, names: frozenset[str]) -> bool:
        """Return whether what was read ends with the end of an element with one of some names."""
        closed = re.search(rb"</(?:[\w.-]+:)?([\w.-]+)\s*>\s*\Z", self._tail.replace(b"\x00", b""))
        return bool(closed and closed[1].decode("ascii", "replace").lower() in names)

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of any size, empty at the end."""
        while True:
            piece = self._stream.read(_CHUNK)
            self._tail = (self._tail + piece)[-256:]
            if self._wide is None:
                self._wide = piece.startswith(_WIDE)
            if self._wide:
                return piece
            text = self._held + piece
            cut = len(text) if not piece else _safe_cut(text)
            out, self._held = text[:cut], text[cut:]
            if out or not piece:
                return _SPOTS.sub(_mend, out)


def _safe_cut(text: bytes) -> int:
    """Return where a piece may end: in no entity and, unless it is long, in no CDATA section."""
    after = 0
    while (opened := text.find(b"<![CDATA[", after)) >= 0:
        closed = text.find(b"]]>", opened)
        if closed < 0:
            return opened if len(text) - opened < _LONGEST_CDATA else len(text)
        after = closed + 3
    cut = text.rfind(b"&", max(after, len(text) - _LONGEST_ENTITY))
    cut = len(text) if cut < 0 else cut
    partial = text.rfind(b"<", max(after, len(text) - 9))
    return min(cut, partial) if partial >= 0 and b"<![CDATA[".startswith(text[partial:]) else cut


def _mend(spot: re.Match[bytes]) -> bytes:
    whole, name = spot[0], spot[1]
    if whole.startswith((b"<", b"&#")):
        return whole
    if name is not None:
        character = None if name in _OWN_ENTITIES else html5.get(f"{name.decode()};")
        if character is None:
            return whole if name in _OWN_ENTITIES else b"&amp;" + whole[1:]
        return "".join(f"&#{ord(c)};" for c in character).encode()
    return b"&amp;" if whole == b"&" else b""


@dataclass(frozen=True)
class XmlFault:
    """What was wrong with a document, told after all that could be read of it. `cut` where it just ends."""

    detail: str
    cut: bool


def local_name(element: Any) -> str:  # noqa: ANN401 - lxml has no types
    """Return an element's name without its namespace, in lower case; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def stream_elements(stream: BinaryIO | Rejoined, names: frozenset[str]) -> Iterator[Any]:
    """Yield each element with one of some local names, then an `XmlFault` if something was wrong.

    An element is emptied once the next is asked for. No entity, DTD or address is ever resolved. An element in which
    the document ends is not yielded: a parser that recovers closes it as if it were whole.
    """
    source = MendedXml(stream)
    parser = etree.iterparse(
        source, events=("start", "end"), recover=True, resolve_entities=False, no_network=True, huge_tree=False,
        load_dtd=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    held = fault = None
    try:
        for event, element in parser:
            if held is not None and event == "start":
                yield held
                _forget(held)
                held = None
            if event == "end" and local_name(element) in names:
                held = element
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        fault = XmlFault(_short(str(error)), cut=any(sign in str(error) for sign in _CUT))
    fault = fault or _worst(parser.error_log)
    if held is not None and not (fault is not None and fault.cut and not source.ends_with(names)):
        yield held
    if fault is not None:
        yield fault


def _worst(log: Any) -> XmlFault | None:  # noqa: ANN401 - lxml has no types
    fatal = [entry for entry in log if entry.level >= etree.ErrorLevels.FATAL]
    if not fatal:
        return None
    last = fatal[-1]
    return XmlFault(f"line {last.line}: {_short(last.message)}", cut=any(sign in last.message for sign in _CUT))


def _forget(element: Any) -> None:  # noqa: ANN401 - lxml has no types
    """Empty an element and drop its like before it."""
    element.clear()
    while element.getprevious() is not None and element.getparent() is not None:
        before = element.getprevious()
        if local_name(before) != local_name(element):
            break  # what stands at the head of the document is wanted by each element
        element.getparent().remove(before)


def _short(message: str) -> str:
    """Return a parser's message without what it quotes from the document."""
    return re.sub(r"[\"'‘“«:].*$", "", " ".join(message.split()))[:100].strip()
