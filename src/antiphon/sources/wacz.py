"""WACZ: a web archive with its table of contents, page list and digests in one zip.

Each file is held against the digest in `datapackage.json` before it is read; one that differs goes to the quarantine
whole. What the page list names and the archives lack is a gap, or a page by the text that the list has of it.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any, BinaryIO, ClassVar, cast

from antiphon.errors import InputError
from antiphon.model.address import canonical_url, site
from antiphon.model.material import Gap, Item, Material, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.jsonio import loads
from antiphon.sources.opening import ENTER, decoded, fault_of
from antiphon.sources.wacz_signature import check_signature
from antiphon.sources.warc import Warc, read_archive

__all__ = ["Wacz"]

_TABLE = "datapackage.json"
_DIGEST = "datapackage-digest.json"
_MAX_TABLE_BYTES = 64 * 2**20
_MAX_PAGES = 100_000
_MAX_LINE_BYTES = 8 * 2**20
_ARCHIVE = re.compile(r"(?:^|/)archive/[^/]+\.w?arc(?:\.gz|\.zst)?$", re.IGNORECASE)
_ALGORITHMS = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    KeyError,
)
_MAX_RATIO = 250
_FREE_BYTES = 256 * 2**20


class Wacz:
    """Reads the web archives in a WACZ."""

    name: ClassVar[str] = "wacz"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "web archive collections (WACZ)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that this is a WACZ, from the names of the first files in the zip."""
        if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return 0.0
        parts = (_TABLE.encode(), b"archive/", b"indexes/index.", b"pages/pages.jsonl")
        found = sum(part in head for part in parts)
        if found >= 2 or name.lower().endswith(".wacz"):
            return 0.97
        return 0.6 if found else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield what is in its archives, and what is wrong or missing in it."""
        with tempfile.TemporaryFile() as aside:
            seekable: IO[bytes] = stream
            if not stream.seekable():
                shutil.copyfileobj(stream, aside)
                seekable = aside
            try:
                container = zipfile.ZipFile(seekable)
            except _ZIP_FAULTS as fault:
                yield Skipped("wacz-broken", f"the zip can't be opened ({type(fault).__name__}); get it again")
                return
            with container:
                yield from _Collection(container, context).read()

    def examples(self) -> Iterable[Example]:
        """Return an invented collection of one page."""
        return [Example("crawl.wacz", _tiny_wacz(next(iter(Warc().examples())).content), 1)]


@dataclass
class _Pages:
    """The page list: titles and texts by address, and which of its pages were found."""

    listed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)

    def add(self, page: Mapping[str, Any]) -> None:
        """Keep a page of the list."""
        if len(self.listed) < _MAX_PAGES:
            self.listed.setdefault(canonical_url(page["url"]), page)

    def titled(self, material: Material) -> Material:
        """Return the material with the list's title where the page has none, and remember that it is there."""
        page = self.listed.get(canonical_url(material.url or ""))
        if page is not None:
            self.found.add(canonical_url(material.url or ""))
            if material.title is None and isinstance(page.get("title"), str):
                material.title = page["title"]
        return material

    def missing(self, first: int) -> Iterator[Item]:
        """Yield what the list says of pages that the archives lack, numbered from `first`."""
        absent = [page for key, page in self.listed.items() if key not in self.found]
        for number, page in enumerate(absent, first):
            text = page.get("text")
            if not isinstance(text, str) or not text.strip():
                yield Gap(f"page listed but not in the archive: {page['url']}")
                continue
            host = site(page["url"])
            yield Material(
                source=f"web/{host}" if host else "web",
                url=page["url"],
                kind="article",
                collected_at=page.get("ts"),
                title=page["title"] if isinstance(page.get("title"), str) else None,
                text=text,
                record=number,
            )


class _Collection:
    """One opened WACZ."""

    def __init__(self, container: zipfile.ZipFile, context: ReadContext) -> None:
        self._zip, self._context = container, context
        self._names = [info.filename for info in container.infolist() if not info.is_dir()]
        self._pages = _Pages()
        self._next = 0

    def read(self) -> Iterator[Item]:
        """Yield everything, the checks first."""
        table = yield from self._table()
        resources = _resources(table)
        yield from self._signature()
        bad: set[str] = set()
        for path, digest in resources.items():
            fault = self._fault_of(path, digest)
            if fault is not None:
                bad.add(path)
                yield fault
        archives = [name for name in self._names if _ARCHIVE.search(name)]
        yield from self._page_lists(bad)
        for name in archives:
            if name not in resources:
                yield Gap(f"{name} is not listed in {_TABLE}: nothing says whether it is whole")
            if name not in bad:
                yield from self._archive(name)
        if not archives:
            yield Skipped("wacz-invalid", "there is no web archive under archive/; get the collection again")
        yield from self._pages.missing(self._next)
        other = [name for name in self._names if name not in archives and not name.endswith(".jsonl")]
        if other:
            yield Passed("index, log or table of a web archive", len(other))

    def _table(self) -> Generator[Item, None, dict[str, Any]]:
        """Yield what is wrong with the table of contents; return it as far as it can be read."""
        if _TABLE not in self._names:
            yield Skipped("wacz-invalid", f"there is no {_TABLE}: its digests can't be checked; get it again")
            return {}
        raw = self._bytes(_TABLE)
        try:
            table = loads(raw) if raw is not None else None
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict) or not isinstance(table.get("resources"), list):
            yield Skipped("wacz-invalid", f"{_TABLE} is no table of resources; get it again", raw=(raw or b"")[:65_536])
            return {}
        return table

    def _signature(self) -> Iterator[Item]:
        """Yield whether the table of contents is the one that its digest file was made of."""
        if _DIGEST not in self._names:
            return
        try:
            given = loads(self._bytes(_DIGEST) or b"null")
            stated, signed = given["hash"], given.get("signedData")
            hashes = [stated, *([signed["hash"]] if isinstance(signed, dict) and signed else [])]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield Skipped("wacz-invalid", f"{_DIGEST} can't be read: the table of contents can't be checked")
            return
        if any(self._digest(_TABLE, _split(value)[0]) != _split(value) for value in hashes):
            yield Skipped("digest-mismatch", f"{_TABLE} is not the one that was signed: altered after it was made")
        elif signed:
            yield check_signature(signed)

    def _fault_of(self, path: str, digest: str) -> Skipped | None:
        if path not in self._names:
            return Skipped("wacz-missing", f"{path}: listed in {_TABLE} and not there; get the collection again")
        info = self._zip.getinfo(path)
        if info.file_size > _FREE_BYTES and info.file_size > _MAX_RATIO * max(info.compress_size, 1):
            return Skipped("bomb", f"{path}: expands to more than {_MAX_RATIO} times its size")
        wanted = _split(digest)
        if wanted[0] not in _ALGORITHMS:
            return Skipped("wacz-invalid", f"{path}: {_TABLE} has no digest of it that can be checked")
        found = self._digest(path, wanted[0])
        if found is None:
            return Skipped("wacz-broken", f"{path}: can't be read from the zip; get the collection again")
        if found != wanted:
            why = "its bytes are not those that its digest was made of: damaged or altered"
            return Skipped("digest-mismatch", f"{path}: {why}; get the collection again")
        return None

    def _digest(self, path: str, algorithm: str) -> tuple[str, str] | None:
        if algorithm not in _ALGORITHMS or path not in self._names:
            return None
        try:
            with self._zip.open(path) as stream:
                found = hashlib.file_digest(cast(Any, stream), lambda: hashlib.new(algorithm, usedforsecurity=False))
        except _ZIP_FAULTS:
            return None
        return algorithm, found.hexdigest()

    def _bytes(self, name: str) -> bytes | None:
        try:
            with self._zip.open(name) as stream:
                return stream.read(_MAX_TABLE_BYTES)
        except _ZIP_FAULTS:
            return None

    def _page_lists(self, bad: set[str]) -> Iterator[Item]:
        for name in self._names:
            if name.startswith("pages/") and name.endswith(".jsonl") and name not in bad:
                try:
                    with self._zip.open(name) as stream:
                        yield from self._page_list(name, stream)
                except _ZIP_FAULTS as fault:
                    yield Skipped("wacz-broken", f"{name}: the page list can't be read ({type(fault).__name__})")

    def _page_list(self, name: str, stream: IO[bytes]) -> Iterator[Item]:
        for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE_BYTES), b"")):
            try:
                page = loads(line) if line.strip() else {}
            except (ValueError, RecursionError):
                page = None
            if not isinstance(page, dict) or ("url" in page and not isinstance(page["url"], str)):
                yield Skipped("json-broken", f"{name}, line {number + 1}: no page of a list", raw=line[:65_536])
            elif "url" in page:
                self._pages.add(page)

    def _archive(self, name: str) -> Iterator[Item]:
        """Yield what is in one archive, each material under the archive's own records."""
        inner = replace(self._context, input=f"{self._context.input}{ENTER}{name}", raw=self._opener(name))
        try:
            with self._zip.open(name) as member:
                stream = decoded(io.BufferedReader(cast(io.RawIOBase, member)), name)
                for item in read_archive(stream, inner, self._next):
                    if isinstance(item, Material | Skipped) and item.record is not None:
                        self._next = max(self._next, item.record + 1)
                    yield self._pages.titled(item) if isinstance(item, Material) else item
                fault = fault_of(stream)
        except (*_ZIP_FAULTS, InputError) as error:
            yield Skipped("wacz-broken", f"{name}: can't be read to its end ({type(error).__name__}); get it again")
            return
        if fault is not None:
            yield Skipped("truncated" if "truncated" in fault.what else "compression-broken", f"{name}: {fault.what}")

    def _opener(self, name: str) -> Callable[[], BinaryIO]:
        return lambda: cast(BinaryIO, self._zip.open(name))


def _resources(table: Mapping[str, Any]) -> dict[str, str]:
    """Return digest by path, `algorithm:hex`, from either edition of the format."""
    found = {}
    for one in table.get("resources") or []:
        if not isinstance(one, dict) or not isinstance(one.get("path"), str):
            continue
        digest = one.get("hash")
        if digest is None and isinstance(one.get("stats"), dict):  # WACZ 1.0
            digest = f"{one.get('hashing') or 'sha256'}:{one['stats'].get('hash')}"
        found[one["path"]] = str(digest or "")
    return found


def _split(digest: object) -> tuple[str, str]:
    algorithm, _, value = str(digest).partition(":")
    return algorithm.lower(), value.lower()


def _tiny_wacz(warc: bytes) -> bytes:
    """Return the bytes of a collection of one archive."""
    pages = b'{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}\n'
    files = {"archive/crawl.warc": warc, "pages/pages.jsonl": pages}
    rows = ", ".join(
        f'{{"path": "{name}", "hash": "sha256:{hashlib.sha256(data).hexdigest()}", "bytes": {len(data)}}}'
        for name, data in files.items()
    )
    files[_TABLE] = f'{{"profile": "data-package", "wacz_version": "1.1.1", "resources": [{rows}]}}'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, data in files.items():
            container.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()
