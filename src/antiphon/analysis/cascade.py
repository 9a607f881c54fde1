"""The cascade: a cheap first look at every text, and a close reading of those that may matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.analysis.encoder import Encoder, check_encoder, open_encoder
from antiphon.analysis.explain import Span
from antiphon.analysis.findings import (
    ACT_AT,
    ACTS,
    ANY_ACT,
    CONTEXTS_PROTECTED,
    DIRECT,
    FIRST_CONTEXT,
    FLAG,
    Outcome,
    Readings,
    Signature,
    findings_of,
    span_column,
)  # fmt: skip
from antiphon.analysis.interface import Example
from antiphon.analysis.language import UNDETERMINED
from antiphon.analysis.linear import EXAMPLES, LinearAnalyser, Read, linear_spans, read_texts, words_of
from antiphon.analysis.marks import Marks, marks_of, spans_of
from antiphon.analysis.passages import read_passages
from antiphon.analysis.pretrained import find_pretrained
from antiphon.analysis.undisguise import Plain, undisguise
from antiphon.analysis.weights import HEADS, read_weights
from antiphon.model.schemas import CONTEXTS, FINDINGS, MATERIALS, SPEECH_ACTS, require_schema

__all__ = ["CascadeAnalyser"]

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""

_REMEMBERED = 8192
"""Texts whose close reading is kept: in a stream the same words come again and again."""

_PROTECTED_AT = 0.35
_MATTERS = HEADS.index("matters")

Floats = npt.NDArray[np.float32]


class Close(NamedTuple):
    """What the close reading says of a text: chances in the order of HEADS, marks in its plain form, its passage."""

    chances: Floats
    marks: tuple[Marks, ...]
    passage: tuple[int, int]


class CascadeAnalyser:
    """Stage: one finding for each material, by the linear model first and by the encoder where it passes a text on.

    Where the encoder's package can't be had, every text is read by the linear model alone, and its findings say so by
    the analyser's name.
    """

    name = "cascade"
    version = "1.0.0"
    reads = MATERIALS
    writes = FINDINGS

    def open(self) -> None:
        """Load the linear model and check the encoder's files; the encoder is loaded when a text first asks for it.

        Raises:
            ConfigError: a file is missing or damaged.
        """
        LinearAnalyser().open()
        if find_pretrained():
            check_encoder()

    def examples(self) -> tuple[Example, ...]:
        """Return invented texts with the reading that they get."""
        return EXAMPLES

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield one batch of findings, in the order of the materials.

        Raises:
            InputError: the batch is not of MATERIALS.
            ConfigError: the encoder's files are damaged.
        """
        if not find_pretrained():
            yield from LinearAnalyser().run(batch)
            return
        require_schema(batch, self.reads, where=f"analyser {self.name}, materials")
        texts = [text or "" for text in batch.column("text").to_pylist()]
        plain = [undisguise(words[:LONGEST_TEXT]) for words in words_of(batch)]
        read = read_texts([text.text for text in plain])
        close = {row: _read_closely(plain[row].text, read.langs[row]) for row in _passed(read)}
        chances, readings, flags = _merge(read, close)
        spans = _spans(texts, plain, read, readings, close)
        first = Signature(self.name, self.version, read_weights().calibration_id)
        second = Signature(self.name, self.version, str(open_encoder().facts["calibration_id"])) if close else first
        signatures = [second if row in close else first for row in range(batch.num_rows)]
        notes = {row: _note(found, plain[row], readings[row]) for row, found in close.items()}
        langs = (read.langs, read.lang_scores)
        yield findings_of(batch, langs, chances, readings, flags, span_column(spans), signatures, notes)


def _passed(read: Read) -> list[int]:
    """Return which texts are read closely: all that may matter, and all that the first look can't judge."""
    weights = read_weights()
    likely = read.chances[:, _MATTERS] >= weights.first_look_at
    unread = np.array([lang not in weights.languages for lang in read.langs], dtype=bool)
    passed: list[int] = np.flatnonzero((likely | unread) & (read.readings != Outcome.EMPTY)).tolist()
    return passed


@lru_cache(maxsize=_REMEMBERED)
def _read_closely(text: str, lang: str) -> Close:
    """Return what the encoder says of a text, calibrated for its language."""
    reading = read_passages(text, open_encoder())
    calibration = open_encoder().facts["lines"]
    slope, shift = calibration.get(lang, calibration[""])
    chances = np.zeros(len(HEADS), dtype=np.float32)
    chances[FLAG] = _sigmoid(slope * reading.heads["flag"][0] + shift)
    chances[DIRECT] = _sigmoid(reading.heads["direct"][0])
    chances[ACTS] = [_sigmoid(reading.heads[act][0]) for act in SPEECH_ACTS]
    chances[ANY_ACT] = chances[ACTS].max()
    contexts = reading.heads["context"] - reading.heads["context"].max()
    chances[FIRST_CONTEXT:] = (np.exp(contexts) / np.exp(contexts).sum())[: len(CONTEXTS)]
    return Close(chances, tuple(marks_of(reading)), reading.passage)


def _sigmoid(raw: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(raw, -30, 30))))


def _merge(read: Read, close: dict[int, Close]) -> tuple[Floats, Readings, npt.NDArray[np.bool_]]:
    """Return chances, readings and flags: the close reading where there is one, nothing flagged where there is none."""
    chances, readings = read.chances.copy(), read.readings.copy()
    flags = np.zeros(len(readings), dtype=bool)
    # What the first look lets go is no advocacy by its own measure, whatever its own threshold says.
    readings[readings < Outcome.PROTECTED] = Outcome.NONE
    readings[readings == Outcome.UNCLEAR] = Outcome.NONE
    if not close:
        return chances, readings, flags
    encoder = open_encoder()
    known = frozenset(encoder.facts["languages"]) | {UNDETERMINED}
    for row, found in close.items():
        chances[row] = found.chances
        readings[row] = _reading(found.chances, encoder, known=read.langs[row] in known)
        flags[row] = found.chances[FLAG] >= encoder.facts["flag_at"] and readings[row] != Outcome.FOREIGN
    return chances, readings, flags


def _reading(chances: Floats, encoder: Encoder, *, known: bool) -> int:
    low, high = encoder.facts["unsure"]
    if not known:
        return Outcome.FOREIGN
    if low <= chances[FLAG] < high:
        return Outcome.UNCLEAR
    if chances[FLAG] >= high:
        return Outcome.DIRECT if chances[DIRECT] >= ACT_AT else Outcome.INDIRECT
    protected = chances[CONTEXTS_PROTECTED].max()
    return Outcome.PROTECTED if protected >= _PROTECTED_AT else Outcome.NONE


def _spans(
    texts: Sequence[str], plain: Sequence[Plain], read: Read, readings: Readings, close: dict[int, Close]
) -> list[list[Span]]:
    """Return the spans: by the encoder's marks, and by the words where the first look alone called it protected."""
    left = [text if row not in close else "" for row, text in enumerate(texts)]
    found = linear_spans(left, read._replace(readings=readings))
    for row, seen in close.items():
        if texts[row]:
            found[row] = spans_of(seen.marks, plain[row], len(texts[row]), seen.chances, int(readings[row]))
    return found


def _note(found: Close, plain: Plain, reading: int) -> str:
    """Say what else a reader needs to know: who is quoted, and which passage of a long text was judged."""
    parts = []
    who = [plain.text[mark.start : mark.end].strip(" :,\n") for mark in found.marks if mark.tag == "who"]
    if who and reading <= Outcome.PROTECTED:
        stand = "the author stands by the quoted words" if reading < Outcome.PROTECTED else "attributed"
        parts.append(f' {stand[0].upper()}{stand[1:]}: quoted from "{who[0][:60]}".')
    number, count = found.passage
    if count > 1:
        parts.append(f" Passage {number} of {count} of a long text.")
    return "".join(parts)
