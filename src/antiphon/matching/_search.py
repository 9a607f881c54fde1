"""The search for near copies of texts by their minima, exact: nothing within the limit is missed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.matching._bits import kernel

__all__ = ["BANDS", "Buckets", "Pairs", "buckets_of", "near_texts"]

BANDS = ((0, 5), (5, 10), (10, 15), (15, 20), (20, 24), (24, 28), (28, 32))
"""Seven bands of a text signal's 32 values. Two signals that differ in 6 values agree in one whole band at least, so
looking only at those that share a band misses none."""

_EDGES = np.array([0, 5, 10, 15, 20, 24, 28, 32], dtype=np.int64)


class Pairs(NamedTuple):
    """Which query is near which entry, and how far, sorted by query, then by entry."""

    queries: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    distances: npt.NDArray[np.int32]


class Buckets(NamedTuple):
    """The entries' band keys, sorted in each band, and which entry each is."""

    keys: npt.NDArray[np.uint64]
    order: npt.NDArray[np.int64]


def buckets_of(entries: npt.NDArray[np.uint32]) -> Buckets:
    """Return the index of text signals, shape (m, 32)."""
    keys = np.empty((len(BANDS), len(entries)), dtype=np.uint64)
    order = np.empty((len(BANDS), len(entries)), dtype=np.int64)
    for band in range(len(BANDS)):
        of = _band_keys(entries, band)
        order[band] = np.argsort(of, kind="stable")
        keys[band] = of[order[band]]
    return Buckets(keys, order)


def near_texts(queries: npt.NDArray[np.uint32], entries: npt.NDArray[np.uint32], buckets: Buckets, limit: int) -> Pairs:
    """Return every query and entry that differ in at most `limit` of 32 values, `limit` being 6 or less."""
    found = []
    for band in range(len(BANDS)):
        keys = _band_keys(queries, band)
        first = np.searchsorted(buckets.keys[band], keys, "left")
        last = np.searchsorted(buckets.keys[band], keys, "right")
        found.append(_verify(queries, entries, buckets.order[band], first, last, band, limit))
    return _sorted(tuple(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _sorted(found: tuple[npt.NDArray[np.int64], ...]) -> Pairs:
    queries, entries, distances = found
    order = np.lexsort((entries, queries))
    return Pairs(queries[order], entries[order], distances[order].astype(np.int32))


@kernel
def _append(found: npt.NDArray[np.int64], count: int, query: int, entry: int, distance: int) -> npt.NDArray[np.int64]:
    """Put a triple at the end, doubling the room when it is full."""
    if count == found.shape[1]:
        larger = np.empty((3, 2 * count), dtype=np.int64)
        larger[:, :count] = found
        found = larger
    found[0, count] = query
    found[1, count] = entry
    found[2, count] = distance
    return found


@kernel
def _band_keys(values: npt.NDArray[np.uint32], band: int) -> npt.NDArray[np.uint64]:
    """One number for the values of a band."""
    keys = np.zeros(len(values), dtype=np.uint64)
    for row in range(len(values)):
        key = np.uint64(band + 1)
        for at in range(_EDGES[band], _EDGES[band + 1]):
            key = (key ^ np.uint64(values[row, at])) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        keys[row] = key
    return keys


@kernel
def _first_band(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> int:
    """The first band in which two signals agree wholly; a pair is reported from there alone."""
    for band in range(_EDGES.size - 1):
        same = True
        for at in range(_EDGES[band], _EDGES[band + 1]):
            same = same and left[at] == right[at]
        if same:
            return band
    return -1


@kernel
def _verify(
    queries: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint32],
    order: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    band: int,
    limit: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    found = np.empty((3, 64), dtype=np.int64)
    count = 0
    for query in range(len(queries)):
        for at in range(first[query], last[query]):
            entry = order[at]
            distance = 0
            for k in range(queries.shape[1]):
                distance += queries[query, k] != entries[entry, k]
            if distance <= limit and _first_band(queries[query], entries[entry]) == band:
                found = _append(found, count, query, entry, distance)
                count += 1
    return found[0, :count], found[1, :count], found[2, :count]
