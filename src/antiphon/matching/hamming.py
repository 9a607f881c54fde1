"""The index of 256-bit signals: every entry within a distance of a query, none missed, none looked for in vain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError, StorageError
from antiphon.matching._bands import Band, Search, count_keys, fill_band, flips_within, pack_counts, scan, search_band
from antiphon.matching._bits import BITS, Words, permutation_tables, permute
from antiphon.matching._clusters import NO_CROWDS, Crowds, find_crowds, is_crowded, search_crowds
from antiphon.matching._design import Design, design_for

__all__ = ["BYTES_PER_ENTRY", "VALUE_BYTES", "HammingIndex", "Near", "sorted_pairs"]

BYTES_PER_ENTRY = 140
"""How much memory an entry may take, its 32 bytes of value included."""
VALUE_BYTES = BITS // 8
_CACHE_LINE = 64
_QUERIES_AT_ONCE = 4_096
_LEAST_BUDGET, _MOST_BUDGET = 4_096, 131_072
_VERSION = 1
_ARRAYS = ("values", "rows", "middles", "bounds", "members", "apart")
_BAND_ARRAYS = ("directory", "entries", "full")

Values = npt.NDArray[np.uint8]


class Near(NamedTuple):
    """Which query is near which entry, and in how many bits they differ; sorted by query, then by entry."""

    queries: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    distances: npt.NDArray[np.int64]


class HammingIndex:
    """Finds the entries within a number of bits of a query, exactly.

    The bits are put into an order drawn when the index is built, so that no list can be made to fill its buckets, and
    cut into bands; two values near each other are near in one band at least. Entries that crowd together are kept
    apart. A query that would look at more than a sixteenth of the entries is answered by a scan: that bounds its cost.
    An index does not change once built; it may be searched by many threads and, saved, shared by many processes.

    Example:
        >>> rng = np.random.default_rng(7)
        >>> values = rng.integers(0, 256, (10_000, 32), dtype=np.uint8)
        >>> index = HammingIndex.build(values, limit=31)
        >>> query = values[41:42] ^ np.uint8([[1] * 9 + [0] * 23])
        >>> [column.tolist() for column in index.search(query)]
        [[0], [41], [9]]
    """

    def __init__(self, limit: int, order: npt.NDArray[np.int64], arrays: dict[str, Any], bands: list[Band]) -> None:
        self.limit = limit
        self._order, self._tables = order, permutation_tables(order)
        self._values: Words = arrays["values"]
        self._rows: npt.NDArray[np.uint32] = arrays["rows"]
        self._crowds = Crowds(*(arrays[name] for name in _ARRAYS[2:]))
        self._bands = bands
        self._flips = [flips_within(band.width, band.radius, band.count_bits) for band in bands]
        shape = [(band.start, band.width, band.radius) for band in bands]
        self._shape = np.array(shape, dtype=np.int64).reshape(-1, 3)

    def __len__(self) -> int:
        return self._values.size // 4

    @property
    def nbytes(self) -> int:
        """How much memory all arrays take."""
        arrays: list[npt.NDArray[Any]] = [self._values, self._rows, *self._crowds]
        arrays += [array for _, array in self._band_arrays()]
        return sum(array.nbytes for array in arrays)

    @classmethod
    def build(
        cls, values: Values, limit: int = 31, *, bytes_per_entry: int = BYTES_PER_ENTRY, seed: int | None = None
    ) -> HammingIndex:
        """Return the index of some values.

        Args:
            values: (n, 32) uint8.
            limit: The largest distance that will be asked for.
            bytes_per_entry: How much memory an entry may take; more is faster, up to about 140 for ten million.
            seed: Fixes the order of the bits, for tests; drawn otherwise, so that nobody can foresee it.
        """
        _require_shape(values)
        order = np.random.default_rng(seed).permutation(BITS)
        words = permute(_words_of(values), permutation_tables(order))
        design = design_for(len(values), limit, bytes_per_entry)
        bands, crowded = _bands(words, design)
        crowds = find_crowds(words, [(band.start, band.width) for band in bands]) if crowded else NO_CROWDS
        rows = np.empty(0, dtype=np.uint32)
        if len(crowds.members):
            inside = np.ones(len(values), dtype=np.bool_)
            inside[crowds.members] = False
            rows = np.concatenate([np.flatnonzero(inside), crowds.members]).astype(np.uint32)
            words = words.reshape(-1, 4)[rows].ravel()
            bands, _ = _bands(words[: 4 * np.count_nonzero(inside)], design)
        return cls(limit, order, {"values": _aligned(words), "rows": rows, **crowds._asdict()}, bands)

    def search(self, queries: Values, limit: int | None = None) -> Near:
        """Return all entries within a distance of each query.

        Args:
            queries: (q, 32) uint8.
            limit: The largest distance; the one the index was built for if not given.

        Raises:
            ConfigError: the limit is more than the index was built for.
        """
        _require_shape(queries)
        limit = self.limit if limit is None else limit
        if limit > self.limit:
            raise ConfigError(
                f"the index answers up to distance {self.limit}, asked for {limit}",
                where="Hamming index", do=f"Build it with limit={limit}.",
            )  # fmt: skip
        parts = [
            self._search(permute(_words_of(queries[at : at + _QUERIES_AT_ONCE]), self._tables), limit, at)
            for at in range(0, len(queries), _QUERIES_AT_ONCE)
        ]
        found = np.concatenate([np.empty((0, 3), dtype=np.int64), *parts])
        return Near(found[:, 0], found[:, 1], found[:, 2])

    def _search(self, queries: Words, limit: int, first: int) -> npt.NDArray[np.int64]:
        """Return (query, entry, distance) rows, sorted."""
        found, count = np.empty(3 * 64, dtype=np.int64), 0
        main = len(self) - len(self._crowds.members)
        spent = np.zeros(queries.size // 4, dtype=np.int64)
        if not self._bands:
            spent[:] = -1
        budget = min(max(main // 16, _LEAST_BUDGET), _MOST_BUDGET)
        search = Search(queries, self._values, self._shape, limit, budget)
        for number, (band, flips) in enumerate(zip(self._bands, self._flips, strict=True)):
            found, count = search_band(search, number, band, flips, spent, found, count)
        given_up = np.flatnonzero(spent < 0)
        if len(given_up):
            rows = found[: 3 * count].reshape(-1, 3)
            kept = rows[spent[rows[:, 0]] >= 0]
            found, count = np.concatenate([kept.ravel(), np.empty(3 * 64, dtype=np.int64)]), len(kept)
            for query in given_up.tolist():
                found, count = scan(queries, query, self._values, 0, main, limit, found, count)
        if len(self._crowds.members):
            found, count = search_crowds(queries, self._values, main, self._crowds, limit, found, count)
        rows = found[: 3 * count].reshape(-1, 3)
        if self._rows.size:
            rows[:, 1] = self._rows[rows[:, 1]]
        rows = sorted_pairs(rows)
        rows[:, 0] += first
        return rows

    def values(self) -> Values:
        """Return the values that the index was built from, in their order: (n, 32) uint8."""
        words = permute(self._values, permutation_tables(np.argsort(self._order)))
        values = words.view(np.uint8).reshape(-1, VALUE_BYTES)
        if not self._rows.size:
            return values
        out = np.empty_like(values)
        out[self._rows] = values
        return out

    def save(self, folder: Path) -> None:
        """Write the index into a new folder, to be opened by any number of processes."""
        folder.mkdir(parents=True)
        whole: list[npt.NDArray[Any]] = [self._values, self._rows, *self._crowds]
        for name, array in (*zip(_ARRAYS, whole, strict=True), *self._band_arrays()):
            np.save(folder / f"{name}.npy", array)
        bands = [[band.start, band.width, band.radius, band.count_bits, band.row] for band in self._bands]
        about = {"version": _VERSION, "limit": self.limit, "order": self._order.tolist(), "bands": bands}
        (folder / "index.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> HammingIndex:
        """Return a saved index, mapped into memory: processes that open the same one share it.

        Raises:
            StorageError: it is not whole, or of another version of the format.
        """
        try:
            about = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            _require_version(about)
            arrays = {name: _mapped(folder, name) for name in _ARRAYS}
            bands = [
                Band(*shape, *(_mapped(folder, f"band{at}-{name}") for name in _BAND_ARRAYS))
                for at, shape in enumerate(about["bands"])
            ]
            return cls(about["limit"], np.array(about["order"], dtype=np.int64), arrays, bands)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as fault:
            raise StorageError(
                f"the index can't be opened: {fault}",
                where=str(folder),
                do="Remove the folder: it is built again from the register.",
            ) from fault

    def _band_arrays(self) -> Iterator[tuple[str, Any]]:
        for at, band in enumerate(self._bands):
            for name in _BAND_ARRAYS:
                yield f"band{at}-{name}", getattr(band, name)


def _bands(values: Words, design: Design) -> tuple[list[Band], bool]:
    """Return the bands over some values, and whether any of them is crowded."""
    bands, crowded, start = [], False, 0
    for at, (width, radius, count_bits) in enumerate(design.bands):
        counts = count_keys(values, start, width)
        crowded = crowded or is_crowded(int(counts.max()), values.size // 4, width)
        directory = _empty(2 * ((1 << width) * count_bits // 64), np.uint64)
        full = pack_counts(counts, count_bits, directory)
        row = 4 if at < design.inline else 1
        entries = _empty(row * (values.size // 4), np.uint32)
        fill_band(values, start, width, row, counts, entries)
        bands.append(Band(start, width, radius, count_bits, row, directory, entries, full))
        start += width
    return bands, crowded


def sorted_pairs(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (query, entry, distance) rows by query, then by entry; one key for both sorts faster than two."""
    least, most = (int(rows[:, 1].min()), int(rows[:, 1].max())) if len(rows) else (0, 0)
    return rows[np.argsort(rows[:, 0] * (most - least + 1) + (rows[:, 1] - least), kind="stable")]


def _require_version(about: dict[str, Any]) -> None:
    if about["version"] != _VERSION:
        raise ValueError(f"format version {about['version']}, expected {_VERSION}")


def _require_shape(values: Values) -> None:
    if values.ndim != 2 or values.shape[1] != VALUE_BYTES or values.dtype != np.uint8:
        raise ConfigError(
            f"the values are {values.dtype} of shape {values.shape}, expected uint8 of shape (n, {VALUE_BYTES})",
            where="Hamming index", do="Hand over one row of 32 bytes for each signal.",
        )  # fmt: skip


def _words_of(values: Values) -> Words:
    """Return values as flat words, four each."""
    return np.ascontiguousarray(values).view("<u8").ravel()


def _empty(size: int, kind: type[np.generic]) -> Any:  # noqa: ANN401 - an array of any kind
    """Return room that begins with a cache line: an entry is never spread over two."""
    item = np.dtype(kind).itemsize
    room = np.empty(size + _CACHE_LINE // item, dtype=kind)
    begin = (-room.ctypes.data % _CACHE_LINE) // item
    return room[begin : begin + size]


def _aligned(words: Words) -> Words:
    room: Words = _empty(words.size, np.uint64)
    room[:] = words
    return room


def _mapped(folder: Path, name: str) -> Any:  # noqa: ANN401 - an array of any kind
    """Return an array of a file, its pages shared until somebody writes into them, which nobody does."""
    path = folder / f"{name}.npy"
    found = np.load(path, mmap_mode="c") if path.stat().st_size > 4096 else np.load(path)
    return np.asarray(found)
