"""ThreatExchange and its kin: descriptors, updates, the hash list of Tech Against Terrorism, and tables of these.

Read are the answers of the API (`{"data": [...]}`), one descriptor a line, bare arrays, `{"results": [...]}` of the
hash list, the CSV of the platform's own download (`td_raw_indicator`, ...) and CSV with a `hash` or `indicator` column.
Written is `{"data": [...]}` of descriptors. What a descriptor has no field for is a tag that begins `antiphon:`, since
tags are what survives an upload and a download.

A status of MALICIOUS is active; NON_MALICIOUS is withdrawn, or active in a bank of what is no case; UNKNOWN, which
ThreatExchange's own client takes for a seed of an investigation, is held until somebody confirms it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, ClassVar
from uuid import UUID, uuid5

import orjson

from antiphon.errors import InputError
from antiphon.exchange._lossless import (
    EMPTY,
    FIELDS,
    UNKNOWN,
    Fields,
    Native,
    Seen,
    UnfitError,
    address_fields,
    bank_record,
    blank,
    each_once,
    first_bytes,
    from_entry,
    iso,
    loads,
    moment,
    parsed,
    read_bank_record,
    record_in,
    record_out,
    refused,
    text_or_none,
    to_entry,
    value_of,
    value_text,
)
from antiphon.exchange._walk import Path, lines, pieces
from antiphon.exchange.interface import HEAD_BYTES, MAX_RECORD_BYTES, Refused
from antiphon.exchange.listfile import csv_rows
from antiphon.model.bank import Bank, BankEntry

__all__ = ["ThreatExchange"]

NAMESPACE = UUID("2b0f7b57-5f3e-5c4e-9a64-6a1f8f1c5e02")
"""For the ids of what has none of its own; never changed, since an id is how others know an object again."""
_TYPES = {
    "hash_pdq": "pdq", "pdq": "pdq", "hash_md5": "md5", "md5": "md5", "hash_video_md5": "md5", "video_md5": "md5",
    "hash_sha256": "sha256", "sha256": "sha256", "sha2_256": "sha256", "uri": "url", "raw_uri": "url", "url": "url",
    "unclickable_url": "url", "domain": "url_domain", "text_string": "text", "raw_text": "text", "text": "text",
    "vpdq": "vpdq", "hash_vpdq": "vpdq",
}  # fmt: skip
_WRITTEN = {"pdq": "HASH_PDQ", "md5": "HASH_MD5", "sha256": "HASH_SHA256", "url": "RAW_URI", "url_domain": "DOMAIN",
            "text": "TEXT_STRING"}  # fmt: skip
_FREE_TYPE, _TYPE_TAG = "DEBUG_STRING", "signal_type:"
"""The type for what has none yet; by its own convention a tag says what the string is."""
_VALUE_KEYS = ("raw_indicator", "td_raw_indicator", "hash_digest", "indicator", "hash", "signal")
_TYPE_KEYS = ("type", "td_indicator_type", "algorithm", "signal_type", "indicator_type")
_ID_KEYS = ("id", "descriptor_id", "td_id", "indicator_id")
_TAG = "antiphon:"
_MARKINGS = {"WHITE": "clear", "GREEN": "green", "AMBER": "amber", "RED": "red"}
_SHARE_LEVELS = {"clear": "WHITE", "green": "GREEN", "amber": "AMBER", "amber+strict": "AMBER", "red": "RED"}
_STATUSES = {"MALICIOUS": "active", "NON_MALICIOUS": "withdrawn", "UNKNOWN": "held", "SUSPICIOUS": "held"}
_FRAME = re.compile(r"\s*([0-9a-fA-F]{64}),(\d{1,3}),([0-9.]+)\s*")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD = re.compile(rb'"(?:raw_indicator|hash_digest|should_delete|antiphon_bank)"\s*:')


@dataclass(frozen=True)
class ThreatExchange:
    """Reads descriptors in their many forms, and writes them as JSON.

    Attributes:
        signal_type: Of which type values are that come without one, as in a table of hashes alone.
        made_at: What `added_on` says of entries that came without it.
    """

    signal_type: str | None = None
    made_at: datetime = _LONG_AGO
    name: ClassVar[str] = "threatexchange"
    title: ClassVar[str] = "ThreatExchange descriptors (JSON, CSV), Tech Against Terrorism hash list"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".csv", ".te")

    def recognise(self, head: bytes, name: str) -> float:
        """Return 1 for JSON with a key that only these have, 0.8 for a table with one of their columns."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith((b"{", b"[")):
            return 1.0 if _HEAD.search(head) else 0.0
        cells = _header(start.split(b"\n", 1)[0])
        if "td_raw_indicator" in cells or "hash_digest" in cells:
            return 1.0
        return 0.8 if cells[:1] == ["hash"] or {"indicator", "type"} <= set(cells) else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entry of each descriptor, update or row.

        Raises:
            InputError: the file is nothing of this kind.
        """
        head = stream.read(HEAD_BYTES)
        whole = io.BufferedReader(_Joined(head, stream), HEAD_BYTES)
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start.startswith((b"{", b"[")):
            rows = _table(whole)
        elif start.startswith(b"{") and _one_a_line(start):
            rows = _lines(whole)
        else:
            rows = _documents(whole)
        codec, seen = _Codec(UNKNOWN, self.made_at, self.signal_type), Seen()
        for where, raw, native in rows:
            if isinstance(native, Bank):
                codec.bank = native
            elif isinstance(native, str):
                yield refused(where, raw, native)
            else:
                try:
                    yield from each_once(_entry(codec, native), where, raw, seen)
                except UnfitError as fault:
                    yield refused(where, raw, fault)

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return the bank that a file of ours names at its beginning, or None."""
        found = re.search(rb'^\s*\{"antiphon_bank":("(?:[^"\\]|\\.)*")', first_bytes(stream, HEAD_BYTES))
        return read_bank_record(orjson.loads(found[1])) if found else None

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write the descriptors of a bank as one JSON document."""
        codec = _Codec(bank, self.made_at, None)
        stream.write(b'{"antiphon_bank":' + orjson.dumps(bank_record(bank)) + b',"data":[\n')
        first = True
        for entry in entries:
            native, record = from_entry(codec, entry)
            if record:
                native = {**native, "tags": _with_tags(native.get("tags"), record)}
            stream.write((b"" if first else b",\n") + orjson.dumps(native))
            first = False
        stream.write(b"\n]}\n")


@dataclass
class _Codec:
    """A descriptor, an update, or a row of one of their tables."""

    bank: Bank
    made_at: datetime
    signal_type: str | None
    name: ClassVar[str | None] = "threatexchange"
    consumed: ClassVar[frozenset[str]] = frozenset((
        *_VALUE_KEYS, *_TYPE_KEYS, *_ID_KEYS, "tags", "td_subjective_tags", "status", "td_status", "should_delete",
        "deleted", "descriptors", "share_level", "td_share_level", "description", "td_description", "owner",
        "td_owner_name", "first_active", "td_first_active", "last_active", "td_last_active", "expired_on",
        "td_expire_time",
    ))  # fmt: skip

    def encode(self, fields: Fields) -> Native:
        kind, entry_id = fields["signal_type"], fields["entry_id"]
        text = fields["address"] if kind in ("url", "url_domain") else _text(kind, fields["value"])
        own = _WRITTEN.get(kind) if text else None
        source, marking = fields["source"] or self.bank.source, fields["marking"] or self.bank.marking
        native: Native = {
            "id": entry_id if _is_number(entry_id) else _number(f"{self.bank.name}/{entry_id}"),
            "type": own or _FREE_TYPE,
            "raw_indicator": text or fields["value"].hex(),
            "status": self._status(fields["status"]),
            "added_on": iso(self.made_at),
            "tags": [] if own else [_TYPE_TAG + kind],
            "owner": {"id": _number(f"owner {source}"), "name": source} if source else {"id": "0"},
        }
        told = {
            "description": fields["note"] or None,
            "share_level": _SHARE_LEVELS.get(marking),
            "first_active": fields["valid_from"] and iso(fields["valid_from"]),
            "expired_on": fields["valid_until"] and iso(fields["valid_until"]),
        }
        return native | {key: value for key, value in told.items() if value is not None}

    def _status(self, status: str) -> str:
        if status == "held":
            return "UNKNOWN"
        return "MALICIOUS" if status == "active" and self.bank.purpose != "negative" else "NON_MALICIOUS"

    def decode(self, native: Native) -> Fields:
        fields = blank(self.bank) | self._signal(native)
        fields["entry_id"] = _id(native, fields)
        fields["note"] = text_or_none(_first(native, "description", "td_description"), "description") or None
        fields["status"] = self._told_status(native)
        fields["valid_from"] = moment(_first(native, "first_active", "td_first_active"), "first_active")
        until = _first(native, "expired_on", "td_expire_time") or _first(native, "last_active", "td_last_active")
        fields["valid_until"] = moment(until if until not in (0, "0") else None, "expired_on")
        owner = native.get("owner")
        named = owner.get("name") if isinstance(owner, dict) else native.get("td_owner_name")
        source = named if isinstance(named, str) and named else None
        marking = _MARKINGS.get(str(_first(native, "share_level", "td_share_level")).upper())
        fields["source"] = None if source == self.bank.source else source
        fields["marking"] = None if marking == self.bank.marking else marking
        return fields

    def _signal(self, native: Native) -> Fields:
        found, said = _first(native, *_VALUE_KEYS), _first(native, *_TYPE_KEYS)
        inner = found if isinstance(found, dict) else {}  # a ThreatIndicator inside of its descriptor
        text, said = inner.get("indicator", found), said or inner.get("type")
        if not isinstance(text, str):
            raise UnfitError("it has no indicator")
        kind = self._kind(said, _tags(native))
        if kind in ("url", "url_domain") and said != _FREE_TYPE:
            plain = text.replace("[", "").replace("]", "") if str(said).upper() == "UNCLICKABLE_URL" else text
            return address_fields(kind, plain)
        return {"signal_type": kind, "value": _frames(text) if kind == "vpdq" else value_of(kind, text)}

    def _kind(self, said: object, tags: list[str]) -> str:
        if not said:
            if self.signal_type is None:
                raise UnfitError("it says no type: say which, since the same length can be PDQ or SHA-256")
            return self.signal_type
        if said == _FREE_TYPE:
            said = next((tag.removeprefix(_TYPE_TAG) for tag in tags if tag.startswith(_TYPE_TAG)), "")
            return _TYPES.get(said, said)
        kind = _TYPES.get(str(said).lower().replace("-", ""))
        if kind is None:
            raise UnfitError("its type is that of no signal")
        return kind

    def _told_status(self, native: Native) -> str:
        if _gone(native):
            return "withdrawn"
        said = _first(native, "status", "td_status")
        opinions = [one.get("status") for one in _descriptors(native)]
        statuses = {_STATUSES.get(str(one).upper(), "held") for one in ([said] if said else opinions)}
        if self.bank.purpose == "negative":  # here it is the very meaning of an entry
            return "held" if statuses == {"held"} else "active"
        if "active" in statuses or not statuses:
            return "active"
        return "withdrawn" if statuses == {"withdrawn"} else "held"


def _first(native: Native, *keys: str) -> Any:  # noqa: ANN401 - JSON
    for key in keys:
        if native.get(key) not in (None, ""):
            return native[key]
    return None


def _gone(native: Native) -> bool:
    return any(native.get(key) is True or native.get(key) in ("true", "True") for key in ("should_delete", "deleted"))


def _descriptors(native: Native) -> list[Native]:
    """Return the descriptors of an update."""
    descriptors = native.get("descriptors")
    found = descriptors.get("data") if isinstance(descriptors, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and not text.startswith("0")


@lru_cache(maxsize=1_024)
def _number(what: str) -> str:
    """Return an id as ThreatExchange has them: a number that fits into 63 bits."""
    return str((uuid5(NAMESPACE, what).int >> 65) or 1)


def _id(native: Native, fields: Fields) -> str:
    found = _first(native, *_ID_KEYS)
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found)
    return _number(f"{fields['signal_type']} {fields['value'].hex()}")


def _text(kind: str, value: bytes) -> str:
    """Return a value as an indicator; vPDQ as its own tools write it, with a second between two frames."""
    if kind != "vpdq":
        return value_text(kind, value)
    frames = [value[at : at + 33] for at in range(0, len(value), 33)]
    return orjson.dumps([f"{frame[:32].hex()},{frame[32]},{at}.0" for at, frame in enumerate(frames)]).decode()


def _frames(text: str) -> bytes:
    found = loads(text.encode("utf-8", "surrogatepass"))
    frames = [_FRAME.fullmatch(one) if isinstance(one, str) else None for one in found or ()] if isinstance(
        found, list) else [None]  # fmt: skip
    if not frames or not all(frame and int(frame[2]) <= 100 for frame in frames):
        raise UnfitError("the vpdq value is no list of `hash,quality,seconds`")
    return b"".join(bytes.fromhex(frame[1]) + bytes((int(frame[2]),)) for frame in frames if frame)


def _tags(native: Native) -> list[str]:
    """Return the tags of a row, in whichever way it has them; those of an update are in its descriptors."""
    found = _first(native, "tags", "td_subjective_tags")
    if isinstance(found, dict):
        listed = found.get("data")
        found = [one.get("text") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if isinstance(found, str):
        found = re.split(r"[;,\s]+", found)
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def _with_tags(tags: object, record: dict[str, Any]) -> object:
    """Return tags with those of a record, in the way in which the tags stand."""
    written = record_out(record)
    absent = [f"{_TAG}absent:{name}" for name in written.pop("absent", [])]
    own = [*(f"{_TAG}{name}:{value}" for name, value in written.items()), *absent]
    if isinstance(tags, dict) and isinstance(tags.get("data"), list):
        return {**tags, "data": [*tags["data"], *({"text": tag} for tag in own)]}
    return [*(tags if isinstance(tags, list) else []), *own]


def _entry(codec: _Codec, native: Native) -> BankEntry:
    tags = native.get("tags")
    written, others = _own_tags(tags)
    if not written:
        for one in _descriptors(native):  # an update keeps its tags there; they stay where they are
            written = written or _own_tags(one.get("tags"))[0]
        return to_entry(codec, native, record_in(written) if written else EMPTY)
    kept = {**tags, "data": others} if isinstance(tags, dict) else others
    return to_entry(codec, {**native, "tags": kept}, record_in(written))


def _own_tags(tags: object) -> tuple[dict[str, Any], list[Any]]:
    """Return the record that tags of ours hold, and all other tags."""
    listed = tags.get("data") if isinstance(tags, dict) else tags
    written: dict[str, Any] = {}
    others: list[Any] = []
    for tag in listed if isinstance(listed, list) else ():
        text = tag.get("text") if isinstance(tag, dict) else tag
        own = text[len(_TAG) :] if isinstance(text, str) and text.startswith(_TAG) else ""
        name, _, value = own.partition(":")
        if name == "absent":
            written.setdefault("absent", []).append(value)
        elif name in FIELDS or name == "more":
            written[name] = value
        else:
            others.append(tag)
    return written, others


Rows = Iterator[tuple[str, bytes, Native | Bank | str]]


def _enter(path: Path) -> bool:
    return path in ((), ("data",), ("results",), ("descriptors",))


def _documents(stream: BinaryIO) -> Rows:
    found = False
    for piece in pieces(stream, _enter):
        where = f"byte {piece.offset}"
        row = piece.path in (("data", "[]"), ("results", "[]"), ("descriptors", "[]"), ("[]",))
        found = found or row
        if piece.fault and found:
            yield where, piece.raw, piece.fault
        elif row:
            yield where, piece.raw, _parsed(piece.raw)
        elif piece.path == ("antiphon_bank",):
            bank = read_bank_record(_loaded(piece.raw))
            found = True
            if bank is not None:
                yield where, piece.raw, bank
        elif piece.path in (("data",), ("results",)):
            found = True
    if not found:
        raise _nothing()


def _lines(stream: BinaryIO) -> Rows:
    for number, raw in lines(stream):
        if raw is None:
            yield f"line {number}", b"", f"the line has over {MAX_RECORD_BYTES} bytes"
        elif raw.strip():
            yield f"line {number}", raw, _parsed(raw)


def _table(stream: BinaryIO) -> Rows:
    header: list[str] = []
    for where, raw, cells in csv_rows(stream):
        if isinstance(cells, str):
            if not header:
                raise _nothing()
            yield where, raw, cells
        elif not header:
            header = [cell.strip() for cell in cells]
            if not set(header).intersection(_VALUE_KEYS):
                raise _nothing()
        elif len(cells) != len(header):
            yield where, raw, f"the row has {len(cells)} cells, expected {len(header)}"
        else:
            yield where, raw, {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    if not header:
        raise _nothing()


def _parsed(raw: bytes) -> Native | str:
    try:
        return parsed(raw)
    except UnfitError as fault:
        return str(fault)


def _loaded(raw: bytes) -> object:
    try:
        return loads(raw)
    except UnfitError:
        return None


def _one_a_line(start: bytes) -> bool:
    first = _loaded(start.split(b"\n", 1)[0])
    return isinstance(first, dict) and any(key in first for key in _VALUE_KEYS)


def _header(line: bytes) -> list[str]:
    return [cell.strip().strip('"') for cell in line.decode("utf-8", "replace").split(",")]


def _nothing() -> InputError:
    return InputError(
        "it holds no descriptors", do="Give JSON with `data` or `results`, or a table with a column `hash`."
    )


class _Joined(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the signature of io.RawIOBase
        taken = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
