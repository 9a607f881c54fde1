"""What a whole web page says: the article without the menus around it, and what the page declares about itself.

trafilatura finds the article; the declarations (JSON-LD, Open Graph, canonical address) are read beside it because they
carry hours, editions and counters that an extractor of texts drops. Nothing is fetched, no script runs.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from charset_normalizer import from_bytes
from lxml import etree
from lxml import html as lxml_html
from trafilatura import bare_extraction

from antiphon.errors import InputError
from antiphon.model.address import site
from antiphon.model.instants import instant_us
from antiphon.model.material import Material, Media
from antiphon.sources.jsonio import loads
from antiphon.sources.markup import read_markup

__all__ = [
    "MAX_PAGE_BYTES",
    "Page",
    "absolute",
    "decode_text",
    "has_charset",
    "instant_or_none",
    "page_material",
    "read_page",
    "same_instant_later",
]

MAX_PAGE_BYTES = 16 * 2**20
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,40})""", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.\-]{2,40})""")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_AS_BROWSERS_READ = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-11": "cp874", "tis-620": "cp874",
}  # fmt: skip
"""What a declared encoding means on the web, where it differs from its standard (WHATWG Encoding Standard)."""
_ARTICLE_TYPES = frozenset(
    ("Article", "NewsArticle", "BlogPosting", "Report", "SocialMediaPosting", "DiscussionForumPosting", "WebPage",
     "OpinionNewsArticle", "AnalysisNewsArticle", "ReportageNewsArticle", "LiveBlogPosting", "TechArticle")
)  # fmt: skip
_COUNTERS = {"LikeAction": "reactions", "ShareAction": "shares", "CommentAction": "replies", "WatchAction": "views",
             "ReadAction": "views", "ViewAction": "views"}  # fmt: skip
_STANDFIRST = re.compile(
    r"standfirst|\blede\b|\bdek\b|sub-?title|(?:article|entry|post)[-_](?:title|intro|lead|summary)"
)
_SAVED_FROM = re.compile(r"<!--\s*(?:saved from url=\(\d+\)|Page saved with SingleFile\s+url:\s*)(\S+)")
_SAVED_AT = re.compile(r"<!--\s*Page saved with SingleFile\s+url:\s*\S+\s+saved date:\s*([^\n(]{5,60})")
_BLOCKS = ("p", "li", "td", "blockquote", "h2", "h3", "dd")
_CONTAINED = frozenset((*_BLOCKS, "div", "ul", "ol", "dl", "table", "section", "article", "h1", "form", "nav"))
_WORDS = re.compile(r"\w+")
_FAULTS = (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, RecursionError, OverflowError,
           etree.LxmlError)  # fmt: skip
"""What trafilatura and lxml raise on pages that are no pages; the visible text is the way out."""


@dataclass(frozen=True, slots=True)
class Page:
    """A web page as its readers see it, and what it declares about itself."""

    text: str
    title: str | None = None
    author: str | None = None
    url: str | None = None
    published_at: str | None = None
    modified_at: str | None = None
    saved_at: str | None = None
    lang: str | None = None
    links: tuple[str, ...] = ()
    preview: str | None = None
    images: tuple[str, ...] = ()
    counters: tuple[tuple[str, int], ...] = ()
    has_comments: bool = False


def decode_text(data: bytes, charset: str | None = None) -> str:
    """Return text from bytes: by byte order mark, then the given or declared encoding, then UTF-8, then a guess.

    Bytes that fit no encoding become U+FFFD: a page is read as a browser shows it.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, "replace").removeprefix("\ufeff")
    if charset is None:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for name in filter(None, (charset, _declared(data))):
        codec = _codec(name)
        if codec is not None:
            return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(data[:262_144]).best()
    return data.decode(guess.encoding if guess is not None else "cp1252", "replace")


def has_charset(data: bytes) -> bool:
    """Return whether some bytes say in which encoding they are, or are UTF-8 anyway."""
    if _declared(data) is not None or data.startswith(tuple(bom for bom, _ in _BOMS)):
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_page(data: bytes, *, url: str | None = None, charset: str | None = None) -> Page:
    """Return what a web page says.

    Args:
        data: The page's bytes.
        url: Where it was read, if that is known; else the page's own canonical address stands.
        charset: The encoding that its server named.
    """
    html = _XML_DECLARATION.sub("", decode_text(data, charset)).replace("\x00", "")
    root = _tree(html)
    if root is None:
        return Page(read_markup(html).text, url=url)
    declared = _Declared(root, html)
    found = _extract(html, url)
    text = (found.text if found is not None else None) or _visible(root)
    at = url or declared.url or (found.url if found is not None else None)
    within = _Within(root, text)
    standfirst = _standfirst(root, text, declared.headings)
    whole = absolute(at)
    return Page(
        text=f"{standfirst}\n{text}" if standfirst else text,
        title=(found.title if found is not None else None) or declared.title,
        author=found.author if found is not None else None,
        url=at,
        published_at=declared.published_at or (found.date if found is not None else None),
        modified_at=declared.modified_at,
        saved_at=declared.saved_at,
        lang=declared.lang,
        links=tuple(dict.fromkeys(filter(None, map(whole, within.links())))),
        preview=whole(declared.image) if declared.image else None,
        images=tuple(dict.fromkeys(within.images())),
        counters=tuple(declared.counters().items()),
        has_comments=bool(found is not None and found.comments),
    )


def page_material(page: Page, images: Callable[[str], Media]) -> Material:
    """Return the material of a page.

    Args:
        page: The page.
        images: Returns the media for an image by its address as the page writes it.
    """
    host = site(page.url)
    media = [Media(path=page.preview, role="preview")] if page.preview else []
    media += [made for made in map(images, page.images) if made.path != page.preview]
    author = f"{host or 'web'}/{page.author}" if page.author else None
    counters = dict(page.counters)
    edited = same_instant_later(page.modified_at, page.published_at)
    return Material(
        source=f"web/{host}" if host else "web",
        url=page.url,
        kind="article",
        revision=edited,
        published_at=page.published_at,
        collected_at=page.saved_at,
        author=author,
        lang_declared=page.lang,
        title=page.title,
        text=page.text,
        links=page.links,
        media=media,
        views=counters.get("views"),
        reactions=counters.get("reactions"),
        shares=counters.get("shares"),
        replies=counters.get("replies"),
    )


def same_instant_later(edited: str | None, published: str | None) -> str | None:
    """Return the stamp of an edition if it is later than the first publication, else None: it is the first edition."""
    if not edited or not published:
        return None
    then, now = instant_or_none(published), instant_or_none(edited)
    return edited if then is not None and now is not None and now > then else None


def instant_or_none(value: str | None) -> int | None:
    """Return a time as microseconds since 1970, or None for what is no time."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a zone that no library knows
            return instant_us(value)
    except InputError:
        return None


def _declared(data: bytes) -> str | None:
    head = data[:4096]
    found = _XML_CHARSET.search(head) or _META_CHARSET.search(head)
    return found[1].decode("ascii") if found else None


def _codec(name: str) -> str | None:
    """Return Python's codec for a declared encoding as browsers read it, or None where there is none."""
    try:
        codec = codecs.lookup(name.strip().lower())
    except (LookupError, ValueError):
        return None
    if not codec._is_text_encoding or codec.name.startswith(("utf-16", "utf-32", "utf-7", "idna", "punycode")):
        return None  # the declaration was read as ASCII, so it can't be in these
    return _AS_BROWSERS_READ.get(codec.name, codec.name)


def _parser() -> Any:  # noqa: ANN401 - lxml has no types
    return lxml_html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True, remove_pis=True)


def _tree(html: str) -> Any:  # noqa: ANN401 - lxml has no types
    try:
        return lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=_parser())
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _extract(html: str, url: str | None) -> Any:  # noqa: ANN401 - trafilatura has no types
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # libraries warn of odd dates, quoting the page
            return bare_extraction(
                html, url=url, with_metadata=True, include_comments=True, include_tables=True,
                date_extraction_params={"extensive_search": False, "original_date": True, "max_date": "2099-12-31"},
            )  # fmt: skip
    except _FAULTS:
        return None


def _visible(root: Any) -> str:  # noqa: ANN401 - lxml has no types
    body = root.find("body")
    return read_markup(etree.tostring(body if body is not None else root, encoding="unicode", method="html")).text


def absolute(base: str | None) -> Callable[[str], str | None]:
    """Return a function that makes an address of a page whole, or None of one that is no web address."""

    def resolve(address: str) -> str | None:
        try:
            joined = urljoin(base or "", address.strip())
            scheme = urlsplit(joined).scheme.lower()
        except ValueError:
            return None
        return joined if scheme in ("http", "https") else None

    return resolve


def _standfirst(root: Any, text: str, headings: frozenset[str]) -> str | None:  # noqa: ANN401 - lxml has no types
    """Return the lines that stand over the article element, which an extractor takes for furniture."""
    article = next(iter(root.iter("article")), None)
    for before in article.itersiblings(preceding=True) if article is not None else ():
        if isinstance(before.tag, str) and _STANDFIRST.search((before.get("class") or "").lower()):
            line = " ".join(before.text_content().split())
            if line and len(line) < 600 and line not in headings and line not in text:
                return line
    return None


class _Within:
    """Which blocks of the page are in its article: those whose words stand in the article's text."""

    def __init__(self, root: Any, text: str) -> None:  # noqa: ANN401 - lxml has no types
        self._flat = _flat(text)
        self._blocks = [block for block in root.iter(*_BLOCKS, "div") if self._has(block)]
        self._root = root

    def links(self) -> Iterator[str]:
        """Yield the addresses that the article links to, as written."""
        blocks = set(self._blocks)
        for anchor in self._root.iter("a"):
            href = anchor.get("href") or ""
            if not href or href.startswith(("#", "javascript:", "mailto:")):
                continue
            if any(above in blocks for above in anchor.iterancestors()) or self._surrounded(anchor):
                yield href

    def images(self) -> Iterator[str]:
        """Yield the addresses of the article's images, as written."""
        for image in self._holder().iter("img") if self._blocks else ():
            address = image.get("src") or image.get("data-src") or ""
            if address and not address.startswith("data:"):
                yield address.strip()

    def _surrounded(self, anchor: Any) -> bool:  # noqa: ANN401 - lxml has no types
        """Return whether the words around a link stand in the article: blogs break lines without any paragraph."""
        before = anchor.getprevious()
        lead = (before.tail if before is not None else anchor.getparent().text) or ""
        words = _flat(f"{lead[-60:]} {anchor.text_content()[:200]} {(anchor.tail or '')[:60]}")
        return len(words) > 20 and words in self._flat

    def _has(self, block: Any) -> bool:  # noqa: ANN401 - lxml has no types
        if block.tag == "div" and any(child.tag in _CONTAINED for child in block):
            return False  # a container, not a paragraph
        words = _flat(block.text_content()[:400])
        return len(words) > 20 and words[:120] in self._flat

    def _holder(self) -> Any:  # noqa: ANN401 - lxml has no types
        """Return the smallest element around the article's paragraphs."""
        paragraphs = [block for block in self._blocks if block.tag == "p"] or self._blocks
        holder = paragraphs[0].getparent()
        last = paragraphs[-1]
        while holder.getparent() is not None and holder not in last.iterancestors():
            holder = holder.getparent()
        return holder


def _flat(text: str) -> str:
    return "".join(_WORDS.findall(text)).lower()


class _Declared:
    """What a page says about itself in its head: metadata, JSON-LD, canonical address."""

    def __init__(self, root: Any, html: str) -> None:  # noqa: ANN401 - lxml has no types
        self._root = root
        self._meta: dict[str, str] = {}
        for element in root.iter("meta"):
            name = (element.get("property") or element.get("name") or element.get("itemprop") or
                    element.get("http-equiv") or "").lower()  # fmt: skip
            if name and element.get("content"):
                self._meta.setdefault(name, element.get("content").strip())
        self._linked = dict(_linked_data(root))
        saved = _SAVED_FROM.search(html[:4096])
        self.url = self._address() or (saved[1] if saved else None)
        when = _SAVED_AT.search(html[:4096])
        self.saved_at = _time(when[1].strip() if when else None)
        self.image = self._meta.get("og:image") or self._meta.get("twitter:image")
        self.title = self._meta.get("og:title") or " ".join((root.findtext(".//title") or "").split()) or None
        self.headings = frozenset(" ".join(h.text_content().split()) for h in root.iter("h1"))
        self.published_at = self._first_time("article:published_time", "datePublished", "dc.date.issued", "date")
        self.modified_at = self._first_time("article:modified_time", "dateModified", "og:updated_time", "dc.modified")
        self.lang = self._language()

    def counters(self) -> dict[str, int]:
        """Return the counters that the page publishes in its structured data."""
        counters: dict[str, int] = {}
        given = self._linked.get("interactionStatistic") or []
        for one in given if isinstance(given, list) else [given]:
            kind = one.get("interactionType") if isinstance(one, dict) else None
            kind = kind.get("@type") if isinstance(kind, dict) else kind
            name = _COUNTERS.get(str(kind).rpartition("/")[2])
            if name and str(one.get("userInteractionCount")).isdigit():
                counters[name] = int(one["userInteractionCount"])
        if str(self._linked.get("commentCount")).isdigit():
            counters.setdefault("replies", int(self._linked["commentCount"]))
        return counters

    def _address(self) -> str | None:
        canonical = [e.get("href") for e in self._root.iter("link") if (e.get("rel") or "").lower() == "canonical"]
        for address in (*canonical, self._meta.get("og:url")):
            if address and address.strip().startswith(("http://", "https://")):
                return str(address.strip())
        return None

    def _first_time(self, *names: str) -> str | None:
        for name in names:
            value = _time(self._linked.get(name)) or _time(self._meta.get(name.lower()))
            if value:
                return value
        marked = self._root.xpath(f"(//*[@itemprop='{names[1]}'])[1]")
        return _time(marked[0].get("datetime") or marked[0].get("content")) if marked else None

    def _language(self) -> str | None:
        for name in ("lang", "{http://www.w3.org/XML/1998/namespace}lang"):
            if self._root.get(name):
                return str(self._root.get(name)).strip() or None
        given = self._meta.get("content-language") or self._meta.get("og:locale") or self._linked.get("inLanguage")
        return given.partition(",")[0].replace("_", "-").strip() or None if isinstance(given, str) else None


def _time(value: object) -> str | None:
    """Return a time as given if it is one: a page with a bad date is still a page."""
    return value if isinstance(value, str) and value.strip() and instant_or_none(value.strip()) is not None else None


def _linked_data(root: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - lxml has no types
    """Yield the properties of the page's articles in JSON-LD, the article's last so that they win over the page's."""
    found = []
    for script in root.iter("script"):
        if (script.get("type") or "").lower().startswith("application/ld+json"):
            try:
                found += _articles(loads((script.text or "").strip().encode("utf-8", "replace")))
            except (ValueError, RecursionError):
                continue  # broken structured data is common, and the page is still there
    for one in sorted(found, key=lambda item: "WebPage" not in str(item.get("@type"))):
        yield from one.items()


def _articles(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    queue: list[Any] = [value]
    found: list[dict[str, Any]] = []
    while queue and len(found) < 50:
        one = queue.pop()
        if isinstance(one, list):
            queue += one
        elif isinstance(one, dict):
            kinds = one.get("@type")
            if not _ARTICLE_TYPES.isdisjoint(kinds if isinstance(kinds, list) else [str(kinds)]):
                found.append(one)
            queue += [one["@graph"]] if isinstance(one.get("@graph"), list) else []
    return found
