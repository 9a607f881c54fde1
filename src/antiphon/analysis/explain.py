"""Which words led to a reading, as places in the text as it was published."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np

from antiphon.analysis import kernels
from antiphon.analysis.features import LONGEST_TEXT, cue_classes, extract
from antiphon.analysis.weights import Weights
from antiphon.model.text import normalise

__all__ = ["MOST_SPANS", "Question", "Span", "find_spans"]

MOST_SPANS = 3
"""Spans of one text: the strongest words, not all of them."""

_CHUNK = re.compile(r"\S+")
_EDGE = re.compile(r"[\w\U0001F000-\U0001FBFF]", re.UNICODE)
_ENOUGH = 0.35  # of the strongest word's contribution: weaker words say nothing to a reader
_CUE_BONUS = 1.6  # a word that a reader recognises explains more than one that only the weights know
_SHORT = 3
_MARKS = "\"'.,;:!?«»“”„()…।؟،"
_CUE_GROUP = 2  # cues of the whole post have no place in it

_REASONS = {
    "violence": "names violence",
    "weapon": "names a weapon",
    "must": "says that it must be done",
    "join": "asks to join or to make contact",
    "give": "asks for money or support",
    "guide": "points to a guide",
    "threat": "says what will come",
    "martyr": "promises honour or reward after death",
    "justify": "says that it was deserved or right",
    "praise": "praises",
    "agree": "agrees with it",
    "group": "speaks of or for an armed group",
    "says": "attributes the words to someone else",
    "institution": "names police, court or authorities",
    "condemn": "condemns, mourns or calls for peace",
    "research": "has the words of research",
    "education": "has the words of teaching or history",
    "fiction": "has the frame of fiction or art",
    "warn": "reports it or warns of it",
    "protest": "has the words of lawful protest",
    "testify": "tells what the author lived through",
    "debate": "weighs one view against another",
    "faith": "has the words of faith",
    "play": "has the words of play or everyday life",
    "negation": "negates",
}


class Question(NamedTuple):
    """A text to explain: its language, the two heads whose words count, and the label of its spans."""

    text: str
    lang: str
    heads: tuple[int, int]
    label: str
    phrase: str


class Span(NamedTuple):
    """Words that led to a reading, in code points of the text."""

    start: int
    end: int
    label: str
    reason: str


def find_spans(questions: list[Question], weights: Weights) -> list[list[Span]]:
    """Return the words that weigh most for the label of each text, at most `MOST_SPANS`, in reading order.

    Offsets count code points of the text as it came, whatever normalisation dropped or folded: the text is cut at white
    space, and each piece is normalised by itself.
    """
    if not questions:
        return []
    pieces = [_pieces(question.text) for question in questions]
    joined = [" ".join(piece[2] for piece in found) for found in pieces]
    features = extract(joined, [question.lang for question in questions])
    heads = np.array([question.heads for question in questions], dtype=np.int64)
    parts = _contribute(features.buckets, features.bounds, weights.weights, weights.units, weights.strengths, heads)
    starts = np.array(_starts(pieces, joined), dtype=np.int64)
    which = np.searchsorted(starts, features.anchors, side="right") - 1
    per_piece = np.bincount(which, weights=parts, minlength=len(starts))
    spans, first = [], 0
    for question, found in zip(questions, pieces, strict=True):
        spans.append(_choose(question, found, per_piece[first : first + len(found)]))
        first += len(found)
    return spans


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """Cut a text at white space; pieces that normalise to nothing are left out."""
    found = []
    for match in _CHUNK.finditer(text[:LONGEST_TEXT]):
        normal = normalise(match.group())
        if normal:
            found.append((match.start(), match.end(), normal))
    return found


def _starts(pieces: list[list[tuple[int, int, str]]], joined: list[str]) -> list[int]:
    starts, base = [], 0
    for found, text in zip(pieces, joined, strict=True):
        at = base
        for _, _, normal in found:
            starts.append(at)
            at += len(normal) + 1
        base += len(text)
    return starts


@kernels.kernel
def _contribute(
    buckets: kernels.Array, bounds: kernels.Array, weights: kernels.Array, units: kernels.Array,
    strengths: kernels.Array, heads: kernels.Array,
) -> kernels.Array:  # fmt: skip
    """Return what each feature adds to the two heads of its text."""
    parts = np.zeros(buckets.size, dtype=np.float64)
    for row in range(bounds.shape[0]):
        first, second = heads[row]
        for group in range(kernels.GROUPS):
            low, high = bounds[row, group], bounds[row, group + 1]
            if high == low or group == _CUE_GROUP:
                continue
            share = strengths[group] / np.sqrt(np.float64(high - low))
            for at in range(low, high):
                both = weights[buckets[at], first] * units[first] + weights[buckets[at], second] * units[second]
                parts[at] = share * both
    return parts


def _choose(question: Question, pieces: list[tuple[int, int, str]], parts: kernels.Array) -> list[Span]:
    """Join the strongest pieces that stand side by side (one weak piece between them may join in)."""
    if not len(parts) or parts.max() <= 0:
        return []
    cues = [_cue(normal, question.lang) for _, _, normal in pieces]
    parts = parts * np.array([_CUE_BONUS if cue else 1.0 for cue in cues])
    runs: list[list[int]] = []
    for at in np.flatnonzero(parts >= _ENOUGH * parts.max()).tolist():
        if runs and at - runs[-1][-1] <= 2:
            runs[-1].append(at)
        else:
            runs.append([at])
    # An article or a preposition by itself tells a reader nothing.
    telling = [run for run in runs if any(cues[at] or len(pieces[at][2]) > _SHORT for at in run)] or runs[:1]
    strongest = sorted(telling, key=lambda run: (-float(parts[run].sum()), run[0]))[:MOST_SPANS]
    return [_span(question, pieces, run, [cues[at] for at in run]) for run in sorted(strongest)]


def _span(question: Question, pieces: list[tuple[int, int, str]], run: list[int], cues: list[str]) -> Span:
    start, end = pieces[run[0]][0], pieces[run[-1]][1]
    words = question.text[start:end]
    edges = [match.start() for match in _EDGE.finditer(words)]
    if edges:
        start, end = start + edges[0], start + edges[-1] + 1
        # A combining mark is no word character: step over those that follow the last letter.
        while end < pieces[run[-1]][1] and unicodedata.category(question.text[end])[0] == "M":
            end += 1
    named = next(filter(None, cues), "")
    reason = f"{_REASONS[named]}; weighs for: {question.phrase}" if named else f"weighs for: {question.phrase}"
    return Span(start, end, question.label, reason)


def _cue(normal: str, lang: str) -> str:
    """Return the class of cue that a piece stands for and that can be put into words, or nothing."""
    for name in cue_classes(normal.strip(_MARKS), lang):
        if name in _REASONS:
            return name
    return ""
