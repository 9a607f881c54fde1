"""MISP events: attributes and objects that hold signals.

MD5, SHA-256, addresses and domains are attributes of MISP's own types. MISP has no type for PDQ, vPDQ or signals of
texts: those are `hex` or `text` attributes of an object, whose relation is the name of the signal type. Whatever an
attribute has no place for makes it an object of the template `antiphon-bank-entry`, with one attribute a field.

first_seen and last_seen say when something was seen, not when it counts, so they are kept and not taken for validity.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from shutil import copyfileobj
from typing import Any, BinaryIO, ClassVar
from uuid import UUID, uuid5

import orjson

from antiphon.errors import InputError
from antiphon.exchange._lossless import (
    FIELDS,
    UNKNOWN,
    WORDS,
    Fields,
    Native,
    Seen,
    UnfitError,
    address_fields,
    bank_record,
    blank,
    each_once,
    from_entry,
    loads,
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
from antiphon.exchange._walk import Path, Piece, pieces
from antiphon.exchange.interface import HEAD_BYTES, Refused
from antiphon.model.bank import MARKINGS, SIGNAL_BYTES, Bank, BankEntry

__all__ = ["TEMPLATE", "TEMPLATE_UUID", "Misp"]

NAMESPACE = UUID("0b1f2f86-7f0e-5f43-8e1b-5a0f5a7f3a90")
"""For the ids of what has none of its own; never changed, since an id is how others know an object again."""
TEMPLATE = "antiphon-bank-entry"
TEMPLATE_UUID = str(uuid5(NAMESPACE, TEMPLATE))
_BANK_TEMPLATE = "antiphon-bank"
_RECORD = "antiphon-record"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OWN_TYPES = {"md5": "md5", "sha256": "sha256", "url": "url", "url_domain": "domain"}
_READ_TYPES = {"md5": "md5", "sha256": "sha256", "url": "url", "domain": "url_domain", "hostname": "url_domain"}
_WITH_FILENAME = {"filename|md5": "md5", "filename|sha256": "sha256", "malware-sample": "md5"}
_CATEGORIES = {"md5": "Payload delivery", "sha256": "Payload delivery", "url": "Network activity",
               "url_domain": "Network activity"}  # fmt: skip
_FREE_TYPES = ("hex", "text", "other")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_SPOOLED_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Misp:
    """Reads and writes MISP events as JSON.

    Attributes:
        made_at: Date and timestamp of the event. Fixed, so that the same bank gives the same event; give the instant of
            the bank's last change, so that other instances see that it changed.
    """

    made_at: datetime = _LONG_AGO
    name: ClassVar[str] = "misp"
    title: ClassVar[str] = "MISP event, or the answer to a search"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".misp.json")

    def recognise(self, head: bytes, name: str) -> float:
        """Return 1 for an event, 0.7 for a bare answer with attributes."""
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            return 0.0
        if re.search(rb'"Event"\s*:\s*\{', head):
            return 1.0
        return 0.7 if re.search(rb'"(?:Attribute|Object)"\s*:\s*\[', head) else 0.0

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entries that the attributes and objects of events are.

        Tags and organisation of an event mostly stand at its end: they are looked up first where the stream can be read
        twice, else only what came before counts.

        Raises:
            InputError: the file holds no event.
        """
        codec, seen = _Codec(UNKNOWN), Seen()
        events: list[_Event] = []
        if stream.seekable():
            began = stream.tell()
            events = _events(codec, stream)
            stream.seek(began)
        number, found = -1, False
        for piece in pieces(stream, _enter):
            if piece.path[-1:] == ("Event",):
                number, found = number + 1, True
                codec.event = events[number] if number < len(events) else _Event()
            elif piece.path[-1:] == ("[]",) and piece.path[-2:-1] in (("Attribute",), ("Object",)):
                found = True
                yield from _refused_or(piece, _entries(codec, piece), seen)
            elif piece.fault and found:
                yield refused(f"byte {piece.offset}", piece.raw, piece.fault)
            elif not piece.fault and not events:
                _learn(codec.event, piece)
        if not found:
            raise InputError("it holds no MISP event", do="Export the event as MISP JSON: an object with `Event`.")

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return the bank that an event of ours names, or None; it is the first object of the event."""
        codec = _Codec(UNKNOWN)
        for piece in pieces(stream, _enter):
            if piece.path[-1:] == ("[]",) or piece.offset > HEAD_BYTES:
                _learn_bank(codec, piece)
                break
        return None if codec.bank is UNKNOWN else codec.bank

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write an event: the bank, then its entries as objects, then those that are plain attributes."""
        codec = _Codec(bank)
        head = orjson.dumps(_event(bank, self.made_at))
        stream.write(b'{"Event":' + head[:-1] + b',"Object":[\n')
        stream.write(orjson.dumps(_bank_object(bank)))
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as plain:  # a JSON object can't be written at two places
            first = True
            for kind, native in _natives(codec, entries):
                if kind == "Object":
                    stream.write(b",\n" + orjson.dumps(native))
                else:
                    plain.write((b"" if first else b",\n") + orjson.dumps(native))
                    first = False
            stream.write(b'\n],"Attribute":[\n')
            plain.seek(0)
            copyfileobj(plain, stream)
        stream.write(b"\n]}}\n")


@dataclass
class _Event:
    """What an event says of all that is in it."""

    source: str | None = None
    marking: str | None = None


@dataclass
class _Codec:
    """An attribute, with the object that it is in."""

    bank: Bank
    event: _Event = field(default_factory=_Event)
    name: ClassVar[str | None] = "misp"
    consumed: ClassVar[frozenset[str]] = frozenset(
        ("uuid", "type", "value", "to_ids", "comment", "deleted", "Tag", "object_relation")
    )

    def encode(self, fields: Fields) -> Native:
        kind, entry_id = fields["signal_type"], fields["entry_id"]
        text = fields["address"] if kind in ("url", "url_domain") else value_text(kind, fields["value"])
        own = _OWN_TYPES.get(kind) if text else None
        active = fields["status"] == "active" and self.bank.purpose != "negative"
        native: Native = {
            "uuid": entry_id if _UUID.fullmatch(entry_id) else _uuid(self.bank, entry_id),
            "type": own or ("text" if kind in WORDS else "hex"),
            "category": _CATEGORIES[kind] if own else "Other",
            "value": text or value_text(kind, fields["value"]),
            "to_ids": active,
            "disable_correlation": False,
            "object_relation": kind,
        }
        if fields["note"]:
            native["comment"] = fields["note"]
        if fields["status"] == "withdrawn":
            native["deleted"] = True
        if fields["marking"]:
            native["Tag"] = [{"name": f"tlp:{fields['marking']}"}]
        return native

    def decode(self, native: Native) -> Fields:
        fields = blank(self.bank) | _signal(native)
        fields["entry_id"] = text_or_none(native.get("uuid"), "uuid")
        fields["note"] = text_or_none(native.get("comment"), "comment") or None
        if _is_true(native.get("deleted")):
            fields["status"] = "withdrawn"
        elif self.bank.purpose != "negative" and not _is_true(native.get("to_ids", True)):
            fields["status"] = "held"
        event = self.event if self.bank is UNKNOWN else _Event()  # an event of ours says of itself what its bank says
        marking = _marking(native.get("Tag")) or event.marking
        fields["source"] = event.source
        fields["marking"] = None if marking == self.bank.marking else marking
        return fields


def _uuid(bank: Bank, what: str) -> str:
    return str(uuid5(NAMESPACE, f"{bank.name}/{what}"))


def _is_true(value: object) -> bool:
    return value is True or (value in (1, "1", "true") and value is not False)


def _marking(tags: object) -> str | None:
    """Return the strictest TLP label among tags, None where there is none."""
    found = [tag.get("name") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    labels = [name.lower().removeprefix("tlp:").replace("white", "clear") for name in found if isinstance(name, str)
              and name.lower().startswith("tlp:")]  # fmt: skip
    known = [label for label in labels if label in MARKINGS]
    return max(known, key=MARKINGS.index) if known else None


def _signal(native: Native) -> Fields:
    kind, text, relation = native.get("type"), native.get("value"), native.get("object_relation")
    if not isinstance(kind, str) or not isinstance(text, str):
        raise UnfitError("it has no type or no value")
    if kind in _FREE_TYPES and isinstance(relation, str) and relation.lower() in SIGNAL_BYTES:
        name = relation.lower()
        return {"signal_type": name, "value": value_of(name, text)}
    if kind in _WITH_FILENAME:
        name = _WITH_FILENAME[kind]
        return {"signal_type": name, "value": value_of(name, text.rpartition("|")[2])}
    name = _READ_TYPES.get(kind, "")
    if not name:
        raise UnfitError("its type is that of no signal")
    return address_fields(name, text) if name in ("url", "url_domain") else {
        "signal_type": name, "value": value_of(name, text)
    }  # fmt: skip


def _enter(path: Path) -> bool:
    inside = path[-2:] in (("Attribute", "[]"), ("Object", "[]"))
    return not inside and all(step in ("response", "[]", "Event", "Attribute", "Object") for step in path)


def _events(codec: _Codec, stream: BinaryIO) -> list[_Event]:
    """Return what each event of a file says of itself, and learn of which bank they are."""
    events: list[_Event] = []
    first_object = True
    for piece in pieces(stream, _enter):
        if piece.fault:
            continue
        if piece.path[-1:] == ("Event",):
            events.append(_Event())
        elif piece.path[-2:] == ("Object", "[]"):
            if first_object:
                _learn_bank(codec, piece)
            first_object = False
        elif events:
            _learn(events[-1], piece)
    return events


def _learn(event: _Event, piece: Piece) -> None:
    key = piece.path[-1:]
    if key not in (("Orgc",), ("Tag",)) or piece.path[-2:-1] != ("Event",):
        return
    try:
        found = loads(piece.raw)
    except UnfitError:
        return
    if key == ("Tag",):
        event.marking = _marking(found)
    elif isinstance(found, dict) and isinstance(found.get("name"), str):
        event.source = found["name"]


def _learn_bank(codec: _Codec, piece: Piece) -> None:
    try:
        found = parsed(piece.raw)
    except UnfitError:
        return
    if found.get("name") == _BANK_TEMPLATE:
        attributes = found.get("Attribute")
        texts = (
            [one.get("value") for one in attributes if isinstance(one, dict)] if isinstance(attributes, list) else []
        )
        banks = (read_bank_record(text) for text in texts)
        codec.bank = next((bank for bank in banks if bank is not None), codec.bank)


def _refused_or(piece: Piece, found: Iterator[tuple[Native, BankEntry | str]], seen: Seen) -> Iterator[Any]:
    where = f"byte {piece.offset}"
    if piece.fault:
        yield refused(where, piece.raw, piece.fault)
        return
    try:
        for native, entry in found:
            if isinstance(entry, str):
                yield refused(where, orjson.dumps(native), entry)
            else:
                yield from each_once(entry, where, piece.raw, seen)
    except UnfitError as fault:
        yield refused(where, piece.raw, fault)


def _entries(codec: _Codec, piece: Piece) -> Iterator[tuple[Native, BankEntry | str]]:
    """Yield each signal of an attribute or object with its entry, or the reason why it is none."""
    native = parsed(piece.raw)
    if piece.path[-2] == "Attribute":
        yield native, to_entry(codec, native)
    elif native.get("name") == _BANK_TEMPLATE:
        _learn_bank(codec, piece)
    else:
        yield from _object_entries(codec, native)


def _object_entries(codec: _Codec, made: Native) -> Iterator[tuple[Native, BankEntry | str]]:
    attributes = made.get("Attribute")
    if not isinstance(attributes, list) or not all(isinstance(one, dict) for one in attributes):
        raise UnfitError("it has no list of attributes")
    own = made.get("name") == TEMPLATE
    records: list[Native] = []
    signals: list[Native] = []
    context: list[Native] = []
    for one in attributes:
        record = one.get("object_relation") == _RECORD
        (records if record else signals if _may_be_signal(one, own) else context).append(one)
    if not signals:
        raise UnfitError("none of its attributes is a signal")
    told = _record_of(records)
    around = {**{key: value for key, value in made.items() if key != "Attribute"}, "Attribute": context}
    for native in signals:
        try:
            known = _own_record(context, told) if own else record_in(told.get(str(native.get("uuid"))) or {})
            yield native, to_entry(codec, native if own else {**native, "object": around}, known)
        except UnfitError as fault:
            yield native, str(fault)


def _may_be_signal(attribute: Native, own: bool) -> bool:
    kind, relation = attribute.get("type"), attribute.get("object_relation")
    named = kind in _FREE_TYPES and isinstance(relation, str) and relation.lower() in SIGNAL_BYTES
    free_text = (
        not own and relation == "text" and attribute.get("to_ids") is not True
    )  # a remark, in most templates of MISP
    return (named and not free_text) or (isinstance(kind, str) and (kind in _READ_TYPES or kind in _WITH_FILENAME))


def _record_of(records: list[Native]) -> Native:
    if not records:
        return {}
    text = records[0].get("value")
    if not isinstance(text, str):
        raise UnfitError("its extension is no text")
    return parsed(text.encode("utf-8", "surrogatepass"))


def _own_record(context: list[Native], told: Native) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for attribute in context:
        name = str(attribute.get("object_relation")).replace("-", "_")
        if name in FIELDS:
            written[name] = attribute.get("value")
    return record_in({**written, **told})


def _natives(codec: _Codec, entries: Iterable[BankEntry]) -> Iterator[tuple[str, Native]]:
    """Yield objects and attributes; entries that came from one object, and follow each other, go back into one."""
    for around, group in groupby(entries, key=_around):
        if around is not None:
            yield "Object", _object_again(codec, orjson.loads(around), group)
            continue
        for entry in group:
            native, record = from_entry(codec, entry)
            named = native["object_relation"] != entry.signal_type or native["type"] in _FREE_TYPES
            if record or named:
                yield "Object", _own_object(codec.bank, entry, native, record)
            else:
                yield "Attribute", {key: value for key, value in native.items() if key != "object_relation"}


def _around(entry: BankEntry) -> bytes | None:
    rest = entry.more.get("misp") if entry.more else None
    around = rest.get("object") if isinstance(rest, dict) else None
    attributes = around.get("Attribute") if isinstance(around, dict) else None
    sound = isinstance(attributes, list) and all(isinstance(one, dict) for one in attributes)
    return orjson.dumps(around) if sound else None


def _object_again(codec: _Codec, around: Native, group: Iterable[BankEntry]) -> Native:
    signals: list[Native] = []
    records: Native = {}
    for entry in group:
        native, record = from_entry(codec, entry)
        signals.append({key: value for key, value in native.items() if key != "object"})
        if record:
            records[native["uuid"]] = record_out(record)
    attributes = [*around["Attribute"], *signals]
    if records:
        attributes.append(_remark(codec.bank, f"record of {around.get('uuid')}", _RECORD, _json(records)))
    return {**around, "Attribute": attributes}


def _own_object(bank: Bank, entry: BankEntry, native: Native, record: dict[str, Any]) -> Native:
    written = record_out(record)
    plain = {name: value for name, value in written.items() if isinstance(value, str) and value and name != "more"}
    beyond = {name: value for name, value in written.items() if name not in plain}
    attributes = [native]
    for name, text in {**plain, **({_RECORD: _json(beyond)} if beyond else {})}.items():
        attributes.append(_remark(bank, f"{entry.entry_id}/{name}", name.replace("_", "-"), text))
    return {
        "uuid": _uuid(bank, f"{entry.entry_id}/object"), "name": TEMPLATE, "meta-category": "misc",
        "description": "An entry of a bank of known material.", "template_uuid": TEMPLATE_UUID,
        "template_version": "1", "distribution": "5", "Attribute": attributes,
    }  # fmt: skip


def _remark(bank: Bank, what: str, relation: str, text: str) -> Native:
    return {
        "uuid": _uuid(bank, what), "type": "text", "category": "Other", "object_relation": relation, "value": text,
        "to_ids": False, "disable_correlation": True,
    }  # fmt: skip


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _event(bank: Bank, made_at: datetime) -> Native:
    tags = [f"tlp:{bank.marking}"] if bank.marking in MARKINGS else []
    tags += [f'antiphon:bank-purpose="{bank.purpose}"']
    source = bank.source or "Antiphon"
    return {
        "uuid": _uuid(bank, "event"), "info": ": ".join(filter(None, (f"Bank {bank.name}", bank.description))),
        "date": made_at.date().isoformat(), "timestamp": str(int(made_at.timestamp())), "analysis": "2",
        "threat_level_id": "4", "distribution": "0", "published": False,
        "Orgc": {"name": source, "uuid": str(uuid5(NAMESPACE, f"organisation {source}"))},
        "Tag": [{"name": name} for name in tags],
    }  # fmt: skip


def _bank_object(bank: Bank) -> Native:
    return {
        "uuid": _uuid(bank, "bank"), "name": _BANK_TEMPLATE, "meta-category": "misc",
        "description": "A bank of known material as a whole.",
        "template_uuid": str(uuid5(NAMESPACE, _BANK_TEMPLATE)), "template_version": "1", "distribution": "5",
        "Attribute": [_remark(bank, "bank/record", "bank", bank_record(bank))],
    }  # fmt: skip
