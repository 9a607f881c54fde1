"""Banks: named lists of known material, and what the curators know about each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson

__all__ = [
    "LARGEST_DISTANCE",
    "MARKINGS",
    "REGISTER_FILE",
    "SIGNAL_BYTES",
    "STATUSES",
    "Bank",
    "BankEntry",
    "Purpose",
    "Status",
    "entry_fault",
    "value_fault",
]

Purpose = Literal["known", "negative"]
"""`known`: a match is to be looked at. `negative`: decided once to be no case; a match there holds others back."""

Status = Literal["active", "held", "withdrawn"]
"""`held`: kept back, because it suddenly matched far above its history (flood) or until somebody confirms it."""

STATUSES: tuple[Status, ...] = ("active", "held", "withdrawn")

MARKINGS = ("clear", "green", "amber", "amber+strict", "red")
"""The labels of TLP 2.0, from what everybody may read to what stays with those who were told."""

SIGNAL_BYTES: Mapping[str, int] = {
    "md5": 16, "pdq": 32, "phrase": 0, "sha256": 32, "text": 0, "text_exact": 16, "text_near": 128, "url": 16,
    "url_domain": 16, "vpdq": 0,
}  # fmt: skip
"""Signal type → the length of its values; 0 where it varies: `text` and `phrase` are UTF-8, `vpdq` 33 bytes a frame."""

REGISTER_FILE = "register.sqlite"
"""The register of a node that has no database of its own, in its folder."""

LARGEST_DISTANCE: Mapping[str, int] = {"pdq": 256, "text": 100, "text_near": 6, "vpdq": 100}
"""Signal type → the largest threshold a bank may have; 0 for the others, whose values match only where they are equal.

All up to it is found: `text_near` is searched by bands of which one agrees as long as 6 values differ at most."""

MAX_VALUE_BYTES = 1 << 20
MAX_ID_CHARACTERS = 400
MAX_TEXT_CHARACTERS = 20_000
_FRAME_BYTES = 33
_TEXT_FIELDS = ("label", "entity", "note", "source")


@dataclass(frozen=True, slots=True)
class Bank:
    """A named list of known material.

    Attributes:
        name: Unique on this node; letters, digits, `-`, `_`, `.`.
        purpose: What a match with it means.
        source: Who made the list.
        licence: Under what terms it may be used.
        marking: How far it may be shared, as a TLP 2.0 label: `clear`, `green`, `amber`, `amber+strict`, `red`.
        description: What the list holds, for people.
        enabled: Whether it is matched at all.
        shadow: Whether its matches are only counted, and lead to nothing.
        thresholds: Signal type → the largest distance that is a match here; the type's own where it is not named.
    """

    name: str
    purpose: Purpose = "known"
    source: str | None = None
    licence: str | None = None
    marking: str = "amber"
    description: str = ""
    enabled: bool = True
    shadow: bool = False
    thresholds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One signal of known material.

    Attributes:
        bank: Name of its bank.
        entry_id: The curators' own id, unique in the bank.
        signal_type: By which signal type.
        value: The signal; for a text signal made from a text, that signal.
        label: What the curators call it.
        entity: Which group or event it belongs to, where the list says so.
        note: Why it is in the bank.
        source: Who contributed it, where that is not the bank's source.
        marking: How far it may be shared, where that differs from the bank's.
        valid_from: Matches from this instant on; UTC.
        valid_until: Matches before this instant; UTC.
        status: Whether it matches.
        more: Further fields of the list it came from, kept so that it can be given back whole.
    """

    bank: str
    entry_id: str
    signal_type: str
    value: bytes
    label: str | None = None
    entity: str | None = None
    note: str | None = None
    source: str | None = None
    marking: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    status: Status = "active"
    more: Mapping[str, object] = field(default_factory=dict)


def entry_fault(entry: BankEntry) -> str | None:
    """Return what is wrong with an entry, or None; the answer holds no part of its value."""
    fault = _id_fault(entry.entry_id) or value_fault(entry.signal_type, entry.value)
    if fault is None and entry.status not in STATUSES:
        fault = f"the status is none of {', '.join(STATUSES)}"
    if fault is None and entry.marking is not None and entry.marking not in MARKINGS:
        fault = f"the marking is none of {', '.join(MARKINGS)}"
    if fault is None and (entry.valid_from is not None or entry.valid_until is not None):
        fault = _validity_fault(entry.valid_from, entry.valid_until)
    return fault or _text_fault(entry) or (_more_fault(entry.more) if entry.more else None)


def _id_fault(entry_id: str) -> str | None:
    if not isinstance(entry_id, str) or not entry_id or len(entry_id) > MAX_ID_CHARACTERS:
        return f"the entry_id is no text of 1 to {MAX_ID_CHARACTERS} characters"
    if not entry_id.isprintable():  # lone surrogates and line breaks too: an id is printed, sorted and searched for
        return "the entry_id has a character that can't be printed"
    return None


def value_fault(signal_type: str, value: bytes) -> str | None:
    """Return what is wrong with a value of a signal type, without quoting it, or None."""
    wanted = SIGNAL_BYTES.get(signal_type)
    if wanted is None:
        return f"the signal_type is none of {', '.join(SIGNAL_BYTES)}"
    size = len(value)
    if wanted and size != wanted:
        return f"the {signal_type} value has {size} bytes, expected {wanted}"
    if not 0 < size <= MAX_VALUE_BYTES:
        return f"the {signal_type} value has {size} bytes, expected 1 to {MAX_VALUE_BYTES}"
    if signal_type == "vpdq" and size % _FRAME_BYTES:
        return f"the vpdq value has {size} bytes, expected a multiple of {_FRAME_BYTES}"
    if signal_type in {"text", "phrase"} and not _is_text(value):
        return f"the {signal_type} value is no UTF-8 text with a word in it"
    return None


def _is_text(value: bytes) -> bool:
    try:
        return bool(value.decode("utf-8").strip()) and b"\0" not in value
    except UnicodeDecodeError:
        return False


def _validity_fault(valid_from: datetime | None, valid_until: datetime | None) -> str | None:
    if any(instant is not None and instant.tzinfo is None for instant in (valid_from, valid_until)):
        return "valid_from or valid_until has no time zone"
    if valid_from is not None and valid_until is not None and valid_from >= valid_until:
        return "valid_until is not after valid_from"
    return None


def _text_fault(entry: BankEntry) -> str | None:
    for name, text in zip(_TEXT_FIELDS, (entry.label, entry.entity, entry.note, entry.source), strict=True):
        if text is None:
            continue
        if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS or "\0" in text or not _encodable(text):
            return f"the {name} is no text of at most {MAX_TEXT_CHARACTERS} characters"
    return None


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _more_fault(more: Mapping[str, object]) -> str | None:
    try:
        orjson.dumps(dict(more))
    except (TypeError, ValueError):
        return "`more` can't be written as JSON"
    return None
