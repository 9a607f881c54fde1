"""Phrases of a list (names, slogans, hashtags) found in texts, disguised or not; exact, all of them.

Phrases and texts come folded, as `antiphon.fingerprints.folding` gives them and describes their layout. A phrase is
found where

- its letters stand one behind the other, whatever lies between the words;
- it begins and ends at an edge of a word, unless it may stand inside words; `#`, `@`, hyphens, apostrophes and the
  signs of scripts without spaces are edges;
- words are not run together that the phrase has apart the other way round: `the rapist` is no `therapist`, but
  `#bluelantern`, `blue-lan-tern` and `b l u e lantern` are `blue lantern`;
- doubled letters agree (`to` is not `too`), where the text does not stretch them to three or more;
- i and l agree, where neither is a 1;
- not every single letter is of another script: a Russian word made of Latin look-alikes only is not an English one;
- it follows `#` or `@` if the phrase was written with it.

Phrases that overlap or lie in one another are all found; `Spotted.longest` keeps one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import InputError
from antiphon.matching._automaton import CODE, EDGE, RUNS, SEEN, Side, Units, insert, scan, sums_of

__all__ = ["MAX_SAME_LETTERS", "MAX_UNITS", "MIN_UNITS", "PhraseIndex", "Spotted"]

MIN_UNITS = 2
"""Letters of the shortest phrase: one letter is in every text."""

MAX_UNITS = 256
"""Letters of the longest phrase: what is longer is a text, and compared as one. It bounds a walk."""

MAX_SAME_LETTERS = 256
"""Phrases that may differ in nothing but edges, doubled letters and the like: it bounds what one place can match."""

BITS_A_PHRASE = 64
"""Bits of the filter: a phrase sets about five, so one question in twenty is answered wrongly."""

_JOINED_EDGES = 3  # edges between two equal letters that are tried one by one
_SHOWN = 5

Offsets = npt.NDArray[np.int64]


class Spotted(NamedTuple):
    """Matches by text, start, end and phrase; starts and ends are places in the texts' units, the end not included."""

    queries: Offsets
    phrases: Offsets
    starts: Offsets
    ends: Offsets

    def longest(self) -> Spotted:
        """Return the matches left when each text is read from its start and the longest at each place is taken."""
        order = np.lexsort((self.phrases, -self.ends, self.starts))
        kept, free = [], 0
        for row in order.tolist():  # units of all texts lie one behind the other, so starts rise with the texts
            if self.starts[row] >= free:
                kept.append(row)
                free = self.ends[row]
        return Spotted(*(column[kept] for column in self))


@dataclass(frozen=True)
class PhraseIndex:
    """Phrases ready to be found in any number of texts.

    Attributes:
        same_as: For each phrase the first one that is folded alike: matches are reported under that one's number.
    """

    same_as: Offsets
    _sides: tuple[tuple[bool, Side, Offsets], ...]

    @classmethod
    def build(cls, units: Units, starts: Offsets, *, inside: npt.NDArray[np.bool_] | None = None) -> PhraseIndex:
        """Return an index of phrases.

        Args:
            units: Units of all phrases, one behind the other; the last unit of each closes it.
            starts: Where each phrase begins, and where the last ends, shape (m + 1,).
            inside: Whether each phrase is also found inside words; without it none is.

        Raises:
            InputError: A phrase has no 2 letters or more than 256, more than 256 phrases have the same letters, or the
                arrays do not fit one another.
        """
        inside = np.zeros(len(starts) - 1, np.bool_) if inside is None else inside
        _require_shape(units, starts, inside)
        _require_lengths(np.diff(starts) - 1)
        same_as = _same_as(units, starts, inside)
        first = same_as == np.arange(len(same_as))
        sides = [(anywhere, np.flatnonzero(first & (inside == anywhere))) for anywhere in (False, True)]
        return cls(same_as, tuple((anywhere, *_side(units, starts, of)) for anywhere, of in sides if of.size))

    def search(self, units: Units, starts: Offsets) -> Spotted:
        """Return every match of every phrase in folded texts; a text may hold any number.

        Reads 300 MB of the original posts a second on one core with 50,000 phrases where few match, 50 MB where seven
        match in each post; measured (`bench/phrase_peers.py`).
        """
        found = [_search(units, starts, *side) for side in self._sides] or [np.zeros((4, 0), np.int64)]
        if len(found) == 1:  # a search finds them in order
            return Spotted(*found[0])
        queries, phrases, begins, ends = np.concatenate(found, axis=1)
        order = np.lexsort((phrases, ends, begins))
        return Spotted(queries[order], phrases[order], begins[order], ends[order])


def _search(units: Units, starts: Offsets, anywhere: bool, side: Side, owners: Offsets) -> Offsets:
    text = count = 0
    found = np.empty((4, 4096), np.int64)
    while True:
        text, count, needed = scan(units, starts, text, anywhere, side, found, count)
        if text >= len(starts) - 1:
            break
        larger = np.empty((4, max(needed, 2 * found.shape[1])), np.int64)
        larger[:, :count] = found[:, :count]
        found = larger
    found = found[:, :count]
    found[1] = owners[found[1]]
    return found


def _side(units: Units, starts: Offsets, numbers: Offsets) -> tuple[Side, Offsets]:
    """Return the arrays of the phrases of one kind, and which phrase each of their spellings is."""
    spellings = [
        (spelling, number)
        for number in numbers.tolist()
        for spelling in _spellings(units[starts[number] : starts[number + 1]])
    ]
    letters, bounds = _laid_out([spelling for spelling, _ in spellings])
    factors = _factors(letters, max(4, int(np.diff(bounds).max()) - 1))
    sums = np.empty(len(spellings), np.uint64)
    sums_of(letters, bounds, factors, sums)
    order = np.argsort(sums, kind="stable")  # the same letters stand together, and by their number
    letters, bounds = _laid_out([spellings[at][0] for at in order.tolist()])
    owners = np.array([spellings[at][1] for at in order.tolist()], np.int64)
    known, firsts = np.unique(sums[order], return_index=True)
    groups = np.append(firsts, len(order)).astype(np.int64)
    _require_few(groups, owners)
    bits = np.zeros(1 << max(10, (BITS_A_PHRASE * len(known) - 1).bit_length() - 6), np.uint64)
    table = np.zeros(2 << (2 * len(known)).bit_length(), np.uint64)
    side = (factors, bits, table, groups, letters, bounds, int(np.diff(bounds).min()) - 1)
    insert(side, known)
    return side, owners


def _laid_out(phrases: list[Units]) -> tuple[Units, Offsets]:
    bounds = np.zeros(len(phrases) + 1, np.int64)
    np.cumsum([len(phrase) for phrase in phrases], out=bounds[1:])
    return np.concatenate(phrases), bounds


def _spellings(phrase: Units) -> Iterator[Units]:
    """The phrase, and where a word ends in the letter with which the next begins, also the two run together.

    Folding makes one doubled letter of them in `#busstop`, but not in `bus stop`.
    """
    yield phrase
    code = phrase & np.uint32(CODE)
    edges = np.flatnonzero((code[1:] == code[:-1]) & (phrase[1:] & np.uint32(EDGE) > 0)) + 1
    few = len(edges) <= _JOINED_EDGES
    choices = product((False, True), repeat=len(edges)) if few else ((False,) * len(edges), (True,) * len(edges))
    for joined in choices:
        if any(joined):
            yield _joined(phrase, edges[np.array(joined)])


def _joined(phrase: Units, edges: Offsets) -> Units:
    """The phrase with the letter at each of these edges counted to the one before it."""
    joined = phrase.copy()
    for edge in edges[::-1].tolist():
        before, after = int(joined[edge - 1]), int(joined[edge])
        runs = min((before & RUNS) + (after & RUNS) + (1 << 25), 2 << 25)
        joined[edge - 1] = (before & ~RUNS) | (after & SEEN) | runs
    return np.delete(joined, edges)


def _factors(letters: Units, count: int) -> npt.NDArray[np.uint64]:
    """Odd numbers that depend on all phrases, so that no list can be written to collide under them."""
    seed = hashlib.blake2b(letters.tobytes(), digest_size=16).digest()
    drawn = np.random.default_rng(int.from_bytes(seed)).integers(0, 2**64, count, dtype=np.uint64)
    return drawn | np.uint64(1)


def _same_as(units: Units, starts: Offsets, inside: npt.NDArray[np.bool_]) -> Offsets:
    seen: dict[tuple[bool, bytes], int] = {}
    bounds, kinds = starts.tolist(), inside.tolist()
    content = units.tobytes()
    keys = ((kind, content[4 * a : 4 * b]) for kind, a, b in zip(kinds, bounds, bounds[1:], strict=False))
    return np.array([seen.setdefault(key, number) for number, key in enumerate(keys)], dtype=np.int64)


def _require_shape(units: Units, starts: Offsets, inside: npt.NDArray[np.bool_]) -> None:
    fits = len(starts) and starts[0] == 0 and starts[-1] == len(units) and bool((np.diff(starts) > 0).all())
    if not fits or len(inside) != len(starts) - 1 or units.dtype != np.uint32:
        raise InputError(
            "the arrays of the phrases do not fit one another, expected uint32 units and rising starts from 0 on",
            where="phrase index",
            do="Hand over the arrays that `fold_texts` gives for the phrases.",
        )


def _require_lengths(lengths: Offsets) -> None:
    wrong = np.flatnonzero((lengths < MIN_UNITS) | (lengths > MAX_UNITS))
    if wrong.size:
        raise InputError(
            f"{wrong.size} of {len(lengths)} phrases have no letters enough or too many, expected {MIN_UNITS} to "
            f"{MAX_UNITS} once folded",
            where=f"phrase index, phrases {_listed(wrong)}",
            do="Leave these out; a long text belongs into a bank of text signals.",
        )


def _require_few(groups: Offsets, owners: Offsets) -> None:
    sizes = np.diff(groups)
    worst = int(np.argmax(sizes))
    if sizes[worst] > MAX_SAME_LETTERS:
        raise InputError(
            f"{sizes[worst]} phrases have the same letters, expected at most {MAX_SAME_LETTERS}",
            where=f"phrase index, phrases {_listed(owners[groups[worst] : groups[worst + 1]])}",
            do="Keep one of them: spellings that differ in spaces, case or doubled signs are found anyway.",
        )


def _listed(numbers: Offsets) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN].tolist()))
    return f"{shown}, ..." if len(numbers) > _SHOWN else shown
