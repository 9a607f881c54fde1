"""A material as a reader gives it, and the batch that it becomes.

A reader fills a `Material` with what the record says; this module makes it a row of MATERIALS: the deterministic id,
the pseudonym in place of the account id, instants as UTC microseconds, links found in the text. A row that can't be one
comes back as a `Skipped` with the field that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import InputError
from antiphon.model.address import canonical_url
from antiphon.model.instants import MAX_INSTANT_US, MIN_INSTANT_US, instant_us
from antiphon.model.schemas import INSTANT, KINDS, MATERIALS, SKIPPED

__all__ = [
    "MAX_RAW_BYTES",
    "Columns",
    "Gap",
    "Item",
    "Material",
    "Media",
    "Origin",
    "Passed",
    "Skipped",
    "content_id",
    "material_id",
    "materials_batch",
    "skipped_batch",
]

MAX_RAW_BYTES = 65_536
"""How much of a record's raw bytes the quarantine keeps."""

MAX_TEXT_CHARS = 4_000_000
"""A text longer than this is a mistake of the export, or an attack; the longest books are shorter."""

Instant = str | int | float | datetime | None
Pseudonym = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Media:
    """One file of a material: its bytes' digest where they were read, else only its address."""

    path: str | None = None
    mime: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    role: str = "attachment"


@dataclass(slots=True)
class Material:
    """One record as a reader gives it. `author` is still the platform's account id: it never leaves the process."""

    source: str
    native_id: str | None = None
    revision: str | None = None
    url: str | None = None
    kind: str = "post"
    published_at: Instant = None
    collected_at: Instant = None
    author: str | None = None
    lang_declared: str | None = None
    title: str | None = None
    text: str | None = None
    links: Sequence[str] = ()
    media: Sequence[Media] = ()
    reply_to: str | None = None
    repost_of: str | None = None
    thread: str | None = None
    views: int | None = None
    reactions: int | None = None
    shares: int | None = None
    replies: int | None = None
    record: int | None = None
    offset: int | None = None
    raw: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that a reader or stage could not do. Set `keep_raw` false where the bytes may not be kept."""

    reason: str
    detail: str
    record: int | None = None
    offset: int | None = None
    raw: bytes | None = field(default=None, repr=False)
    raw_bytes: int | None = None
    keep_raw: bool = True


@dataclass(frozen=True, slots=True)
class Passed:
    """Things in an input that are no public content: likes, follows, profiles, settings."""

    what: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the input itself says is missing: a hole in its numbering, a page that is not there."""

    what: str


@dataclass(slots=True)
class Columns:
    """Many materials of one source as columns, for readers where a million records a minute matter.

    `values` maps names of `Material`'s fields to lists or Arrow arrays of equal length; a missing name is null
    throughout. `raws` gives the raw bytes of a row for the quarantine.
    """

    values: dict[str, Any]
    raws: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.raws)


Item = Material | Columns | Skipped | Passed | Gap


class Origin(NamedTuple):
    """Which reader read which input; it becomes the provenance."""

    input: str
    reader: str
    reader_version: str


_FIELDS = tuple(f.name for f in fields(Material) if f.name != "raw")
_PIVOT = attrgetter(*_FIELDS)
_STRINGS = (
    "source", "native_id", "revision", "url", "kind", "author", "lang_declared", "title", "text", "reply_to",
    "repost_of", "thread",
)  # fmt: skip
_COUNTS = ("views", "reactions", "shares", "replies", "record", "offset")
_LINK = re.compile(r"https?://[^\s<>\"'“”«»]+", re.IGNORECASE)
_LINK_TAIL = ".,;:!?)]}…'\"*_~"
_KINDS = frozenset(KINDS)
_COUNTED_BY_OUTLET = frozenset(("posts", "mastodon", "feed"))


def content_id(*parts: str) -> str:
    """Return BLAKE2b-128 over length-prefixed parts, hex: no two lists of parts run together."""
    joined = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def material_id(material: Material) -> str:
    """Return the deterministic id of a material; see MATERIALS.material_id.

    Platform and native id name a post wherever it was read; where a platform's instances, boards or feeds each count
    for themselves, the outlet and the native id do. Without a native id the canonical address does, and without an
    address the content with its time.
    """
    media = "".join(m.sha256 or m.path or "" for m in material.media)
    return _identity(
        material.source, material.native_id, material.url, material.revision, material.title, material.text,
        instant_us(material.published_at), media,
    )  # fmt: skip


def materials_batch(
    items: Sequence[Material] | Columns, origin: Origin, pseudonym: Pseudonym
) -> tuple[pa.RecordBatch, list[Skipped]]:
    """Return MATERIALS rows for what a reader gave, and what could not become one.

    Args:
        items: What a reader gave, in the order of the input.
        origin: Which reader, which input.
        pseudonym: Maps (platform, account id) to a keyed pseudonym.
    """
    columns = items if isinstance(items, Columns) else _pivot(items)
    try:
        return _assemble(columns, origin, pseudonym), []
    except (InputError, pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError):
        # Some row is wrong: look at each, keep the good ones together, name the field of the bad ones.
        good, skipped = _sort_out(columns, origin)
        return _assemble(good, origin, pseudonym), skipped


def skipped_batch(skipped: Sequence[Skipped], input_name: str, stage: str) -> pa.RecordBatch:
    """Return SKIPPED rows; raw bytes are cut at `MAX_RAW_BYTES` and left out where they may not be kept."""
    return pa.RecordBatch.from_pydict(
        {
            "input": [input_name] * len(skipped),
            "record": [s.record for s in skipped],
            "offset": [s.offset for s in skipped],
            "stage": [stage] * len(skipped),
            "reason": [s.reason for s in skipped],
            "detail": [_clean(s.detail) for s in skipped],
            "raw": [s.raw[:MAX_RAW_BYTES] if s.raw is not None and s.keep_raw else None for s in skipped],
            "raw_bytes": [s.raw_bytes if s.raw_bytes is not None else len(s.raw or b"") for s in skipped],
        },
        schema=SKIPPED,
    )


@lru_cache(maxsize=65_536)
def _platform(source: str) -> str:
    return source.partition("/")[0]


@lru_cache(maxsize=65_536)
def _space(source: str) -> str:
    """Return within what a native id names one material: the platform, or the outlet where each counts for itself."""
    platform = _platform(source)
    return source if platform in _COUNTED_BY_OUTLET else platform


def _identity(
    source: str, native_id: str | None, url: str | None, revision: str | None, title: str | None, text: str | None,
    published_at: int | None, media: str,
) -> str:  # fmt: skip
    if native_id:
        return _native_identity(_space(source), native_id, revision or "")
    platform = _platform(source)
    if url:
        return content_id(platform, "url", canonical_url(url), revision or "")
    stamp = "" if published_at is None else str(published_at)
    return content_id(platform, "content", title or "", text or "", stamp, media, revision or "")


def _native_identity(space: str, native_id: str, revision: str) -> str:
    """Return what `content_id` gives for these parts, without a list of them: this runs for every post."""
    joined = f"{len(space)}:{space}2:id{len(native_id)}:{native_id}{len(revision)}:{revision}"
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _pivot(materials: Sequence[Material]) -> Columns:
    rows = [_PIVOT(material) for material in materials]
    values = {name: list(column) for name, column in zip(_FIELDS, zip(*rows, strict=True), strict=True)} if rows else {}
    return Columns(values, [material.raw or b"" for material in materials])


def _assemble(columns: Columns, origin: Origin, pseudonym: Pseudonym) -> pa.RecordBatch:
    n = len(columns)
    get = lambda name: columns.values.get(name) or [None] * n  # noqa: E731
    source, text = _listed(get("source")), _strings(get("text"))
    published, collected = _instants(get("published_at")), _instants(get("collected_at"))
    ids = _identities(n, get, published)
    _require_kinds(get("kind"))
    authors = [pseudonym(_platform(s), a) if a else None for s, a in zip(source, _listed(get("author")), strict=True)]
    reach = pa.StructArray.from_arrays(
        [pa.array(get(name), pa.int64()) for name in ("views", "reactions", "shares", "replies")],
        fields=list(MATERIALS.field("reach").type),
    )
    arrays = [
        pa.array(ids, pa.string()), _strings(source), *(_strings(get(name)) for name in ("native_id", "revision", "url",
        "kind")), published, collected, pa.array(authors, pa.string()), _strings(get("lang_declared")),
        _strings(get("title")), text, _links(text, get("links")), _media(get("media")),
        *(_strings(get(name)) for name in ("reply_to", "repost_of", "thread")), reach, _provenance(n, get, origin),
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, schema=MATERIALS)


def _identities(n: int, get: Callable[[str], list[Any]], published: pa.Array) -> list[str]:
    source, native_id, revision = (_listed(get(name)) for name in ("source", "native_id", "revision"))
    if n and all(native_id):
        return [
            _native_identity(_space(s), key, r or "") for s, key, r in zip(source, native_id, revision, strict=True)
        ]
    stamps = published.cast(pa.int64()).to_pylist()
    digests = ["".join(m.sha256 or m.path or "" for m in files) if files else "" for files in get("media")]
    url, title, text = (_listed(get(name)) for name in ("url", "title", "text"))
    return list(map(_identity, source, native_id, url, revision, title, text, stamps, digests))


def _listed(values: list[Any] | pa.Array) -> list[Any]:
    return values.to_pylist() if isinstance(values, pa.Array) else values


def _strings(values: list[str | None] | pa.Array) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if not any(values) and all(value is None for value in values):
        return pa.nulls(len(values), pa.string())
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([None if v is None else _clean(v) for v in values], pa.string())


def _clean(text: str) -> str:
    """Return the text with lone surrogates, which no file can hold, made visible as U+FFFD."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _instants(values: list[Instant] | pa.Array) -> pa.Array:
    if not isinstance(values, pa.Array) and all(v is None for v in values):
        return pa.nulls(len(values), INSTANT)
    try:
        fast = pa.array(values, pa.string()).cast(INSTANT)
        low, high = pa.scalar(MIN_INSTANT_US, pa.int64()), pa.scalar(MAX_INSTANT_US, pa.int64())
        micros = fast.cast(pa.int64())
        inside = pc.and_(pc.greater_equal(micros, low), pc.less_equal(micros, high))
        if pc.all(inside, min_count=0).as_py():
            return fast
    except (pa.ArrowException, TypeError):
        pass  # not all ISO 8601 with a zone: read each by itself
    return pa.array([instant_us(v) for v in _listed(values)], pa.int64()).cast(INSTANT)


def _require_kinds(kinds: list[str]) -> None:
    unknown = set(kinds) - _KINDS
    if unknown:
        raise InputError(f"kind {sorted(map(str, unknown))[0]!r} is not known", do="Use one of: " + ", ".join(KINDS))


def _links(texts: pa.Array, given: list[Sequence[str] | None]) -> pa.Array:
    mention = pc.match_substring(texts, "://").fill_null(False)
    if not any(given) and not pc.any(mention, min_count=0).as_py():
        return pa.array([[]] * len(texts), pa.list_(pa.string()))
    rows = []
    for row, (mentions, links) in enumerate(zip(mention.to_pylist(), given, strict=True)):
        found = list(links) if links else []
        if mentions:
            found += [match.rstrip(_LINK_TAIL) for match in _LINK.findall(texts[row].as_py())]
        rows.append(list(dict.fromkeys(map(_clean, found))) if found else [])
    return pa.array(rows, pa.list_(pa.string()))


def _media(media: list[Sequence[Media] | None]) -> pa.Array:
    kind = MATERIALS.field("media").type
    rows = [
        [{"sha256": m.sha256, "mime": m.mime, "bytes": m.bytes, "path": m.path, "role": m.role} for m in files]
        if files
        else []
        for files in media
    ]
    return pa.array(rows, kind)


def _provenance(n: int, get: Callable[[str], list[Any]], origin: Origin) -> pa.Array:
    constants = [pa.repeat(pa.scalar(value, pa.string()), n) for value in origin]
    numbers = [pa.array(get(name), pa.int64()) for name in ("record", "offset")]
    return pa.StructArray.from_arrays(
        [constants[0], *numbers, *constants[1:]], fields=list(MATERIALS.field("provenance").type)
    )


def _sort_out(columns: Columns, origin: Origin) -> tuple[Columns, list[Skipped]]:
    columns = Columns({name: _listed(values) for name, values in columns.values.items()}, columns.raws)
    names = list(columns.values)
    good: list[int] = []
    skipped = []
    for index in range(len(columns)):
        row = {name: columns.values[name][index] for name in names}
        fault = _fault(row)
        if fault is None:
            good.append(index)
        else:
            skipped.append(
                Skipped(
                    "field-invalid", f"{origin.input}, record {row.get('record')}, {fault}",
                    record=row.get("record"), offset=row.get("offset"), raw=columns.raws[index],
                )
            )  # fmt: skip
    values = {name: [columns.values[name][i] for i in good] for name in names}
    return Columns(values, [columns.raws[i] for i in good]), skipped


def _fault(row: dict[str, Any]) -> str | None:
    """Return what is wrong with a row, with the field's name, or None."""
    return _text_fault(row) or _time_fault(row) or _count_fault(row) or _list_fault(row)


def _text_fault(row: dict[str, Any]) -> str | None:
    for name in _STRINGS:
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            return f"field {name}: got {type(value).__name__}, expected text"
    if not row.get("source"):
        return "field source: missing, every material was published somewhere"
    if len(row.get("text") or "") > MAX_TEXT_CHARS:
        return f"field text: longer than {MAX_TEXT_CHARS:,} characters"
    return None if row.get("kind") in _KINDS else "field kind: not one of " + ", ".join(KINDS)


def _time_fault(row: dict[str, Any]) -> str | None:
    for name in ("published_at", "collected_at"):
        try:
            instant_us(row.get(name))
        except InputError as error:
            return f"field {name}: {error.what}"
    return None


def _count_fault(row: dict[str, Any]) -> str | None:
    for name in _COUNTS:
        value = row.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63):
            return f"field {name}: got {type(value).__name__}, expected a whole number below 2^63"
    return None


def _list_fault(row: dict[str, Any]) -> str | None:
    links, media = row.get("links") or (), row.get("media") or ()
    if not isinstance(links, Sequence) or isinstance(links, str) or not all(isinstance(link, str) for link in links):
        return "field links: expected a list of texts"
    if not isinstance(media, Sequence) or not all(isinstance(m, Media) for m in media):
        return "field media: expected a list of media"
    return None
