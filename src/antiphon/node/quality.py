"""How good the analysis is: the measurement itself, and what the model was measured on when it was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from antiphon import plugins
from antiphon.analysis import Analyser, CascadeAnalyser, evaluation
from antiphon.errors import MissingError
from antiphon.node.runs import ANALYSERS

__all__ = ["analyser_notes", "evaluate", "regressions", "released_figures"]

FEWER_IS_BETTER = frozenset({"expected calibration error", "flag moves"})
NEITHER = frozenset({"abstained", "hate without a call, not flagged", "as many others: flag falls"})


def evaluate(
    data: Path, analyser: str = "cascade", progress: Callable[[str], None] = lambda _: None
) -> list[dict[str, object]]:
    """Return one row for each data set and functionality: n, right, share, 95% interval.

    Args:
        data: The folder of the labelled sets.
        analyser: The name of the analyser to measure.
        progress: Told the name of each suite before it is read.

    Raises:
        MissingError: the folder has none of the labelled sets, or there is no such analyser.
    """
    analysers = plugins.load(ANALYSERS, Analyser)
    if analyser not in analysers:
        raise MissingError(f"there is no analyser {analyser!r}", do="Choose one of: " + ", ".join(sorted(analysers)))
    return [result._asdict() for result in evaluation.evaluate(data, analysers[analyser], progress=progress)]


def released_figures(analyser: str) -> list[dict[str, object]]:
    """Return what `evaluate` gave when the models in the package were released; nothing for other analysers."""
    path = files("antiphon.analysis").joinpath("model_data", "released.json")
    if analyser != CascadeAnalyser.name or not path.is_file():
        return []
    figures: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def regressions(released: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each measure that is worse than it was released, by more than both intervals allow."""
    before = {_title(row): row for row in released}
    return [
        f"{' / '.join(_title(row))}: {row['share']:.3f}, released {before[_title(row)]['share']:.3f}"
        for row in now
        if _title(row) in before and _is_worse(row, before[_title(row)])
    ]


def _title(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["data_set"], row["functionality"], row["measure"]


def _is_worse(row: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    if row["measure"] in FEWER_IS_BETTER:
        return bool(row["low"] > before["high"])
    return row["measure"] not in NEITHER and bool(row["high"] < before["low"])


def analyser_notes() -> list[str]:
    """Return what the analyser says of itself."""
    return [
        "cascade: a linear model looks at every text and passes on what may matter; an encoder of twelve layers reads "
        "those closely. Both are trained on labelled posts. `antiphon evaluate` measures them on sets that they never "
        "saw; docs/analysis.md has the figures, docs/cards the model's own account.",
    ]
