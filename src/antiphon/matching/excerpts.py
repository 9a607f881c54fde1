"""Which texts of a bank another text repeats: the whole with edits, or an excerpt, in either direction.

What is a match, in the order in which the search reckons it (the tests hold the same in plain Python):

1. Every text has chosen grams (`_winnow`). A gram is rare where fewer than `COMMON` postings of the index hold it; its
   weight falls from 1 (one posting) to 0 (`COMMON`) with the logarithm of that number. A candidate is an entry whose
   shared rare grams weigh `LEAST_WEIGHT` together, or one of similar length that holds half of all grams looked up:
   the rare ones, and the `ALWAYS` rarest whatever they are.
2. A candidate is aligned: every longest shared run of characters is found, and the best chain of them in the order of
   both texts with little between (`_align`).
3. A run counts its letters (a syllable or word sign is two) beyond `RUN_COST`, weighted by the mean weight of its grams
   (a run without one: by that of the chain). Together they are the chain's own letters: what the two texts share beyond
   chance and few others hold; in an index of fewer entries than `KNOWING` they count less, down to a half, for it knows
   less of what is common. `OWN_HALF` of them score 0.5.
4. Two texts that are near the same as a whole match whatever others hold: where `WHOLE_HALF` of the longer one is in
   the chain the score is 0.5, and 1 where all of it is. The score is the greater of the two.

Work is bounded: a query looks at so many postings and steps of alignment and no more, and says so in `bounded`.

What was tried, on woven texts (`bench/text_peers.py`; 200,000 entries; recall of 8 and 12 words inside another text at
1 % false matches): all letters of the runs 0.47 and 0.84; letters beyond 10 of each run 0.74 and 0.96, beyond 16 0.80
and 0.98, beyond 20 0.82 and 0.99. With 18: `COMMON` 16 instead of 64 0.77 and 0.97; grams of 12 0.71 and 0.96; grams of
14 in windows of 6 and `COMMON` 32 0.78 and 0.97. With 20, weights that fall with the square of the logarithm: 0.81 and
0.99. On the demo's posts, made of a closed set of sentences, three of four unrelated ones share 12 words with an entry;
there neither the rarest gram nor how far an entry stands out above the next ones told an excerpt from these.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import InputError, MissingError
from antiphon.matching._align import (
    LONG_PAIR,
    MAX_RUNS,
    MIN_RUN,
    Links,
    Table,
    chain,
    new_table,
    shared_runs,
    table_of,
)
from antiphon.matching._winnow import (
    GRAM,
    Chosen,
    Postings,
    choose,
    find,
    first_of_entry,
    kernel,
    new_chosen,
    postings_of,
    weigh,
)

__all__ = ["ALWAYS", "COMMON", "LEAST_SCORE", "LEAST_WEIGHT", "OWN_HALF", "WHOLE_HALF", "ExcerptIndex", "Excerpts"]

COMMON = 64
"""A gram with so many postings is a common phrase and weighs nothing."""

ALWAYS = 3
"""So many of a query's rarest grams are looked up even if common, so that a copy of a text of many copies is found."""

LEAST_WEIGHT = 1.5

KNOWING = 200_000
"""Entries. In a smaller index a common phrase may stand once and look rare, so own letters count less there."""

RUN_COST = 20
"""Letters. Unrelated texts of a language share runs of this length by chance; only what goes beyond counts."""

OWN_HALF = 12.0
WHOLE_HALF = 0.8
LEAST_SCORE = 0.5
"""Where matches begin; `OWN_HALF` and `WHOLE_HALF` were set so that it is the operating point of the benchmark."""

MAX_POSTINGS = 4096
"""Postings looked at in a query; a longer query may look at `POSTINGS_A_GRAM` for each of its grams."""

POSTINGS_A_GRAM = 16
MAX_STEPS = 1 << 21
"""Steps of alignment in a query, about 5 ms."""

WINDOW_PAD = 256
LONG_ENTRY = 4096
_LOG_COMMON = math.log2(COMMON)
_LOG_KNOWING = math.log2(KNOWING)


class Texts(NamedTuple):
    """Skeletons one behind the other: text `i` is `codes[starts[i]:starts[i + 1]]`."""

    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]


class Excerpts(NamedTuple):
    """What repeats what, sorted by query, then by entry; places and lengths in characters of the skeletons.

    `score` is 0 to 1, and 0.5 is where matches begin. `bounded` holds the queries whose work was cut short: of these
    there may be more matches.
    """

    queries: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    score: npt.NDArray[np.float32]
    query_start: npt.NDArray[np.int64]
    query_end: npt.NDArray[np.int64]
    entry_start: npt.NDArray[np.int64]
    entry_end: npt.NDArray[np.int64]
    aligned: npt.NDArray[np.int64]
    share_of_query: npt.NDArray[np.float32]
    share_of_entry: npt.NDArray[np.float32]
    bounded: npt.NDArray[np.int64]


class _Looked(NamedTuple):
    """Entries looked at for a query: a table of slots by entry, how many grams each shares and what these weigh."""

    entries: npt.NDArray[np.int64]
    grams: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]


class _Room(NamedTuple):
    """What a search writes into, made once."""

    chosen: Chosen
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    looked: _Looked
    table: Table
    runs: npt.NDArray[np.int64]
    links: Links


class _Index(NamedTuple):
    texts: Texts
    postings: Postings


class _Query(NamedTuple):
    """Its number, its skeleton, and how many chosen grams it has."""

    number: int
    text: npt.NDArray[np.uint32]
    grams: int


class _Found(NamedTuple):
    """Rows of query, entry, four places and the characters aligned; a score each."""

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class ExcerptIndex:
    """Texts that others are searched for in: their skeletons and the postings of their chosen grams.

    Example:
        >>> def laid_out(*texts):
        ...     codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
        ...     return codes, np.cumsum([0, *map(len, texts)])
        >>> index = ExcerptIndex.build(*laid_out("the lamps of the northern pier were lit again on the first of may"))
        >>> found = index.search(*laid_out("they say the lamps of the northern pier were lit again and that is all"))
        >>> found.entries.tolist(), found.query_start.tolist(), found.aligned.tolist()
        ([0], [9], [46])
    """

    def __init__(self, texts: Texts, postings: Postings) -> None:
        self.texts = texts
        self.postings = postings

    def __len__(self) -> int:
        return self.texts.starts.size - 1

    @classmethod
    def build(cls, codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64]) -> ExcerptIndex:
        """Return the index of skeletons laid out one behind the other.

        Raises:
            InputError: `starts` does not lay out `codes`, or they are too many for 32 bits.
        """
        texts = _checked(codes, starts, "entries")
        narrow = np.uint16 if codes.size == 0 or int(codes.max()) < 1 << 16 else np.uint32
        return cls(Texts(texts.codes.astype(narrow), texts.starts), postings_of(*texts))

    def search(
        self, codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], least_score: float = LEAST_SCORE
    ) -> Excerpts:
        """Return every match of skeletons with entries that scores `least_score` or more.

        Raises:
            InputError: `starts` does not lay out `codes`.
        """
        texts = _checked(codes, starts, "queries")
        rows, scores, bounded = _search(texts, _Index(self.texts, self.postings), least_score)
        lengths = texts.starts[rows[0] + 1] - texts.starts[rows[0]]
        entry_lengths = self.texts.starts[rows[1] + 1] - self.texts.starts[rows[1]]
        return Excerpts(
            queries=rows[0],
            entries=rows[1],
            score=scores,
            query_start=rows[2],
            query_end=rows[3],
            entry_start=rows[4],
            entry_end=rows[5],
            aligned=rows[6],
            share_of_query=(rows[6] / lengths).astype(np.float32),
            share_of_entry=(rows[6] / entry_lengths).astype(np.float32),
            bounded=np.flatnonzero(bounded),
        )

    def save(self, folder: Path) -> None:
        """Write the index as .npy files into a folder, which is made where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays().items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def open(cls, folder: Path) -> ExcerptIndex:
        """Return a saved index, its files mapped: processes that open the same one share its memory.

        Raises:
            MissingError: A file of it is not there.
        """
        try:
            # Copy on write: the kernels are compiled for arrays that may be written, and nothing is.
            names = [*Texts._fields, *Postings._fields]
            arrays = [np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c")) for name in names]
        except FileNotFoundError as cause:
            raise MissingError(
                "a file of the excerpt index is missing",
                where=str(cause.filename),
                do="Build and save the index again.",
            ) from None
        return cls(Texts(*arrays[:2]), Postings(*arrays[2:]))

    def _arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        return {**self.texts._asdict(), **self.postings._asdict()}


def _checked(codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], what: str) -> Texts:
    """The texts as the kernels take them."""
    starts = np.ascontiguousarray(starts, dtype=np.int64)
    laid_out = starts.ndim == 1 and starts.size > 0 and starts[0] == 0 and starts[-1] == codes.size
    if not laid_out or bool((np.diff(starts) < 0).any()):
        raise InputError(
            f"the starts do not lay out {codes.size} characters, expected ascending numbers from 0 to there",
            where=f"excerpts, {what}",
            do="Hand over codes and starts as they were read together.",
        )
    if starts.size >= 1 << 32:
        raise InputError(
            f"got {starts.size - 1} texts, expected fewer than 2**32 - 1", where=f"excerpts, {what}", do="Split them."
        )
    return Texts(np.array(codes, dtype=np.uint32), starts)


@kernel
def _weight(postings: int) -> float:
    """1 for a gram that one posting holds, 0 from `COMMON` on."""
    return 1.0 - min(1.0, math.log2(max(1, postings)) / _LOG_COMMON)


@kernel
def _postings_allowed(grams: int) -> int:
    return max(MAX_POSTINGS, POSTINGS_A_GRAM * grams)


@kernel
def _new_room(longest: int) -> _Room:
    slots = 64
    while slots < 2 * _postings_allowed(longest):
        slots *= 2
    looked = _Looked(
        np.full(slots, -1, np.int64), np.zeros(slots, np.int64), np.zeros(slots, np.float64), np.empty(slots, np.int64)
    )
    links = Links(np.empty(MAX_RUNS, np.int64), np.empty(MAX_RUNS, np.int64), np.empty(MAX_RUNS, np.int64))
    first, last = np.empty(longest, np.int64), np.empty(longest, np.int64)
    runs = np.empty((3, MAX_RUNS), np.int64)
    return _Room(new_chosen(longest), first, last, looked, new_table(longest), runs, links)


@kernel
def _look_up(count: int, postings: Postings, room: _Room) -> tuple[int, int, bool]:
    """Gather the entries that hold the query's grams, rarest first: how many, of how many grams, whether cut short."""
    for gram in range(count):
        room.first[gram], room.last[gram] = find(room.chosen.hashes[gram], postings)
    held = room.last[:count] - room.first[:count]
    entries, looked, left = 0, 0, _postings_allowed(count)
    for gram in np.argsort(held * (count + 1) + np.arange(count)):
        if held[gram] == 0:
            continue
        if held[gram] >= COMMON and looked >= ALWAYS:
            break
        some = min(left, held[gram])
        first = room.first[gram]
        entries = _note(postings.entries[first : first + some], _weight(held[gram]), room.looked, entries)
        looked, left = looked + 1, left - some
        if some < held[gram]:
            return entries, looked, True
    return entries, looked, False


@kernel
def _note(holders: npt.NDArray[np.uint32], weight: float, looked: _Looked, entries: int) -> int:
    """Count a gram for each of its holders; return how many entries are noted now."""
    mask = looked.entries.size - 1
    for holder in holders:
        entry = np.int64(holder)
        slot = ((entry * 0x9E3779B1) >> 7) & mask
        while looked.entries[slot] >= 0 and looked.entries[slot] != entry:
            slot = (slot + 1) & mask
        if looked.entries[slot] < 0:
            looked.entries[slot] = entry
            looked.touched[entries] = slot
            entries += 1
        looked.grams[slot] += 1
        looked.weights[slot] += weight
    return entries


@kernel
def _candidates(noted: int, looked_up: int, length: int, entries: Texts, looked: _Looked) -> npt.NDArray[np.int64]:
    """The noted entries that are worth aligning, ascending; the notes are wiped."""
    kept = np.empty(noted, np.int64)
    count = 0
    for at in range(noted):
        slot = looked.touched[at]
        entry = looked.entries[slot]
        size = entries.starts[entry + 1] - entries.starts[entry]
        alike = 2 * looked.grams[slot] >= looked_up and 2 * min(size, length) >= max(size, length)
        if alike or looked.weights[slot] >= LEAST_WEIGHT:
            kept[count] = entry
            count += 1
        looked.entries[slot], looked.grams[slot], looked.weights[slot] = -1, 0, 0.0
    return np.sort(kept[:count])


@kernel
def _part_to_align(entry: int, size: int, length: int, grams: int, postings: Postings, room: _Room) -> tuple[int, int]:
    """Where in an entry the query can lie: all of it, or of a long one what is about the grams they share."""
    if size <= LONG_ENTRY:
        return 0, size
    begin, end = size, 0
    for gram in range(grams):
        at = first_of_entry(entry, postings, room.first[gram], room.last[gram])
        while at < room.last[gram] and postings.entries[at] == entry:
            origin = np.int64(postings.offsets[at]) - room.chosen.offsets[gram]
            begin, end = min(begin, origin - WINDOW_PAD), max(end, origin + length + WINDOW_PAD)
            at += 1
    return max(0, begin), min(size, end)


@kernel
def _run_weight(start: int, end: int, entry: int, grams: int, postings: Postings, room: _Room) -> float:
    """The mean weight of the grams in a run of the query, -1 where it has none."""
    total, count = 0.0, 0
    gram = np.searchsorted(room.chosen.offsets[:grams], start)
    while gram < grams and room.chosen.ends[gram] <= end:
        first, last = room.first[gram], room.last[gram]
        if last - first >= COMMON:
            count += 1
        elif last > first:
            at = first_of_entry(entry, postings, first, last)
            if at < last and postings.entries[at] == entry:  # else it is chosen here for what lies beside the run
                total += _weight(last - first)
                count += 1
        gram += 1
    return total / count if count else -1.0


@kernel
def _own_letters(tail: int, entry: int, query: _Query, postings: Postings, room: _Room) -> tuple[float, int, int]:
    """How many letters of a chain are its own, how many characters it has, and its first run."""
    counted, weighed, own, aligned, run, head = 0, 0, 0.0, 0, tail, tail
    while run >= 0:
        kept = room.links.kept[run]
        end = room.runs[0, run] + room.runs[2, run]
        weight = _run_weight(end - kept, end, entry, query.grams, postings, room)
        worth = max(0, weigh(query.text[end - kept : end]) - RUN_COST)
        counted += worth
        if weight >= 0.0:
            weighed, own = weighed + worth, own + weight * worth
        aligned, head, run = aligned + kept, run, room.links.before[run]
    return (own * counted / weighed if weighed else 0.0), aligned, head


@kernel
def _known(entries: int) -> float:
    """How far an index of so many entries can tell what is common: 1 from `KNOWING` on, never less than a half."""
    return min(1.0, max(0.5, math.log2(max(1, entries)) / _LOG_KNOWING))


@kernel
def _score(own: float, share: float) -> float:
    whole = 0.5 * share / WHOLE_HALF if share < WHOLE_HALF else 1.0 - 0.5 * (1.0 - share) / (1.0 - WHOLE_HALF)
    return max(own / (own + OWN_HALF), whole)


@kernel
def _larger(found: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> _Found:
    more = np.empty((found.shape[0], 2 * found.shape[1]), np.int64)
    more[:, : found.shape[1]] = found
    more_scores = np.empty(2 * scores.size, np.float32)
    more_scores[: scores.size] = scores
    return _Found(more, more_scores)


@kernel
def _align_all(
    query: _Query,
    candidates: npt.NDArray[np.int64],
    index: _Index,
    room: _Room,
    least: float,
    found: _Found,
    count: int,
) -> tuple[_Found, int, bool]:
    """Align a query with its candidates and keep what scores enough; the flag says whether the work was cut short."""
    steps, cut, known = MAX_STEPS, False, _known(index.texts.starts.size - 1)
    text, entries, postings, grams = query.text, index.texts, index.postings, query.grams
    if candidates.size:
        table_of(text, room.table)
    for entry in candidates:
        if steps <= 0:
            return found, count, True
        start = entries.starts[entry]
        size = entries.starts[entry + 1] - start
        begin, end = _part_to_align(entry, size, text.size, grams, postings, room)
        shortest = MIN_RUN if text.size * (end - begin) <= LONG_PAIR else GRAM
        part = entries.codes[start + begin : start + end]
        runs, steps, cut_here = shared_runs(text, part, room.table, shortest, room.runs, steps)
        cut = cut or cut_here
        tail = chain(room.runs, runs, room.links)
        if tail < 0:
            continue
        own, aligned, head = _own_letters(tail, entry, query, postings, room)
        score = _score(known * own, aligned / max(size, text.size))
        if score < least:
            continue
        if count == found.scores.size:
            found = _larger(found.rows, found.scores)
        row = found.rows[:, count]
        row[0], row[1], row[6] = query.number, entry, aligned
        row[2], row[3] = room.runs[0, head], room.runs[0, tail] + room.runs[2, tail]
        row[4], row[5] = begin + room.runs[1, head], begin + room.runs[1, tail] + room.runs[2, tail]
        found.scores[count] = score
        count += 1
    return found, count, cut


@kernel
def _search(
    queries: Texts, index: _Index, least: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    longest = 1
    for query in range(queries.starts.size - 1):
        longest = max(longest, queries.starts[query + 1] - queries.starts[query])
    room = _new_room(longest)
    bounded = np.zeros(queries.starts.size - 1, np.bool_)
    found, count = _Found(np.empty((7, 256), np.int64), np.empty(256, np.float32)), 0
    for query in range(queries.starts.size - 1):
        text = queries.codes[queries.starts[query] : queries.starts[query + 1]]
        grams = choose(text, room.chosen)
        noted, looked_up, cut = _look_up(grams, index.postings, room)
        candidates = _candidates(noted, looked_up, text.size, index.texts, room.looked)
        asked = _Query(query, text, grams)
        found, count, cut_too = _align_all(asked, candidates, index, room, least, found, count)
        bounded[query] = cut or cut_too
    return found.rows[:, :count], found.scores[:count], bounded
