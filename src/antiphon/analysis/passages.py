"""Long texts, read passage by passage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.analysis.encoder import LONGEST, Answer, Encoder
from antiphon.analysis.heads import HEADS
from antiphon.analysis.pieces import Pieces, cut

__all__ = ["Reading", "read_passages", "sliced"]

_OVERLAP = 40
"""Pieces that two passages share, so that a sentence on a border stands whole in one of them."""

MOST_PASSAGES = 48
"""Passages of one text: the characters that are read of a text seldom give more."""

Floats = npt.NDArray[np.float32]


class Reading(NamedTuple):
    """What the encoder says of a text.

    Attributes:
        heads: Raw answers by head; those of the passage that is likeliest to be advocacy, contexts of the whole text
            where no passage is.
        tags: Shape (pieces, 4): raw tags of that passage's pieces.
        pieces: That passage's pieces.
        passage: Which passage of how many, from 1.
    """

    heads: dict[str, Floats]
    tags: Floats
    pieces: Pieces
    passage: tuple[int, int]


def read_passages(text: str, encoder: Encoder) -> Reading:
    """Return what the encoder says of a text in its plain form."""
    (pieces,) = cut([text])
    step = LONGEST - _OVERLAP
    count = min(max(1, -(-(len(pieces.numbers) - _OVERLAP) // step)), MOST_PASSAGES)
    parts = [Pieces(*(column[at * step : at * step + LONGEST] for column in pieces)) for at in range(count)]
    answers = [encoder.read(part) for part in parts]
    chosen = int(np.argmax([answer.heads[0] for answer in answers]))
    heads = sliced(answers[chosen].heads)
    if heads["flag"][0] < 0:  # nobody calls for anything: what the text is, its passages say together
        heads["context"] = _together(answers)
    return Reading(heads, answers[chosen].tags, parts[chosen], (chosen + 1, count))


def sliced(answers: Floats) -> dict[str, Floats]:
    """Return the answers of one text by head."""
    found, at = {}, 0
    for head, width in HEADS.items():
        found[head] = answers[at : at + width]
        at += width
    return found


def _together(answers: list[Answer]) -> Floats:
    mean: Floats = np.mean([sliced(answer.heads)["context"] for answer in answers], axis=0)
    return mean
