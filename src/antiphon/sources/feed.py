"""Feeds: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, CDF, JSON Feed 1 and 1.1, with Media RSS, Dublin Core and podcasts.

feedparser reads the XML, off-line, and cleans its markup. Up to `WHOLE_BYTES` a feed is read in one piece, which lets
feedparser mend what is ill-formed; a longer one is cut into batches of entries, each under the feed's own head.
"""

from __future__ import annotations

import calendar
import copy
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, ClassVar

import feedparser
from lxml import etree

from antiphon.model.address import site
from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.jsonio import json_head, stream_items
from antiphon.sources.markup import Markup, read_markup
from antiphon.sources.webpage import decode_text, has_charset, instant_or_none, same_instant_later
from antiphon.sources.xmlstream import Rejoined, XmlFault, local_name, stream_elements

__all__ = ["Feed"]

WHOLE_BYTES = 8 * 2**20
_BATCH_ENTRIES = 200
_PROLOGUE = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?(rss|feed|rdf|channel)\b([^>]*)>?", re.IGNORECASE)
_ATOM = ("www.w3.org/2005/atom", "purl.org/atom/")
_RSS1 = ("purl.org/rss/1.0", "my.netscape.com/rdf/simple", "channel.netscape.com/rdf/simple", "purl.org/net/rss1.1")
_ENTRY_NAMES = frozenset(("item", "entry"))
_OPENED = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_END = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>?(?:\s|<!--.*?-->)*\Z", re.IGNORECASE | re.DOTALL)
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, LookupError,
           AssertionError)  # fmt: skip
_HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
_MACHINE_LINKS = frozenset(("self", "enclosure", "edit", "hub", "next", "previous", "prev", "first", "last"))
_WEB = ("http://", "https://")
_EXAMPLE = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Brindle Bay Gazette</title><link>https://gazette.brindlebay.example/</link>
<language>en</language>
<item><title>Ferry runs again</title><guid isPermaLink="false">bb-101</guid>
<link>https://gazette.brindlebay.example/ferry</link><pubDate>Sun, 01 Mar 2026 09:30:00 GMT</pubDate>
<description>&lt;p&gt;The ferry to the &lt;b&gt;Lantern Isles&lt;/b&gt; runs again.&lt;/p&gt;</description></item>
<item><title>Market moved</title><guid isPermaLink="false">bb-102</guid>
<link>https://gazette.brindlebay.example/market</link><pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>
<description>The market moves to Quay Street.</description></item></channel></rss>"""
_JSON_EXAMPLE = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Lantern Isles notes",
 "home_page_url": "https://notes.lantern.example/", "language": "en", "items": [
 {"id": "https://notes.lantern.example/1", "url": "https://notes.lantern.example/1", "content_text": "Low tide at six.",
  "date_published": "2026-03-01T06:00:00Z", "authors": [{"name": "lamp keeper"}]}]}"""


class Feed:
    """Reads the entries of a feed."""

    name: ClassVar[str] = "feed"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "RSS, Atom and JSON feeds"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is a feed, from its root element or its JSON version."""
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return 0.95 if _is_json_feed(json_head(head).first) else 0.0
        text = _text_of(head)
        start = _PROLOGUE.match(text)
        root = _ROOT.match(text, start.end() if start else 0)
        if root is None:
            return 0.0
        tag, attributes = root[1].lower(), root[2].lower()
        if tag == "rss":
            return 0.95
        if tag == "feed":
            return 0.95 if any(mark in attributes for mark in _ATOM) else 0.7 if "<entry" in text else 0.5
        if tag == "rdf":
            return 0.95 if any(mark in text.lower() for mark in _RSS1) else 0.1
        return 0.6 if "<item" in text else 0.4

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the entries; a feed without any is one `Passed`."""
        head = stream.read(WHOLE_BYTES + 1)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            yield from _read_json(head, Rejoined(head, stream), context)
        elif len(head) <= WHOLE_BYTES:
            yield from _read_whole(head, context)
        else:
            yield from _read_batches(Rejoined(head, stream), context)

    def examples(self) -> Iterable[Example]:
        """Return an invented RSS feed and an invented JSON feed."""
        return [Example("feed.xml", _EXAMPLE, 2), Example("feed.json", _JSON_EXAMPLE, 1)]


def _text_of(head: bytes) -> str:
    """Return the text of a head, UTF-16 without a byte order mark included."""
    if head[:2] == b"\x00<":
        return head.decode("utf-16-be", "replace")
    return head.decode("utf-16-le", "replace") if head[:2] == b"<\x00" else decode_text(head)


def _read_whole(data: bytes, context: ReadContext) -> Iterator[Item]:
    parsed = _parse(data)
    if isinstance(parsed, Skipped):
        yield parsed
        return
    entries = list(parsed.entries)
    broken = bool(parsed.bozo) and not isinstance(parsed.bozo_exception, _HARMLESS)
    cut = broken and _END.search(data[-4096:]) is None
    opened, closed = len(_OPENED.findall(data)), len(_CLOSED.findall(data))
    unfinished = cut and opened > closed and len(entries) == opened
    for number, entry in enumerate(entries[:-1] if unfinished else entries):
        yield _entry(entry, parsed.feed, number, context)
    if unfinished:
        yield Skipped("truncated", "the feed ends in the middle of this entry; get the whole feed", len(entries) - 1)
    elif cut and entries:
        yield Gap("the feed ends in the middle: entries may be missing")
    elif broken and len(entries) < closed:
        yield Gap(f"the feed is ill-formed: {closed - len(entries)} of {closed} entries could not be told apart")
    if not entries:
        yield _nothing(parsed, broken, data)


def _nothing(parsed: Any, broken: bool, data: bytes) -> Item:  # noqa: ANN401 - feedparser has no types
    if not parsed.get("feed") and not parsed.get("version") and (broken or not data.strip()):
        why = "no feed could be read; get the file again"
        return Skipped("feed-broken", why, raw=data[:65_536], raw_bytes=len(data))
    return Passed("feed without entries")


def _parse(data: bytes) -> Any:  # noqa: ANN401 - feedparser has no types
    """Return feedparser's result, or a `Skipped`. It gets a stream: a string it could take for an address."""
    headers = {}
    if not has_charset(data) and data[:2] not in (b"\x00<", b"<\x00"):
        data, headers = decode_text(data).encode("utf-8"), {"content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(io.BytesIO(data), response_headers=headers)
    except _FAULTS as fault:
        return Skipped("feed-broken", f"the feed can't be read ({type(fault).__name__}); get the file again",
                       raw=data[:65_536], raw_bytes=len(data))  # fmt: skip


def _read_batches(stream: Rejoined, context: ReadContext) -> Iterator[Item]:
    """Yield the entries of a large feed, `_BATCH_ENTRIES` at a time, in constant memory."""
    number, batch = 0, _Batch()
    for element in stream_elements(stream, _ENTRY_NAMES):
        if isinstance(element, XmlFault):
            reason = "truncated" if element.cut else "xml-broken"
            yield from batch.read(number, context)
            yield Skipped(reason, f"{element.detail}; get the feed again", number + len(batch))
            return
        batch.add(element)
        if len(batch) == _BATCH_ENTRIES:
            yield from batch.read(number, context)
            number, batch = number + len(batch), _Batch()
    yield from batch.read(number, context)


class _Batch:
    """Some entries of a feed, copied out of it together with the feed's head."""

    def __init__(self) -> None:
        self._root: Any = None
        self._entries = 0

    def __len__(self) -> int:
        return self._entries

    def add(self, element: Any) -> None:  # noqa: ANN401 - lxml has no types
        """Copy an entry."""
        if self._root is None:
            self._root, self._holder = _head_of(element)
        self._holder.append(copy.deepcopy(element))
        self._entries += 1

    def read(self, first: int, context: ReadContext) -> Iterator[Item]:
        """Yield the materials of these entries, numbered from `first`."""
        if self._root is None:
            return
        parsed = _parse(etree.tostring(self._root, encoding="utf-8"))
        if isinstance(parsed, Skipped):
            yield Skipped(parsed.reason, f"{parsed.detail}; {self._entries} entries are lost", first)
            return
        for number, entry in enumerate(parsed.entries, first):
            yield _entry(entry, parsed.feed, number, context)


def _head_of(element: Any) -> tuple[Any, Any]:  # noqa: ANN401 - lxml has no types
    """Return a copy of what surrounds an entry, without entries: the root, and where entries are to be put."""
    chain = [above for above in element.iterancestors()]
    root = holder = None
    for above in reversed(chain):
        made = etree.Element(above.tag, dict(above.attrib), nsmap=above.nsmap)
        for child in above:
            if local_name(child) not in _ENTRY_NAMES and child not in chain:
                made.append(copy.deepcopy(child))
        if holder is None:
            root = made
        else:
            holder.append(made)
        holder = made
    return root, holder


def _entry(entry: Any, feed: Any, number: int, context: ReadContext) -> Item:  # noqa: ANN401 - feedparser has no types
    """Return the material of an entry, or what kept it from being one."""
    try:
        return _material(entry, feed, number, context)
    except _FAULTS as fault:
        return Skipped("unreadable", f"entry {number}: {type(fault).__name__} while reading it", number)


def _material(entry: Any, feed: Any, number: int, context: ReadContext) -> Material:  # noqa: ANN401 - no types
    url = _address(entry)
    host = _host(feed, url)
    body, detail = _body(entry)
    published, updated = _instant(entry, "published"), _instant(entry, "updated")
    author = _author(entry.get("author_detail"), entry.get("author"))
    if author is None and feed.get("author") and "authors" in feed and not entry.get("source"):
        author = _author(feed.get("author_detail"), feed.get("author"))
    return Material(
        source=f"feed/{host}" if host else "feed",
        native_id=entry.get("id") or None,
        revision=same_instant_later(updated, published),
        url=url,
        kind="article",
        published_at=published or _instant(entry, "created") or updated,
        author=f"{host or 'feed'}/{author}" if author else None,
        lang_declared=entry.get("language") or detail.get("language") or feed.get("language") or None,
        title=_line(entry.get("title_detail") or {"value": entry.get("title")}),
        text=body.text or None,
        links=_links(entry, body, url),
        media=_media(entry, detail, context),
        reply_to=(entry.get("thr_in-reply-to") or {}).get("ref"),
        views=_count((entry.get("media_statistics") or {}).get("views")),
        reactions=_count((entry.get("media_starrating") or {}).get("count")),
        replies=_count(entry.get("thr_total") or entry.get("slash_comments")),
        record=number,
    )  # fmt: skip


def _address(entry: Any) -> str | None:  # noqa: ANN401 - feedparser has no types
    """Return the public address: what the publisher wrote before a counting service, the link, or a web-like id."""
    links = entry.get("links") or []
    own = [link.get("href") for rel in ("alternate", "self", "canonical") for link in links if link.get("rel") == rel]
    for address in (entry.get("feedburner_origlink"), entry.get("link"), *own, entry.get("id")):
        if isinstance(address, str) and address.lower().startswith(_WEB):
            return address
    return None


def _host(feed: Any, url: str | None) -> str | None:  # noqa: ANN401 - feedparser has no types
    for link in (feed.get("link"), *(link.get("href") for link in feed.get("links") or []), url):
        host = site(link)
        if host:
            return host
    return None


def _body(entry: Any) -> tuple[Markup, Mapping[str, Any]]:  # noqa: ANN401 - feedparser has no types
    """Return the entry's fullest text, and what feedparser says about it."""
    told = [one for one in entry.get("content") or [] if one.get("value")]
    if entry.get("summary"):
        told.append(entry.get("summary_detail") or {"value": entry["summary"]})
    read = [(_marked(one), one) for one in told] or [(Markup(""), {})]
    return max(read, key=lambda pair: len(pair[0].text))  # of equals the first: content stands before the summary


def _marked(detail: Mapping[str, Any]) -> Markup:
    value = detail.get("value") or ""
    return Markup(value.strip()) if (detail.get("type") or "text/html") == "text/plain" else read_markup(value)


def _line(detail: Mapping[str, Any]) -> str | None:
    return " ".join(_marked(detail).text.split()) or None


def _instant(entry: Any, name: str) -> str | None:  # noqa: ANN401 - feedparser has no types
    """Return an instant as ISO 8601 as feedparser reads it, with the fraction of a second that it drops.

    What feedparser can't read comes back as written: the record's own field says then that it is no time.
    """
    raw = entry.get(name) if name in entry else None
    parsed = entry.get(f"{name}_parsed") if f"{name}_parsed" in entry else None
    if parsed is None:
        return raw or None
    seconds = calendar.timegm(parsed)
    micros = instant_or_none(raw)
    if micros is None or abs(micros - seconds * 1_000_000) >= 1_000_000:
        micros = seconds * 1_000_000
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return moment.isoformat().replace("+00:00", "Z")


def _author(detail: Mapping[str, Any] | None, plain: str | None) -> str | None:
    given = detail or {}
    found = given.get("href") or given.get("email") or given.get("name") or plain
    return found.strip() or None if isinstance(found, str) else None


def _links(entry: Any, body: Markup, url: str | None) -> list[str]:  # noqa: ANN401 - feedparser has no types
    told = [link.get("href") for link in entry.get("links") or [] if link.get("rel") not in _MACHINE_LINKS]
    told.append((entry.get("media_player") or {}).get("url"))
    return [link for link in dict.fromkeys([*filter(None, told), *body.links]) if link != url and link.startswith(_WEB)]


def _media(entry: Any, detail: Mapping[str, Any], context: ReadContext) -> list[Media]:  # noqa: ANN401 - no types
    found: dict[str, Media] = {}
    for link in entry.get("links") or []:
        if link.get("rel") == "enclosure" and link.get("href"):
            _add(found, link["href"], context, mime=link.get("type"), size=link.get("length"))
    for content in entry.get("media_content") or []:
        if content.get("url"):
            _add(found, content["url"], context, mime=content.get("type"), size=content.get("filesize"))
    for thumbnail in entry.get("media_thumbnail") or []:
        _add(found, thumbnail.get("url"), context, role="preview")
    _add(found, (entry.get("image") or {}).get("href"), context, role="preview")
    if "<img" in (detail.get("value") or ""):
        for address in re.findall(r"""<img[^>]+?\bsrc\s*=\s*["']([^"'>]+)""", detail["value"]):
            _add(found, address.replace("&amp;", "&"), context)
    return list(found.values())


def _add(
    found: dict[str, Media], address: Any, context: ReadContext, role: str = "attachment", mime: Any = None,  # noqa: ANN401
    size: Any = None,  # noqa: ANN401 - feeds write what they like
) -> None:  # fmt: skip
    if not isinstance(address, str) or not address or address.startswith("data:") or address in found:
        return
    kind = mime if isinstance(mime, str) and mime else None
    if "://" in address or address.startswith(("/", "urn:", "magnet:")):
        found[address] = Media(path=address, mime=kind, role=role, bytes=_count(size))
    else:
        found[address] = context.media(address, role, kind)


def _count(value: Any) -> int | None:  # noqa: ANN401 - feeds write what they like
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    return int(value) if isinstance(value, str) and value.strip().isdecimal() and len(value) < 19 else None


def _is_json_feed(first: Mapping[str, Any]) -> bool:
    version = first.get("version")
    return isinstance(version, str) and "jsonfeed.org/version/" in version


def _read_json(head: bytes, stream: Rejoined, context: ReadContext) -> Iterator[Item]:
    feed = json_head(head[:65_536]).first
    entries = 0
    for one in stream_items(stream, "items.item"):  # type: ignore[arg-type]  # it only calls read()
        if isinstance(one, Skipped):
            yield one
            return
        number, item = one
        entries += 1
        try:
            yield _json_material(item, feed, number, context)
        except _FAULTS as fault:
            detail = f"item {number}: {fault.args[0]}" if isinstance(fault, _FieldError) else type(fault).__name__
            yield Skipped("field-invalid" if isinstance(fault, _FieldError) else "unreadable", detail, number)
    if not entries:
        yield Passed("feed without entries")


class _FieldError(TypeError):
    """A field of a JSON feed has another type than the format gives it."""


def _string(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise _FieldError(f"field {name}: got {type(value).__name__}, expected text")
    return value or None


def _json_material(item: Any, feed: Mapping[str, Any], number: int, context: ReadContext) -> Material:  # noqa: ANN401
    if not isinstance(item, dict):
        raise _FieldError(f"got {type(item).__name__}, expected an object")
    url = _string(item, "url") or _string(item, "external_url")
    host = site(str(feed.get("home_page_url") or "")) or site(str(feed.get("feed_url") or "")) or site(url)
    html = _string(item, "content_html")
    body = read_markup(html) if html else Markup(_string(item, "content_text") or _string(item, "summary") or "")
    authors = item.get("authors") or item.get("author") or feed.get("authors") or feed.get("author") or []
    first = (authors[0] if authors else {}) if isinstance(authors, list) else authors
    author = _author({"href": first.get("url"), "name": first.get("name")}, None) if isinstance(first, dict) else None
    native = item.get("id")
    published, updated = _string(item, "date_published"), _string(item, "date_modified")
    outside = _string(item, "external_url")
    return Material(
        source=f"feed/{host}" if host else "feed",
        native_id=str(native) if isinstance(native, str | int | float) and native != "" else None,
        revision=same_instant_later(updated, published),
        url=url,
        kind="article",
        published_at=published or updated,
        author=f"{host or 'feed'}/{author}" if author else None,
        lang_declared=_string(item, "language") or (str(feed["language"]) if feed.get("language") else None),
        title=_string(item, "title"),
        text=body.text or None,
        links=[link for link in dict.fromkeys([*([outside] if outside else []), *body.links]) if link != url],
        media=_json_media(item, html, context),
        record=number,
    )


def _json_media(item: Mapping[str, Any], html: str | None, context: ReadContext) -> list[Media]:
    found: dict[str, Media] = {}
    for one in item.get("attachments") or []:
        if isinstance(one, dict):
            _add(found, one.get("url"), context, mime=one.get("mime_type"), size=one.get("size_in_bytes"))
    for name in ("image", "banner_image"):
        _add(found, item.get(name), context, role="preview")
    for address in re.findall(r"""<img[^>]+?\bsrc\s*=\s*["']([^"'>]+)""", html or ""):
        _add(found, address.replace("&amp;", "&"), context)
    return list(found.values())
