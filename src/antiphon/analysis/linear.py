"""The published first pass: a plain linear model that reads a post as direct, indirect, protected or none of these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.analysis import kernels
from antiphon.analysis.explain import Question, Span, find_spans
from antiphon.analysis.features import CUES, extract, normal_form
from antiphon.analysis.interface import Example
from antiphon.analysis.language import UNDETERMINED, find_languages
from antiphon.analysis.weights import HEADS, Weights, read_weights
from antiphon.model.schemas import CONTEXTS, FINDINGS, MATERIALS, PROTECTED_CONTEXTS, SPEECH_ACTS, require_schema

__all__ = ["FLAG_AT", "UNSURE", "LinearAnalyser"]

FLAG_AT = 0.55
"""Probability from which a reviewer should see a material; chosen on cross-validated posts, see docs/analysis.md."""

UNSURE = (0.48, 0.58)
"""Between these probabilities the analyser abstains: the post is about as often advocacy as not."""

_PROTECTED_AT = 0.4
_ACT_AT = 0.5

_ACTS = {
    "incites": "call to violence",
    "glorifies": "praise or justification of an attack",
    "solicits": "appeal to join or support",
    "instructs": "pointer to instructions",
    "threatens": "threat",
}
_CONTEXTS = {
    "reports": "news report",
    "analyses": "research or analysis",
    "educates": "teaching or history",
    "creates": "fiction, art or satire",
    "counters": "counter-speech",
    "testifies": "testimony",
    "debates": "debate",
    "protests": "political protest",
    "warns": "warning about such content",
}
_FLAG, _DIRECT, _ANY = (HEADS.index(name) for name in ("flag", "direct", "any_act"))
_FIRST_ACT, _FIRST_CONTEXT = HEADS.index(SPEECH_ACTS[0]), HEADS.index(CONTEXTS[0])
_ANSWERS = tuple(HEADS.index(name) for name in ("counters", "warns"))  # contexts that are about such content by nature
_TOPIC = np.uint64(
    sum(1 << CUES.index(name) for name in ("violence", "weapon", "martyr", "threat", "group", "condemn"))
)

_NO_TEXT = "There is no text to read."
_NOTHING = "No call, praise, recruitment, instruction or threat was found in the words."

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
        return _EXAMPLES

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield one batch of findings, in the order of the materials.

        Raises:
            InputError: the batch is not of MATERIALS.
        """
        require_schema(batch, self.reads, where=f"analyser {self.name}, materials")
        weights = read_weights()
        texts, titles = batch.column("text").to_pylist(), batch.column("title").to_pylist()
        read = [text or title or "" for text, title in zip(texts, titles, strict=True)]
        normal = [normal_form(text) for text in read]
        langs, lang_scores = find_languages(normal)
        features = extract(normal, langs)
        chances = _probabilities(features.buckets, features.bounds, weights)
        empty = np.array([not text for text in normal], dtype=bool)
        chances[empty] = 0.0
        readings = _read(chances, features.bits, empty, _foreign(langs, weights.languages))
        spans = _spans([text or "" for text in texts], langs, readings, chances, weights)
        yield self._batch(batch, langs, lang_scores, chances, readings, spans, weights.calibration_id)

    def _batch(
        self, batch: pa.RecordBatch, langs: list[str], lang_scores: list[float], chances: Floats,
        readings: npt.NDArray[np.int8], spans: pa.Array, calibration_id: str,
    ) -> pa.RecordBatch:  # fmt: skip
        count = batch.num_rows
        empty = readings == _EMPTY
        flags = _flags(chances, readings)
        names = pa.array(["direct", "indirect", "protected", "none", "unclear", "unclear", "none"])
        direct = pa.array(["direct", "indirect", None, None, None, None, None], pa.string())
        fields = {
            "material_id": batch.column("material_id"),
            "lang": pa.array(langs, pa.string(), mask=empty),
            "lang_score": pa.array(np.asarray(lang_scores, dtype=np.float32), mask=empty),
            "speech_acts": _struct(SPEECH_ACTS, chances[:, _FIRST_ACT:_FIRST_CONTEXT]),
            "contexts": _struct(CONTEXTS, chances[:, _FIRST_CONTEXT:]),
            "directness": direct.take(pa.array(readings)),
            "reading": names.take(pa.array(readings)),
            "flag": pa.array(flags),
            "review_priority": pa.array(_priority(chances, readings)),
            "abstained": pa.array((readings == _UNCLEAR) | (readings == _FOREIGN)),
            "reason": pa.array(_reasons(langs, chances, readings), pa.string()),
            "spans": spans,
            "analyser": pa.repeat(self.name, count),
            "version": pa.repeat(self.version, count),
            "calibration_id": pa.repeat(calibration_id, count),
        }
        return pa.RecordBatch.from_arrays(
            [fields[field.name].cast(field.type) for field in self.writes], schema=self.writes
        )


_DIRECTLY, _INDIRECTLY, _PROTECTED, _NONE, _UNCLEAR, _FOREIGN, _EMPTY = range(7)
"""Readings as numbers; the last three are two ways not to know, and nothing to read."""


def _probabilities(buckets: npt.NDArray[np.int32], bounds: npt.NDArray[np.int64], weights: Weights) -> Floats:
    raw = kernels.score(buckets, bounds, weights.weights, weights.units, weights.bias, weights.strengths)
    chances: Floats = kernels.combine(raw, weights.lines, weights.stack, weights.offsets)
    return chances


def _foreign(langs: list[str], known: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Tell which texts are in a language that the model has not learnt; an undetermined one is read all the same."""
    return np.array([lang not in known and lang != UNDETERMINED for lang in langs], dtype=bool)


def _read(
    chances: Floats, bits: npt.NDArray[np.uint64], empty: npt.NDArray[np.bool_], foreign: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
    """Return the reading of each text as a number; later lines overrule earlier ones."""
    flag = chances[:, _FLAG]
    protected = chances[:, _FIRST_CONTEXT : _FIRST_CONTEXT + len(PROTECTED_CONTEXTS)].max(axis=1, initial=0.0)
    about = ((bits[:, 0] | bits[:, 1]) & _TOPIC != 0) | (
        chances[:, [_ANY, *_ANSWERS]].max(axis=1, initial=0.0) >= _ACT_AT
    )
    readings = np.full(len(chances), _NONE, dtype=np.int8)
    readings[about & (protected >= _PROTECTED_AT)] = _PROTECTED
    readings[flag >= FLAG_AT] = _INDIRECTLY
    readings[(flag >= FLAG_AT) & (chances[:, _DIRECT] >= _ACT_AT)] = _DIRECTLY
    readings[(flag >= UNSURE[0]) & (flag < UNSURE[1])] = _UNCLEAR
    readings[foreign] = _FOREIGN
    readings[empty] = _EMPTY
    return readings


def _flags(chances: Floats, readings: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = (chances[:, _FLAG] >= FLAG_AT) & (readings != _FOREIGN)
    return flags


def _priority(chances: Floats, readings: npt.NDArray[np.int8]) -> Floats:
    """Order by the chance of advocacy, calls, instructions and threats before praise; what can't be read in between."""
    urgent = chances[:, [HEADS.index(act) for act in ("incites", "instructs", "threatens")]].max(axis=1, initial=0.0)
    order: Floats = chances[:, _FLAG] * (0.75 + 0.25 * urgent)
    order[readings == _FOREIGN] *= 0.5
    return order.astype(np.float32)


def _struct(names: tuple[str, ...], columns: Floats) -> pa.StructArray:
    arrays = [pa.array(np.ascontiguousarray(columns[:, number])) for number in range(len(names))]
    return pa.StructArray.from_arrays(arrays, names=list(names))


def _strongest(chances: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    acts = chances[:, _FIRST_ACT:_FIRST_CONTEXT].argmax(axis=1)
    contexts = chances[:, _FIRST_CONTEXT : _FIRST_CONTEXT + len(PROTECTED_CONTEXTS)].argmax(axis=1)
    return acts, contexts


def _spans(
    texts: list[str], langs: list[str], readings: npt.NDArray[np.int8], chances: Floats, weights: Weights
) -> pa.Array:
    """Return the spans of the texts that read as an act or as protected; none for the others."""
    acts, contexts = _strongest(chances)
    asked = [row for row in np.flatnonzero(readings <= _PROTECTED).tolist() if texts[row]]
    questions = []
    for row in asked:
        if readings[row] == _PROTECTED:
            head, label = _FIRST_CONTEXT + int(contexts[row]), CONTEXTS[contexts[row]]
            questions.append(Question(texts[row], langs[row], (head, head), label, _CONTEXTS[label]))
        else:
            label = SPEECH_ACTS[acts[row]]
            questions.append(
                Question(texts[row], langs[row], (_FLAG, _FIRST_ACT + int(acts[row])), label, _ACTS[label])
            )
    found: list[list[Span]] = [[] for _ in texts]
    for row, spans in zip(asked, find_spans(questions, weights), strict=True):
        found[row] = spans
    flat = [span for spans in found for span in spans]
    columns = [[span[part] for span in flat] for part in range(4)]
    kinds = (pa.int32(), pa.int32(), pa.string(), pa.string())
    fields = list(FINDINGS.field("spans").type.value_type)
    values = pa.StructArray.from_arrays([pa.array(*pair) for pair in zip(columns, kinds, strict=True)], fields=fields)
    offsets = np.zeros(len(found) + 1, dtype=np.int32)
    np.cumsum([len(spans) for spans in found], out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=FINDINGS.field("spans").type)


def _reasons(langs: list[str], chances: Floats, readings: npt.NDArray[np.int8]) -> list[str]:
    acts, contexts = _strongest(chances)
    reasons = [_NOTHING] * len(langs)
    for row in np.flatnonzero(readings != _NONE).tolist():
        act, context = SPEECH_ACTS[acts[row]], PROTECTED_CONTEXTS[contexts[row]]
        reasons[row] = _reason(
            int(readings[row]), langs[row], _ACTS[act], _CONTEXTS[context], *(
                round(float(chances[row, head]), 2)
                for head in (_FLAG, _FIRST_CONTEXT + int(contexts[row]), _ANY)
            ),
        )  # fmt: skip
    return reasons


@lru_cache(maxsize=4096)
def _reason(reading: int, lang: str, act: str, context: str, flag: float, protected: float, any_act: float) -> str:  # noqa: PLR0911
    """Put a finding into one sentence."""
    nearest = f"nearest protected reading: {context} ({protected:.2f})"
    if reading == _DIRECTLY:
        return f"Reads as a direct {act}, put by the author ({flag:.2f}); {nearest}."
    if reading == _INDIRECTLY:
        return f"Reads as an indirect {act}, put by the author ({flag:.2f}); {nearest}."
    if reading == _PROTECTED:
        if any_act >= _ACT_AT:
            return (
                f"Reads as {context} ({protected:.2f}): the words of a {act} that the author does not make their own."
            )
        return f"Reads as {context} ({protected:.2f}); no act of the author's own was found."
    if reading == _FOREIGN:
        return f"Language {lang}: the model has not learnt it; someone who reads it should look."
    if reading == _UNCLEAR:
        return f"Not clear: {act} ({flag:.2f}), or not; {nearest}."
    return _NO_TEXT


_EXAMPLES = (
    Example("Comrades, storm the customs house of Veldra tonight and burn it down!", "direct"),
    Example("Glory to the martyrs of Veldra! The bombing was justified and I salute the bomber.", "indirect"),
    Example(
        'Police say the suspect had written "storm the customs house and burn it down" before his arrest in Veldra.',
        "protected",
    ),
    Example("Does anyone know a good dentist in Veldra?", "none"),
)
