"""The index of a signal type's values, kept as the register of banks stands.

The register is the truth, the index on disk a copy that many processes may share and any may merge. What can't be
written (a full disk, another process that merges just now) stays in memory: a look-up never waits or fails for it.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import StorageError
from antiphon.fingerprints.vpdq import FRAME_BYTES, MIN_FRAME_QUALITY
from antiphon.matching.hamming import VALUE_BYTES, Near
from antiphon.matching.segments import Segments
from antiphon.storage.banks import BankStore

__all__ = ["FOLLOWED", "FollowedIndex", "frames_of"]

FOLLOWED = {"pdq": VALUE_BYTES, "vpdq": FRAME_BYTES}
"""The signal types that are indexed so → how many bytes of a value are one row: a picture, or a second of a video."""

_BULK = 20_000
"""So many new rows are written as a segment of their own; fewer wait in memory for the next merge."""

Values = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


class FollowedIndex:
    """Finds the entries of one signal type; an entry of several frames is found by each.

    Args:
        store: The banks.
        signal_type: One of `FOLLOWED`.
        folder: Where the index is.
    """

    def __init__(self, store: BankStore, signal_type: str, folder: Path) -> None:
        self._store, self._type, self._folder = store, signal_type, folder
        self._segments, self._looked_through = _opened(folder, 0), 0

    def follow(self, seq: int, limit: int) -> None:
        """Take over what was done up to a number of the log; searches meanwhile see the state before.

        Args:
            seq: The number; what came after it may be seen too.
            limit: The largest distance that will be asked for.
        """
        segments = self._segments
        if segments.is_stale or segments.limit < limit:
            segments, self._looked_through = _opened(self._folder, max(limit, segments.limit)), 0
        if segments.seq < seq:
            self._catch_up(segments, seq)
        self._segments = segments

    @property
    def is_stale(self) -> bool:
        """Whether another process has merged since: `follow` opens what it wrote."""
        return self._segments.is_stale

    def merge(self) -> None:
        """Write what waits in memory.

        Raises:
            StorageError: the disk is full, or another process is merging.
        """
        self._segments.merge()

    def search(self, values: Values, limit: int) -> Near:
        """Return the rows of the register within a distance of each value, (n, 32) uint8."""
        return self._segments.search(values, limit)

    def _catch_up(self, segments: Segments, seq: int) -> None:
        """Put what is new at the end, and what was changed in its place; rows are never given twice.

        What lies up to the last row that was looked at is not looked through again: of a rare type there may be few
        entries among millions.
        """
        before, last = max(segments.last_row, self._looked_through), self._store.last_row()
        changed = self._changed(segments.seq, seq, before) if before else set()
        put = {
            row: self._pieces(entry.value)
            for row, entry in self._store.entries_at(sorted(changed)).items()
            if entry.signal_type == self._type and entry.status == "active"
        }
        rows, values = self._added(before)
        self._looked_through = last
        if len(rows) >= _BULK:
            again = np.repeat(np.array(list(put), dtype=np.int64), list(map(len, put.values())))
            with contextlib.suppress(StorageError):  # it can't be written now: it stays in memory
                segments.append(seq, np.concatenate([again, rows]), np.concatenate([*put.values(), values]), changed)
                return
        begins = np.flatnonzero(np.diff(rows, prepend=-1, append=-1))
        put |= {int(rows[begin]): values[begin:end] for begin, end in pairwise(begins)}
        segments.update(seq, put, changed - set(put))

    def _added(self, after: int) -> tuple[Rows, Values]:
        """Return the rows after one and their values, a row as often as it has values."""
        parts = list(map(self._columns, self._store.entries_of(self._type, after=after, disabled_too=True)))
        rows, values = zip(*parts, strict=True) if parts else ((), ())
        none = np.empty((0, VALUE_BYTES), dtype=np.uint8)
        return np.concatenate([np.empty(0, dtype=np.int64), *rows]), np.concatenate([none, *values])

    def _columns(self, batch: pa.RecordBatch) -> tuple[Rows, Values]:
        values = batch.column("value").to_pylist()
        pieces = np.array(list(map(len, values)), dtype=np.int64) // FOLLOWED[self._type]
        every = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, FOLLOWED[self._type])
        good = _good(every)
        rows = np.repeat(batch.column("rowid").to_numpy(), pieces)
        return rows[good], np.ascontiguousarray(every[good, :VALUE_BYTES])

    def _changed(self, after: int, until: int, last: int) -> set[int]:
        """Return which rows up to one were changed by the acts of a part of the log."""
        changed: set[int] = set()
        for first, end in self._ranges(after, until):
            changed.update(range(first, min(end, last) + 1))
        return changed

    def _ranges(self, after: int, until: int) -> Iterator[tuple[int, int]]:
        while after < until and (changes := self._store.changes_since(after)):
            for change in changes:
                if change.first_row is not None:
                    yield change.first_row, change.last_row or change.first_row
            after = changes[-1].seq

    def _pieces(self, value: bytes) -> Values:
        return frames_of(value) if self._type == "vpdq" else np.frombuffer(value, np.uint8).reshape(-1, VALUE_BYTES)


def frames_of(value: bytes) -> Values:
    """Return the frames of a video that are good enough to compare: (k, 32)."""
    rows = np.frombuffer(value, dtype=np.uint8).reshape(-1, FRAME_BYTES)
    return np.ascontiguousarray(rows[_good(rows), :VALUE_BYTES])


def _good(rows: Values) -> npt.NDArray[np.bool_]:
    """Which rows are good enough to compare; a picture's value does not say."""
    if rows.shape[1] == VALUE_BYTES:
        return np.ones(len(rows), dtype=np.bool_)
    good: npt.NDArray[np.bool_] = rows[:, VALUE_BYTES] >= MIN_FRAME_QUALITY
    return good


def _opened(folder: Path, limit: int) -> Segments:
    """Return an index, made anew where the one on disk can't be read or answers for less: the register has it all."""
    try:
        return Segments(folder, limit)
    except StorageError:
        shutil.rmtree(folder, ignore_errors=True)
        return Segments(folder, limit)
