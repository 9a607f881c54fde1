"""What was done to the banks since matches were last complete, and what of a lake that can touch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from antiphon.fingerprints.stage import WORDS_TYPE
from antiphon.fingerprints.vpdq import MAX_FRAME_BITS
from antiphon.matching.hamming import HammingIndex
from antiphon.model.bank import BankEntry
from antiphon.node.asked import Asked, Pass
from antiphon.node.following import frames_of
from antiphon.node.words import Words
from antiphon.storage.banks import BankStore, Change

__all__ = ["Changed", "Span", "Touched", "changed_between", "touched_by"]

FEW = 10_000
"""So many changed entries have an index of their own; with more, all that their signal types can match is looked up."""

_ROWS_NEVER_MATCHED = {"bank_created", "confirmed", "deconfirmed"}

Touched = Callable[[Sequence[Asked]], set[int]]
"""Says which of some queries lie near an entry that was changed."""


@dataclass(frozen=True)
class Span:
    """A part of the log, and the time that passed: after `seq` up to `until_seq`, after `at` up to `until`."""

    seq: int
    until_seq: int
    at: datetime
    until: datetime


@dataclass
class Changed:
    """What may match otherwise than before.

    Attributes:
        names: (bank, entry id) of entries that were added, changed or taken out: what matched them.
        banks: Banks that are matched otherwise, whole: what matched them.
        entries: Entries that may be near to what did not match them before, by signal type.
        redo: Signal types of which all has to be looked up again.
        everything: Whether that is so for all.
    """

    names: set[tuple[str, str]] = field(default_factory=set)
    banks: set[str] = field(default_factory=set)
    entries: dict[str, list[BankEntry]] = field(default_factory=dict)
    redo: set[str] = field(default_factory=set)
    everything: bool = False

    def add(self, entry: BankEntry) -> None:
        """Note an entry; a text's score hangs on all texts, so one that came or went means all texts again."""
        self.names.add((entry.bank, entry.entry_id))
        if entry.signal_type == "text":
            self.redo.add("text")
        elif entry.status == "active":
            self.entries.setdefault(entry.signal_type, []).append(entry)

    def redoes(self, one: Pass) -> bool:
        """Whether all of a pass has to be looked up again."""
        return self.everything or not self.redo.isdisjoint(one.types)


def changed_between(store: BankStore, span: Span) -> Changed:
    """Return what a part of the log and the time that passed have changed, as the register stands now."""
    changed = Changed()
    turned = store.turned(min(span.at, span.until), max(span.at, span.until))  # a clock may be set back
    ranges = [(row, row) for row in turned]
    for change in _log(store, span):
        if change.kind == "bank_deleted":
            changed.banks.add(change.bank)
            changed.redo.add("text")  # its texts are gone from the index, and with them what they made common
        elif change.kind == "bank_changed":
            _bank(store, change, changed)
        elif change.first_row is not None and change.kind not in _ROWS_NEVER_MATCHED:
            ranges.append((change.first_row, change.last_row or change.first_row))
            if change.entry_id is not None:
                changed.names.add((change.bank, change.entry_id))
            if "signal_type" in _fields(change):
                changed.redo.add("text")  # it may have been one
        if len(changed.names) > FEW:
            return Changed(everything=True)
    _rows(store, ranges, changed)
    return changed


def touched_by(entries: Mapping[str, Sequence[BankEntry]], one: Pass, limit: int) -> Touched | None:
    """Return what says which queries of a pass lie near some entries, None where there is no entry it can match.

    Args:
        entries: By signal type.
        one: The pass.
        limit: The largest distance of a picture that is a match in any bank.
    """
    values = [entry.value for kind in one.types for entry in entries.get(kind, ())]
    if not values:
        return None
    if one.name == "pdq":
        return _pictures(values, limit)
    if one.name == "vpdq":
        return _videos(values)
    if one.name == "text_near":
        near = Words([], [], list(enumerate(values)))
        return lambda asked: {found.query for found in near.near_copies([_value(query) for query in asked])}
    if one.name in {"words", WORDS_TYPE}:
        phrases = Words([], list(enumerate(values)), [])
        return lambda asked: {found.query for found in phrases.spotted([query.query.text or "" for query in asked])}
    equal = frozenset(values)
    return lambda asked: {at for at, query in enumerate(asked) if not equal.isdisjoint(query.query.signals.values())}


def _pictures(values: list[bytes], limit: int) -> Touched:
    index = HammingIndex.build(np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32), limit)

    def touched(asked: Sequence[Asked]) -> set[int]:
        rows = np.frombuffer(b"".join(map(_value, asked)), np.uint8).reshape(-1, 32)
        return set(np.unique(index.search(rows).queries).tolist())

    return touched


def _videos(values: list[bytes]) -> Touched:
    frames = np.concatenate([frames_of(value) for value in values])
    index = HammingIndex.build(frames, MAX_FRAME_BITS)

    def touched(asked: Sequence[Asked]) -> set[int]:
        shown = [frames_of(_value(query)) for query in asked]
        of = np.repeat(np.arange(len(shown)), list(map(len, shown)))
        return set(np.unique(of[index.search(np.concatenate(shown)).queries]).tolist()) if len(of) else set()

    return touched


def _value(asked: Asked) -> bytes:
    [value] = asked.query.signals.values()
    return value


def _log(store: BankStore, span: Span) -> Iterator[Change]:
    after = span.seq
    while after < span.until_seq and (changes := store.changes_since(after)):
        yield from (change for change in changes if change.seq <= span.until_seq)
        after = changes[-1].seq


def _fields(change: Change) -> Sequence[str]:
    fields = change.detail.get("fields", ())
    return fields if isinstance(fields, Sequence) else ()


def _bank(store: BankStore, change: Change, changed: Changed) -> None:
    """Note a bank that was enabled, disabled, put on trial or given another threshold."""
    changed.banks.add(change.bank)
    if "shadow" in change.detail or change.bank not in store.banks():
        return  # the same matches, with another meaning
    threshold = change.detail.get("threshold")
    kinds = set(threshold) if isinstance(threshold, Mapping) else None
    counts = store.view(change.bank).counts
    some = {kind for kind, status in counts if status == "active" and (kinds is None or kind in kinds)}
    if sum(counts.values()) > FEW:
        changed.redo |= some
    elif some:
        for entry in store.entries(change.bank):
            if entry.signal_type in some:
                changed.add(entry)


def _rows(store: BankStore, ranges: Sequence[tuple[int, int]], changed: Changed) -> None:
    """Note the entries in some rows, or, where they are many, of which signal types they are."""
    number = sum(last - first + 1 for first, last in ranges)
    if number <= FEW:
        rows = {row for first, last in ranges for row in range(first, last + 1)}
        for entry in store.entries_at(sorted(rows)).values():
            changed.add(entry)
        return
    for first, last in ranges:
        changed.redo |= set(store.kinds_between(first, last))
