"""Which words carry an act, which are quoted, and who is quoted: the encoder's tags as spans of the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.analysis.explain import Span
from antiphon.analysis.findings import ACT_WORDS, ACTS, CONTEXT_WORDS, CONTEXTS_PROTECTED, Outcome
from antiphon.analysis.heads import TAGS
from antiphon.analysis.passages import Reading
from antiphon.analysis.undisguise import Plain
from antiphon.model.schemas import PROTECTED_CONTEXTS, SPEECH_ACTS

__all__ = ["MOST_MARKS", "Marks", "marks_of", "spans_of"]

MOST_MARKS = 6
"""Marks of one text: the surest, not all of them."""

_BRIDGED = 2  # pieces that a mark runs over where the tags waver
_SHORTEST = 2
_EDGES = " \t\n,.;:!?\"'«»“”„‘’()[]…؟،۔।-–—"

Floats = npt.NDArray[np.float32]


class Marks(NamedTuple):
    """Characters of a text's plain form, what they are, and how sure the encoder is of it."""

    start: int
    end: int
    tag: str
    chance: float


def marks_of(reading: Reading) -> list[Marks]:
    """Return the marks of a passage in reading order, at most `MOST_MARKS`."""
    tags = reading.tags - reading.tags.max(axis=1, keepdims=True, initial=-1e9)
    chances = np.exp(tags) / np.exp(tags).sum(axis=1, keepdims=True)
    marks = []
    for tag in TAGS[1:]:
        column = chances[:, TAGS.index(tag)]
        for first, last in _runs(chances.argmax(axis=1) == TAGS.index(tag)):
            start, end = int(reading.pieces.starts[first]), int(reading.pieces.ends[last])
            marks.append(Marks(start, end, tag, float(column[first : last + 1].mean())))
    surest = sorted(marks, key=lambda mark: -mark.chance * (mark.end - mark.start) ** 0.5)[:MOST_MARKS]
    return sorted(surest)


def _runs(tagged: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and last of pieces that stand together, over gaps of `_BRIDGED`."""
    runs: list[tuple[int, int]] = []
    for at in np.flatnonzero(tagged).tolist():
        if runs and at - runs[-1][1] <= _BRIDGED + 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return [run for run in runs if run[1] - run[0] + 1 >= _SHORTEST] or runs[:1]


def spans_of(marks: Sequence[Marks], plain: Plain, length: int, chances: Floats, reading: int) -> list[Span]:
    """Return marks as spans of the original text (of so many characters), none overlapping another.

    A text that reads as none of these has none. The label is the act where the author does it, the context that
    protects the words where they are quoted.
    """
    if reading > Outcome.PROTECTED:
        return []
    act = SPEECH_ACTS[int(chances[ACTS].argmax())]
    context = PROTECTED_CONTEXTS[int(chances[CONTEXTS_PROTECTED].argmax())]
    spans: list[Span] = []
    for mark in marks:
        start, end = _trimmed(plain.text, mark)
        low, high = plain.original(start, end, length)
        if low < high and (not spans or low >= spans[-1].end):
            label, reason = _label(mark, act, context, protected=reading == Outcome.PROTECTED)
            spans.append(Span(low, high, label, f"{reason} ({mark.chance:.2f})"))
    return spans


def _trimmed(text: str, mark: Marks) -> tuple[int, int]:
    """Take white space and marks off the edges of a mark, and let it begin and end with whole words."""
    words = text[mark.start : mark.end]
    start = mark.start + len(words) - len(words.lstrip(_EDGES))
    end = max(start, mark.end - (len(words) - len(words.rstrip(_EDGES))))
    while 0 < start < end and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while start < end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


def _label(mark: Marks, act: str, context: str, *, protected: bool) -> tuple[str, str]:
    if not protected:
        reasons = {"act": f"{ACT_WORDS[act]}, in the author's own words", "who": "who is quoted",
                   "quoted": f"quoted words of a {ACT_WORDS[act]} that the author stands by"}  # fmt: skip
        return act, reasons[mark.tag]
    reasons = {"act": f"words of a {ACT_WORDS[act]}", "who": "who is quoted",
               "quoted": f"quoted or denied words of a {ACT_WORDS[act]}"}  # fmt: skip
    return context, f"{reasons[mark.tag]}; the text is {CONTEXT_WORDS[context]}"
