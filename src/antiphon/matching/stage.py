"""The stage that matches signals against banks: SIGNALS to MATCHES."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import ConfigError, InputError
from antiphon.matching._search import Buckets, buckets_of, near_texts
from antiphon.matching.bank import VALUE_BYTES, Bank, TextSignals, read_bank
from antiphon.matching.hamming import HammingIndex
from antiphon.model.schemas import MATCHES, SIGNALS, require_schema

__all__ = ["MAX_TEXT_DISTANCE", "MIN_IMAGE_QUALITY", "MatchSignals"]

MAX_TEXT_DISTANCE = 6
"""Of 32 values; 26 that agree are a similarity of 0.81, the least that is called near (0.8 or more)."""

MIN_IMAGE_QUALITY = 0.5
"""Images of less are flat or empty, and near to one another for that reason alone."""

EXACT = ("sha256", "text_exact")
_Hit = tuple[int, str, str, int]


class _Index(NamedTuple):
    """The entries of one signal type from all banks, sorted by bank, then by entry."""

    names: list[tuple[str, str]]
    values: list[bytes]


class MatchSignals:
    """Stage: pair every signal with every bank entry near enough, in the order of the signals, then bank and entry.

    Args:
        bank_paths: Bank files, as `antiphon.matching.bank` describes them.
        max_distance_bits: The largest distance of two PDQ signals that is a match.
        text_signals: What fingerprints the texts of banks that hold texts.
    """

    name: str = "match_signals"
    version: str = "2"
    reads: pa.Schema = SIGNALS
    writes: pa.Schema = MATCHES

    def __init__(
        self,
        bank_paths: Sequence[Path],
        max_distance_bits: int = 31,
        text_signals: TextSignals | None = None,
    ) -> None:
        if not 0 <= max_distance_bits <= 256:
            raise ConfigError(
                f"the largest PDQ distance is {max_distance_bits}, expected 0 to 256",
                where=self.name,
                do="Use 31, what PDQ's authors call a confident match, or less.",
            )
        self.bank_paths = tuple(bank_paths)
        self.max_distance_bits = max_distance_bits
        self.text_signals = text_signals
        self._banks: tuple[Bank, ...] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Ship the paths alone: every worker opens the banks itself."""
        kept = {"bank_paths": self.bank_paths, "max_distance_bits": self.max_distance_bits}
        return {**kept, "text_signals": self.text_signals, "_banks": None}

    def open(self) -> None:
        """Read the banks and build their indexes."""
        self._banks = _read_banks(self.bank_paths, self.text_signals)
        self._exact = {kind: _by_value(_index(self._banks, kind)) for kind in EXACT}
        self._pdq = _index(self._banks, "pdq")
        self._pictures = HammingIndex.build(_rows(self._pdq.values, "u1", 32), self.max_distance_bits)
        self._near = _index(self._banks, "text_near")
        self._near_rows = _rows(self._near.values, "<u4", 32)
        self._buckets: Buckets = buckets_of(self._near_rows)

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield one batch of matches."""
        require_schema(batch, self.reads, where=f"{self.name}, signals")
        if self._banks is None:
            self.open()
        hits = sorted(chain(self._equal(batch), self._images(batch), self._texts(batch)))
        rows = pa.array([hit[0] for hit in hits], pa.int64())
        kinds = batch.column("signal_type").take(rows)
        limits = [self._limit(kind) for kind in kinds.to_pylist()]
        columns = [batch.column(name).take(rows) for name in ("material_id", "part", "signal_type")]
        columns += [pa.array([hit[at] for hit in hits], kind) for at, kind in ((1, pa.string()), (2, pa.string()))]
        columns += [pa.array([hit[3] for hit in hits], pa.int32()), pa.array(limits, pa.int32())]
        columns += [pa.nulls(len(hits), pa.string()), pa.repeat(pa.scalar("known"), len(hits))]
        labels = {bank.name: bank.labels for bank in self._banks or ()}
        columns.append(pa.array([labels[hit[1]].get(hit[2]) for hit in hits], pa.string()))
        columns.append(pa.nulls(len(hits), pa.string()))
        yield pa.RecordBatch.from_arrays(columns, schema=MATCHES)

    def _limit(self, kind: str) -> int:
        return {"pdq": self.max_distance_bits, "text_near": MAX_TEXT_DISTANCE}.get(kind, 0)

    def _equal(self, batch: pa.RecordBatch) -> Iterator[_Hit]:
        for kind, entries in self._exact.items():
            if entries:
                rows, values = _of_type(batch, kind)
                for row, value in zip(rows.tolist(), values.to_pylist(), strict=True):
                    for bank, entry_id in entries.get(value, ()):
                        yield row, bank, entry_id, 0

    def _images(self, batch: pa.RecordBatch) -> Iterator[_Hit]:
        if not self._pdq.names:
            return
        rows, values = _of_type(batch, "pdq")
        quality = pc.fill_null(batch.column("quality").take(pa.array(rows)), 1.0).to_numpy(zero_copy_only=False)
        good = np.flatnonzero(quality >= MIN_IMAGE_QUALITY)
        near = self._pictures.search(_fixed(values.take(pa.array(good)), "pdq", "u1", 32))
        for at, entry, distance in zip(*(column.tolist() for column in near), strict=True):
            yield int(rows[good[at]]), *self._pdq.names[entry], distance

    def _texts(self, batch: pa.RecordBatch) -> Iterator[_Hit]:
        if not self._near.names:
            return
        rows, values = _of_type(batch, "text_near")
        queries = _fixed(values, "text_near", "<u4", 32)
        pairs = near_texts(queries, self._near_rows, self._buckets, MAX_TEXT_DISTANCE)
        for at, entry, distance in zip(*(column.tolist() for column in pairs), strict=True):
            yield int(rows[at]), *self._near.names[entry], distance


def _read_banks(paths: Sequence[Path], text_signals: TextSignals | None) -> tuple[Bank, ...]:
    """All banks, or the faults of all of them together."""
    banks: list[Bank] = []
    faults: list[Exception] = []
    for path in paths:
        try:
            banks.append(read_bank(path, text_signals=text_signals))
        except ExceptionGroup as group:
            faults.extend(group.exceptions)
    names = [bank.name for bank in banks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(InputError("two banks have this name", where=f"bank {name}", do="Rename one of the files."))
    if faults:
        raise ExceptionGroup(f"{len(faults)} faults in bank files", faults)
    return tuple(banks)


def _index(banks: Sequence[Bank], kind: str) -> _Index:
    rows = sorted(
        (bank.name, entry_id, value)
        for bank in banks
        if kind in bank.entries
        for entry_id, value in zip(bank.entries[kind].ids, bank.entries[kind].values, strict=True)
    )
    return _Index([(bank, entry_id) for bank, entry_id, _ in rows], [value for _, _, value in rows])


def _by_value(index: _Index) -> dict[bytes, list[tuple[str, str]]]:
    found: dict[bytes, list[tuple[str, str]]] = {}
    for name, value in zip(index.names, index.values, strict=True):
        found.setdefault(value, []).append(name)
    return found


def _rows(values: Sequence[bytes], word: str, width: int) -> npt.NDArray[Any]:
    return np.frombuffer(b"".join(values), dtype=word).reshape(-1, width)


def _of_type(batch: pa.RecordBatch, kind: str) -> tuple[npt.NDArray[np.int64], pa.Array]:
    rows = np.flatnonzero(pc.equal(batch.column("signal_type"), kind).to_numpy(zero_copy_only=False))
    return rows, batch.column("value").take(pa.array(rows))


def _fixed(values: pa.Array, kind: str, word: str, width: int) -> npt.NDArray[Any]:
    try:
        values.cast(pa.binary(VALUE_BYTES[kind]))
    except pa.ArrowInvalid:
        raise InputError(
            f"a {kind} value has not {VALUE_BYTES[kind]} bytes",
            where="match_signals, signals",
            do="Make the signals again with the built-in signal type.",
        ) from None
    return _rows(values.to_pylist(), word, width)
