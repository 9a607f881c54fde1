"""Crowds: many entries near one another, such as pictures that are all but black, kept apart from the bands.

They would fill a few buckets of every band, and each query that comes by would have to look at all of them. A crowd is
sorted by the distance from its middle; by the triangle inequality a query at distance d from the middle need only look
at those between d - limit and d + limit, which for nearly all queries are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.matching._bands import count_keys, enter, key_of
from antiphon.matching._bits import BITS, Words, distance, kernel

__all__ = ["NO_CROWDS", "Crowds", "find_crowds", "is_crowded", "search_crowds"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FULLER = 64
"""How many times fuller than the mean, and at least how full, a bucket is that makes its entries suspect."""
_RADIUS = 48
_LEAST = 32
_TRIES = 256


class Crowds(NamedTuple):
    """Which entries stand in crowds, crowd by crowd, each sorted by the distance from its middle.

    `middles` has four words a crowd; crowd `c` is `members[bounds[c] : bounds[c + 1]]`, `apart` their distances.
    """

    middles: Words
    bounds: Ints
    members: Ints
    apart: Ints


def is_crowded(fullest: int, entries: int, width: int) -> bool:
    """Return whether the fullest bucket of a band is fuller than chance makes it."""
    return fullest > _most(entries, width)


def find_crowds(values: Words, bands: Sequence[tuple[int, int]]) -> Crowds:
    """Return the crowds among some values.

    Args:
        values: Flat words, four a value.
        bands: First bit and width of each band.
    """
    suspect = np.zeros(values.size // 4, dtype=np.bool_)
    for start, width in bands:
        counts = count_keys(values, start, width)
        _mark(values, start, width, counts > _most(len(suspect), width), suspect)
    return _crowds_of(values, np.flatnonzero(suspect))


def _most(entries: int, width: int) -> int:
    return max(_FULLER, _FULLER * (entries >> width))


def _crowds_of(values: Words, suspects: Ints) -> Crowds:
    rng = np.random.default_rng(20261124)
    middles, members, apart = [], [], []
    for _ in range(_TRIES):
        if len(suspects) < _LEAST:
            break
        middle = values.reshape(-1, 4)[suspects[rng.integers(len(suspects))]]
        inside = _distances(values, suspects, middle) <= _RADIUS
        if np.count_nonzero(inside) >= _LEAST:
            middle = _majority(values, suspects[inside])
        away = _distances(values, suspects, middle)
        inside = away <= _RADIUS
        if np.count_nonzero(inside) >= _LEAST:
            order = np.argsort(away[inside], kind="stable")
            middles.append(middle)
            members.append(suspects[inside][order])
            apart.append(away[inside][order])
            suspects = suspects[~inside]
    bounds = np.cumsum([0, *map(len, members)], dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    return Crowds(
        np.concatenate([np.empty(0, dtype=np.uint64), *middles]), bounds,
        np.concatenate([none, *members]), np.concatenate([none, *apart]),
    )  # fmt: skip


NO_CROWDS = _crowds_of(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64))


@kernel
def _mark(values: Words, start: int, width: int, crowded: Bools, suspect: Bools) -> None:
    for entry in range(suspect.size):
        suspect[entry] |= crowded[key_of(values, 4 * entry, start, width)]


@kernel
def _distances(values: Words, entries: Ints, middle: Words) -> Ints:
    out = np.empty(entries.size, dtype=np.int64)
    for at in range(entries.size):
        out[at] = distance(values, 4 * entries[at], middle, 0)
    return out


@kernel
def _majority(values: Words, entries: Ints) -> Words:
    """The value that has each bit as most of the entries have it."""
    counts = np.zeros(BITS, dtype=np.int64)
    for at in range(entries.size):
        for bit in range(BITS):
            counts[bit] += np.int64((values[4 * entries[at] + (bit >> 6)] >> np.uint64(bit & 63)) & np.uint64(1))
    middle = np.zeros(4, dtype=np.uint64)
    for bit in range(BITS):
        if 2 * counts[bit] > entries.size:
            middle[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
    return middle


@kernel
def search_crowds(
    queries: Words, values: Words, first: int, crowds: Crowds, limit: int, found: Ints, count: int
) -> tuple[Ints, int]:
    """Enter (query, entry, distance) for every entry of a crowd that is near a query.

    The members of the crowds stand in `values` from entry `first` on, in their order.
    """
    middles, bounds, apart = crowds.middles, crowds.bounds, crowds.apart
    for query in range(queries.size // 4):
        for crowd in range(bounds.size - 1):
            begin, end = bounds[crowd], bounds[crowd + 1]
            away = distance(queries, 4 * query, middles, 4 * crowd)
            if away - limit > apart[end - 1]:
                continue
            low = begin + np.searchsorted(apart[begin:end], away - limit, side="left")
            high = begin + np.searchsorted(apart[begin:end], away + limit, side="right")
            for entry in range(first + low, first + high):
                far = distance(queries, 4 * query, values, 4 * entry)
                if far <= limit:
                    found = enter(found, count, query, entry, far)
                    count += 1
    return found, count
