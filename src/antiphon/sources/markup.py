"""HTML as posts hold it, to the text that its readers see.

For fragments: the body of a post, a comment, a description. A whole page, menus around an article, is another matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any

from lxml import etree
from lxml import html as lxml_html

__all__ = ["Markup", "html_to_text", "read_markup"]

_PARAGRAPHS = frozenset(("p", "blockquote", "pre", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6"))
_LINES = frozenset(
    ("div", "li", "tr", "dt", "dd", "section", "article", "header", "footer", "figure", "figcaption", "hr")
)
_SILENT = frozenset(("script", "style", "template", "noscript", "head", "title", "iframe", "object"))
# Private marks that outlive the tidying of white space: a break that the author set, a preserved space, the edge of a
# block (however many meet, one line ends) and of a paragraph (one empty line).
_BR, _KEPT_SPACE, _LINE, _PARAGRAPH = "\x01", "\x02", "\x03", "\x04"
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BREAKS = re.compile(r"[ \t]*[\x01\x03\x04][ \t\x01\x03\x04]*")
_TAG = re.compile(r"<[a-zA-Z/!?]")
_ANY_TAG = re.compile(r"<(?:[a-zA-Z/!?][^<>]*)>")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_MENTION_OR_TAG = re.compile(r"\b(?:mention|hashtag|u-url)\b")


@dataclass(frozen=True, slots=True)
class Markup:
    """The text of a fragment, and the addresses it links to; mentions and hashtags are no links."""

    text: str
    links: tuple[str, ...] = ()


def html_to_text(html: str) -> str:
    r"""Return the text that a reader of the fragment sees, with line breaks at `<br>` and between blocks.

    Example:
        >>> html_to_text("<p>Bread &amp; salt<br>at noon</p><p>All welcome</p>")
        'Bread & salt\nat noon\n\nAll welcome'
    """
    return read_markup(html).text


def read_markup(html: str) -> Markup:
    """Return text and links of a fragment. A text without any tag keeps its own line breaks; only entities resolve.

    Markup that nests too deep or is too large for the parser is stripped of its tags instead: nothing that is published
    gets lost by being written oddly.

    Example:
        >>> read_markup('See <a href="https://a.example/1">this</a>').links
        ('https://a.example/1',)
    """
    if not _TAG.search(html):
        return Markup(unescape(html) if "&" in html else html)
    clean = _CONTROLS.sub("", html)
    root = _parse(clean)
    if root is None:
        return Markup(_tidy(unescape(_SPACE.sub(" ", _ANY_TAG.sub(_LINE, clean)))))
    parts: list[str] = []
    links: list[str] = []
    _walk(root, parts, links)
    return Markup(_tidy("".join(parts)), tuple(dict.fromkeys(links)))


def _parse(clean: str) -> Any:  # noqa: ANN401 - lxml has no types
    """Return the tree, or None where the parser gave up before the end."""
    parser = lxml_html.HTMLParser(
        encoding="utf-8", huge_tree=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = lxml_html.document_fromstring(b"<div>" + clean.encode("utf-8", "replace") + b"</div>", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    return None if any(entry.level_name == "FATAL" for entry in parser.error_log) else root


def _tidy(text: str) -> str:
    return _BREAKS.sub(_break_of, text).replace(_KEPT_SPACE, " ").strip()


def _break_of(match: re.Match[str]) -> str:
    run = match[0]
    lines = run.count(_BR)
    return "\n" * max(lines, 2 if _PARAGRAPH in run else 1)


def _walk(root: Any, parts: list[str], links: list[str]) -> None:  # noqa: ANN401 - lxml has no types
    """Add the pieces of text in the order of the page: a walk without recursion, whatever the depth."""
    silent = pre = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "start":
            silent += tag in _SILENT
            pre += tag == "pre"
            if not silent:
                parts.append(_opening(element, tag))
                _add(element.text, pre, parts)
                _link(element, tag, links)
            continue
        if not silent:
            parts.append(_edge(tag))
        silent -= tag in _SILENT
        pre -= tag == "pre"
        if not silent and element is not root:
            _add(element.tail, pre, parts)


def _opening(element: Any, tag: str) -> str:  # noqa: ANN401 - lxml has no types
    if tag == "br":
        return _BR
    if tag == "img":
        return element.get("alt") or ""  # custom emoji stand in the text as images
    return _edge(tag)


@lru_cache(maxsize=512)
def _edge(tag: str) -> str:
    return _PARAGRAPH if tag in _PARAGRAPHS else _LINE if tag in _LINES else " " if tag in ("td", "th") else ""


def _add(text: str | None, pre: int, parts: list[str]) -> None:
    if not text:
        return
    if pre:
        parts.append(text.replace("\n", _BR).replace(" ", _KEPT_SPACE))
        return
    piece = _SPACE.sub(" ", text)
    if piece.startswith(" "):
        last = next((part for part in reversed(parts) if part), _LINE)
        piece = piece[1:] if last.endswith((" ", _BR, _LINE, _PARAGRAPH)) else piece
    parts.append(piece)


def _link(element: Any, tag: str, links: list[str]) -> None:  # noqa: ANN401 - lxml has no types
    if tag != "a":
        return
    href = (element.get("href") or "").strip()
    marks = f"{element.get('class') or ''} {'hashtag' if 'tag' in (element.get('rel') or '').split() else ''}"
    if href.lower().startswith(("http://", "https://")) and not _MENTION_OR_TAG.search(marks):
        links.append(href)
