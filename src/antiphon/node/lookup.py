"""Looking things up in this node's banks: by signal, by text, by file; what a match means, and why it is one.

Three calls are enough for a program of one's own:

    with open_look_up(load_settings().home) as look_up:
        hits = look_up.text("words to compare")     # or .file(content, "image/jpeg"), .signals("pdq", [value])
        look_up.banks.add(entry, by="k.vell")       # an entry is found from the next look-up on
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon import plugins
from antiphon.errors import MissingError, StorageError
from antiphon.fingerprints._texts import read_texts
from antiphon.fingerprints.folding import fold_texts, original_span
from antiphon.fingerprints.interface import Signal, SignalType
from antiphon.fingerprints.stage import fingerprint_text
from antiphon.matching._search import buckets_of, near_texts
from antiphon.matching.excerpts import ExcerptIndex
from antiphon.matching.phrases import PhraseIndex
from antiphon.matching.segments import Segments
from antiphon.matching.stage import MAX_TEXT_DISTANCE
from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import Banks, open_banks
from antiphon.storage.banks import Change

__all__ = ["MIN_QUALITY", "Effect", "Hit", "LookUp", "Query", "open_look_up"]

Effect = Literal["known", "negative", "held_back", "shadow"]
"""`known`: to be looked at. `negative`: near material once decided to be no case. `held_back`: known material, but near
a negative entry too. `shadow`: in a list on trial, which leads to nothing."""

MIN_QUALITY = 0.5
"""Pictures of less are flat or empty, and near to one another for that reason alone."""

_SIGNALS_GROUP = "antiphon.signals"
_INDEX_FOLDER = "index"
_FRAME_BYTES = 33
_HAMMING = {"pdq": 32, "vpdq": _FRAME_BYTES}
_FRAME_LIMIT = 31
_BULK = 20_000
_SAME_PART = 0.8
_WORD_TYPES = ("text", "phrase", "text_near")
_TEXT_DISTANCE = 50
"""A text's distance is 100 less its score in percent: 50 is where matches begin."""

Values = npt.NDArray[np.uint8]


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


@dataclass(frozen=True)
class _Near:
    """A row of the register that query `query` is near."""

    query: int
    row: int
    distance: int
    alignment: str | None = None
    span: tuple[int, int] | None = None


def open_look_up(home: Path) -> LookUp:
    """Return the look-up of a node, up to date with its register; use it with `with`.

    Raises:
        StorageError: the register or an index can't be opened.
    """
    return LookUp(open_banks(home), home / _INDEX_FOLDER)


class LookUp:
    """Answers what this node's banks know.

    The register is followed before each answer, so that what was added is found and what was withdrawn is not. Indexes
    under `folder` are copies that may be removed: they are built again.

    Args:
        banks: The banks; closed with the look-up.
        folder: Where the indexes are.
    """

    def __init__(self, banks: Banks, folder: Path) -> None:
        self.banks, self._folder = banks, folder
        self._types: Mapping[str, SignalType] = plugins.load(_SIGNALS_GROUP, SignalType)
        self._segments = {name: _segments(folder / name) for name in _HAMMING if name in self._types}
        self._words: tuple[int, object, _Words] | None = None
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
            if seq != self._seq:
                self._known = {name: bank for name, (bank, _) in self.banks.banks().items()}
                for name, segments in self._segments.items():
                    if not len(segments) and not segments.seq:
                        self._build(name, segments)
                    while changes := store.changes_since(segments.seq):
                        self._apply(name, segments, changes)
                self._seq = seq
            return seq

    def merge(self) -> None:
        """Write what was added since the last time into the indexes on disk."""
        self.follow()
        for segments in self._segments.values():
            segments.merge()

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
        signals = self._fingerprinted(content, media_type)
        worth = {name: s.value for name, s in signals.items() if s.quality is None or s.quality >= MIN_QUALITY}
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

    def fingerprints(self, content: bytes, media_type: str) -> dict[str, bytes]:
        """Return the signals of a file by type."""
        return {name: signal.value for name, signal in self._fingerprinted(content, media_type).items()}

    def _fingerprinted(self, content: bytes, media_type: str) -> dict[str, Signal]:
        found = {
            name: kind.fingerprint(content)
            for name, kind in self._types.items()
            if not kind.content.startswith("text") and media_type.startswith(kind.content)
        }
        return {name: signal for name, signal in found.items() if signal is not None}

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
        """
        near: list[tuple[str, _Near]] = []
        for name in sorted({name for query in queries for name in query.signals}):
            numbers = [number for number, query in enumerate(queries) if name in query.signals]
            values = [queries[number].signals[name] for number in numbers]
            near += [(name, _at(found, numbers)) for found in self._of_signals(name, values)]
        texts = [number for number, query in enumerate(queries) if query.text]
        if texts:
            words = self._current_words()
            said = [queries[number].text or "" for number in texts]
            near += [(name, _at(found, texts)) for name, found in words.search(said)]
        return self._hits(near, len(queries), now or datetime.now(UTC))

    # --- inside

    def _of_signals(self, name: str, values: list[bytes]) -> Iterable[_Near]:
        kind = self._types.get(name)
        if kind is None:
            raise MissingError(
                f"there is no signal type {name!r}", where="look-up", do="Use one of: " + ", ".join(sorted(self._types))
            )
        if name == "pdq":
            found = self._segments[name].search(_rows_of(values, 32))
            return [_Near(*row) for row in zip(*(column.tolist() for column in found), strict=True)]
        if name == "vpdq":
            return self._videos(kind, values)
        if name == "text_near":
            return self._current_words().near(values)
        return [_Near(query, row, 0) for query, row in self.banks.store.rows_with(name, values)]

    def _videos(self, kind: SignalType, values: list[bytes]) -> Iterable[_Near]:
        """Return the videos that share enough frames; frames in common only say which to compare."""
        for query, value in enumerate(values):
            frames = self._segments["vpdq"].search(_frames(value))
            for row, entry in self.banks.store.entries_at(np.unique(frames.entries).tolist()).items():
                distance = kind.distance(value, entry.value)
                if distance <= kind.max_distance:
                    yield _Near(query, row, distance, _seconds(kind, entry.value, value))

    def _hits(self, near: list[tuple[str, _Near]], queries: int, now: datetime) -> list[list[Hit]]:
        known = self._known
        entries = self.banks.store.entries_at(sorted({found.row for _, found in near}))
        hits: list[list[Hit]] = [[] for _ in range(queries)]
        for name, found in near:
            entry = entries.get(found.row)
            bank = known.get(entry.bank) if entry else None
            if entry is None or bank is None or not _counts(bank, entry, now):
                continue
            threshold = bank.thresholds.get(name, self._own_threshold(name))
            if found.distance <= threshold:
                part = (found.alignment, found.row, found.span)
                hits[found.query].append(Hit(entry, bank, found.distance, threshold, _effect(bank), *part))
        return [_weighed(some) for some in hits]

    def _own_threshold(self, name: str) -> int:
        return _TEXT_DISTANCE if name == "text" else self._types[name].max_distance if name in self._types else 0

    def _build(self, name: str, segments: Segments) -> None:
        """Write all entries of a signal type as a first segment."""
        seq, rows, values = self.banks.store.last_seq(), [], []
        for batch in self.banks.store.entries_of(name, disabled_too=True):
            for row, value in zip(batch.column("rowid").to_pylist(), batch.column("value").to_pylist(), strict=True):
                frames = _values_of(name, value)
                rows.append(np.full(len(frames), row, dtype=np.int64))
                values.append(frames)
        if len(rows) >= _BULK:
            segments.append(seq, np.concatenate(rows), np.concatenate(values))
        else:
            segments.update(seq, {int(row[0]): some for row, some in zip(rows, values, strict=True) if len(some)})

    def _apply(self, name: str, segments: Segments, changes: list[Change]) -> None:
        rows = sorted({row for change in changes for row in _rows_in(change)})
        put: dict[int, Values] = {}
        for row, entry in self.banks.store.entries_at(rows).items():
            if entry.signal_type == name and entry.status == "active":
                put[row] = _values_of(name, entry.value)
        segments.update(changes[-1].seq, put, set(rows) - set(put))
        if segments.fresh > _BULK:
            segments.merge()

    def _current_words(self) -> _Words:
        """Return the index of words; what happens to other entries does not build it anew."""
        seq, now = self.banks.store.last_seq(), self._words
        if now is None or now[0] != seq:
            stamp = self.banks.store.stamp(_WORD_TYPES)
            now = seq, stamp, now[2] if now is not None and now[1] == stamp else _Words(self.banks)
            self._words = now
        return now[2]


class _Words:
    """The texts and phrases of all banks, as they stood at one moment."""

    def __init__(self, banks: Banks) -> None:
        self._text_rows, texts = _texts_of(banks, "text")
        phrase_rows, phrases = _texts_of(banks, "phrase")
        self._near_rows, near = _entries(banks, "text_near")
        self._near = _signals_of(near)
        self._buckets = buckets_of(self._near)
        read = read_texts(texts)
        self._excerpts = ExcerptIndex.build(read.skeleton, read.starts) if texts else None
        folded = fold_texts(phrases)
        self._phrases = PhraseIndex.build(folded.units, folded.starts) if phrases else None
        self._rows_of_phrase: dict[int, list[int]] = {}
        for row, first in zip(phrase_rows, self._phrases.same_as.tolist() if self._phrases else (), strict=True):
            self._rows_of_phrase.setdefault(first, []).append(row)

    def near(self, values: list[bytes]) -> Iterable[_Near]:
        """Return the near copies by their minima."""
        found = near_texts(_signals_of(values), self._near, self._buckets, MAX_TEXT_DISTANCE)
        for query, entry, distance in zip(*(column.tolist() for column in found), strict=True):
            yield _Near(query, self._near_rows[entry], distance)

    def search(self, texts: list[str]) -> Iterable[tuple[str, _Near]]:
        """Yield (signal type, what is near)."""
        if self._excerpts is not None:
            read = read_texts(texts)
            found = self._excerpts.search(read.skeleton, read.starts)
            for at, (query, entry) in enumerate(zip(found.queries.tolist(), found.entries.tolist(), strict=True)):
                start = read.starts[query]
                codes = read.skeleton[start + found.query_start[at] : start + found.query_end[at]]
                words = codes.astype("<u4").tobytes().decode("utf-32-le")
                alignment = f"{int(found.aligned[at])} characters agree: {words[:200]}"
                span = int(found.query_start[at]), int(found.query_end[at])
                distance = 100 - round(100 * float(found.score[at]))
                yield "text", _Near(query, self._text_rows[entry], distance, alignment, span)
        if self._phrases is not None:
            folded = fold_texts(texts)
            spotted = self._phrases.search(folded.units, folded.starts)
            for query, phrase, start, end in zip(*(column.tolist() for column in spotted), strict=True):
                span = original_span(folded, start, end)
                alignment = f"characters {span[0]} to {span[1]}: {texts[query][slice(*span)][:200]}"
                for row in self._rows_of_phrase[phrase]:
                    yield "phrase", _Near(query, row, 0, alignment, span)


def _entries(banks: Banks, signal_type: str) -> tuple[list[int], list[bytes]]:
    rows: list[int] = []
    values: list[bytes] = []
    for batch in banks.store.entries_of(signal_type, disabled_too=True):
        rows += batch.column("rowid").to_pylist()
        values += batch.column("value").to_pylist()
    return rows, values


def _texts_of(banks: Banks, signal_type: str) -> tuple[list[int], list[str]]:
    rows, values = _entries(banks, signal_type)
    return rows, [value.decode("utf-8", "replace") for value in values]


def _signals_of(values: list[bytes]) -> npt.NDArray[np.uint32]:
    return np.frombuffer(b"".join(values), dtype="<u4").reshape(-1, 32)


def _segments(folder: Path) -> Segments:
    """Return an index, made anew where the one on disk can't be read: the register has all that was in it."""
    try:
        return Segments(folder)
    except StorageError:
        shutil.rmtree(folder)
        return Segments(folder)


def _joined(hits: list[Hit], turned: list[Hit]) -> list[Hit]:
    """Return hits with those of turned pictures that are not nearer as they are."""
    as_they_are = {(hit.row, hit.entry.signal_type) for hit in hits}
    return hits + [hit for hit in turned if (hit.row, hit.entry.signal_type) not in as_they_are]


def _at(found: _Near, numbers: list[int]) -> _Near:
    return replace(found, query=numbers[found.query])


def _rows_in(change: Change) -> range:
    if change.first_row is None:
        return range(0)
    return range(change.first_row, (change.last_row or change.first_row) + 1)


def _rows_of(values: list[bytes], width: int) -> Values:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, width)


def _frames(value: bytes) -> Values:
    """Return the frames of a video that are good enough to compare: (k, 32)."""
    rows = _rows_of([value], _FRAME_BYTES)
    return np.ascontiguousarray(rows[rows[:, 32] >= 50, :32])


def _values_of(name: str, value: bytes) -> Values:
    return _frames(value) if name == "vpdq" else _rows_of([value], 32)


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
