"""News sites: RSS and Atom feeds, saved HTML pages, and a WARC of a crawl."""

from __future__ import annotations

import io
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path

import orjson
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from antiphon.demo.formats.common import account, html_of, iso, title_of, write
from antiphon.demo.phrases import RIGHT_TO_LEFT
from antiphon.demo.planned import START, Broken, Post, Writing

__all__ = ["write_feeds", "write_pages", "write_warc"]


def write_feeds(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write a feed for each site, newest first, RSS and Atom in turn; and one that is no XML at its end."""
    by_site: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        by_site[post.outlet.name].append(post)
    for number, (site, entries) in enumerate(sorted(by_site.items())):
        for post in entries:
            post.platform, post.url = "feed", f"https://{site}/news/{post.number}"
            post.native_id = f"tag:{site},2026:{post.number}"
        feed = _rss if number % 2 == 0 else _atom
        write(folder / f"feeds/{site}.xml", feed(site, entries[::-1]).encode())
    write(folder / "feeds/closed-site.xml", b'<?xml version="1.0"?>\n<!-- moved to another server -->\n')
    writing.broken.append(Broken("feeds/closed-site.xml", None, "a feed file without a feed"))


def write_pages(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as saved HTML pages."""
    for post in posts:
        _place_on_web(post)
        write(folder / f"articles/{post.outlet.name}-{post.number}.html", _page(post).encode())


def write_warc(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as responses in one WARC file, with the crawl's own records around them."""
    out = io.BytesIO()
    warc = WARCWriter(out, gzip=True, warc_version="1.0")
    info = b"software: an invented crawler\r\nformat: WARC File Format 1.0\r\n"
    warc.write_record(
        warc.create_warc_record(
            "", "warcinfo", payload=io.BytesIO(info), length=len(info),
            warc_headers_dict=_headers("info", iso(START + timedelta(days=61))),
        )
    )  # fmt: skip
    for post in posts:
        _place_on_web(post)
        _write_response(warc, post)
    write(folder / "crawl/news.warc.gz", out.getvalue())


def _place_on_web(post: Post) -> None:
    post.platform, post.url = "web", f"https://{post.outlet.name}/{post.at:%Y/%m/%d}/story-{post.number}"


def _rss(site: str, entries: Sequence[Post]) -> str:
    items = "".join(
        f"<item><title>{escape(_headline(post))}</title><link>{post.url}</link>"
        f'<guid isPermaLink="false">{post.native_id}</guid><pubDate>{format_datetime(post.at, usegmt=True)}</pubDate>'
        f"<dc:creator>{account(post.author)}</dc:creator><description>{escape(html_of(post.text))}</description></item>\n"
        for post in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>{site}</title><link>https://{site}/</link><description>News from the valley</description>"
        f"<language>{entries[0].lang}</language>\n{items}</channel></rss>\n"
    )


def _atom(site: str, entries: Sequence[Post]) -> str:
    items = "".join(
        f'<entry><title>{escape(_headline(post))}</title><link href="{post.url}"/>'
        f"<id>{post.native_id}</id><published>{iso(post.at)}</published><updated>{iso(post.at)}</updated>"
        f"<author><name>{account(post.author)}</name></author>"
        f'<content type="html">{escape(html_of(post.text))}</content></entry>\n'
        for post in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{entries[0].lang}"><title>{site}</title><link href="https://{site}/"/><id>https://{site}/</id>'
        f"<updated>{iso(entries[0].at)}</updated>\n{items}</feed>\n"
    )


def _headline(post: Post) -> str:
    return post.title or title_of(post.text)


def _page(post: Post) -> str:
    site, title = post.outlet.name, escape(_headline(post))
    turn = ' dir="rtl"' if post.lang in RIGHT_TO_LEFT else ""
    declared = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": _headline(post), "url": post.url,
        "datePublished": iso(post.at), "inLanguage": post.lang,
        "author": {"@type": "Person", "name": account(post.author)},
    }  # fmt: skip
    return (
        f'<!DOCTYPE html>\n<html lang="{post.lang}"{turn}>\n'
        f'<head><meta charset="utf-8"><title>{title} - {site}</title>\n'
        f'<link rel="canonical" href="{post.url}"><meta property="og:url" content="{post.url}">'
        f'<meta property="og:title" content="{title}"><meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="{iso(post.at)}">\n'
        f'<script type="application/ld+json">{orjson.dumps(declared).decode()}</script></head>\n'
        f'<body><header><a href="https://{site}/">{site}</a><nav><ul><li><a href="/news">News</a></li>'
        f'<li><a href="/sport">Sport</a></li><li><a href="/weather">Weather</a></li></ul></nav></header>\n'
        f"<main><article><h1>{title}</h1>\n<time datetime=\"{iso(post.at)}\">{post.at:%d.%m.%Y}</time>\n"
        f"{html_of(post.text).replace('</p>', '</p>' + chr(10))}</article></main>\n"
        f"<footer><p>{site} 2026</p></footer></body></html>\n"
    )  # fmt: skip


def _write_response(warc: WARCWriter, post: Post) -> None:
    body = _page(post).encode()
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
    crawled = iso(post.at + timedelta(days=1))
    warc.write_record(
        warc.create_warc_record(
            post.url, "response", payload=io.BytesIO(body), length=len(body),
            http_headers=StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1"),
            warc_headers_dict=_headers(post.url, crawled),
        )
    )  # fmt: skip


def _headers(name: str, at: str) -> dict[str, str]:
    """Return the headers that warcio would otherwise fill from the clock and from chance."""
    return {"WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>", "WARC-Date": at}
