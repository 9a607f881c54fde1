"""From probabilities to findings: the reading of a text, put into one sentence and into the columns of FINDINGS."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.analysis.explain import Span
from antiphon.analysis.weights import HEADS
from antiphon.model.schemas import CONTEXTS, FINDINGS, PROTECTED_CONTEXTS, SPEECH_ACTS

__all__ = [
    "ACTS", "ACT_AT", "ACT_WORDS", "ANY_ACT", "CONTEXTS_PROTECTED", "CONTEXT_WORDS", "DIRECT", "FIRST_ACT",
    "FIRST_CONTEXT", "FLAG", "Outcome", "Readings", "Signature", "findings_of", "span_column", "strongest",
]  # fmt: skip

ACT_AT = 0.5
"""Probability from which an act is said to stand in the words."""

ACT_WORDS = {
    "incites": "call to violence",
    "glorifies": "praise or justification of an attack",
    "solicits": "appeal to join or support",
    "instructs": "pointer to instructions",
    "threatens": "threat",
}
CONTEXT_WORDS = {
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
LIMBS = {
    "incites": "Art 2(7)(a)",
    "glorifies": "Art 2(7)(a), by glorifying",
    "solicits": "Art 2(7)(b) or (c)",
    "instructs": "Art 2(7)(d)",
    "threatens": "Art 2(7)(e)",
}
"""Limbs of the definition of terrorist content in Regulation (EU) 2021/784 of which an act may be an element."""


class Outcome(IntEnum):
    """Readings as numbers; the last three are two ways not to know, and nothing to read."""

    DIRECT = 0
    INDIRECT = 1
    PROTECTED = 2
    NONE = 3
    UNCLEAR = 4
    FOREIGN = 5
    EMPTY = 6


FLAG, DIRECT, ANY_ACT = (HEADS.index(name) for name in ("flag", "direct", "any_act"))
FIRST_ACT, FIRST_CONTEXT = HEADS.index(SPEECH_ACTS[0]), HEADS.index(CONTEXTS[0])
ACTS = slice(FIRST_ACT, FIRST_ACT + len(SPEECH_ACTS))
CONTEXTS_PROTECTED = slice(FIRST_CONTEXT, FIRST_CONTEXT + len(PROTECTED_CONTEXTS))

_NO_TEXT = "There is no text to read."
_NOTHING = "No call, praise, recruitment, instruction or threat was found in the words."

Floats = npt.NDArray[np.float32]
Readings = npt.NDArray[np.int8]


class Signature(NamedTuple):
    """Who read the texts, in which version, and which calibration makes its numbers probabilities."""

    analyser: str
    version: str
    calibration_id: str


def strongest(chances: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the likeliest act and the likeliest protected context of each text, as numbers."""
    acts = chances[:, ACTS].argmax(axis=1)
    contexts = chances[:, CONTEXTS_PROTECTED].argmax(axis=1)
    return acts, contexts


def findings_of(
    batch: pa.RecordBatch, langs: tuple[list[str], list[float]], chances: Floats, readings: Readings,
    flags: npt.NDArray[np.bool_], spans: pa.Array, signatures: Sequence[Signature], notes: dict[int, str] | None = None,
) -> pa.RecordBatch:  # fmt: skip
    """Return the findings of a batch of materials.

    Args:
        batch: MATERIALS.
        langs: The language of each, and how sure the reader is.
        chances: Shape (n, len(HEADS)).
        readings: Shape (n,).
        flags: Shape (n,): a reviewer should see it.
        spans: As `span_column` gives them.
        signatures: Who read each text.
        notes: What is added to the reason of some.
    """
    empty = readings == Outcome.EMPTY
    names = pa.array(["direct", "indirect", "protected", "none", "unclear", "unclear", "none"])
    direct = pa.array(["direct", "indirect", None, None, None, None, None], pa.string())
    fields = {
        "material_id": batch.column("material_id"),
        "lang": pa.array(langs[0], pa.string(), mask=empty),
        "lang_score": pa.array(np.asarray(langs[1], dtype=np.float32), mask=empty),
        "speech_acts": _struct(SPEECH_ACTS, chances[:, ACTS]),
        "contexts": _struct(CONTEXTS, chances[:, FIRST_CONTEXT:]),
        "directness": direct.take(pa.array(readings)),
        "reading": names.take(pa.array(readings)),
        "flag": pa.array(flags),
        "review_priority": pa.array(_priority(chances, readings)),
        "abstained": pa.array((readings == Outcome.UNCLEAR) | (readings == Outcome.FOREIGN)),
        "reason": pa.array(_reasons(langs[0], chances, readings, notes or {}), pa.string()),
        "spans": spans,
        "analyser": pa.array([signature.analyser for signature in signatures], pa.string()),
        "version": pa.array([signature.version for signature in signatures], pa.string()),
        "calibration_id": pa.array([signature.calibration_id for signature in signatures], pa.string()),
    }
    return pa.RecordBatch.from_arrays([fields[field.name].cast(field.type) for field in FINDINGS], schema=FINDINGS)


def span_column(found: Sequence[Sequence[Span]]) -> pa.Array:
    """Return the spans of texts as a column of FINDINGS."""
    flat = [span for spans in found for span in spans]
    columns = [[span[part] for span in flat] for part in range(4)]
    kinds = (pa.int32(), pa.int32(), pa.string(), pa.string())
    fields = list(FINDINGS.field("spans").type.value_type)
    values = pa.StructArray.from_arrays([pa.array(*pair) for pair in zip(columns, kinds, strict=True)], fields=fields)
    offsets = np.zeros(len(found) + 1, dtype=np.int32)
    np.cumsum([len(spans) for spans in found], out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=FINDINGS.field("spans").type)


def _priority(chances: Floats, readings: Readings) -> Floats:
    """Order by the chance of advocacy, calls, instructions and threats before praise; what can't be read in between."""
    urgent = chances[:, [HEADS.index(act) for act in ("incites", "instructs", "threatens")]].max(axis=1, initial=0.0)
    order: Floats = chances[:, FLAG] * (0.75 + 0.25 * urgent)
    order[readings == Outcome.FOREIGN] *= 0.5
    return order.astype(np.float32)


def _struct(names: tuple[str, ...], columns: Floats) -> pa.StructArray:
    arrays = [pa.array(np.ascontiguousarray(columns[:, number])) for number in range(len(names))]
    return pa.StructArray.from_arrays(arrays, names=list(names))


def _reasons(langs: list[str], chances: Floats, readings: Readings, notes: dict[int, str]) -> list[str]:
    acts, contexts = strongest(chances)
    reasons = [_NOTHING] * len(langs)
    for row in np.flatnonzero(readings != Outcome.NONE).tolist():
        act, context = SPEECH_ACTS[acts[row]], PROTECTED_CONTEXTS[contexts[row]]
        reasons[row] = _reason(
            int(readings[row]), langs[row], act, CONTEXT_WORDS[context], *(
                round(float(chances[row, head]), 2) for head in (FLAG, FIRST_CONTEXT + int(contexts[row]), ANY_ACT)
            ),
        ) + notes.get(row, "")  # fmt: skip
    return reasons


@lru_cache(maxsize=4096)
def _reason(reading: int, lang: str, act: str, context: str, flag: float, protected: float, any_act: float) -> str:  # noqa: PLR0911
    """Put a finding into one sentence."""
    words, limb = ACT_WORDS[act], LIMBS[act]
    nearest = f"nearest protected reading: {context} ({protected:.2f})"
    element = f"possible element of Reg. (EU) 2021/784 {limb}"
    if reading == Outcome.DIRECT:
        return f"Reads as a direct {words}, put by the author ({flag:.2f}); {element}; {nearest}."
    if reading == Outcome.INDIRECT:
        return f"Reads as an indirect {words}, put by the author ({flag:.2f}); {element}; {nearest}."
    if reading == Outcome.PROTECTED:
        if any_act >= ACT_AT:
            return f"Reads as {context} ({protected:.2f}): words of a {words} that the author does not make their own."
        return f"Reads as {context} ({protected:.2f}); no act of the author's own was found."
    if reading == Outcome.FOREIGN:
        return f"Language {lang}: not validated for this language; someone who reads it should look."
    if reading == Outcome.UNCLEAR:
        return f"Not clear: {words} ({flag:.2f}), or not; {nearest}."
    return _NO_TEXT
