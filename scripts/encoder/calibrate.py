"""Make probabilities of raw answers, and thresholds of probabilities, on texts that training has not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from corpora import Text
from scipy.optimize import minimize

from antiphon.analysis.evaluation.held_out import share_of

MISSED_CALLS = 0.05
"""Share of direct calls that may fall below the band where the analyser abstains."""
_PULL = 8.0  # texts that a language's own line weighs against the line of all
_LEAST_BAND = 0.1

Array = npt.NDArray[np.float64]


class Calibration(NamedTuple):
    """Lines (slope and shift of the raw flag, by language, "" for all), the threshold, and the band of doubt."""

    lines: dict[str, tuple[float, float]]
    flag_at: float
    unsure: tuple[float, float]


def fit_line(raw: Array, right: Array, near: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return slope and shift that make probabilities of raw answers (Platt 1999), pulled towards `near`."""
    start = near or (1.0, 0.0)

    def cost(line: Array) -> float:
        score = line[0] * raw + line[1]
        pull = _PULL * ((line[0] - start[0]) ** 2 + (line[1] - start[1]) ** 2) / 2 if near else 0.0
        return float(np.sum(np.logaddexp(0, score) - right * score) + pull)

    slope, shift = minimize(cost, np.array(start), method="Nelder-Mead").x
    return round(float(slope), 4), round(float(shift), 4)


def fit_lines(texts: list[Text], raw: Array) -> dict[str, tuple[float, float]]:
    """Return the line of every language, and of all together under the empty name."""
    right = np.array([text.answers["flag"] for text in texts], dtype=float)
    langs = np.array([text.lang for text in texts])
    whole = fit_line(raw, right)
    return {"": whole} | {
        str(lang): fit_line(raw[langs == lang], right[langs == lang], whole) for lang in np.unique(langs)
    }


def chances_of(texts: list[Text], raw: Array, lines: dict[str, tuple[float, float]]) -> Array:
    """Return the probability of the flag for each text."""
    slopes = np.array([lines.get(text.lang, lines[""]) for text in texts])
    chances: Array = 1 / (1 + np.exp(-(slopes[:, 0] * raw + slopes[:, 1])))
    return chances


def calibrate(texts: list[Text], raw: Array) -> Calibration:
    """Return lines and thresholds.

    Source:
        The lower edge of the band is a split-conformal bound (Vovk et al. 2005): of calls like the held-out ones, at
        most `MISSED_CALLS` fall below it.
    """
    lines = fit_lines(texts, raw)
    chances = chances_of(texts, raw, lines)
    right = np.array([bool(text.answers["flag"]) for text in texts])
    flag_at = best_threshold(chances, right)
    calls = np.sort(chances[[text.answers["act"] == 0 and text.answers.get("direct") == 1 for text in texts]])
    low = float(calls[int(MISSED_CALLS * (len(calls) + 1)) - 1])
    low = min(low, flag_at - _LEAST_BAND)
    return Calibration(lines, round(flag_at, 3), (round(max(low, 0.02), 3), round(flag_at, 3)))


def best_threshold(chances: Array, right: npt.NDArray[np.bool_]) -> float:
    """Return the probability from which flags are right most often on both sides alike, never below one half.

    The held-out texts are half minimal pairs, far harder than a stream: a ceiling on false flags set on them would let
    most advocacy go.
    """
    steps = np.linspace(0.5, 0.9, 41)
    found = [(chances[right] >= step).mean() + (chances[~right] < step).mean() for step in steps]
    return float(steps[int(np.argmax(found))])


def crossed_chances(texts: list[Text], raw: Array) -> Array:
    """Return probabilities by lines fitted on the other half of the texts, to measure calibration honestly."""
    half = np.array([share_of(f"half/{text.group}") < 0.5 for text in texts])
    chances = np.empty(len(texts))
    for side in (True, False):
        lines = fit_lines([text for text, here in zip(texts, half, strict=True) if here == side], raw[half == side])
        others = [text for text, here in zip(texts, half, strict=True) if here != side]
        chances[half != side] = chances_of(others, raw[half != side], lines)
    return chances
