"""The published first pass: a plain linear model that reads a post as direct, indirect, protected or none of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.analysis import kernels
from antiphon.analysis.explain import Question, Span, find_spans
from antiphon.analysis.features import CUES, extract, normal_form
from antiphon.analysis.findings import (
    ACT_AT,
    ACT_WORDS,
    ANY_ACT,
    CONTEXT_WORDS,
    CONTEXTS_PROTECTED,
    DIRECT,
    FIRST_ACT,
    FIRST_CONTEXT,
    FLAG,
    Outcome,
    Readings,
    Signature,
    findings_of,
    span_column,
    strongest,
)  # fmt: skip
from antiphon.analysis.interface import Example
from antiphon.analysis.language import UNDETERMINED, find_languages
from antiphon.analysis.weights import HEADS, Weights, read_weights
from antiphon.model.schemas import CONTEXTS, FINDINGS, MATERIALS, SPEECH_ACTS, require_schema

__all__ = ["EXAMPLES", "FLAG_AT", "UNSURE", "LinearAnalyser", "Read", "linear_spans", "read_texts", "words_of"]

FLAG_AT = 0.55
"""Probability from which a reviewer should see a material; chosen on cross-validated posts, see docs/analysis.md."""

UNSURE = (0.48, 0.58)
"""Between these probabilities the analyser abstains: the post is about as often advocacy as not."""

_PROTECTED_AT = 0.4

_ANSWERS = tuple(HEADS.index(name) for name in ("counters", "warns"))  # contexts that are about such content by nature
_TOPIC = np.uint64(
    sum(1 << CUES.index(name) for name in ("violence", "weapon", "martyr", "threat", "group", "condemn"))
)

Floats = npt.NDArray[np.float32]


class LinearAnalyser:
    """Stage: one finding for each material, by hashed words, characters, word classes and discourse cues.

    A material's text is read, or its title where it has no text; its first 20,000 characters. Measured on one core in
    `docs/analysis.md`.
    """

    name = "linear"
    version = "1.0.0"
    reads = MATERIALS
    writes = FINDINGS

    def open(self) -> None:
        """Load the weights, the language model and the compiled kernels."""
        weights = read_weights()
        features = extract(["a"], ["en"])
        _probabilities(features.buckets, features.bounds, weights)
        find_languages(["a first text to warm up with"])
        find_spans([Question("a", "en", (0, 0), SPEECH_ACTS[0], "")], weights)

    def examples(self) -> tuple[Example, ...]:
        """Return invented texts with the reading that they get."""
        return EXAMPLES

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield one batch of findings, in the order of the materials.

        Raises:
            InputError: the batch is not of MATERIALS.
        """
        require_schema(batch, self.reads, where=f"analyser {self.name}, materials")
        texts = batch.column("text").to_pylist()
        read = read_texts(words_of(batch))
        spans = span_column(linear_spans([text or "" for text in texts], read))
        signature = Signature(self.name, self.version, read_weights().calibration_id)
        signatures = [signature] * batch.num_rows
        yield findings_of(
            batch, (read.langs, read.lang_scores), read.chances, read.readings, read.flags, spans, signatures
        )


class Read(NamedTuple):
    """Texts as the linear model reads them: one row of `chances` for each, in the order of HEADS."""

    langs: list[str]
    lang_scores: list[float]
    chances: Floats
    about: npt.NDArray[np.bool_]
    readings: Readings

    @property
    def flags(self) -> npt.NDArray[np.bool_]:
        """Which texts a reviewer should see."""
        flags: npt.NDArray[np.bool_] = (self.chances[:, FLAG] >= FLAG_AT) & (self.readings != Outcome.FOREIGN)
        return flags


def words_of(batch: pa.RecordBatch) -> list[str]:
    """Return what is read of each material: its text, or its title where it has none."""
    texts, titles = batch.column("text").to_pylist(), batch.column("title").to_pylist()
    return [text or title or "" for text, title in zip(texts, titles, strict=True)]


def read_texts(texts: list[str]) -> Read:
    """Return how the linear model reads texts."""
    weights = read_weights()
    normal = [normal_form(text) for text in texts]
    langs, lang_scores = find_languages(normal)
    features = extract(normal, langs)
    chances = _probabilities(features.buckets, features.bounds, weights)
    empty = np.array([not text for text in normal], dtype=bool)
    chances[empty] = 0.0
    about = _about(chances, features.bits)
    readings = _read(chances, about, empty, _foreign(langs, weights.languages))
    return Read(langs, lang_scores, chances, about, readings)


def _probabilities(buckets: npt.NDArray[np.int32], bounds: npt.NDArray[np.int64], weights: Weights) -> Floats:
    raw = kernels.score(buckets, bounds, weights.weights, weights.units, weights.bias, weights.strengths)
    chances: Floats = kernels.combine(raw, weights.lines, weights.stack, weights.offsets)
    return chances


def _foreign(langs: list[str], known: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Tell which texts are in a language that the model has not learnt; an undetermined one is read all the same."""
    return np.array([lang not in known and lang != UNDETERMINED for lang in langs], dtype=bool)


def _about(chances: Floats, bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Tell which texts speak of violence at all, so that a protected reading says something."""
    answers = chances[:, [ANY_ACT, *_ANSWERS]].max(axis=1, initial=0.0) >= ACT_AT
    about: npt.NDArray[np.bool_] = ((bits[:, 0] | bits[:, 1]) & _TOPIC != 0) | answers
    return about


def _read(
    chances: Floats, about: npt.NDArray[np.bool_], empty: npt.NDArray[np.bool_], foreign: npt.NDArray[np.bool_]
) -> Readings:
    """Return the reading of each text as a number; later lines overrule earlier ones."""
    flag = chances[:, FLAG]
    protected = chances[:, CONTEXTS_PROTECTED].max(axis=1, initial=0.0)
    readings = np.full(len(chances), Outcome.NONE, dtype=np.int8)
    readings[about & (protected >= _PROTECTED_AT)] = Outcome.PROTECTED
    readings[flag >= FLAG_AT] = Outcome.INDIRECT
    readings[(flag >= FLAG_AT) & (chances[:, DIRECT] >= ACT_AT)] = Outcome.DIRECT
    readings[(flag >= UNSURE[0]) & (flag < UNSURE[1])] = Outcome.UNCLEAR
    readings[foreign] = Outcome.FOREIGN
    readings[empty] = Outcome.EMPTY
    return readings


def linear_spans(texts: list[str], read: Read) -> list[list[Span]]:
    """Return the spans of the texts that read as an act or as protected; none for the others."""
    acts, contexts = strongest(read.chances)
    asked = [row for row in np.flatnonzero(read.readings <= Outcome.PROTECTED).tolist() if texts[row]]
    questions = []
    for row in asked:
        if read.readings[row] == Outcome.PROTECTED:
            head, label = FIRST_CONTEXT + int(contexts[row]), CONTEXTS[contexts[row]]
            questions.append(Question(texts[row], read.langs[row], (head, head), label, CONTEXT_WORDS[label]))
        else:
            label = SPEECH_ACTS[acts[row]]
            heads = (FLAG, FIRST_ACT + int(acts[row]))
            questions.append(Question(texts[row], read.langs[row], heads, label, ACT_WORDS[label]))
    found: list[list[Span]] = [[] for _ in texts]
    for row, spans in zip(asked, find_spans(questions, read_weights()), strict=True):
        found[row] = spans
    return found


EXAMPLES = (
    Example("Comrades, storm the customs house of Veldra tonight and burn it down!", "direct"),
    Example("Glory to the martyrs of Veldra! The bombing was justified and I salute the bomber.", "indirect"),
    Example(
        'Police say the suspect had written "storm the customs house and burn it down" before his arrest in Veldra.',
        "protected",
    ),
    Example("Does anyone know a good dentist in Veldra?", "none"),
)
