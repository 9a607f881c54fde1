"""Winnowing: a few grams of a text, chosen so that two texts that share a long enough run choose one of them alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = [
    "GRAM",
    "WINDOW",
    "Chosen",
    "Postings",
    "choose",
    "find",
    "first_of_entry",
    "kernel",
    "new_chosen",
    "postings_of",
    "weigh",
]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

GRAM = 16
"""Weight of a gram: a letter, digit or space weighs 1, a sign that writes a syllable or word 2 (Han, Kana, Hangul)."""

WINDOW = 8
"""Of so many grams in a row at least one is chosen. A run that two texts share and that holds 8 whole grams (23
letters, or 15 signs) thus has a chosen gram in common, wherever it stands."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_POWERS = np.array([pow(0x9E3779B97F4A7C15, power, 2**64) for power in range(GRAM + 1)], dtype=np.uint64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


class Chosen(NamedTuple):
    """Room for the chosen grams of one text: their hashes, where they begin and end; and for those of every place."""

    hashes: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    every_hash: npt.NDArray[np.uint32]
    every_end: npt.NDArray[np.int64]


class Postings(NamedTuple):
    """Chosen grams of many texts, sorted by hash, then by entry: who holds a gram, and at which of its characters.

    `directory[b]` is where the hashes begin whose first bits are `b`.
    """

    hashes: npt.NDArray[np.uint32]
    entries: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.uint32]
    directory: npt.NDArray[np.int64]


def postings_of(codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64]) -> Postings:
    """Return the chosen grams of texts laid out one behind the other."""
    hashes, entries, offsets = _choose_all(codes, starts)
    keys = (hashes.astype(np.uint64) << np.uint64(32)) | np.arange(hashes.size, dtype=np.uint64)
    keys.sort()  # whole numbers sort in vector registers; an argsort would not
    order = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    hashes = (keys >> np.uint64(32)).astype(np.uint32)
    bits = min(28, max(1, int(hashes.size).bit_length() - 2))
    return Postings(hashes, entries[order], offsets[order], _directory(hashes, bits))


@kernel
def _is_sign(code: int) -> bool:
    """Whether a code point writes a syllable or a word: Kana, Han, Hangul."""
    return 0x3040 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7B0 or 0xF900 <= code < 0xFB00 or 0x20000 <= code < 0x32000


@kernel
def weigh(text: npt.NDArray[np.uint32]) -> int:
    """Return how many letters a text weighs: a sign is two."""
    weight = text.size
    for code in text:
        weight += _is_sign(code)
    return weight


@kernel
def new_chosen(longest: int) -> Chosen:
    """Return room for the grams of a text of up to so many characters."""
    return Chosen(
        np.empty(longest, np.uint32),
        np.empty(longest, np.int64),
        np.empty(longest, np.int64),
        np.empty(longest, np.uint32),
        np.empty(longest, np.int64),
    )


@kernel
def _hash_grams(text: npt.NDArray[np.uint32], chosen: Chosen) -> int:
    """Write the hash and the end of the gram that begins at each character; return how many there are."""
    rolled, weight, end = np.uint64(0), 0, 0
    for at in range(text.size):
        while weight < GRAM and end < text.size:
            rolled = rolled * _BASE + np.uint64(text[end]) + np.uint64(1)
            weight += 2 if _is_sign(text[end]) else 1
            end += 1
        if weight < GRAM:
            return at
        mixed = (rolled ^ (rolled >> np.uint64(29))) * _MIX
        chosen.every_hash[at] = np.uint32(mixed >> np.uint64(32))
        chosen.every_end[at] = end
        rolled -= (np.uint64(text[at]) + np.uint64(1)) * _POWERS[end - at - 1]
        weight -= 2 if _is_sign(text[at]) else 1
    return text.size


@kernel
def choose(text: npt.NDArray[np.uint32], chosen: Chosen) -> int:
    """Write the gram of least hash of every window of grams; return how many there are.

    Where a window has several, the one chosen before stays; so a text of one letter gives few.
    """
    grams = _hash_grams(text, chosen)
    every = chosen.every_hash
    count, best = 0, -1
    for last in range(max(0, min(WINDOW, grams) - 1), grams):  # a text of fewer grams is one window
        first = max(0, last - WINDOW + 1)
        if best >= first and every[last] >= every[best]:
            continue
        least = last
        if best < first:
            for at in range(last - 1, first - 1, -1):
                least = at if every[at] < every[least] else least
        best = least
        chosen.hashes[count], chosen.offsets[count], chosen.ends[count] = every[best], best, chosen.every_end[best]
        count += 1
    return count


@kernel
def _choose_all(
    codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    longest = 1
    for row in range(starts.size - 1):
        longest = max(longest, starts[row + 1] - starts[row])
    chosen = new_chosen(longest)
    room = codes.size // 4 + longest
    hashes, entries, offsets = (np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint32))
    count = 0
    for row in range(starts.size - 1):
        found = choose(codes[starts[row] : starts[row + 1]], chosen)
        if count + found > room:
            room = 2 * room + found
            hashes, entries, offsets = _larger(hashes, room), _larger(entries, room), _larger(offsets, room)
        for k in range(found):
            hashes[count], entries[count], offsets[count] = chosen.hashes[k], row, chosen.offsets[k]
            count += 1
    return hashes[:count], entries[:count], offsets[:count]


@kernel
def _larger(values: npt.NDArray[np.uint32], room: int) -> npt.NDArray[np.uint32]:
    larger = np.empty(room, dtype=np.uint32)
    larger[: values.size] = values
    return larger


@kernel
def _directory(hashes: npt.NDArray[np.uint32], bits: int) -> npt.NDArray[np.int64]:
    directory = np.zeros((1 << bits) + 1, dtype=np.int64)
    for value in hashes:
        directory[(np.int64(value) >> (32 - bits)) + 1] += 1
    for bucket in range(1 << bits):
        directory[bucket + 1] += directory[bucket]
    return directory


@kernel
def find(value: np.uint32, postings: Postings) -> tuple[int, int]:
    """Return where the postings of a hash begin and end."""
    buckets, shift = postings.directory.size - 1, 32
    while buckets > 1:
        buckets, shift = buckets >> 1, shift - 1
    wanted = int(value)
    bucket = wanted >> shift
    low, end = int(postings.directory[bucket]), int(postings.directory[bucket + 1])
    first = _first_at_least(wanted, postings.hashes, low, end)
    return first, _first_at_least(wanted + 1, postings.hashes, first, end)


@kernel
def first_of_entry(entry: int, postings: Postings, first: int, last: int) -> int:
    """Return where the postings of an entry begin within those of a hash; where they would, if it has none."""
    return _first_at_least(entry, postings.entries, first, last)


@kernel
def _first_at_least(value: int, values: npt.NDArray[np.uint32], low: int, high: int) -> int:
    """The first place within two places whose value is not less; the values ascend."""
    while low < high:
        middle = (low + high) >> 1
        if int(values[middle]) < value:
            low = middle + 1
        else:
            high = middle
    return low
