"""The compiled search for phrases: a walk from each place where a phrase may begin, cut short by a filter.

From a beginning on, the letters are summed up, each times the number of its place. At 4, 8, 16, ... letters a bit
table says whether any phrase begins so; mostly none does, and the walk ends. Where a phrase may end, a second question
to the same bits leads to a hash table, and from there to the phrases of those very letters, which are then compared.
No state is followed from letter to letter, and texts are only looked at where words begin: that is why this is faster
than an automaton. A walk is never longer than the longest phrase, so no list of phrases makes a text endless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Side", "Units", "insert", "scan", "sums_of"]

_F = TypeVar("_F", bound=Callable[..., object])
# Without numba's own memory management: a call that hands over an array would count a reference to it up and down,
# which takes longer than the look at a letter. So nothing here makes an array.
_kernel = cast("Callable[[_F], _F]", cast("Any", numba).njit(cache=True, nogil=True, _nrt=False))
# What is called for every letter becomes a part of its caller.
_inlined = cast("Callable[[_F], _F]", cast("Any", numba).njit(nogil=True, _nrt=False, forceinline=True))

CODE = (1 << 21) - 1
SOFT, EDGE = 1 << 21, 3 << 21
TAG = 3 << 23
RUNS, MANY = 3 << 25, 2 << 25
SEEN_EITHER, SEEN, SEEN_LETTER = 4 << 27, 7 << 27, 3 << 27
FOREIGN = 1 << 30

Units = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]

Side = tuple[Words, Words, Words, Offsets, Units, Offsets, int]
"""Phrases ready to be found: the number by which the letter at each place is multiplied (as many as the longest phrase
has); the bits of the filter; the hash table, of each slot the sum of its letters and 1 more than its group, or 0; the
first phrase of each group; the units of all phrases; where each begins; the letters of the shortest."""

_STIR = np.uint64(0x9E3779B97F4A7C15)
_WHOLE = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_ONE = np.uint64(1)


@_inlined
def _is_anchor(length: int) -> bool:
    """Whether the filter is asked at this length: powers of two from 4 on."""
    return length >= 4 and length & (length - 1) == 0


@_inlined
def _bit(total: np.uint64, salt: np.uint64, shift: np.uint64) -> np.uint64:
    mixed = (total ^ salt) * _STIR
    return np.uint64((mixed ^ (mixed >> _HALF)) * _STIR) >> shift


@_inlined
def _set(bits: Words, place: np.uint64) -> None:
    bits[place >> np.uint64(6)] |= _ONE << (place & np.uint64(63))


@_inlined
def _is_set(bits: Words, place: np.uint64) -> bool:
    return bool((bits[place >> np.uint64(6)] >> (place & np.uint64(63))) & _ONE)


@_kernel
def sums_of(units: Units, starts: Offsets, factors: Words, sums: Words) -> None:
    """Write the sum of the letters of each phrase; the last unit of a phrase closes it and does not count."""
    for phrase in range(starts.size - 1):
        total = np.uint64(0)
        for at in range(starts[phrase], starts[phrase + 1] - 1):
            total += np.uint64(units[at] & CODE) * factors[at - starts[phrase]]
        sums[phrase] = total


@_kernel
def insert(side: Side, sums: Words) -> None:
    """Put groups of phrases of the same letters, given the sum of each, into the filter and the hash table."""
    factors, bits, table, groups, units, starts, _ = side
    shift = np.uint64(64) - np.uint64(_log2(bits.size * 64))
    for group in range(groups.size - 1):
        total, low = np.uint64(0), starts[groups[group]]
        for at in range(low, starts[groups[group] + 1] - 1):
            total += np.uint64(units[at] & CODE) * factors[at - low]
            if _is_anchor(at - low + 1):
                _set(bits, _bit(total, np.uint64(0), shift))
        _set(bits, _bit(total, _WHOLE, shift))
        slot = np.int64(_bit(total, _STIR, _ONE)) & (table.size // 2 - 1)
        while table[2 * slot + 1]:
            slot = (slot + 1) & (table.size // 2 - 1)
        table[2 * slot], table[2 * slot + 1] = sums[group], np.uint64(group + 1)


@_kernel
def _log2(size: int) -> int:
    power = 0
    while (1 << power) < size:
        power += 1
    return power


@_kernel
def _same_i(text: int, phrase: int) -> bool:
    """Whether i, l and the signs that may be either agree: certain ones are equal, doubtful ones don't contradict."""
    left, right = text & SEEN_LETTER, phrase & SEEN_LETTER
    if text & SEEN_EITHER:
        return left & ~right == 0 or (phrase & SEEN_EITHER != 0 and right & ~left == 0)
    if phrase & SEEN_EITHER:
        return right & ~left == 0
    return left == right


@_kernel
def agrees(text: Units, start: int, phrases: Units, low: int, high: int) -> bool:
    """Whether the units of a text from `start` on are spelt as a phrase, `phrases[low:high]`, or disguise it."""
    script = False
    for at in range(high - low):
        here, wanted = int(text[start + at]), int(phrases[low + at])
        if here == wanted:
            script = True
            continue
        if here & CODE != wanted & CODE:
            return False
        if here & RUNS != wanted & RUNS and here & RUNS != MANY:
            return False
        if (here | wanted) & SEEN and not _same_i(here, wanted):
            return False
        if at and here & EDGE > SOFT and not wanted & EDGE:
            return False
        if wanted & TAG and here & TAG != wanted & TAG:
            return False
        script |= here & FOREIGN == wanted & FOREIGN
    return script


@_kernel
def _spell_out(text: Units, start: int, end: int, total: np.uint64, side: Side, found: Offsets, count: int) -> int:
    """Write the phrases that `text[start:end]` is, the sum of its letters given."""
    _, _, table, groups, phrases, starts, _ = side
    slot = np.int64(_bit(total, _STIR, _ONE)) & (table.size // 2 - 1)
    while table[2 * slot + 1]:
        group = np.int64(table[2 * slot + 1]) - 1
        same = table[2 * slot] == total
        slot = (slot + 1) & (table.size // 2 - 1)
        if not same:
            continue
        for phrase in range(groups[group], groups[group + 1]):
            first, last = starts[phrase], starts[phrase + 1] - 1
            if last - first == end - start and agrees(text, start, phrases, first, last):
                if count < found.shape[1]:
                    found[1, count], found[2, count], found[3, count] = phrase, start, end
                count += 1
    return count


@_inlined
def _may_begin(text: Units, start: int, anywhere: bool, side: Side, shift: np.uint64) -> bool:
    """Whether any phrase begins with the four letters from `start` on, or is the two or three up to an edge.

    There are three letters behind `start`. All questions are asked at once: which answer comes can't be foreseen.
    """
    factors, bits, shortest = side[0], side[1], side[6]
    two = np.uint64(text[start] & CODE) * factors[0] + np.uint64(text[start + 1] & CODE) * factors[1]
    three = two + np.uint64(text[start + 2] & CODE) * factors[2]
    four = three + np.uint64(text[start + 3] & CODE) * factors[3]
    found = _is_set(bits, _bit(four, np.uint64(0), shift))
    if shortest <= 3:
        found |= (anywhere | (text[start + 3] & EDGE > 0)) & _is_set(bits, _bit(three, _WHOLE, shift))
    if shortest <= 2:
        found |= (anywhere | (text[start + 2] & EDGE > 0)) & _is_set(bits, _bit(two, _WHOLE, shift))
    return found


@_kernel
def _walk(text: Units, start: int, high: int, anywhere: bool, side: Side, found: Offsets, count: int) -> int:
    """Write the matches that begin at `start`."""
    factors, bits = side[0], side[1]
    shift = np.uint64(64) - np.uint64(_log2(bits.size * 64))
    total = np.uint64(0)
    for at in range(start, min(start + factors.size, high - 1)):
        total += np.uint64(text[at] & CODE) * factors[at - start]
        length = at - start + 1
        if _is_anchor(length) and not _is_set(bits, _bit(total, np.uint64(0), shift)):
            break
        if length > 1 and (anywhere or text[at + 1] & EDGE) and _is_set(bits, _bit(total, _WHOLE, shift)):
            count = _spell_out(text, start, at + 1, total, side, found, count)
    return count


@_kernel
def _scan_one(text: Units, low: int, high: int, anywhere: bool, side: Side, found: Offsets, count: int) -> int:
    """Write the matches in `text[low:high]` to `found`, from `count` on, while there is room; return how many are."""
    shift = np.uint64(64) - np.uint64(_log2(side[1].size * 64))
    for start in range(low, high - 1):
        if not anywhere and text[start] & EDGE == 0:
            continue
        if start + 4 > text.size or _may_begin(text, start, anywhere, side, shift):
            count = _walk(text, start, high, anywhere, side, found, count)
    return count


@_kernel
def scan(
    text: Units, starts: Offsets, first: int, anywhere: bool, side: Side, found: Offsets, count: int
) -> tuple[int, int, int]:
    """Write the matches of whole texts, from the text `first` on, as long as there is room.

    Args:
        text: Units of all texts; the last of each closes it.
        starts: Where each text begins.
        first: The text to begin with.
        anywhere: Whether phrases may begin and end inside a word.
        side: The phrases: see `Side`.
        found: Room for matches, shape (4, room): text, phrase, start, end.
        count: How many there are.

    Returns:
        The text to go on with, how many matches there are, and how many there would be with the text that did not fit.
    """
    for number in range(first, starts.size - 1):
        after = _scan_one(text, starts[number], starts[number + 1], anywhere, side, found, count)
        if after > found.shape[1]:
            return number, count, after
        for row in range(count, after):
            found[0, row] = number
        count = after
    return starts.size - 1, count, count
