"""The arithmetic of evaluation: shares, means and errors, each with an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Result", "calibration_error", "macro_f1", "mean_of", "resampled", "result_of", "table_of", "wilson"]

_RESAMPLES = 400

Numbers = npt.NDArray[np.float64]


class Result(NamedTuple):
    """One line of the table: a share (or another measure) of n cases, and its 95% interval.

    Attributes:
        right: How many came out right, where the measure is a share.
    """

    data_set: str
    functionality: str
    measure: str
    n: int
    right: int | None
    share: float
    low: float
    high: float


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share.

    Source:
        Wilson 1927, the score interval; z is 1.96.

    Example:
        >>> [round(bound, 3) for bound in wilson(9, 10)]
        [0.596, 0.982]
    """
    if n == 0:
        return 0.0, 1.0
    z, share = 1.959964, right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def result_of(data_set: str, functionality: str, measure: str, right: int, n: int) -> Result:
    """Return the line of a share."""
    return Result(data_set, functionality, measure, n, right, right / max(n, 1), *wilson(right, n))


def table_of(data_set: str, measure: str, outcomes: Iterable[tuple[str, bool]]) -> list[Result]:
    """Count outcomes by functionality."""
    tally: dict[str, list[bool]] = defaultdict(list)
    for functionality, right in outcomes:
        tally[functionality].append(right)
    return [result_of(data_set, name, measure, sum(rights), len(rights)) for name, rights in sorted(tally.items())]


def mean_of(data_set: str, title: str, rows: Sequence[Result]) -> Result:
    """Return the mean of shares; its interval is that of the pooled cases around it."""
    n, share = sum(row.n for row in rows), sum(row.share for row in rows) / len(rows)
    right = sum(row.right or 0 for row in rows)
    return Result(data_set, title, rows[0].measure, n, right, share, *wilson(round(share * n), n))


def resampled(
    data_set: str, functionality: str, measure: str, count: int, of: Callable[[npt.NDArray[np.int64]], float]
) -> Result:
    """Return a measure of numbered cases with the interval of a seeded bootstrap (Efron 1979)."""
    everything = np.arange(count)
    rng = np.random.default_rng(1)
    drawn = [of(np.sort(rng.integers(0, count, count))) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Result(data_set, functionality, measure, count, None, of(everything), float(low), float(high))


def macro_f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float:
    """Return the mean of the classes' F1.

    Example:
        >>> round(macro_f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])), 3)
        0.733
    """
    scores = []
    for number in np.unique(truth):
        hit = int(((truth == number) & (said == number)).sum())
        scores.append(2 * hit / max(int((truth == number).sum() + (said == number).sum()), 1))
    return float(np.mean(scores))


def calibration_error(chances: Numbers, right: Numbers, bins: int = 15) -> float:
    """Return the expected calibration error over bins of equal size.

    Source:
        Naeini et al. 2015.

    Example:
        >>> calibration_error(np.array([0.0, 1.0]), np.array([0.0, 1.0]), bins=2)
        0.0
    """
    parts = [part for part in np.array_split(np.argsort(chances, kind="stable"), bins) if len(part)]
    return float(sum(abs(chances[part].mean() - right[part].mean()) * len(part) for part in parts) / len(chances))
