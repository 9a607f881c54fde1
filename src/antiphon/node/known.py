"""The ids of the materials that the lake has, held compactly: 16 bytes each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

__all__ = ["KnownIds"]


class KnownIds:
    """A set of 128-bit ids in sorted runs that are merged as they grow: a million cost 16 MB."""

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def add_new(self, ids: pa.Array) -> np.ndarray:
        """Add some ids and return which were new: (n,) bool; of an id that comes twice the first is the new one."""
        keys = _keys(ids)
        unique, first = np.unique(keys, return_index=True)
        fresh = np.ones(len(unique), dtype=bool)
        for run in self._runs:
            at = np.searchsorted(run, unique)
            inside = at < len(run)
            fresh[inside] &= run[at[inside]] != unique[inside]
        self._insert(unique[fresh])
        mask = np.zeros(len(keys), dtype=bool)
        mask[first[fresh]] = True
        return mask

    def _insert(self, run: np.ndarray) -> None:
        """Add a sorted run; runs of a like size are merged, so there are never more than a few."""
        if not len(run):
            return
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < 4 * len(self._runs[-1]):
            right, left = self._runs.pop(), self._runs.pop()
            self._runs.append(np.sort(np.concatenate([left, right]), kind="stable"))


def _keys(ids: pa.Array) -> np.ndarray:
    """Return 32-digit hex ids as 16-byte keys that sort and compare as bytes."""
    joined = "".join(ids.to_pylist())
    return np.frombuffer(bytes.fromhex(joined), dtype="S16") if joined else np.empty(0, dtype="S16")
