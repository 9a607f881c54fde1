"""An index that is always on: segments on disk that never change, and what has happened since, in memory.

The register of banks is the truth; a segment is a copy of some of its rows that can be searched fast. `manifest.json`
names the segments that count and the number of the register's log up to which they do. It is replaced as a whole, so
that a reader sees the old state or the new one; what an interruption left lies in folders that no manifest names.

A search reads one immutable snapshot: rows may be added, withdrawn and merged meanwhile, and no search waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import StorageError
from antiphon.matching.hamming import VALUE_BYTES, HammingIndex, Near, sorted_pairs

__all__ = ["MERGE_RATIO", "Segments"]

MERGE_RATIO = 4
"""A segment is joined with those after it once they hold a quarter as many rows: each row is copied a few times."""

_MANIFEST = "manifest.json"
_ROWS = "rows-of-register.npy"

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.uint8]

_NO_ROWS: Rows = np.empty(0, dtype=np.int64)
_NO_VALUES: Values = np.empty((0, VALUE_BYTES), dtype=np.uint8)


@dataclass(frozen=True)
class _Segment:
    """Rows as they were when it was written; those in `masked` are no longer so, and are not found in it."""

    name: str
    rows: Rows
    index: HammingIndex
    masked: Rows

    def masking(self, changed: Rows) -> _Segment:
        return replace(self, masked=np.union1d(self.masked, changed[np.isin(changed, self.rows)]))

    def left(self) -> tuple[Rows, Values]:
        keep = ~np.isin(self.rows, self.masked)
        return self.rows[keep], self.index.values()[keep]


@dataclass(frozen=True)
class _Snapshot:
    """What a search sees: the segments, and the rows that came since the last merge with their values."""

    seq: int
    segments: tuple[_Segment, ...]
    fresh_rows: Rows
    fresh_values: Values
    fresh: HammingIndex | None


class Segments:
    """Rows of 256-bit values under one folder. One process merges at a time; any number may search.

    A row may have several values, such as the frames of a video.

    Args:
        folder: Where the segments are, or will be.
        limit: The largest distance that will be asked for, at least; what is there may answer for more.
    """

    def __init__(self, folder: Path, limit: int = 31) -> None:
        self.folder, self.limit = folder, limit
        self._writing, self._merging = threading.Lock(), threading.Lock()
        self._journal: list[Rows] = []  # what was changed since a merge began
        self._known_edition = self._edition()
        self._now = self._opened()

    @property
    def seq(self) -> int:
        """The number of the register's log up to which the rows are known."""
        return self._now.seq

    @property
    def fresh(self) -> int:
        """How many values wait in memory to be merged."""
        return len(self._now.fresh_rows)

    @property
    def last_row(self) -> int:
        """The highest row there is, 0 where there is none."""
        every = (self._now.fresh_rows, *(segment.rows for segment in self._now.segments))
        return max((int(rows.max()) for rows in every if len(rows)), default=0)

    @property
    def is_stale(self) -> bool:
        """Whether another process has merged here since: what is on disk is newer then, and is to be opened again."""
        return self._edition() != self._known_edition

    def __len__(self) -> int:
        return sum(len(segment.rows) for segment in self._now.segments) + self.fresh

    def search(self, queries: Values, limit: int | None = None) -> Near:
        """Return the rows within a distance of each query, sorted by query, then by row."""
        now = self._now
        found = [np.empty((0, 3), dtype=np.int64)]
        for segment in now.segments:
            near = self._search(segment.index, segment.rows, queries, limit)
            found.append(near[~np.isin(near[:, 1], segment.masked)] if len(segment.masked) else near)
        if now.fresh is not None:
            found.append(self._search(now.fresh, now.fresh_rows, queries, limit))
        rows = sorted_pairs(np.concatenate(found))
        return Near(rows[:, 0], rows[:, 1], rows[:, 2])

    def update(self, seq: int, put: Mapping[int, Values], gone: Iterable[int] = ()) -> None:
        """Make rows count with the values given, and others no longer; searches that began before are not disturbed.

        Args:
            seq: The number of the register's log up to which this goes.
            put: Row → its values, (k, 32) uint8.
            gone: Rows that are withdrawn, held or deleted.
        """
        with self._writing:
            now = self._now
            changed = np.array(sorted({*put, *gone}), dtype=np.int64)
            keep = ~np.isin(now.fresh_rows, changed)
            sizes = [len(values) for values in put.values()]
            rows = np.concatenate([now.fresh_rows[keep], np.repeat(np.array(list(put), dtype=np.int64), sizes)])
            values = np.concatenate([now.fresh_values[keep], *put.values()])
            segments = tuple(segment.masking(changed) for segment in now.segments)
            self._journal.append(changed)
            self._now = _Snapshot(seq, segments, rows, values, self._index(values))

    def append(self, seq: int, rows: Rows, values: Values, gone: Iterable[int] = ()) -> None:
        """Write many rows as a segment of their own, and keep up to where the log is known, at once; for long lists.

        Args:
            seq: The number of the register's log up to which this goes.
            rows: One for each value; what the segments know of them counts no longer.
            values: (n, 32) uint8.
            gone: Further rows that are withdrawn, held or deleted.

        Raises:
            StorageError: the disk is full, or another process merges here or has done so since this was opened.
        """
        self.merge()  # so that nothing waits in memory that the log's new number would pass over
        with self._merging, self._alone():
            if self.is_stale:
                raise StorageError("another process has merged this index", where=str(self.folder), do="Open it again.")
            made = (self._write(rows, values),) if len(rows) else ()
            changed = np.union1d(np.array(sorted(gone), dtype=np.int64), rows)
            with self._writing:
                segments = tuple(segment.masking(changed) for segment in self._now.segments)
                self._now = replace(self._now, seq=seq, segments=(*segments, *made))
                self._keep(self._now)

    def merge(self) -> bool:
        """Write what waits in memory, join small segments with it, drop what is gone; return whether anything was done.

        Safe to run in the background: searches go on in what there was before, and what is changed meanwhile stays so.
        Where another process has merged since, nothing is done: see `is_stale`.

        Raises:
            StorageError: the disk is full, or another process is merging here now.
        """
        with self._merging, self._alone():
            with self._writing:
                before, self._journal = self._now, []  # what is changed from here on is in no segment yet
            joined = _to_join(before)
            if self.is_stale or not (joined or len(before.fresh_rows)):
                return False
            parts = [*(segment.left() for segment in joined), (before.fresh_rows, before.fresh_values)]
            rows, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            made = (self._write(rows, values),) if len(rows) else ()
            kept = tuple(segment for segment in before.segments if segment not in joined)
            with self._writing:
                merged = _Snapshot(before.seq, (*kept, *made), _NO_ROWS, _NO_VALUES, None)
                self._keep(merged)
                self._now = self._caught_up(merged)
            self._sweep()
            return True

    def _caught_up(self, merged: _Snapshot) -> _Snapshot:
        """Return the state after a merge, with what was changed since it began."""
        now, changed = self._now, np.concatenate([_NO_ROWS, *self._journal])
        stays = np.isin(now.fresh_rows, changed)
        rows, values = now.fresh_rows[stays], now.fresh_values[stays]
        segments = tuple(segment.masking(np.unique(changed)) for segment in merged.segments)
        return _Snapshot(now.seq, segments, rows, values, self._index(values))

    def _index(self, values: Values) -> HammingIndex | None:
        return HammingIndex.build(values, self.limit) if len(values) else None

    def _search(self, index: HammingIndex, rows: Rows, queries: Values, limit: int | None) -> npt.NDArray[np.int64]:
        near = index.search(queries, self.limit if limit is None else limit)
        return np.stack([near.queries, rows[near.entries], near.distances], axis=1)

    # --- on disk

    def _opened(self) -> _Snapshot:
        path = self.folder / _MANIFEST
        if not path.exists():
            return _Snapshot(0, (), _NO_ROWS, _NO_VALUES, None)
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            self._require_limit(about["limit"])
            self.limit = about["limit"]
            segments = tuple(self._segment(name, masked) for name, masked in about["segments"].items())
            return _Snapshot(about["seq"], segments, _NO_ROWS, _NO_VALUES, None)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as fault:
            raise StorageError(
                f"the index can't be opened: {fault}",
                where=str(self.folder), do="Remove the folder: it is built again from the register.",
            ) from fault  # fmt: skip

    def _require_limit(self, limit: int) -> None:
        if limit < self.limit:
            raise ValueError(f"it answers up to distance {limit}, asked for {self.limit}")

    def _segment(self, name: str, masked: list[int]) -> _Segment:
        rows = np.load(self.folder / name / _ROWS)
        return _Segment(name, rows, HammingIndex.open(self.folder / name), np.array(masked, dtype=np.int64))

    def _write(self, rows: Rows, values: Values) -> _Segment:
        """Write a segment, which counts once a manifest names it."""
        name = f"segment-{secrets.token_hex(8)}"
        folder = self.folder / name
        try:
            HammingIndex.build(values, self.limit).save(folder)
            np.save(folder / _ROWS, rows)
            for path in (*folder.iterdir(), folder):
                _to_disk(path)
        except OSError as fault:
            shutil.rmtree(folder, ignore_errors=True)
            raise StorageError(
                f"a segment can't be written: {fault.strerror}",
                where=str(folder),
                do="Free some space, and merge again.",
            ) from fault
        return self._segment(name, [])

    def _keep(self, state: _Snapshot) -> None:
        """Make a state the one that is opened next time."""
        names = {segment.name: segment.masked.tolist() for segment in state.segments}
        fresh = self.folder / f"{_MANIFEST}.new"
        fresh.write_text(json.dumps({"seq": state.seq, "limit": self.limit, "segments": names}), encoding="utf-8")
        _to_disk(fresh)
        fresh.replace(self.folder / _MANIFEST)
        _to_disk(self.folder)
        self._known_edition = self._edition()

    def _edition(self) -> tuple[int, int] | None:
        """What tells one manifest from the next: each is a new file."""
        try:
            about = (self.folder / _MANIFEST).stat()
        except FileNotFoundError:
            return None
        return about.st_ino, about.st_mtime_ns

    def _sweep(self) -> None:
        """Remove the folders that no manifest names; who has them open keeps them until it closes them."""
        names = {segment.name for segment in self._now.segments}
        for path in self.folder.glob("segment-*"):
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from merging here; the lock goes with the process, however it ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                raise StorageError(
                    "another process is merging this index", where=str(self.folder), do="Wait until it has ended."
                ) from fault
            yield


def _to_join(state: _Snapshot) -> tuple[_Segment, ...]:
    """Return the segments to write anew: small beside what comes after them, or mostly gone."""
    joined = [segment for segment in state.segments if 2 * len(segment.masked) > len(segment.rows)]
    total = len(state.fresh_rows)
    for segment in reversed(state.segments):
        if total and len(segment.rows) < MERGE_RATIO * total and segment not in joined:
            joined.append(segment)
            total += len(segment.rows)
    return tuple(joined)


def _to_disk(path: Path) -> None:
    """Wait until a file or folder would survive a loss of power."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
