"""Alignment of two texts: the runs of characters they share, and the best chain of runs in the order of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.matching._winnow import kernel

__all__ = ["LONG_PAIR", "MAX_RUNS", "MIN_RUN", "Links", "Table", "chain", "new_table", "shared_runs", "table_of"]

MIN_RUN = 8
"""Characters; shorter runs are shared by any two texts of a language and say nothing."""

LONG_PAIR = 1 << 21
"""Two texts whose lengths multiply to more share runs of 8 by chance in such numbers that only longer ones are read."""

MAX_RUNS = 1024
"""A pair with more shared runs is cut there, and said to be bounded."""

LOOK_BACK = 64

_BASE = np.uint64(0xD6E8FEB86659FD93)
_BASE_7 = np.uint64(pow(0xD6E8FEB86659FD93, MIN_RUN - 1, 2**64))


class Table(NamedTuple):
    """Where in a text each piece of `MIN_RUN` characters begins: the first place of a hash, and the next of each."""

    heads: npt.NDArray[np.int32]
    following: npt.NDArray[np.int32]


class Links(NamedTuple):
    """Of each run: the worth (doubled) of the best chain that ends with it, the run before it, and what stays of it."""

    worth: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    kept: npt.NDArray[np.int64]


@kernel
def table_size(characters: int) -> int:
    """Return how many heads a table has: a power of two, at least twice the characters."""
    size = 64
    while size < 2 * characters:
        size *= 2
    return size


@kernel
def new_table(longest: int) -> Table:
    """Return room for the table of a text of up to so many characters."""
    return Table(np.empty(table_size(longest), dtype=np.int32), np.empty(longest + 1, dtype=np.int32))


@kernel
def _slot(rolled: np.uint64, mask: int) -> int:
    return int((rolled ^ (rolled >> np.uint64(32))) & np.uint64(mask))


@kernel
def table_of(text: npt.NDArray[np.uint32], table: Table) -> None:
    """Fill a table with the pieces of a text, first ones first."""
    size = table_size(text.size)
    table.heads[:size] = -1
    for at in range(text.size - MIN_RUN, -1, -1):
        rolled = np.uint64(0)
        for k in range(at, at + MIN_RUN):
            rolled = rolled * _BASE + np.uint64(text[k]) + np.uint64(1)
        slot = _slot(rolled, size - 1)
        table.following[at] = table.heads[slot]
        table.heads[slot] = at


@kernel
def shared_runs(
    query: npt.NDArray[np.uint32],
    entry: npt.NDArray[np.uint32],
    table: Table,
    least: int,
    runs: npt.NDArray[np.int64],
    budget: int,
) -> tuple[int, int, bool]:
    """Write every longest run of `least` or more characters that two texts share, in the order of the entry.

    Returns:
        How many runs, what is left of the budget (steps), and whether it, or the room for runs, did not suffice.
    """
    mask = table_size(query.size) - 1
    count, rolled = 0, np.uint64(0)
    for end in range(entry.size):
        if end >= MIN_RUN:
            rolled -= (np.uint64(entry[end - MIN_RUN]) + np.uint64(1)) * _BASE_7
        rolled = rolled * _BASE + np.uint64(entry[end]) + np.uint64(1)
        at = end - MIN_RUN + 1
        budget -= 1
        place = table.heads[_slot(rolled, mask)] if at >= 0 else -1
        while place >= 0 and budget >= 0:
            budget -= 1
            begins = place == 0 or at == 0 or query[place - 1] != entry[at - 1]
            length = _agree(query, entry, place, at) if begins else 0
            if length >= least:
                budget -= length
                if count == runs.shape[1]:
                    return count, budget, True
                runs[0, count], runs[1, count], runs[2, count] = place, at, length
                count += 1
            place = table.following[place]
        if budget < 0:
            return count, 0, True
    return count, budget, False


@kernel
def _agree(query: npt.NDArray[np.uint32], entry: npt.NDArray[np.uint32], place: int, at: int) -> int:
    """How many characters agree from two places on."""
    most = min(query.size - place, entry.size - at)
    length = 0
    while length < most and query[place + length] == entry[at + length]:
        length += 1
    return length


@kernel
def chain(runs: npt.NDArray[np.int64], count: int, links: Links) -> int:
    """Return the last run of the best chain, -1 for none; `links.before` leads back to its first.

    In a chain each run begins after the one before it in both texts; where two overlap, the later is cut. A chain is
    worth its characters, less half of every gap between two of its runs (the longer of the gaps in the two texts). Of
    equal ones the first is taken. A run is joined to one of the `LOOK_BACK` runs before it.
    """
    last, most = -1, 0
    for right in range(count):
        best, before, kept = 2 * runs[2, right], -1, runs[2, right]
        for left in range(max(0, right - LOOK_BACK), right):
            gain, stays = _join(runs, left, right)
            if stays > 0 and links.worth[left] + gain > best:
                best, before, kept = links.worth[left] + gain, left, stays
        links.worth[right], links.before[right], links.kept[right] = best, before, kept
        if best > most:
            last, most = right, best
    return last


@kernel
def _join(runs: npt.NDArray[np.int64], left: int, right: int) -> tuple[int, int]:
    """What a run adds behind another (twice its characters, less the gap), and how many of its characters stay."""
    if runs[0, right] <= runs[0, left] or runs[1, right] <= runs[1, left]:
        return 0, 0
    gap_query = runs[0, right] - runs[0, left] - runs[2, left]
    gap_entry = runs[1, right] - runs[1, left] - runs[2, left]
    stays = runs[2, right] + min(0, gap_query, gap_entry)
    return 2 * stays - max(0, gap_query, gap_entry), stays
