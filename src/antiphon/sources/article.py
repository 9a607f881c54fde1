"""Web pages saved as HTML: the article, its date, language, address, links and images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, ClassVar
from urllib.parse import unquote, urlsplit

from antiphon.model.material import Item, Media, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.webpage import MAX_PAGE_BYTES, absolute, decode_text, page_material, read_page

__all__ = ["Article"]

_PROLOGUE = re.compile(r"(?:\s|<!--.*?-->|<\?xml[^>]*\?>)*", re.DOTALL)
_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BLOCK = re.compile(r"<(?:p|div|article|section|h[1-6]|table|title|meta|span|a|br|center)\b[^>]*>", re.IGNORECASE)
_TELEGRAM = re.compile(
    rb"""class=["']page_wrap["'].{0,20000}?class=["'](?:page_body chat_page|history|page_header)""", re.DOTALL
)
_EXAMPLE = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The ferry runs again - Brindle Bay Gazette</title>
<link rel="canonical" href="https://gazette.brindlebay.example/2026/ferry">
<meta property="article:published_time" content="2026-03-01T09:30:00+01:00"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>The ferry runs again</h1>
<p>After three weeks in the yard the ferry between Brindle Bay and the Lantern Isles runs again from Monday morning.</p>
<p>The <a href="https://ferries.example/times">timetable</a> stays as it was, and so do the fares, the harbour office
said. Residents had asked for a later boat on market days; the council wants to decide about that in May.</p>
</article><footer>Imprint</footer></body></html>"""


class Article:
    """Reads one web page."""

    name: ClassVar[str] = "article"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "web pages saved as HTML"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is HTML."""
        text = decode_text(head[:8192]).replace("\x00", "")
        start = text[_PROLOGUE.match(text).end() :] if _PROLOGUE.match(text) else text  # type: ignore[union-attr]
        if _START.match(start):
            return 0.9
        suffix = name.lower().removesuffix(".gz").endswith((".html", ".htm", ".xhtml"))
        if not start.startswith("<") or start.startswith(("<?", "<rss", "<feed", "<urlset")):
            return 0.5 if suffix and _BLOCK.search(text) else 0.0
        if _BLOCK.match(start) or _START.search(start):
            return 0.7 if suffix else 0.5
        return 0.5 if suffix else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the page; an export of a messenger as HTML is turned away with advice."""
        data = stream.read(MAX_PAGE_BYTES + 1)
        if len(data) > MAX_PAGE_BYTES:
            yield Skipped("too-large", f"a web page of more than {MAX_PAGE_BYTES // 2**20} MiB; split it", 0)
            return
        if _TELEGRAM.search(data[:65_536]):
            yield Skipped(
                "telegram-html", "an export of Telegram Desktop as HTML; export the chat again as machine-readable "
                "JSON (result.json), which has times with their zone, ids and replies", 0, raw=data[:65_536],
                raw_bytes=len(data), keep_raw=False,
            )  # fmt: skip
            return
        page = read_page(data)
        if not page.text and not page.title:
            why = "the page has neither text nor title"
            yield Skipped("no-content", why, 0, raw=data[:65_536], raw_bytes=len(data))
            return
        if page.has_comments:
            yield Passed("comment section of a page")
        material = page_material(page, lambda address: _image(address, page.url, context))
        material.record = 0
        yield material

    def examples(self) -> Iterable[Example]:
        """Return an invented page."""
        return [Example("page.html", _EXAMPLE, 1)]


def _image(address: str, url: str | None, context: ReadContext) -> Media:
    """Return an image of a page: the file saved beside it, else its address."""
    parts = urlsplit(address) if address.count("[") == address.count("]") else None
    if parts is not None and not parts.scheme and not parts.netloc and not parts.path.startswith("/"):
        beside = context.media(unquote(parts.path).removeprefix("./"))
        if beside.sha256 is not None:
            return beside
    return Media(path=absolute(url)(address) or address)
