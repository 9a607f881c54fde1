"""PDF documents: the text of their pages, and what they say of their title, date, language and author."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, TypeVar

import pypdf
from pypdf.errors import DependencyError, PyPdfError

from antiphon.errors import InputError
from antiphon.model.instants import instant_us
from antiphon.model.material import Gap, Item, Material, Media, Skipped
from antiphon.sources.interface import Example, ReadContext

__all__ = ["Pdf", "read_pdf"]

MAX_PDF_BYTES = 512 * 2**20
MAX_PAGES = 5_000
MAX_CHARS = 3_900_000
"""A little below what a material may hold."""
_SPOOL_BYTES = 32 * 2**20
_MAX_LINKS = 10_000
_FAULTS = (PyPdfError, DependencyError, KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError,
           AssertionError, NotImplementedError, EOFError, zlib.error, ArithmeticError, OSError)  # fmt: skip
"""What pypdf raises on broken files: its own errors, and Python's when a structure is not what it says it is."""
_MAX_MENDED_BYTES = 64 * 2**20
_CATALOG = re.compile(rb"(\d{1,9})\s+(\d{1,5})\s+obj\b(?:(?!endobj).){0,2000}?/Type\s*/Catalog", re.DOTALL)
_LOCKED = re.compile(rb"/Filter\s*/Standard\b|/Encrypt\b")
_UNSET = re.compile(r"(?:untitled|untitled document|\(?unknown\)?|none|null)?$", re.IGNORECASE)
_EXAMPLE_LINES = ("The ferry to the Lantern Isles runs again.", "Fares stay as they were.")

_T = TypeVar("_T")


class Pdf:
    """Reads one PDF document."""

    name: ClassVar[str] = "pdf"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "PDF documents"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is a PDF: its mark may stand anywhere in the first KiB."""
        at = head[:1024].find(b"%PDF-")
        if at < 0:
            return 0.5 if not head and name.lower().endswith(".pdf") else 0.0
        return 0.99 if at < 16 else 0.7

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the document, and a `Gap` for each page that can't be read."""
        yield from read_pdf(stream, path=context.input)

    def examples(self) -> Iterable[Example]:
        """Return an invented document of one page."""
        return [Example("notice.pdf", _tiny_pdf(_EXAMPLE_LINES), 1)]


def read_pdf(stream: BinaryIO, *, path: str) -> Iterator[Item]:
    """Yield the material of a PDF, or why there is none, and what is missing in it.

    Args:
        stream: The document; it is copied aside, since a PDF is read from its end.
        path: Where it was read, for its media.
    """
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        size = _copy(stream, spool)
        spool.seek(0)
        head = spool.read(65_536)
        fault = _unreadable(head, size)
        if fault is not None:
            yield fault
            return
        spool.seek(0)
        digest = hashlib.file_digest(spool, "sha256").hexdigest()
        spool.seek(0)
        itself = Media(path=path, mime="application/pdf", sha256=digest, bytes=size, role="self")
        with _quiet():
            yield from _document(spool, itself, head)


def _unreadable(head: bytes, size: int) -> Skipped | None:
    if size == 0:
        return Skipped("empty", "the file has no bytes; get it again", 0, raw_bytes=0)
    if size > MAX_PDF_BYTES:
        return Skipped("too-large", f"a document of more than {MAX_PDF_BYTES // 2**20} MiB; split it", 0)
    if b"%PDF-" not in head[:1024]:
        return Skipped("pdf-broken", "it does not begin as a PDF; get the file again", 0, raw=head, raw_bytes=size)
    return None


def _copy(stream: BinaryIO, spool: Any) -> int:  # noqa: ANN401 - a temporary file
    """Copy a stream up to a little more than the largest document; return how many bytes that were."""
    size = 0
    while size <= MAX_PDF_BYTES and (piece := stream.read(1 << 20)):
        size += spool.write(piece)
    return size


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pypdf's log still: its warnings quote the document, and what matters comes back as a `Gap`."""
    logger = logging.getLogger("pypdf")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _document(spool: Any, itself: Media, head: bytes) -> Iterator[Item]:  # noqa: ANN401 - a temporary file
    size = itself.bytes
    try:
        reader, cut = _opened(spool)
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = 0 if locked else len(reader.pages)
    except DependencyError:
        yield Skipped("pdf-encrypted", "it is encrypted with AES; install `cryptography` to read it", 0, raw_bytes=size)
        return
    except _FAULTS as fault:
        why = f"it can't be read ({type(fault).__name__}); get the file again"
        yield Skipped("pdf-broken", why, 0, raw=head, raw_bytes=size)
        return
    if locked:
        yield Skipped("pdf-encrypted", "it needs a password; save it without one and read that", 0, raw_bytes=size)
    elif pages == 0:
        yield Skipped("pdf-broken", "it has no pages; get the file again", 0, raw=head, raw_bytes=size)
    elif cut:
        yield from _read_cut(reader, pages, itself, head)
    else:
        yield from _read_pages(reader, pages, itself)


def _opened(spool: Any) -> tuple[pypdf.PdfReader, bool]:  # noqa: ANN401 - a temporary file
    """Return a reader, and whether the document lacks its end and was given one for the reading.

    A PDF has its table of contents at its end. Where a transfer broke off, the objects before are still there, and
    pypdf finds them once it is told where the pages begin.
    """
    try:
        reader = pypdf.PdfReader(spool, strict=False)
        if not reader.is_encrypted:
            len(reader.pages)
    except DependencyError:
        raise
    except _FAULTS:
        spool.seek(0)
        data = spool.read(_MAX_MENDED_BYTES)
        catalog = _CATALOG.search(data)
        if catalog is None or _LOCKED.search(data) or data.rstrip(b"\r\n \x00").endswith(b"%%EOF"):
            raise
        end = b"\nendobj\ntrailer\n<</Root %s %s R>>\nstartxref\n0\n%%%%EOF\n" % (catalog[1], catalog[2])
        return pypdf.PdfReader(io.BytesIO(data + end), strict=False), True
    return reader, False


def _read_cut(reader: pypdf.PdfReader, pages: int, itself: Media, head: bytes) -> Iterator[Item]:
    """Yield what is left of a document that was cut, unless no words are."""
    for item in _read_pages(reader, pages, itself):
        if isinstance(item, Material) and not _legible(item.text or ""):
            why = "the document is cut and no words are left; get the file again"
            yield Skipped("truncated", why, 0, raw=head, raw_bytes=itself.bytes)
        else:
            yield item
    yield Gap("the document is cut: what stood in its last part is missing")


def _legible(text: str) -> bool:
    """Return whether a text is words: where its fonts were cut off, pypdf gives marks for unknown letters."""
    return text.count("\ufffd") < max(1, len(text) // 100) and bool(text)


def _read_pages(reader: pypdf.PdfReader, pages: int, itself: Media) -> Iterator[Item]:
    texts: list[str] = []
    links: dict[str, None] = {}
    chars = blank = broken = 0
    for number in range(min(pages, MAX_PAGES)):
        try:
            page = reader.pages[number]
            text = page.extract_text().replace("\x00", "").strip()
        except _FAULTS as fault:
            broken += 1
            yield Gap(f"page {number + 1} of {pages} can't be read ({type(fault).__name__})")
            continue
        links.update(_links(page) if len(links) < _MAX_LINKS else {})
        blank += not text
        chars += len(text) + 2
        if chars > MAX_CHARS:
            yield Gap(f"pages {number + 1} to {pages} are left out: the text has more than {MAX_CHARS:,} characters")
            break
        texts.append(text)
    if pages > MAX_PAGES:
        yield Gap(f"pages {MAX_PAGES + 1} to {pages} are left out")
    if blank:
        yield Gap(f"{blank} of {pages} pages have no text: empty, or images of text")
    if broken == min(pages, MAX_PAGES):
        yield Skipped("pdf-broken", "none of its pages can be read; get the file again", 0, raw_bytes=itself.bytes)
        return
    yield _material(reader, "\n\n".join(filter(None, texts)), tuple(links), itself)


def _material(reader: pypdf.PdfReader, text: str, links: tuple[str, ...], itself: Media) -> Material:
    about = _or_none(lambda: reader.metadata)
    xmp = _or_none(lambda: reader.xmp_metadata)
    named = _declared(lambda: about.title if about else None)
    title = named or _declared(lambda: _first(xmp.dc_title if xmp else None))
    author = _declared(lambda: about.author if about else None)
    return Material(
        source="pdf",
        kind="document",
        published_at=_or_none(lambda: _date(about)) or _or_none(lambda: _time(xmp.xmp_create_date if xmp else None)),
        author=f"pdf/{author}" if author else None,
        lang_declared=_declared(lambda: reader.root_object.get("/Lang")),
        title=title,
        text=text or None,
        links=links,
        media=(itself,),
        record=0,
    )


def _or_none(get: Callable[[], _T]) -> _T | None:
    """Return what a field of the document says; a broken one costs the field, not the document."""
    try:
        return get()
    except _FAULTS:
        return None


def _declared(get: Callable[[], object]) -> str | None:
    value = _or_none(get)
    text = " ".join(str(value).replace("\x00", "").split()) if value is not None else ""
    return None if _UNSET.match(text) else text


def _first(values: dict[str, str] | None) -> str | None:
    return (values.get("x-default") or next(iter(values.values()), None)) if values else None


def _date(about: Any) -> Any:  # noqa: ANN401 - pypdf's metadata
    return _time(about.creation_date if about else None)


def _time(value: Any) -> Any:  # noqa: ANN401 - a datetime or None
    """Return a date if it is one that can be: producers write the year 0 and worse."""
    try:
        return value if instant_us(value) is not None else None
    except InputError:
        return None


def _links(page: Any) -> dict[str, None]:  # noqa: ANN401 - pypdf's page
    """Return the web addresses that a page links to."""
    found: dict[str, None] = {}
    for annotation in _or_none(lambda: list(page.get("/Annots") or [])) or []:
        address = _or_none(lambda one=annotation: str(one.get_object()["/A"]["/URI"]))  # type: ignore[misc]
        if address and address.lower().startswith(("http://", "https://")):
            found[address] = None
    return found


def _tiny_pdf(lines: Iterable[str]) -> bytes:
    """Return the bytes of a document of one page with some lines of plain text."""
    shown = b" T* ".join(f"({line}) Tj".encode("ascii") for line in lines)
    content = b"BT /F1 12 Tf 14 TL 40 700 Td " + shown + b" ET"
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R/Lang(en)>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Title(Ferry notice)/CreationDate(D:20260301093000Z)>>",
    )  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer<</Size 7/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 7\n0000000000 65535 f \n" + table + trailer
