"""The stage that fingerprints materials: MATERIALS to SIGNALS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.fingerprints._files import Fault, FileSignal, KeptFiles
from antiphon.fingerprints._texts import Texts, read_texts
from antiphon.fingerprints.interface import SignalType
from antiphon.fingerprints.ocr import read_words, reader_version
from antiphon.fingerprints.pdq import Pdq
from antiphon.fingerprints.text_exact import TextExact
from antiphon.fingerprints.text_near import TextNear
from antiphon.model.schemas import MATERIALS, SIGNALS, SKIPPED, require_schema

__all__ = ["WORDS_PART", "WORDS_TYPE", "FingerprintMaterials", "fingerprint_text"]

TEXT, PART, ADDRESS = "text", "media/{}", "text/uri-list"

WORDS_PART = "/words"
"""What follows the part of a picture to mean the words in it."""

WORDS_TYPE = "ocr_text"
"""The signal whose value is the words themselves, UTF-8; no bank has entries of it: it is looked up as a text."""


class _Column(NamedTuple):
    """Signals of one type, and the rows of the batch that they belong to."""

    rows: npt.NDArray[np.int64]
    batch: pa.RecordBatch


class FingerprintMaterials:
    """Stage: every signal of every material, in the order of the materials.

    A text gives `text_exact` and `text_near`, the title standing in where there is no text; a file gives `sha256`,
    read from its record, and where its bytes were kept an image gives `pdq`, a video `vpdq`. Where a reader for them is
    installed the words in an image give `ocr_text`, `text_exact` and `text_near` of the part `media/N/words`.

    Args:
        media_root: Folder of kept copies, each at `sha256[:2]/sha256`; None where none were kept.
        extra: Further signal types, as the entry points of `antiphon.signals` give them.
        words: Whether words in images are read, where a reader is installed. It is part of the version then: another
            reader may read other words.
    """

    name: str = "fingerprint_materials"
    version: str = "3"
    reads: pa.Schema = MATERIALS
    writes: pa.Schema = SIGNALS

    def __init__(self, media_root: Path | None = None, extra: Sequence[SignalType] = (), *, words: bool = True) -> None:
        self.media_root = media_root
        built_in = {"sha256", "text_exact", "text_near", "pdq"}
        further = [kind for kind in extra if kind.name not in built_in and kind.content != ADDRESS]
        self._texts = tuple(kind for kind in further if kind.content == TEXT)
        reader = reader_version() if words else None
        if reader is not None:
            self.version = f"{self.version}+{reader}"
        kinds = (Pdq(), *(kind for kind in further if kind.content != TEXT))
        self._files = KeptFiles(media_root, kinds, None if reader is None else _words_in)

    def open(self) -> None:
        """Compile the kernels before the first batch arrives."""
        TextNear().of_texts(read_texts(["the lighthouse keeper of varnholt"]))

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the signals, then a batch of SKIPPED where a file could not be read."""
        require_schema(batch, self.reads, where=f"{self.name}, materials")
        ids = batch.column("material_id")
        columns = self._of_texts(batch)
        of_media, skipped = self._of_media(batch)
        columns.append(of_media)
        rows = np.concatenate([column.rows for column in columns])
        together = pa.Table.from_batches([column.batch for column in columns], schema=SIGNALS.remove(0))
        order = np.argsort(rows, kind="stable")
        signals = together.take(pa.array(order)).add_column(0, SIGNALS.field(0), ids.take(pa.array(rows[order])))
        yield _one_batch(signals)
        if skipped:
            yield pa.RecordBatch.from_pylist(skipped, schema=SKIPPED)

    def _of_texts(self, batch: pa.RecordBatch) -> list[_Column]:
        said = pc.coalesce(_null_if_blank(batch.column("text")), batch.column("title"))
        rows = np.flatnonzero(said.is_valid().to_numpy(zero_copy_only=False))
        texts = said.take(pa.array(rows)).to_pylist()
        read = read_texts(texts)
        columns = [_exact(rows, read), _near(rows, read)]
        for kind in self._texts:
            found = [(row, kind.fingerprint(text.encode())) for row, text in zip(rows.tolist(), texts, strict=True)]
            columns.append(_listed([(row, TEXT, kind.name, *signal) for row, signal in found if signal]))
        return columns

    def _of_media(self, batch: pa.RecordBatch) -> tuple[_Column, list[dict[str, Any]]]:
        counts = pc.fill_null(pc.list_value_length(batch.column("media")), 0)
        rows = np.flatnonzero(counts.to_numpy(zero_copy_only=False))
        some = batch.select(["media", "provenance"]).take(pa.array(rows)) if rows.size else None
        signals: list[tuple[int, str, str, bytes, float | None]] = []
        skipped: list[dict[str, Any]] = []
        for row, record in zip(rows.tolist(), some.to_pylist() if some else (), strict=True):
            for at, file in enumerate(record["media"]):
                part, digest = PART.format(at), _digest(file)
                if digest is not None:
                    signals.append((row, part, "sha256", digest, None))
                    found = self._files.read(digest.hex(), file["mime"] or "")
                    signals += [(row, part + one.after, one.kind, one.value, one.quality) for one in found.signals]
                    skipped += [_skipped(record["provenance"], part, fault) for fault in found.faults]
        return _listed(signals), skipped


def fingerprint_text(text: str) -> dict[str, bytes]:
    """Return the text signals of one text by their names; a text of too few letters lacks one or both.

    Example:
        >>> sorted(fingerprint_text("The ferry to Varnholt leaves at nine."))
        ['text_exact', 'text_near']
        >>> fingerprint_text("well done")
        {}
    """
    found = {kind.name: kind.fingerprint(text.encode()) for kind in (TextExact(), TextNear())}
    return {name: signal.value for name, signal in found.items() if signal is not None}


def _exact(rows: npt.NDArray[np.int64], texts: Texts) -> _Column:
    of, values, quality = TextExact().of_texts(texts)
    return _column(rows[np.array(of, dtype=np.int64)], "text_exact", pa.array(values, pa.binary()), pa.array(quality))


def _near(rows: npt.NDArray[np.int64], texts: Texts) -> _Column:
    of, values, quality = TextNear().of_texts(texts)
    width = pa.binary(values.shape[1] * 4)
    fixed = pa.FixedSizeBinaryArray.from_buffers(width, len(values), [None, pa.py_buffer(values.astype("<u4"))])
    return _column(rows[of], "text_near", fixed.cast(pa.binary()), pa.array(quality))


def _column(rows: npt.NDArray[np.int64], name: str, values: pa.Array, quality: pa.Array) -> _Column:
    parts, names = (pa.repeat(pa.scalar(word), len(rows)) for word in (TEXT, name))
    fields = [parts, names, values, quality.cast(pa.float32())]
    return _Column(rows, pa.RecordBatch.from_arrays(fields, schema=SIGNALS.remove(0)))


def _listed(signals: list[tuple[int, str, str, bytes, float | None]]) -> _Column:
    schema = SIGNALS.remove(0)
    columns = list(zip(*signals, strict=True)) or [()] * 5
    fields = [pa.array(column, field.type) for column, field in zip(columns[1:], schema, strict=True)]
    return _Column(np.array(columns[0], dtype=np.int64), pa.RecordBatch.from_arrays(fields, schema=schema))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], SIGNALS)


def _null_if_blank(text: pa.Array) -> pa.Array:
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(text)), 0)
    return pc.if_else(blank, pa.scalar(None, pa.string()), text)


def _digest(file: dict[str, Any] | None) -> bytes | None:
    """The SHA-256 of a file as its reader wrote it down; None where it has none, or what stands there is no digest."""
    try:
        digest = bytes.fromhex((file or {}).get("sha256") or "")
    except ValueError:
        return None
    return digest if len(digest) == 32 else None


def _words_in(content: bytes) -> Iterator[FileSignal]:
    """The signals of the words in an image."""
    words = read_words(content)
    if words is None:
        return
    said = words.text.encode()
    yield FileSignal(WORDS_PART, WORDS_TYPE, said, words.confidence)
    for kind in (TextExact(), TextNear()):
        signal = kind.fingerprint(said)
        if signal is not None:
            yield FileSignal(WORDS_PART, kind.name, *signal)


def _skipped(provenance: dict[str, Any], part: str, fault: Fault) -> dict[str, Any]:
    return {
        "input": provenance["input"],
        "record": provenance["record"],
        "offset": provenance["offset"],
        "stage": f"fingerprints/{fault.kind}",
        "reason": fault.reason,
        "detail": f"{part}: {fault.error.what}. {fault.error.do}",
    }
