"""Web archives: WARC 1.0 and 1.1, ARC, and the text of WET files, record by record.

warcio reads the records and checks their digests. A page, a document, a feed or an image that a server answered with is
a material; what the crawler wrote for itself is passed. After a broken record the reading goes on at the next one.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, BinaryIO, ClassVar
from urllib.parse import urlsplit

import zstandard
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader, ChunkedDataException
from warcio.digestverifyingreader import _compare_digest_rfc_3548
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParserException
from warcio.utils import Digester

from antiphon.model.address import canonical_url, site
from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.feed import Feed
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.pdf import read_pdf
from antiphon.sources.webpage import absolute, decode_text, page_material, read_page

__all__ = ["Warc", "read_archive"]

MAX_PAYLOAD_BYTES = 32 * 2**20
_REMEMBERED_PAGES = 200_000
_FAULTS = (ArchiveLoadFailed, StatusAndHeadersParserException, ChunkedDataException, zlib.error, zstandard.ZstdError,
           KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, EOFError,
           OSError)  # fmt: skip
_START = re.compile(rb"WARC/\d\.\d+\r?\n")
_ARC_START = re.compile(rb"filedesc://\S+ \d{1,3}(?:\.\d{1,3}){3} \d{8,17} text/plain -?\d+\n|filedesc://")
_ARC_RECORD = re.compile(rb"https?://\S+ \d{1,3}(?:\.\d{1,3}){3} \d{14} [\w./+;= -]+ \d+\n")
_MACHINE = frozenset(("request", "metadata", "warcinfo", "revisit"))
_MAGIC = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
          (b"GIF8", "image/gif"))  # fmt: skip
_CRAWLER_NOTES = ("urn:pageinfo:", "urn:text:", "urn:view:", "urn:thumbnail:", "urn:fullpage:", "metadata://",
                  "screenshot://", "text://", "urn:textfromcrawl:", "dns:", "whois:")  # fmt: skip
_FEED_TYPES = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_ROBOTS = re.compile(r"/(?:robots|ads|security|humans|llms)\.txt$")
_HTML_LIKE = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_HTML_END = re.compile(rb"</html\s*>\s*\Z", re.IGNORECASE)
_PAGE = b"""HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<!DOCTYPE html><html lang="en"><head>\
<title>The ferry runs again</title></head><body><article><p>After three weeks in the yard the ferry between \
Brindle Bay and the Lantern Isles runs again from Monday morning, the harbour office said.</p></article></body>\
</html>"""
_RECORD = b"""WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://gazette.brindlebay.example/ferry\r\n\
WARC-Date: 2026-03-01T10:00:00Z\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n\
Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"""


class Warc:
    """Reads the pages, documents, feeds and images of a web archive."""

    name: ClassVar[str] = "warc"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "web archives (WARC, WET, ARC)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is a web archive."""
        start = head.lstrip(b"\r\n")
        if _START.match(start):
            return 0.99
        return 0.95 if _ARC_START.match(start) or _ARC_RECORD.match(start) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield what is in the archive's records."""
        yield from read_archive(stream, context)

    def examples(self) -> Iterable[Example]:
        """Return an invented archive of one page."""
        return [Example("crawl.warc", _RECORD % (len(_PAGE), _PAGE), 1)]


def read_archive(stream: BinaryIO, context: ReadContext, first: int = 0) -> Iterator[Item]:
    """Yield what is in the records of an archive, numbered from `first`.

    Args:
        stream: The archive, its compression undone.
        context: Keeps images; `raw` lets the reader see whether each record was compressed by itself.
        first: Number of the first record.
    """
    fault = _packing_fault(context)
    if fault is not None:
        yield fault
    seen, number = _Seen(), first - 1
    for record in _records(stream):
        if isinstance(record, str):
            yield Skipped("warc-broken", record, max(number, 0))
            continue
        number += 1
        try:
            for item in _read_record(record, number, context):
                yield seen.edition(item) if isinstance(item, Material) else item
        except _FAULTS as error:
            yield Skipped("unreadable", f"record {number}: {type(error).__name__} while reading it", number)


def _packing_fault(context: ReadContext) -> Skipped | None:
    """Return what is wrong with how a gzip archive is packed: then records can't be found by their offset."""
    if context.raw is None:
        return None
    with context.raw() as raw:
        if raw.read(3) != b"\x1f\x8b\x08":
            return None
    with context.raw() as raw, redirect_stderr(io.StringIO()):
        records = iter(ArchiveIterator(raw, arc2warc=True))
        try:
            next(records, None)
            next(records, None)
        except _FAULTS:
            return Skipped(
                "warc-not-chunked", "its records are not compressed each by itself; they are read all the same, but "
                "run `warcio recompress` before you replay or cite it"
            )  # fmt: skip
    return None


class _After:
    """A line and what a reader still holds, as a stream for the next iterator."""

    def __init__(self, line: bytes, rest: Any) -> None:  # noqa: ANN401 - warcio has no types
        self._line, self._rest = line, rest

    def read(self, size: int) -> bytes:
        """Return the line, then the rest."""
        line, self._line = self._line, b""
        return line or bytes(self._rest.read(size))


def _records(stream: Any) -> Iterator[Any]:  # noqa: ANN401 - warcio has no types
    """Yield warcio's records, and for each break in between a text that says what was wrong."""
    while True:
        archive = ArchiveIterator(stream, check_digests=True, arc2warc=True)
        records = iter(archive)
        errors = 0
        while True:
            with redirect_stderr(io.StringIO()):  # warcio prints lines of the archive there
                try:
                    record = next(records, None)
                except _FAULTS as error:
                    fault = error
                    break
            if archive.err_count > errors:
                errors = archive.err_count
                yield "this record ends elsewhere than its Content-Length says; capture the page again"
            if record is None:
                return
            yield record
        yield f"after this record {_named(fault)}; the reading goes on at the next record"
        line = _next_start(archive.reader)
        if line is None:
            return
        stream = _After(line, archive.reader)


def _named(fault: BaseException) -> str:
    known = "no other begins" if "Unknown archive format" in str(fault) else "the next can't be read"
    return f"{known} ({type(fault).__name__})"


def _next_start(reader: Any) -> bytes | None:  # noqa: ANN401 - warcio has no types
    """Return the first line of the next record in what is left, or None."""
    while reader is not None:
        try:
            line = reader.readline(65_536)
        except _FAULTS:
            return None
        if not line:
            return None
        if _START.match(line):
            return bytes(line)
    return None


@dataclass
class _Seen:
    """Which text each page had when it was captured first: another text of the same page is another edition."""

    texts: dict[bytes, bytes] = field(default_factory=dict)

    def edition(self, material: Material) -> Material:
        """Return the material, its revision set where the same page was captured before with other words."""
        by_address = material.url and not material.native_id and not material.revision
        if by_address and material.url and material.kind in ("article", "document"):
            key = blake2b(canonical_url(material.url).encode("utf-8", "replace"), digest_size=12).digest()
            text = blake2b((material.text or "").encode("utf-8", "replace"), digest_size=12).digest()
            if len(self.texts) < _REMEMBERED_PAGES and self.texts.setdefault(key, text) != text:
                material.revision = str(material.collected_at)
        return material


class _Payload:
    """What a record holds: its bytes with transfer and content encoding undone, and what they are."""

    def __init__(self, record: Any) -> None:  # noqa: ANN401 - warcio has no types
        self.record = record
        http = record.http_headers
        self.declared = (http.get_header("Content-Type") if http else None) or (
            "" if http else record.rec_headers.get_header("Content-Type") or ""
        )
        self.encoding = ((http.get_header("Content-Encoding") if http else None) or "").strip().lower()
        self.bytes = self._read() if record.rec_type not in _MACHINE else self._drain()
        self.missing = int(getattr(record.raw_stream, "limit", 0) or 0)

    @property
    def mime(self) -> str:
        """The media type: by content where that is certain, else as declared."""
        for magic, mime in _MAGIC:
            if self.bytes.startswith(magic):
                return mime
        declared = self.declared.partition(";")[0].strip().lower()
        if declared in ("", "text/plain", "application/octet-stream", "unk") and _HTML_LIKE.match(self.bytes[:4096]):
            return "text/html"
        return declared or ("text/plain" if self.bytes[:1] not in (b"\x00", b"") else "unknown")

    @property
    def charset(self) -> str | None:
        """The encoding that the server named."""
        found = _CHARSET.search(self.declared)
        return found[1] if found else None

    @property
    def too_large(self) -> bool:
        """Whether it holds more than is read."""
        return len(self.bytes) > MAX_PAYLOAD_BYTES

    @property
    def undecodable(self) -> bool:
        """Whether its content encoding is one that is not undone here."""
        return self.encoding not in ("", "identity", "zstd", *BufferedReader.get_supported_decompressors())

    def _read(self) -> bytes:
        parts, size = [], 0
        stream = self.record.content_stream()
        while size <= MAX_PAYLOAD_BYTES and (piece := stream.read(65_536)):
            parts.append(piece)
            size += len(piece)
        if size > MAX_PAYLOAD_BYTES:
            self._drain()
        whole = b"".join(parts)
        if self.encoding == "zstd" and whole.startswith(b"\x28\xb5\x2f\xfd"):
            return zstandard.ZstdDecompressor().stream_reader(whole).read(MAX_PAYLOAD_BYTES + 1)
        return whole

    def _drain(self) -> bytes:
        while self.record.raw_stream.read(65_536):
            pass
        return b""

    def mismatch(self) -> bool:
        """Return whether the bytes are other than the record's digests say.

        Writers differ on whether a payload's digest is over the bytes as sent or as decoded: either will do.
        """
        failed = [one for one in self.record.digest_checker.problems if "digest failed" in one]
        if not failed:
            return False
        given = self.record.rec_headers.get_header("WARC-Payload-Digest") or ""
        if any(one.startswith("block") for one in failed) or not self.bytes or ":" not in given:
            return True
        digester = Digester(given.partition(":")[0])
        digester.update(self.bytes)
        return not _compare_digest_rfc_3548(digester, given)


def _read_record(record: Any, number: int, context: ReadContext) -> Iterator[Item]:  # noqa: ANN401 - no types
    kind, url = record.rec_type or "unknown", record.rec_headers.get_header("WARC-Target-URI")
    refused = _refusal(record)
    if refused is not None:
        yield Skipped(refused[0], f"record {number}: {refused[1]}", number)
        return
    payload = _Payload(record)
    if payload.mismatch():
        why = "its bytes are not those that its digest was made of: damaged or altered; get the archive again"
        yield Skipped("digest-mismatch", f"record {number} ({kind}): {why}", number, raw=payload.bytes[:65_536] or None,
                      raw_bytes=len(payload.bytes))  # fmt: skip
    elif payload.missing > 0 and not _HTML_END.search(payload.bytes[-64:]):
        yield Skipped("truncated", f"record {number} ({kind}): {payload.missing} bytes are missing at its end", number,
                      raw=payload.bytes[:65_536] or None, raw_bytes=len(payload.bytes))  # fmt: skip
    elif (passed := _passed(record, kind, url, payload)) is not None:
        yield Passed(passed)
    elif payload.too_large:
        yield Skipped("too-large", f"record {number}: more than {MAX_PAYLOAD_BYTES // 2**20} MiB", number)
    elif payload.undecodable:
        why = f"encoded as {payload.encoding[:20]}, which is not read here; install `brotli` if it is br"
        yield Skipped("content-encoding", f"record {number}: {why}", number)
    else:
        if payload.missing > 0:
            yield Gap(f"record {number}: {payload.missing} bytes are missing after the end of the page")
        if record.rec_headers.get_header("WARC-Truncated"):
            yield Gap(f"record {number}: the crawler cut the page short")
        yield from _materials(payload, url, number, context)


def _refusal(record: Any) -> tuple[str, str] | None:  # noqa: ANN401 - warcio has no types
    """Return why a record is not read at all, or None."""
    length = record.rec_headers.get_header("Content-Length")
    if record.rec_type in ("response", "resource", "conversion"):
        if length is None or not str(length).strip().isdecimal():
            return "field-invalid", "field Content-Length: no whole number; capture the page again"
        http = record.http_headers
        is_web = (record.rec_headers.get_header("WARC-Target-URI") or "").lower().startswith("http")
        status = (http.get_statuscode() or "") if http else ""
        if record.rec_type == "response" and is_web and not status[:3].isdecimal():
            return "http-broken", "no answer of a server stands in it; capture the page again"
    if record.rec_type == "continuation" or record.rec_headers.get_header("WARC-Segment-Number"):
        return "warc-segmented", "a part of a record that is spread over several; join them with a tool for WARC"
    return None


def _passed(record: Any, kind: str, url: str | None, payload: _Payload) -> str | None:  # noqa: ANN401 - no types
    """Return what a record is if it is no public content, else None."""
    if kind not in ("response", "resource", "conversion"):
        return f"{kind} record" if kind in _MACHINE else "record of another type"
    if (url or "").lower().startswith(_CRAWLER_NOTES):
        return "note of the crawler"
    status = record.http_headers.get_statuscode() if record.http_headers and kind == "response" else "200"
    if status not in ("200", "203") and not (status == "206" and _is_whole(record)):
        return f"http {status[:3]}"
    if not payload.bytes:
        return "empty answer"
    return _passed_type(payload.mime, url)


def _passed_type(mime: str, url: str | None) -> str | None:
    if mime == "text/plain" and _ROBOTS.search(_path(url)):
        return "robots.txt and the like"
    return None if _is_content(mime) else mime[:60]


def _is_whole(record: Any) -> bool:  # noqa: ANN401 - warcio has no types
    """Return whether a partial answer holds everything, as browsers ask for videos."""
    given = re.fullmatch(r"bytes 0-(\d+)/(\d+)", record.http_headers.get_header("Content-Range") or "")
    return bool(given and int(given[1]) + 1 == int(given[2]))


def _path(url: str | None) -> str:
    try:
        return urlsplit(url or "").path
    except ValueError:
        return ""


def _is_content(mime: str) -> bool:
    media = mime.startswith(("image/", "video/", "audio/")) and mime not in ("image/x-icon", "image/vnd.microsoft.icon")
    return media or mime in _FEED_TYPES or mime in (
        "text/html", "application/xhtml+xml", "application/pdf", "text/plain", "text/markdown", "application/xml",
        "text/xml", "application/json", "application/activity+json", "application/ld+json",
    )  # fmt: skip


def _materials(payload: _Payload, url: str | None, number: int, context: ReadContext) -> Iterator[Item]:
    """Yield what a payload is, with the record's place and time."""
    stamp = payload.record.rec_headers.get_header("WARC-Date")
    for item in _contents(payload, payload.mime, url, context):
        yield _placed(item, url, number, stamp) if isinstance(item, Material) else item


def _contents(payload: _Payload, mime: str, url: str | None, context: ReadContext) -> Iterator[Item]:
    """Yield what a payload is: a page, a document, the entries of a feed, a file."""
    if mime in ("text/html", "application/xhtml+xml"):
        yield from _page(payload, url)
    elif mime == "application/pdf":
        yield from read_pdf(io.BytesIO(payload.bytes), path=url or context.input)
    elif mime.startswith(("image/", "video/", "audio/")):
        yield _file(payload, mime, url, context)
    elif _is_feed(payload.bytes, mime):
        yield from Feed().read(io.BytesIO(payload.bytes), context)
    elif mime.endswith("/xml"):
        yield Passed(mime)
    else:
        yield _document(payload, url)


def _is_feed(data: bytes, mime: str) -> bool:
    may_be = mime in _FEED_TYPES or mime.endswith(("/xml", "/json"))
    return may_be and Feed().recognise(data[:65_536], "") >= 0.6


def _page(payload: _Payload, url: str | None) -> Iterator[Item]:
    address = url if url and url.lower().startswith(("http://", "https://")) else None
    page = read_page(payload.bytes, url=address, charset=payload.charset)
    whole = absolute(address)
    if page.has_comments:
        yield Passed("comment section of a page")
    yield page_material(page, lambda image: Media(path=whole(image) or image))


def _placed(material: Material, url: str | None, number: int, stamp: str | None) -> Material:
    """Return a material with the record's place and time."""
    material.record = number
    material.collected_at = stamp
    if not material.source.startswith("feed"):
        material.url = material.url or url
        host = site(material.url)
        material.source = f"web/{host}" if host else "web"
    return material


def _file(payload: _Payload, mime: str, url: str | None, context: ReadContext) -> Material:
    """Return the material of an image, a video or a sound, which is the file itself."""
    path = url or context.input
    if context.keep_media is None:
        media = Media(path=path, mime=mime, bytes=len(payload.bytes), role="self")
    else:
        media = context.keep_media(io.BytesIO(payload.bytes), path, "self")
    return Material(source="web", url=url, kind=mime.partition("/")[0], media=(media,))


def _document(payload: _Payload, url: str | None) -> Material:
    text = decode_text(payload.bytes, payload.charset).replace("\x00", "").strip()
    kind = "article" if payload.record.rec_type == "conversion" else "document"
    return Material(source="web", url=url, kind=kind, text=text or None, lang_declared=_wet_language(payload.record))


def _wet_language(record: Any) -> str | None:  # noqa: ANN401 - warcio has no types
    """Return the first language that Common Crawl found in a text, which it writes with three letters."""
    given = record.rec_headers.get_header("WARC-Identified-Content-Language") or ""
    return given.partition(",")[0].strip() or None
