"""Looking things up in this node's banks: by signal, by text, by file; what a match means, and why it is one.

Three calls are enough for a program of one's own:

    with open_look_up(load_settings().home) as look_up:
        hits = look_up.text("words to compare")     # or .file(content, "image/jpeg"), .signals("pdq", [value])
        look_up.banks.add(entry, by="k.vell")       # an entry is found from the next look-up on
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from antiphon import plugins
from antiphon.errors import InputError, MissingError
from antiphon.fingerprints.interface import SignalType
from antiphon.fingerprints.stage import fingerprint_text
from antiphon.fingerprints.vpdq import MAX_FRAME_BITS
from antiphon.matching.hamming import HammingIndex
from antiphon.matching.stage import MIN_IMAGE_QUALITY
from antiphon.model.bank import LARGEST_DISTANCE, Bank, BankEntry, value_fault
from antiphon.node.banks import Banks, open_banks
from antiphon.node.following import FOLLOWED, FollowedIndex, frames_of
from antiphon.node.signals import SIGNALS_GROUP, signals_of
from antiphon.node.words import TEXT_DISTANCE, WORD_TYPES, Near, Words

__all__ = ["Effect", "Hit", "LookUp", "Query", "open_look_up"]

Effect = Literal["known", "negative", "held_back", "shadow"]
"""`known`: to be looked at. `negative`: near material once decided to be no case. `held_back`: known material, but near
a negative entry too. `shadow`: in a list on trial, which leads to nothing."""

_INDEX_FOLDER = "index"
_SAME_PART = 0.8
_WARM_ENTRIES = 10_000


@dataclass(frozen=True)
class Hit:
    """One entry that something is near.

    Attributes:
        entry: The entry, with label, entity and note: why it is in the bank.
        bank: Its bank.
        distance: How far apart, in the signal type's unit.
        threshold: The largest distance that is a match in that bank.
        effect: What the match means.
        alignment: Which part of the one is in the other, in plain words; None where the signal has no parts.
        row: The entry's number in the register; it is never given to another.
        span: Where that part of a text begins and ends; None where the signal has no parts.
    """

    entry: BankEntry
    bank: Bank
    distance: int
    threshold: int
    effect: Effect
    alignment: str | None = None
    row: int = 0
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Query:
    """The signals of one thing by type, and its text where it has one."""

    signals: Mapping[str, bytes] = field(default_factory=dict)
    text: str | None = None

    @classmethod
    def of_text(cls, text: str) -> Query:
        """Return what to look up for a text: its signals and its words."""
        return cls(fingerprint_text(text), text)


Trial = Callable[[dict[str, Bank]], dict[str, Bank]]


def _as_they_are(known: dict[str, Bank]) -> dict[str, Bank]:
    return known


def open_look_up(home: Path, register: Path | str | None = None, *, trial: Trial = _as_they_are) -> LookUp:
    """Return the look-up of a node, up to date with its register; use it with `with`.

    Args:
        home: The node's folder: its indexes are there, and its register if no other is given.
        register: Folder or URL of the register, see `Settings.register`.
        trial: Turns the banks as they are into the banks to answer with; the register knows nothing of it.

    Raises:
        StorageError: the register can't be opened.
    """
    return LookUp(open_banks(register or home), home / _INDEX_FOLDER, trial)


class LookUp:
    """Answers what this node's banks know.

    The register is followed before each answer, so that what was added is found and what was withdrawn is not. Indexes
    under `folder` are copies that may be removed: they are built again.

    Args:
        banks: The banks; closed with the look-up.
        folder: Where the indexes are.
        trial: Turns the banks as they are into those to answer with.
    """

    def __init__(self, banks: Banks, folder: Path, trial: Trial = _as_they_are) -> None:
        self.banks, self._trial = banks, trial
        self._types: Mapping[str, SignalType] = plugins.load(SIGNALS_GROUP, SignalType)
        kinds = [name for name in FOLLOWED if name in self._types]
        self._indexes = {name: FollowedIndex(banks.store, name, folder / name) for name in kinds}
        self._words: tuple[int, object, Words] | None = None
        self._following, self._seq, self._known = threading.Lock(), -1, dict[str, Bank]()
        self.follow()

    def __enter__(self) -> LookUp:
        return self

    def __exit__(self, *_: object) -> None:
        self.banks.register.close()

    def follow(self) -> int:
        """Take over what was done to the banks; return up to which number of their log."""
        store = self.banks.store
        with self._following:  # two at once could put an older state over a newer one
            seq = store.last_seq()
            if seq != self._seq or any(index.is_stale for index in self._indexes.values()):
                self._known = self._trial(store.banks())
                for name, index in self._indexes.items():
                    index.follow(seq, self.largest(name) if name == "pdq" else MAX_FRAME_BITS)
                self._seq = seq
            return seq

    def own_threshold(self, name: str) -> int:
        """Return the largest distance of a signal type that is a match in banks that do not say otherwise."""
        return TEXT_DISTANCE if name == "text" else self._types[name].max_distance if name in self._types else 0

    def largest(self, name: str) -> int:
        """Return the largest distance of a signal type that is a match in any bank."""
        given = [bank.thresholds.get(name, 0) for bank in self._known.values()]
        return min(max(self.own_threshold(name), *given, 0), LARGEST_DISTANCE.get(name, 0))

    def merge(self) -> None:
        """Write what was added since the last time into the indexes on disk.

        Raises:
            StorageError: the disk is full, or another process is merging.
        """
        self.follow()
        for index in self._indexes.values():
            index.merge()

    def warm(self) -> None:
        """Load what the first look-up of each kind would wait for: on a new machine the kernels are compiled."""
        some = np.random.default_rng(1).integers(0, 256, (_WARM_ENTRIES, 32), dtype=np.uint8)
        HammingIndex.build(some).search(some[:1])
        said = "the lamps of the northern pier were lit again on the first of may"
        minima = fingerprint_text(said)["text_near"]
        words = Words([(1, said.encode())], [(1, b"northern pier")], [(1, minima)])
        for found in (words.repeated([said]), words.spotted([said]), words.near_copies([minima])):
            list(found)
        self.look_up([Query.of_text(said), Query({"pdq": some[0].tobytes()})])

    def signals(self, signal_type: str, values: Sequence[bytes]) -> list[list[Hit]]:
        """Return the hits of each value, the nearest first.

        Raises:
            MissingError: there is no such signal type.
        """
        return self.look_up([Query({signal_type: value}) for value in values])

    def text(self, text: str) -> list[Hit]:
        """Return what a text repeats, whole or in part, and the phrases in it."""
        return self.look_up([Query.of_text(text)])[0]

    def file(self, content: bytes, media_type: str) -> tuple[dict[str, bytes], list[Hit]]:
        """Return the signals of a file and the hits of all of them, of a picture turned and mirrored in all ways too.

        Raises:
            InputError: the file is damaged, or is not what its media type says.
        """
        signals = signals_of(content, media_type)
        worth = {name: s.value for name, s in signals.items() if s.quality is None or s.quality >= MIN_IMAGE_QUALITY}
        hits = self.look_up([Query(worth)])[0]
        if "pdq" in worth:
            hits = _joined(hits, self._turned(content, worth["pdq"]))
        return {name: signal.value for name, signal in signals.items()}, hits

    def _turned(self, content: bytes, value: bytes) -> list[Hit]:
        """Return the hits of a picture turned or mirrored, each with which way."""
        ways: dict[str, bytes] = getattr(self._types["pdq"], "orientations", lambda content: {})(content)
        asked = {way: turned for way, turned in ways.items() if turned != value}
        found = self.answer([Query({"pdq": turned}) for turned in asked.values()])
        return [
            replace(hit, alignment=f"the picture turned or mirrored: {way}")
            for way, hits in zip(asked, found, strict=True)
            for hit in hits
        ]

    def look_up(self, queries: Sequence[Query], now: datetime | None = None) -> list[list[Hit]]:
        """Return the hits of each query, the nearest first within each effect.

        Raises:
            MissingError: a query names a signal type that there is not.
        """
        self.follow()
        return self.answer(queries, now)

    def answer(self, queries: Sequence[Query], now: datetime | None = None) -> list[list[Hit]]:
        """Return what `look_up` does, as the register stood when it was last followed.

        For a service with many queries a second: any number of threads may ask while another follows.

        Raises:
            MissingError: a query names a signal type that there is not.
            InputError: a value is none of its signal type.
        """
        near: list[tuple[str, Near]] = []
        for name in sorted({name for query in queries for name in query.signals}):
            numbers = [number for number, query in enumerate(queries) if name in query.signals]
            values = [queries[number].signals[name] for number in numbers]
            near += [(name, _at(found, numbers)) for found in self._of_signals(name, values)]
        texts = [number for number, query in enumerate(queries) if query.text]
        if texts:
            words, said = self._current_words(), [queries[number].text or "" for number in texts]
            near += [("text", _at(found, texts)) for found in words.repeated(said, self.largest("text"))]
            near += [("phrase", _at(found, texts)) for found in words.spotted(said)]
        return self._hits(near, len(queries), now or datetime.now(UTC))

    # --- inside

    def _of_signals(self, name: str, values: list[bytes]) -> Iterable[Near]:
        kind = self._types.get(name)
        if kind is None:
            raise MissingError(
                f"there is no signal type {name!r}", where="look-up", do="Use one of: " + ", ".join(sorted(self._types))
            )
        for fault in filter(None, (value_fault(name, value) for value in values)):
            raise InputError(fault, where="look-up", do="Hand over values as the signal type makes them.")
        if name == "pdq":
            rows = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), -1)
            found = self._indexes[name].search(rows, self.largest(name))
            return [Near(*row) for row in zip(*(column.tolist() for column in found), strict=True)]
        if name == "vpdq":
            return self._videos(kind, values)
        if name == "text_near":
            return self._current_words().near_copies(values)
        return [Near(query, row, 0) for query, row in self.banks.store.rows_with(name, values)]

    def _videos(self, kind: SignalType, values: list[bytes]) -> Iterable[Near]:
        """Return the videos that have a frame in common, which may be too little, with how far apart they are."""
        for query, value in enumerate(values):
            frames = self._indexes["vpdq"].search(frames_of(value), MAX_FRAME_BITS)
            for row, entry in self.banks.store.entries_at(np.unique(frames.entries).tolist()).items():
                yield Near(query, row, kind.distance(value, entry.value), _seconds(kind, entry.value, value))

    def _hits(self, near: list[tuple[str, Near]], queries: int, now: datetime) -> list[list[Hit]]:
        known = self._known
        entries = self.banks.store.entries_at(sorted({found.row for _, found in near}))
        hits: list[list[Hit]] = [[] for _ in range(queries)]
        for name, found in near:
            entry = entries.get(found.row)
            bank = known.get(entry.bank) if entry else None
            if entry is None or bank is None or not _counts(bank, entry, now):
                continue
            threshold = bank.thresholds.get(name, self.own_threshold(name))
            if found.distance <= threshold:
                part = (found.alignment, found.row, found.span)
                hits[found.query].append(Hit(entry, bank, found.distance, threshold, _effect(bank), *part))
        return [_weighed(some) for some in hits]

    def _current_words(self) -> Words:
        """Return the index of words; what happens to other entries does not build it anew."""
        seq, now = self.banks.store.last_seq(), self._words
        if now is None or now[0] != seq:
            stamp = self.banks.store.stamp(WORD_TYPES)
            now = seq, stamp, now[2] if now is not None and now[1] == stamp else Words.of(self.banks.store)
            self._words = now
        return now[2]


def _joined(hits: list[Hit], turned: list[Hit]) -> list[Hit]:
    """Return hits with those of turned pictures that are not nearer as they are."""
    as_they_are = {(hit.row, hit.entry.signal_type) for hit in hits}
    return hits + [hit for hit in turned if (hit.row, hit.entry.signal_type) not in as_they_are]


def _at(found: Near, numbers: list[int]) -> Near:
    return found._replace(query=numbers[found.query])


def _seconds(kind: SignalType, entry: bytes, value: bytes) -> str | None:
    aligned = kind.aligned(entry, value) if hasattr(kind, "aligned") else []
    if not aligned:
        return None
    (there, here), (there_last, here_last) = aligned[0], aligned[-1]
    return f"seconds {here} to {here_last} show seconds {there} to {there_last} of the entry"


def _counts(bank: Bank, entry: BankEntry, now: datetime) -> bool:
    begun = entry.valid_from is None or entry.valid_from <= now
    ended = entry.valid_until is not None and entry.valid_until <= now
    return bank.enabled and entry.status == "active" and begun and not ended


def _effect(bank: Bank) -> Effect:
    return "shadow" if bank.shadow else "negative" if bank.purpose == "negative" else "known"


def _weighed(hits: list[Hit]) -> list[Hit]:
    """Return hits in order, those of known material held back where a negative entry is as near to the same part."""
    order: dict[Effect, int] = {"known": 0, "negative": 1, "held_back": 2, "shadow": 3}
    negative = [hit for hit in hits if hit.effect == "negative"]
    weighed = [
        replace(hit, effect="held_back")
        if hit.effect == "known" and any(_outweighs(no, hit) for no in negative)
        else hit
        for hit in hits
    ]
    return sorted(weighed, key=lambda hit: (order[hit.effect], hit.distance, hit.bank.name, hit.entry.entry_id))


def _outweighs(negative: Hit, known: Hit) -> bool:
    if negative.entry.signal_type != known.entry.signal_type or negative.distance > known.distance:
        return False
    if negative.span is None or known.span is None:
        return True
    both = min(negative.span[1], known.span[1]) - max(negative.span[0], known.span[0])
    return both >= _SAME_PART * (known.span[1] - known.span[0])
