"""What every form needs to lose nothing: a row is an entry, what only the form knows, and what only we know.

A codec says how an entry's fields stand in a row of its form and what it makes of a foreign row. The rest follows:

- what a foreign row has beyond that is its *rest*: kept in the entry's `more` under the form's name, and put back when
  the entry is written in the same form;
- what an entry has that the written row would not give back is its *record*: it goes into the form's own means of
  extension. Both are found by trying: write, read, compare.
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, ClassVar, Protocol, cast

import orjson

from antiphon.errors import InputError
from antiphon.exchange._addresses import ADDRESS_TYPES, address_value
from antiphon.exchange.interface import RAW_BYTES, Refused
from antiphon.model.bank import SIGNAL_BYTES, Bank, BankEntry, entry_fault
from antiphon.model.instants import instant_us

__all__ = [
    "EMPTY", "FIELDS", "UNKNOWN", "WORDS", "Codec", "Fields", "Native", "Seen", "UnfitError", "address_fields",
    "bank_record", "blank", "from_entry", "iso", "loads", "moment", "parsed", "read_bank_record", "record_in",
    "record_out", "refused", "text_or_none", "to_entry", "value_of", "value_text", "well_formed",
]  # fmt: skip

Fields = dict[str, Any]
"""The fields of an entry by name, and `address`: what a `url` or `url_domain` value was made from."""
Native = dict[str, Any]
"""A row in the words of a form."""

FIELDS = (
    "bank", "entry_id", "signal_type", "value", "label", "entity", "note", "source", "marking", "valid_from",
    "valid_until", "status", "address",
)  # fmt: skip
WORDS = ("text", "phrase")
"""Signal types whose values are words; all others are written in hex."""
UNKNOWN = Bank(name="", marking="")
"""The bank of a file that says nothing of one."""
EMPTY: Mapping[str, Any] = {}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("valid_from", "valid_until")


class UnfitError(Exception):
    """A row can't be an entry; the text is the reason, without any part of the row."""


class Codec(Protocol):
    """How entries stand in one form; made for one file, so it may know what the file said before."""

    name: ClassVar[str | None]
    """Under which an entry's `more` keeps the rest of a row; None where a row can't have one."""
    consumed: ClassVar[frozenset[str]]
    """The keys of a row that `decode` looks at."""
    bank: Bank

    def encode(self, fields: Fields) -> Native:
        """Return the row for the fields of an entry, as far as the form has a place for them."""

    def decode(self, native: Native) -> Fields:
        """Return what a row says: all fields, None for what it does not say; `bank`, `source` and `marking` too.

        Raises:
            UnfitError: the row can't be an entry.
        """


def blank(bank: Bank) -> Fields:
    """Return the fields of an entry of which nothing is known."""
    return {**dict.fromkeys(FIELDS), "bank": bank.name, "status": "active"}


def to_entry(codec: Codec, native: Native, record: Mapping[str, Any] = EMPTY) -> BankEntry:
    """Return the entry that a row and its record are.

    Raises:
        UnfitError: they are none.
    """
    told = codec.decode(native)
    fields, more = told, {}
    if record:
        fields = {**told, **{name: record[name] for name in FIELDS if name in record}}
        more = dict(record.get("more", EMPTY))
        if told["value"] is not None and not _agree(told, fields):
            raise UnfitError("its extension holds another value than the row itself")
    fields = _with_address(fields, more)
    entry = _entry(fields, more)
    if fault := entry_fault(entry):
        raise UnfitError(fault)
    if codec.name is not None and codec.name not in more and (rest := _rest(codec.encode(fields), native)):
        more[codec.name] = rest
    return entry


def from_entry(codec: Codec, entry: BankEntry) -> tuple[Native, dict[str, Any]]:
    """Return the row for an entry, and the record of what the row would not give back.

    Raises:
        InputError: the entry is none.
    """
    if fault := entry_fault(entry):
        raise InputError(fault, where=f"entry {entry.entry_id}", do="Correct the entry before you write the bank.")
    fields = _fields(entry)
    base = codec.encode(fields)
    rest = entry.more.get(codec.name) if codec.name is not None else None
    native = _merged(codec, base, rest) if isinstance(rest, dict) and rest else base
    told = codec.decode(native)
    record = {name: fields[name] for name in FIELDS if told[name] != fields[name]}
    if entry.more:
        known = {codec.name, "address"} if fields["address"] else {codec.name}
        kept = {name: value for name, value in entry.more.items() if name not in known}
        if kept:
            record["more"] = kept
        if not _gives_back(codec, native, record, entry):
            record["more"] = dict(entry.more)
    return native, record


def _agree(told: Fields, fields: Fields) -> bool:
    """Return whether two values are one; in a text, white space may have been lost on the way."""
    if told["signal_type"] != fields["signal_type"] or not isinstance(fields["value"], bytes):
        return False
    if told["signal_type"] in WORDS:
        return _words(told["value"]) == _words(fields["value"])
    return bool(told["value"] == fields["value"])


def _words(value: bytes) -> list[str]:
    return value.decode("utf-8", "replace").split()


def _gives_back(codec: Codec, native: Native, record: dict[str, Any], entry: BankEntry) -> bool:
    try:
        return _same(dict(to_entry(codec, native, record).more), dict(entry.more))
    except UnfitError:
        return False


def _merged(codec: Codec, base: Native, rest: Native) -> Native:
    """Return a row with its rest: as it stood where that still says the same, else with our fields put over it."""
    candidate = {**base, **rest}
    try:
        if codec.decode(candidate) == codec.decode(base):
            return candidate
    except UnfitError:
        pass
    return {**{key: value for key, value in rest.items() if key not in codec.consumed}, **base}


def _rest(base: Native, native: Native) -> Native:
    return {key: value for key, value in native.items() if key not in base or not _same(base[key], value)}


def _same(left: object, right: object) -> bool:
    """Return whether two JSON values are written alike: 1, 1.0 and true are three."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict | list):
        try:
            option = orjson.OPT_SORT_KEYS
            return orjson.dumps(left, option=option) == orjson.dumps(right, option=option)
        except TypeError:
            return False
    return left == right


def _fields(entry: BankEntry) -> Fields:
    fields = {name: getattr(entry, name) for name in FIELDS[:-1]}
    address = entry.more.get("address") if entry.more else None
    fields["address"] = None
    if isinstance(address, str) and entry.signal_type in ADDRESS_TYPES:
        fields["address"] = address if address_value(entry.signal_type, address) == entry.value else None
    return fields


def _with_address(fields: Fields, more: dict[str, Any]) -> Fields:
    """Return the fields with the address that more than one place may tell."""
    if fields["address"]:
        more.setdefault("address", fields["address"])
        return fields
    return {**fields, "address": None}


def _entry(fields: Fields, more: dict[str, Any]) -> BankEntry:
    if fields["entry_id"] is None or fields["signal_type"] is None or fields["value"] is None:
        raise UnfitError("it names no id, no signal type or no value")
    return BankEntry(**{name: fields[name] for name in FIELDS[:-1]}, more=more)


def record_out(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as JSON without nulls and without foreign keys: STIX allows neither."""
    written: dict[str, Any] = {}
    for name, value in record.items():
        if value is None:
            written.setdefault("absent", []).append(name)
        elif isinstance(value, bytes):
            written[name] = value.hex()
        elif isinstance(value, datetime):
            written[name] = iso(value)
        else:
            written[name] = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if name == "more" else value
    return written


def record_in(written: object) -> dict[str, Any]:
    """Return a record from its JSON.

    Raises:
        UnfitError: it is none.
    """
    if not isinstance(written, dict):
        raise UnfitError("its extension is no object")
    absent = written.get("absent") or []
    if not isinstance(absent, list) or not all(isinstance(name, str) for name in absent):
        raise UnfitError("its extension has an `absent` that is no list of names")
    record: dict[str, Any] = dict.fromkeys(name for name in absent if name in FIELDS)
    for name in FIELDS:
        if name in written:
            if not isinstance(written[name], str):
                raise UnfitError(f"its extension has a {name} that is no text")
            record[name] = _field_in(name, written[name])
    if "more" in written:
        record["more"] = _more_in(written["more"])
    return record


def _field_in(name: str, text: str) -> object:
    if name == "value":
        return _unhex(text, "value of the extension")
    return moment(text, name) if name in _TIMES else text


def _more_in(written: object) -> dict[str, Any]:
    more = loads(written.encode("utf-8", "surrogatepass")) if isinstance(written, str) else written
    if not isinstance(more, dict):
        raise UnfitError("its extension has a `more` that is no object")
    return more


def loads(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value.

    Raises:
        UnfitError: it is none, or no UTF-8.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise UnfitError("it is no JSON in UTF-8") from None


def parsed(raw: bytes) -> Native:
    """Return a JSON object.

    Raises:
        UnfitError: it is none.
    """
    found = loads(raw)
    if not isinstance(found, dict):
        raise UnfitError("it is no JSON object")
    return found


def value_text(signal_type: str, value: bytes) -> str:
    """Return a value as it is written: words as they are, all else in hex."""
    return value.decode() if signal_type in WORDS else value.hex()


def value_of(signal_type: str, text: object) -> bytes:
    """Return the value that a text means.

    Raises:
        UnfitError: it is none of this signal type.
    """
    if signal_type not in SIGNAL_BYTES:
        raise UnfitError("its signal type is not known here")
    if not isinstance(text, str):
        raise UnfitError(f"the {signal_type} value is no text")
    if signal_type in WORDS:
        try:
            return text.encode()
        except UnicodeEncodeError:
            raise UnfitError(f"the {signal_type} value is no UTF-8 text") from None
    value = _unhex(text.strip(), f"{signal_type} value")
    wanted = SIGNAL_BYTES[signal_type]
    if wanted and len(value) != wanted:
        raise UnfitError(f"the {signal_type} value has {len(value)} bytes, expected {wanted}")
    return value


def _unhex(text: str, what: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except ValueError:
        raise UnfitError(f"the {what} is no hex number") from None


def address_fields(signal_type: str, address: object) -> Fields:
    """Return signal type, value and address for a web address or a domain, as the fields of an entry.

    Raises:
        UnfitError: it has no value to compare.
    """
    value = address_value(signal_type, address) if isinstance(address, str) else None
    if value is None:
        raise UnfitError(f"the {signal_type} has nothing to compare: no web address, or no domain that is registered")
    return {"signal_type": signal_type, "value": value, "address": address}


def iso(instant: datetime) -> str:
    """Return an instant as STIX writes it: UTC, at least milliseconds, `Z`."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"


def moment(value: object, name: str) -> datetime | None:
    """Return the instant that a value means; None for an empty one.

    Raises:
        UnfitError: it is none.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
    try:
        return _EPOCH + timedelta(microseconds=instant_us(cast("str", value)) or 0)
    except InputError:
        raise UnfitError(f"the {name} is no time") from None


def text_or_none(value: object, name: str) -> str | None:
    """Return a text, None where there is none.

    Raises:
        UnfitError: it is something else.
    """
    if value is None or isinstance(value, str):
        return value
    raise UnfitError(f"the {name} is no text")


def refused(where: str, raw: bytes, fault: object) -> Refused:
    """Return a refusal; keeps the beginning of the row."""
    return Refused(where, str(fault), raw[:RAW_BYTES])


class Seen:
    """The ids of a file so far, at 8 bytes each and a half-empty table: 10 million of them take 256 MiB.

    Two ids that differ are taken for one with a chance below 1 in 100,000 over ten million rows.
    """

    def __init__(self) -> None:
        self._slots: list[int] | Any = _zeros(1 << 12)
        self._held = 0

    def add(self, text: str) -> bool:
        """Return whether an id is new, and remember it."""
        found = (hash(text) & 0xFFFF_FFFF_FFFF_FFFF) or 1
        if not self._put(found):
            return False
        self._held += 1
        if 2 * self._held > len(self._slots):
            old, self._slots = self._slots, _zeros(2 * len(self._slots))
            for known in old:
                if known:
                    self._put(known)
        return True

    def _put(self, found: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        at = found & mask
        while known := slots[at]:
            if known == found:
                return False
            at = (at + 1) & mask
        slots[at] = found
        return True


def _zeros(count: int) -> Any:  # noqa: ANN401 - array of unsigned 64-bit numbers
    return array("Q", bytes(8 * count))


def bank_record(bank: Bank) -> str:
    """Return a bank without its entries as JSON text."""
    names = ("name", "purpose", "source", "licence", "marking", "description", "enabled", "shadow")
    told = {name: getattr(bank, name) for name in names} | {"thresholds": dict(bank.thresholds)}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def read_bank_record(text: object) -> Bank | None:
    """Return the bank that a text of `bank_record` means, None where it means none."""
    try:
        told = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        return None
    names = set(Bank.__dataclass_fields__)
    bank = Bank(**{name: value for name, value in told.items() if name in names})
    return bank if well_formed(bank) else None


def well_formed(bank: Bank) -> bool:
    """Return whether the fields of a bank are of their types."""
    texts = (bank.name, bank.purpose, bank.marking, bank.description)
    maybe = (bank.source, bank.licence)
    return (
        all(isinstance(text, str) for text in texts)
        and all(text is None or isinstance(text, str) for text in maybe)
        and isinstance(bank.enabled, bool)
        and isinstance(bank.shadow, bool)
        and isinstance(bank.thresholds, dict)
        and all(isinstance(limit, int) for limit in bank.thresholds.values())
    )


def each_once(found: BankEntry, where: str, raw: bytes, seen: Seen) -> Iterator[BankEntry | Refused]:
    """Yield an entry, or a refusal where its id stood before."""
    if seen.add(found.entry_id):
        yield found
    else:
        yield refused(where, raw, "its id is that of an earlier row")


def first_bytes(stream: BinaryIO, size: int) -> bytes:
    """Return the beginning of a stream; it stands where it stood where that can be had."""
    head = stream.read(size)
    if stream.seekable():
        stream.seek(-len(head), 1)
    return head
