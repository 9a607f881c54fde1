"""STIX 2.1 bundles of indicators.

An entry is an `indicator`. MD5, SHA-256 and PDQ stand in its pattern as hashes of a file, an address as `url:value`, a
domain as `domain-name:value`; a signal that no STIX pattern can say has the pattern type `x-antiphon-signal`, which
other programs leave alone. TLP 2.0 markings are those of OASIS. What STIX has no property for is in an extension.

A near match can't be said in a STIX pattern: whoever has only the pattern of a PDQ signal finds exact copies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, BinaryIO, ClassVar
from uuid import UUID, uuid5

import orjson

from antiphon.errors import InputError
from antiphon.exchange._lossless import (
    UNKNOWN,
    Fields,
    Native,
    Seen,
    UnfitError,
    address_fields,
    bank_record,
    blank,
    each_once,
    from_entry,
    iso,
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
from antiphon.exchange._patterns import Comparison, comparisons, pattern_of
from antiphon.exchange._walk import Path, Piece, pieces
from antiphon.exchange.interface import Refused
from antiphon.model.bank import Bank, BankEntry

__all__ = ["EXTENSION_ID", "TLP2_EXTENSION_ID", "TLP2_IDS", "Stix"]

NAMESPACE = UUID("6f0c3b0e-52a5-5d2c-9a3d-8f4b1f0c7a11")
"""For the ids of what has none of its own; never changed, since an id is how others know an object again."""
EXTENSION_ID = f"extension-definition--{uuid5(NAMESPACE, 'bank entry')}"
PROJECT_ID = f"identity--{uuid5(NAMESPACE, 'Antiphon')}"
TLP2_EXTENSION_ID = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
TLP2_IDS = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP1_IDS = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
_LABEL_OF = {marking_id: label for ids in (TLP2_IDS, _TLP1_IDS) for label, marking_id in ids.items()}
_STIX_ID = re.compile(r"indicator--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OWN_PATTERN = "x-antiphon-signal"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_LEARNED_BYTES = 32 * 2**20  # beyond, a maker's name is not looked up, and its id kept as it is
_HELD_CONFIDENCE = 0  # STIX: "None", the lowest of its scales
_DEFINITIONS = re.compile(rb'"(?:identity|marking-definition)"')


@dataclass(frozen=True)
class Stix:
    """Reads and writes STIX 2.1 bundles.

    Attributes:
        made_at: What `created` and `modified` say of entries that came with no such instants. Fixed, so that the same
            bank gives the same bundle; give the instant of the bank's last change, so that others see that it changed.
    """

    made_at: datetime = _LONG_AGO
    name: ClassVar[str] = "stix"
    title: ClassVar[str] = "STIX 2.1 bundle of indicators"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".stix", ".stix2")

    def recognise(self, head: bytes, name: str) -> float:
        """Return 1 for a bundle, 0.9 where only its objects were seen."""
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            return 0.0
        if re.search(rb'"type"\s*:\s*"bundle"', head):
            return 1.0
        return 0.9 if b'"spec_version"' in head and b'"objects"' in head else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entries that the indicators of a bundle are.

        An indicator that names several things is one entry each. Who made an indicator is looked up among the
        identities of the file: of the whole file where the stream can be read twice, else of what came before.

        Raises:
            InputError: the file is no bundle.
        """
        codec, seen, found = _Codec(UNKNOWN, self.made_at), Seen(), False
        if stream.seekable():
            began = stream.tell()
            for piece in pieces(stream, _enter):
                if not piece.fault and piece.path[-2:] == ("objects", "[]") and _DEFINITIONS.search(piece.raw):
                    _learn(codec, piece)
            stream.seek(began)
        for piece in pieces(stream, _enter):
            is_object = piece.path[-2:] == ("objects", "[]")
            found = found or is_object or piece.raw == b'"bundle"'
            if piece.fault and (found or is_object):
                yield refused(f"byte {piece.offset}", piece.raw, piece.fault)
            elif is_object:
                yield from _object(codec, piece, seen)
        if not found:
            raise InputError("it is no STIX bundle", do="A bundle is an object with `type`, `id` and `objects`.")

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return the bank that a bundle of ours names, or None; reads no further than its first indicator."""
        codec = _Codec(UNKNOWN, self.made_at)
        for piece in pieces(stream, _enter):
            if piece.path[-2:] == ("objects", "[]") and not piece.fault:
                if _learn(codec, piece) == "indicator":
                    break
                if codec.bank is not UNKNOWN:
                    return codec.bank
        return None

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write a bundle: who made the list, the markings, one indicator an entry."""
        codec = _Codec(bank, self.made_at)
        bundle_id = f"bundle--{uuid5(NAMESPACE, 'bundle ' + bank.name)}"
        stream.write(b'{"type":"bundle","id":"' + bundle_id.encode() + b'","objects":[\n')
        written: set[str] = set()
        first = True
        for made in _objects(codec, entries):
            if made["type"] != "indicator":
                if made["id"] in written:
                    continue
                written.add(made["id"])
            stream.write((b"" if first else b",\n") + orjson.dumps(made))
            first = False
        stream.write(b"\n]}\n")


class _Codec:
    """An indicator. Knows the identities and markings that stood in the file."""

    name: ClassVar[str | None] = "stix"
    consumed: ClassVar[frozenset[str]] = frozenset((
        "id", "pattern", "pattern_type", "name", "description", "valid_from", "valid_until", "revoked", "confidence",
        "created_by_ref", "object_marking_refs",
    ))  # fmt: skip

    def __init__(self, bank: Bank, made_at: datetime) -> None:
        self.bank, self.made_at = bank, made_at
        self.identities: dict[str, Native] = {}
        self.markings: dict[str, Native] = {}
        self.learned_bytes = 0

    def encode(self, fields: Fields) -> Native:
        entry_id, kind = fields["entry_id"], fields["signal_type"]
        text = fields["address"] if kind in ("url", "url_domain") else value_text(kind, fields["value"])
        pattern = pattern_of(kind, text) if text else None
        made = iso(self.made_at)
        native: Native = {
            "type": "indicator",
            "spec_version": "2.1",
            "id": entry_id if _STIX_ID.fullmatch(entry_id) else _indicator_id(self.bank.name, entry_id),
            "created": made,
            "modified": made,
            "indicator_types": ["benign" if self.bank.purpose == "negative" else "unknown"],
            "pattern": pattern or f"{kind}:{value_text(kind, fields['value'])}",
            "pattern_type": "stix" if pattern else _OWN_PATTERN,
            "valid_from": iso(fields["valid_from"] or self._since(fields["valid_until"])),
        }
        source, marking = fields["source"] or self.bank.source, fields["marking"] or self.bank.marking
        told = {
            "created_by_ref": _identity_id(source) if source else None,
            "name": fields["label"] or None,
            "description": fields["note"] or None,
            "valid_until": fields["valid_until"] and iso(fields["valid_until"]),
            "revoked": True if fields["status"] == "withdrawn" else None,
            "confidence": _HELD_CONFIDENCE if fields["status"] == "held" else None,
            "object_marking_refs": [TLP2_IDS[marking]] if marking in TLP2_IDS else None,
        }
        return native | {key: value for key, value in told.items() if value is not None}

    def _since(self, until: datetime | None) -> datetime:
        """Return a beginning for what has none: STIX asks for one, and for one before the end."""
        return until - timedelta(days=1) if until is not None and until <= self.made_at else self.made_at

    def decode(self, native: Native) -> Fields:
        fields = blank(self.bank) | _signal(native)
        fields["entry_id"] = text_or_none(native.get("id"), "id")
        fields["label"] = text_or_none(native.get("name"), "name")
        fields["note"] = text_or_none(native.get("description"), "description")
        fields["valid_from"] = moment(native.get("valid_from"), "valid_from")
        fields["valid_until"] = moment(native.get("valid_until"), "valid_until")
        if native.get("confidence") == _HELD_CONFIDENCE:
            fields["status"] = "held"
        if native.get("revoked") is True:
            fields["status"] = "withdrawn"
        source, marking = self._source(native.get("created_by_ref")), _marking(native)
        fields["source"] = None if source == self.bank.source else source
        fields["marking"] = None if marking == self.bank.marking else marking
        return fields

    def _source(self, ref: object) -> str | None:
        if isinstance(ref, str) and ref in self.identities:
            name: str = self.identities[ref]["name"]
            return name
        return None

    def learn(self, source: str | None) -> None:
        """Remember an identity of our own making."""
        if source:
            self.identities.setdefault(_identity_id(source), _identity(source, self.made_at))


def _enter(path: Path) -> bool:
    return path in ((), ("objects",), ("[]",), ("[]", "objects"))


def _signal(native: Native) -> Fields:
    pattern, pattern_type = native.get("pattern"), native.get("pattern_type", "stix")
    if not isinstance(pattern, str):
        raise UnfitError("it has no pattern")
    if pattern_type == _OWN_PATTERN:
        kind, _, text = pattern.partition(":")
        return {"signal_type": kind, "value": value_of(kind, text)}
    if pattern_type != "stix":
        raise UnfitError("its pattern is in a language other than STIX")
    named = _only(comparisons(pattern))
    if named.signal_type is None:
        raise UnfitError("it names a kind of hash that no bank holds")
    if named.signal_type in ("url", "url_domain"):
        return address_fields(named.signal_type, named.text)
    return {"signal_type": named.signal_type, "value": value_of(named.signal_type, named.text)}


def _only(found: list[Comparison]) -> Comparison:
    if len(found) != 1:
        raise UnfitError("it names more than one thing")
    return found[0]


def _marking(native: Native) -> str | None:
    refs = native.get("object_marking_refs")
    labels = [_LABEL_OF.get(ref) for ref in refs if isinstance(ref, str)] if isinstance(refs, list) else []
    known = [label for label in labels if label is not None]
    return max(known, key=list(TLP2_IDS).index) if known else None  # the strictest, where there is more than one


def _learn(codec: _Codec, piece: Piece) -> object:
    """Remember what later indicators may refer to; return the type of the object."""
    try:
        found = parsed(piece.raw)
    except UnfitError:
        return None
    kind, own_id = found.get("type"), found.get("id")
    codec.learned_bytes += len(piece.raw) if kind != "indicator" else 0
    if codec.learned_bytes > _MAX_LEARNED_BYTES:
        return kind
    if kind == "identity" and isinstance(own_id, str) and isinstance(found.get("name"), str):
        if found.get("identity_class") != "individual":
            codec.identities[own_id] = found
        extensions = found.get("extensions")
        extension = extensions.get(EXTENSION_ID) if isinstance(extensions, dict) else None
        if isinstance(extension, dict) and (bank := read_bank_record(extension.get("bank"))) is not None:
            codec.bank = bank
    elif kind == "marking-definition" and isinstance(own_id, str) and own_id not in _LABEL_OF:
        codec.markings[own_id] = found
    return kind


def _object(codec: _Codec, piece: Piece, seen: Seen) -> Iterator[BankEntry | Refused]:
    """Yield the entries that an object is; definitions are read and yield nothing."""
    where = f"byte {piece.offset}"
    try:
        native = parsed(piece.raw)
        kind = native.get("type")
        if kind == "indicator":
            for part in _parts(native):
                yield from each_once(_entry(codec, part), where, piece.raw, seen)
        elif kind == "identity" and native.get("identity_class") == "individual":
            yield refused(where, b"", "it is about a person: none are kept")
        elif kind not in ("identity", "marking-definition", "extension-definition"):
            yield refused(where, piece.raw, "it is no indicator, so no entry of a bank")
        else:
            _learn(codec, piece)
    except UnfitError as fault:
        yield refused(where, piece.raw, fault)


def _parts(native: Native) -> Iterator[Native]:
    """Yield an indicator for each thing that one names; those of several keep what it was as `whole`."""
    pattern = native.get("pattern")
    if native.get("pattern_type", "stix") != "stix" or not isinstance(pattern, str):
        yield native
        return
    found = comparisons(pattern)
    known = [one for one in found if one.signal_type is not None]
    if len(found) < 2 or not known:
        yield native
        return
    for number, one in enumerate(known, 1):
        made = pattern_of(one.signal_type or "", one.text)
        whole = {"id": native.get("id"), "pattern": pattern}
        yield {**native, "id": f"{native.get('id')}#{number}", "pattern": made, "whole": whole}


def _entry(codec: _Codec, native: Native) -> BankEntry:
    extensions = native.get("extensions")
    record: dict[str, Any] = {}
    if isinstance(extensions, dict) and EXTENSION_ID in extensions:
        record = record_in(extensions[EXTENSION_ID])
        others = {key: value for key, value in extensions.items() if key != EXTENSION_ID}
        native = {key: value for key, value in native.items() if key != "extensions"}
        native |= {"extensions": others} if others else {}
    return to_entry(codec, native | _referred(codec, native), record)


def _referred(codec: _Codec, native: Native) -> Native:
    """Return the foreign objects that an indicator refers to, so that they can be written with it again."""
    found: Native = {}
    ref = native.get("created_by_ref")
    maker = codec.identities.get(ref) if isinstance(ref, str) else None
    if maker is not None and maker["id"] != _identity_id(maker["name"]):
        found["created_by"] = maker
    refs = native.get("object_marking_refs")
    markings = (
        [codec.markings[ref] for ref in refs if isinstance(ref, str) and ref in codec.markings]
        if isinstance(refs, list)
        else []
    )
    return found | ({"markings": markings} if markings else {})


_ASIDE = ("created_by", "markings", "whole")
"""What an entry's rest keeps of an indicator that is no property of it."""


def _objects(codec: _Codec, entries: Iterable[BankEntry]) -> Iterator[Native]:
    """Yield the objects of a bundle; what an object refers to comes before it, and may come more than once."""
    yield _identity("Antiphon", codec.made_at)
    yield _extension_definition(codec.made_at)
    yield _bank_identity(codec)
    codec.learn(codec.bank.source)
    if codec.bank.source:
        yield codec.identities[_identity_id(codec.bank.source)]
    for entry in entries:
        codec.learn(entry.source)
        rest = entry.more.get("stix") if entry.more else None
        aside = {key: rest[key] for key in _ASIDE if key in rest} if isinstance(rest, dict) else {}
        maker = aside.get("created_by")
        if isinstance(maker, dict) and isinstance(maker.get("id"), str) and isinstance(maker.get("name"), str):
            codec.identities[maker["id"]] = maker
        yield from _indicator(codec, entry)


def _indicator(codec: _Codec, entry: BankEntry) -> Iterator[Native]:
    native, record = from_entry(codec, entry)
    maker, markings = native.pop("created_by", None), native.pop("markings", [])
    native.pop("whole", None)
    ref = native.get("created_by_ref")
    if ref in codec.identities:
        yield codec.identities[ref]
    yield from (one for one in markings if isinstance(one, dict) and "id" in one)
    marked = native.get("object_marking_refs")
    yield from (_tlp(_LABEL_OF[one]) for one in marked or () if one in TLP2_IDS.values())
    if maker is not None and ref != maker.get("id"):
        record.setdefault("more", {}).setdefault("stix", entry.more["stix"])
    if record:
        extension = {"extension_type": "property-extension", **record_out(record)}
        native["extensions"] = {**native.get("extensions", {}), EXTENSION_ID: extension}
    yield native


@lru_cache(maxsize=64)  # written and read again at once
def _indicator_id(bank: str, entry_id: str) -> str:
    return f"indicator--{uuid5(NAMESPACE, f'{bank}/{entry_id}')}"


@lru_cache(maxsize=1_024)
def _identity_id(name: str) -> str:
    return PROJECT_ID if name == "Antiphon" else f"identity--{uuid5(NAMESPACE, 'identity ' + name)}"


def _identity(name: str, made_at: datetime) -> Native:
    made = iso(made_at)
    return {
        "type": "identity", "spec_version": "2.1", "id": _identity_id(name), "created": made, "modified": made,
        "name": name, "identity_class": "organization",
    }  # fmt: skip


def _bank_identity(codec: _Codec) -> Native:
    """Return the list itself as an identity of the class `system`, which STIX has for what is no person and no body."""
    bank, made = codec.bank, iso(codec.made_at)
    native = {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid5(NAMESPACE, 'bank ' + bank.name)}",
        "created": made, "modified": made, "name": bank.name, "identity_class": "system",
        "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "bank": bank_record(bank)}},
    }  # fmt: skip
    return native | ({"description": bank.description} if bank.description else {})


def _extension_definition(made_at: datetime) -> Native:
    made = iso(made_at)
    return {
        "type": "extension-definition", "spec_version": "2.1", "id": EXTENSION_ID, "created_by_ref": PROJECT_ID,
        "created": made, "modified": made, "name": "Antiphon bank entry",
        "description": "Fields of an entry in a bank of known material for which STIX has no property.",
        "schema": (
            "Properties, all optional: bank, entry_id, signal_type, value (hex), label, entity, note, source, marking"
            " (TLP 2.0 label), valid_from, valid_until, status (active, held, withdrawn), address, absent (names of"
            " those that have no value though the indicator has one), more (JSON text). On an identity: bank (JSON"
            " text of the list as a whole)."
        ),
        "version": "1.0.0", "extension_types": ["property-extension"],
    }  # fmt: skip


def _tlp(label: str) -> Native:
    """Return a TLP 2.0 marking definition as OASIS published it."""
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": TLP2_IDS[label],
        "created": "2022-10-01T00:00:00.000Z", "name": f"TLP:{label.upper()}",
        "extensions": {TLP2_EXTENSION_ID: {"extension_type": "property-extension", "tlp_2_0": label}},
    }  # fmt: skip
