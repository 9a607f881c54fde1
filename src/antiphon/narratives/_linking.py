"""Links that make groups: union-find over rows in order of time, so that a group's root is its earliest row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["BANDS", "IMAGE_LIMIT_BITS", "TEXT_LIMIT", "link_equal", "link_images", "link_texts", "roots", "short_keys"]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

Ints = npt.NDArray[np.int32]

TEXT_LIMIT = 6
"""Of 32 minima may differ at most so many in near copies: 26 that agree are a similarity of 0.81 (0.8 or more)."""

IMAGE_LIMIT_BITS = 31
"""Of 256 PDQ bits may differ at most so many in copies of an image."""

TEXT_WINDOW = 100
"""Within one bucket of texts that share a band, each is compared with so many before it; so a bucket of a million costs
a hundred million comparisons and not a billion times that. Exact as long as no bucket holds more different texts."""

IMAGE_WINDOW = 2000

BANDS = 7
_EDGES = np.array([0, 5, 10, 15, 20, 24, 28, 32], dtype=np.int64)


@kernel
def find(parent: Ints, row: int) -> int:
    """Return the root of a row, halving the way there."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@kernel
def union(parent: Ints, left: int, right: int) -> None:
    """Join two rows' sets under the smaller root."""
    a, b = find(parent, left), find(parent, right)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@kernel
def roots(parent: Ints) -> Ints:
    """Return the root of every row: the smallest row of its set."""
    found = np.empty_like(parent)
    for row in range(parent.size):
        found[row] = find(parent, row)
    return found


def link_equal(parent: Ints, rows: Ints, values: npt.NDArray[np.uint64]) -> None:
    """Join those of `rows` whose values are equal; `values[row]` is a row's words. One sort, linear after it."""
    order = rows[np.lexsort(values[rows].T)]
    _join_equal(parent, order, values)


@kernel
def _join_equal(parent: Ints, order: Ints, values: npt.NDArray[np.uint64]) -> None:
    for at in range(1, order.size):
        same = True
        for word in range(values.shape[1]):
            same = same and values[order[at], word] == values[order[at - 1], word]
        if same:
            union(parent, order[at], order[at - 1])


def link_texts(parent: Ints, rows: Ints, minima: npt.NDArray[np.uint32]) -> None:
    """Join rows of which 26 of 32 minima agree.

    Two such rows differ in six values or fewer, so they agree wholly in one of seven bands: only rows that share a band
    are compared. Never all pairs: see `TEXT_WINDOW`.

    Args:
        parent: The union-find forest, changed in place.
        rows: Ascending rows of the forest that have minima.
        minima: Their minima, shape (len(rows), 32).
    """
    for band in range(BANDS):
        keys = _band_keys(minima, band)
        order = np.argsort(keys, kind="stable").astype(np.int32)
        _link_bucketed(parent, rows, minima, keys, order)


def short_keys(minima: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return a short number for each band of each row, shape (7, rows), never 0; equal bands have equal ones."""
    keys = [(_band_keys(minima, band) >> np.uint64(32)).astype(np.uint32) for band in range(BANDS)]
    return np.stack(keys) | np.uint32(1)


@kernel
def _band_keys(minima: npt.NDArray[np.uint32], band: int) -> npt.NDArray[np.uint64]:
    keys = np.zeros(len(minima), dtype=np.uint64)
    for row in range(len(minima)):
        key = np.uint64(band + 1)
        for at in range(_EDGES[band], _EDGES[band + 1]):
            key = (key ^ np.uint64(minima[row, at])) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        keys[row] = key
    return keys


@kernel
def _differing(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> int:
    count = 0
    for at in range(left.size):
        count += left[at] != right[at]
    return count


@kernel
def _link_bucketed(
    parent: Ints, rows: Ints, minima: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint64], order: Ints
) -> None:
    start = 0
    for at in range(order.size):
        here = order[at]
        if keys[here] != keys[order[start]]:
            start = at
        for before in range(max(start, at - TEXT_WINDOW), at):
            there = order[before]
            if find(parent, rows[here]) == find(parent, rows[there]):
                continue
            if _differing(minima[here], minima[there]) <= TEXT_LIMIT:
                union(parent, rows[here], rows[there])


def link_images(parent: Ints, rows: Ints, bits: npt.NDArray[np.uint64]) -> None:
    """Join rows whose PDQ signals differ in 31 bits or fewer.

    Two such signals differ in one bit at most within one of sixteen bands of 16 bits, so each is compared with those
    that share a band but for one bit. Exact as long as no bucket holds more than `IMAGE_WINDOW`.

    Args:
        parent: The union-find forest, changed in place.
        rows: Ascending rows of the forest that have a signal.
        bits: Their signals, shape (len(rows), 4).
    """
    for band in range(16):
        keys = ((bits[:, band // 4] >> np.uint64(16 * (band % 4))) & np.uint64(0xFFFF)).astype(np.int64)
        order = np.argsort(keys, kind="stable").astype(np.int32)
        starts = np.searchsorted(keys[order], np.arange(65_537)).astype(np.int64)
        _link_probed(parent, rows, bits, keys, order, starts)


@kernel
def _bits(word: np.uint64) -> np.uint64:
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.uint64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def distance_bits(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> int:
    """Return how many bits differ between two signals of four words."""
    count = np.uint64(0)
    for at in range(4):
        count += _bits(left[at] ^ right[at])
    return int(count)


@kernel
def _link_probed(
    parent: Ints,
    rows: Ints,
    bits: npt.NDArray[np.uint64],
    keys: npt.NDArray[np.int64],
    order: Ints,
    starts: npt.NDArray[np.int64],
) -> None:
    for here in range(rows.size):
        for flip in range(17):
            key = keys[here] if flip == 16 else keys[here] ^ (1 << flip)
            end = starts[key] + np.searchsorted(order[starts[key] : starts[key + 1]], here)
            for at in range(max(starts[key], end - IMAGE_WINDOW), end):
                there = order[at]
                if find(parent, rows[here]) == find(parent, rows[there]):
                    continue
                if distance_bits(bits[here], bits[there]) <= IMAGE_LIMIT_BITS:
                    union(parent, rows[here], rows[there])
