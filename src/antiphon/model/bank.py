"""Banks: named lists of known material, and what the curators know about each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

__all__ = ["STATUSES", "Bank", "BankEntry", "Purpose", "Status"]

Purpose = Literal["known", "negative"]
"""`known`: a match is to be looked at. `negative`: decided once to be no case; a match there holds others back."""

Status = Literal["active", "held", "withdrawn"]
"""`held`: kept back, because it suddenly matched far above its history (flood) or until somebody confirms it."""

STATUSES: tuple[Status, ...] = ("active", "held", "withdrawn")


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
