"""What lies beside the archives of an unpacked WACZ: page lists, which name pages, and logs, which are not public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, ClassVar

from antiphon.model.address import site
from antiphon.model.material import Item, Material, Passed, Skipped
from antiphon.sources.interface import MAX_RECORD_BYTES, Example, ReadContext
from antiphon.sources.jsonio import loads

__all__ = ["WaczLists"]

_LOG_FIELDS = frozenset(("logLevel", "timestamp", "context", "message"))
_PAGE_FIELDS = frozenset(("loadState", "seed", "favIconUrl", "depth", "status", "text"))
_EXAMPLE = b"""{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
{"id": "1", "url": "https://gazette.brindlebay.example/ferry", "ts": "2026-03-01T10:00:00Z", "title": "Ferry", \
"text": "The ferry to the Lantern Isles runs again."}
{"id": "2", "url": "https://gazette.brindlebay.example/market", "ts": "2026-03-01T10:01:00Z", "title": "Market"}
"""


class WaczLists:
    """Reads the page list or the log of a crawl."""

    name: ClassVar[str] = "wacz_lists"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "page lists and logs of web archive crawls"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is such a list, from its first whole lines."""
        if not head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{"):
            return 0.0
        for line in head.split(b"\n")[:5]:
            value = _value(line)
            if not isinstance(value, dict):
                continue
            if str(value.get("format", "")).startswith("json-pages-"):
                return 0.98
            if value.keys() >= _LOG_FIELDS:
                return 0.95
            if {"id", "url", "ts"} <= value.keys() and not _PAGE_FIELDS.isdisjoint(value.keys()):
                return 0.8
        return 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield each page that a list names: with its text where the list has it, else as a reference."""
        for record, line in enumerate(iter(lambda: stream.readline(MAX_RECORD_BYTES), b"")):
            if line.strip():
                yield _item(line, record)

    def examples(self) -> Iterable[Example]:
        """Return an invented page list."""
        return [Example("pages.jsonl", _EXAMPLE, 2)]


def _value(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None


def _item(line: bytes, record: int) -> Item:
    value = _value(line)
    if not isinstance(value, dict):
        return Skipped("json-broken", f"line {record + 1}: no JSON object", record, raw=line[:65_536])
    if value.keys() >= _LOG_FIELDS:
        return Passed("line of a crawl's log")
    if "url" not in value:
        return Passed("head of a page list")
    for name in ("url", "title", "text"):
        if value.get(name) is not None and not isinstance(value[name], str):
            detail = f"field {name}: got {type(value[name]).__name__}, expected text"
            return Skipped("field-invalid", detail, record, raw=line[:65_536])
    status = value.get("status")
    if isinstance(status, int) and status >= 400:
        return Passed(f"http {status}")
    return _page(value, record)


def _page(page: Mapping[str, Any], record: int) -> Material:
    host, text = site(page["url"]), (page.get("text") or "").strip()
    return Material(
        source=f"web/{host}" if host else "web",
        url=page["url"],
        kind="article",
        revision=None if text else "listed",  # a page named only is no page: see sitemap.py
        collected_at=page.get("ts"),
        title=page.get("title") or None,
        text=text or None,
        record=record,
    )
