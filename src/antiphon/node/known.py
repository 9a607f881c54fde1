"""The ids of the materials that the lake has, held compactly: 16 bytes each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["KnownIds"]

Words = npt.NDArray[np.uint64]
Keys = tuple[Words, Words]


class KnownIds:
    """A set of 128-bit ids in sorted runs that are merged as they grow: a million cost 16 MB.

    An id is two 64-bit words; runs are sorted by the first, which in practice tells all ids apart.
    """

    def __init__(self) -> None:
        self._runs: list[Keys] = []

    def __len__(self) -> int:
        return sum(len(high) for high, _ in self._runs)

    def add_new(self, ids: pa.Array) -> npt.NDArray[np.bool_]:
        """Add some ids and return which were new: (n,) bool; of an id that comes twice the first is the new one."""
        high, low = _keys(ids)
        order = np.lexsort((np.arange(len(high)), low, high))
        high, low = high[order], low[order]
        fresh = np.ones(len(high), dtype=bool)
        fresh[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        for run in self._runs:
            fresh &= ~_inside(run, high, low)
        self._insert((high[fresh], low[fresh]))
        mask = np.empty(len(high), dtype=bool)
        mask[order] = fresh
        return mask

    def _insert(self, run: Keys) -> None:
        """Add a sorted run; runs of a like size are merged, so there are never more than a few."""
        if not len(run[0]):
            return
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 4 * len(self._runs[-1][0]):
            right, left = self._runs.pop(), self._runs.pop()
            high, low = (np.concatenate(words) for words in zip(left, right, strict=True))
            order = np.argsort(high, kind="stable")  # two sorted runs: timsort merges them
            self._runs.append((high[order], low[order]))


def _inside(run: Keys, high: Words, low: Words) -> npt.NDArray[np.bool_]:
    """Return which ids are in a sorted run; ids that share their first word are looked at one after the other."""
    found = np.zeros(len(high), dtype=bool)
    at = np.searchsorted(run[0], high)
    open_ = np.flatnonzero(at < len(run[0]))
    while len(open_):
        open_ = open_[run[0][at[open_]] == high[open_]]
        found[open_] |= run[1][at[open_]] == low[open_]
        open_ = open_[~found[open_]]
        at[open_] += 1
        open_ = open_[at[open_] < len(run[0])]
    return found


def _keys(ids: pa.Array) -> Keys:
    """Return 32-digit hex ids as two words each."""
    words = np.frombuffer(bytes.fromhex("".join(ids.to_pylist())), dtype=">u8").astype(np.uint64)
    return words[0::2].copy(), words[1::2].copy()
