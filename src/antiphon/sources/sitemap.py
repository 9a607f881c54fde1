"""Sitemaps: which public pages a site lists, with dates, news titles, languages and images; and robots.txt.

A listed page is a reference, not the page: it has an address and no text, and its edition says `listed`, so that it
never stands in the way of the page itself, which has the same address.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, ClassVar, cast

from antiphon.errors import InputError
from antiphon.model.address import site
from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.opening import decoded
from antiphon.sources.webpage import decode_text
from antiphon.sources.xmlstream import Rejoined, XmlFault, local_name, stream_elements

__all__ = ["Sitemap"]

_PROLOGUE = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>]*>)*", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?(urlset|sitemapindex)\b", re.IGNORECASE)
_RULE = re.compile(
    r"(?:user-?agent|disallow|allow|crawl-delay|host|clean-param|request-rate|visit-time|noindex|content-signal)\s*:",
    re.IGNORECASE,
)
_SITEMAP_LINE = re.compile(r"site-?map\s*:\s*(\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_NAMES = frozenset(("url", "sitemap"))
_LONGEST_LINE = 65_536
_EXAMPLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://gazette.brindlebay.example/ferry</loc><news:news><news:publication><news:name>Gazette</news:name>
<news:language>en</news:language></news:publication><news:publication_date>2026-03-01</news:publication_date>
<news:title>The ferry runs again</news:title></news:news></url>
<url><loc>https://gazette.brindlebay.example/market</loc><lastmod>2026-03-02T08:00:00Z</lastmod></url></urlset>"""
_PLAIN = b"https://gazette.brindlebay.example/ferry\nhttps://gazette.brindlebay.example/market\n"
_ROBOTS = b"User-agent: *\nDisallow: /private/\nSitemap: https://gazette.brindlebay.example/sitemap.xml\n"


class Sitemap:
    """Reads the addresses of a sitemap."""

    name: ClassVar[str] = "sitemap"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "sitemaps (XML, news, images, text) and robots.txt"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is a sitemap or a robots.txt."""
        text = decode_text(head)
        start = _PROLOGUE.match(text)
        if _ROOT.match(text, start.end() if start else 0):
            return 0.97
        lines = [line.strip() for line in text.splitlines()[:2000] if line.strip()]
        if not lines or lines[0].startswith(("<", "{", "[")):
            return 0.0
        rules = sum(bool(_RULE.match(line) or _SITEMAP_LINE.match(line)) for line in lines)
        if rules and rules + sum(line.startswith("#") for line in lines) >= 0.9 * len(lines):
            return 0.9
        addresses = sum(bool(_ADDRESS.fullmatch(line)) for line in lines[:-1] or lines)  # the last may be cut
        if addresses == len(lines[:-1] or lines):
            return 0.8
        return 0.5 if addresses > 0.3 * len(lines) else 0.3 if addresses and "sitemap" in name.lower() else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield a reference for each page listed, and a `Gap` for each sitemap that is named but not there."""
        first = stream.read(1024)
        whole = Rejoined(first, stream)
        if re.match(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*<", first):
            yield from _read_xml(whole, context)
        else:
            yield from _read_lines(whole, context)

    def examples(self) -> Iterable[Example]:
        """Return an invented news sitemap, an invented list of addresses and an invented robots.txt."""
        listed = [Example("sitemap.xml", _EXAMPLE, 2), Example("sitemap.txt", _PLAIN, 2)]
        return [*listed, Example("robots.txt", _ROBOTS, 0)]


def _read_xml(stream: Rejoined, context: ReadContext) -> Iterator[Item]:
    number = listed = 0
    for element in stream_elements(stream, _NAMES):
        if isinstance(element, XmlFault):
            fault = element
            yield Skipped("truncated" if fault.cut else "xml-broken", f"{fault.detail}; get the sitemap again", number)
            return
        listed += 1
        if local_name(element) == "sitemap":
            yield _child(_texts(element).get("loc", [""])[0], context)
            continue
        yield _reference(element, number)
        number += 1
    if not listed:
        yield Passed("sitemap without pages")


def _texts(element: Any) -> dict[str, list[str]]:  # noqa: ANN401 - lxml has no types
    """Return the texts of all elements under one, by local name, in the order of the document."""
    texts: dict[str, list[str]] = {}
    for below in element.iterdescendants():
        text = " ".join((below.text or "").split())
        if text:
            texts.setdefault(_qualified(below), []).append(text)
    return texts


def _qualified(element: Any) -> str:  # noqa: ANN401 - lxml has no types
    """Return `loc` for the sitemap's own elements, `image:loc` for those of its extensions."""
    namespace = str(element.tag).partition("}")[0] if isinstance(element.tag, str) else ""
    extension = next((name for name in ("news", "image", "video") if f"sitemap-{name}" in namespace), None)
    name = local_name(element)
    return f"{extension}:{name}" if extension else name


def _reference(element: Any, number: int) -> Item:  # noqa: ANN401 - lxml has no types
    texts = _texts(element)
    url = texts.get("loc", [""])[0]
    if not _ADDRESS.fullmatch(url):
        why = "missing" if not url else "no web address"
        return Skipped("field-missing" if not url else "field-invalid", f"page {number}, field loc: {why}", number)
    one = {name: values[0] for name, values in texts.items()}
    others = _alternates(element)
    changed = one.get("lastmod")
    published = one.get("news:publication_date") or one.get("video:publication_date") or changed
    made = _listed(url, number, changed)
    made.published_at = published
    made.title = one.get("news:title") or one.get("video:title")
    made.lang_declared = one.get("news:language") or next((lang for lang, at in others if at == url), None)
    made.links = [at for _, at in others if at != url]
    made.media = _media(texts)
    views = one.get("video:view_count", "")
    made.views = int(views) if views.isdecimal() and len(views) < 19 else None
    return made


def _listed(url: str, number: int, changed: str | None) -> Material:
    host = site(url)
    return Material(
        source=f"web/{host}" if host else "web", url=url, kind="article", record=number,
        revision=f"listed {changed}" if changed else "listed",
    )  # fmt: skip


def _alternates(element: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - lxml has no types
    """Return (language, address) of the page's editions in other languages."""
    links = [below for below in element.iterdescendants() if local_name(below) == "link"]
    return [(link.get("hreflang") or "", link.get("href").strip()) for link in links if link.get("href")]


def _media(texts: dict[str, list[str]]) -> list[Media]:
    files = [Media(path=at) for at in texts.get("image:loc", [])]
    files += [Media(path=at) for at in texts.get("video:content_loc", []) or texts.get("video:player_loc", [])]
    return files + [Media(path=at, role="preview") for at in texts.get("video:thumbnail_loc", [])]


def _child(url: str, context: ReadContext) -> Item:
    """Return what to say of a sitemap that is named: a gap, unless its file lies beside the input."""
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
    beside = context.sibling(name) if name else None
    if beside is None:
        return Gap(f"sitemap not in the input: {url}")
    buffered = beside if isinstance(beside, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, beside))
    try:
        with decoded(buffered, name) as plain:
            head = plain.read(_LONGEST_LINE)
    except (InputError, OSError):
        head = b""
    listed = re.search(rb"<loc>\s*(?:<!\[CDATA\[)?\s*(\S+?)\s*(?:\]\]>\s*)?</loc>", head)
    if listed is None or site(listed[1].decode("utf-8", "replace")) != site(url):
        return Gap(f"sitemap not in the input: {url}")  # another site's, with the same usual name
    return Passed("sitemap that is in the input")


def _read_lines(stream: Rejoined, context: ReadContext) -> Iterator[Item]:
    number = 0
    for raw in _lines(stream):
        line = decode_text(raw).strip()
        named = _SITEMAP_LINE.match(line)
        if named:
            yield _child(named[1], context)
        elif _ADDRESS.fullmatch(line):
            yield _listed(line, number, None)
            number += 1
        elif line:
            rule = _RULE.match(line) or line.startswith("#")
            yield Passed("rule of robots.txt" if rule else "line without an address")


def _lines(stream: Rejoined) -> Iterator[bytes]:
    """Yield the lines of a stream; UTF-16 is made UTF-8, and what is longer than an address can be is cut up."""
    held, decoder = b"", None
    for piece in iter(lambda: stream.read(65_536), b""):
        if decoder is None:
            wide = piece.startswith((b"\xff\xfe", b"\xfe\xff"))
            decoder = codecs.getincrementaldecoder("utf-16" if wide else "latin-1")("replace")
            narrow = "utf-8" if wide else "latin-1"
        held += decoder.decode(piece).encode(narrow)
        *lines, held = held.replace(b"\r", b"\n").split(b"\n")
        yield from lines
        if len(held) > _LONGEST_LINE:
            yield held
            held = b""
    yield held
