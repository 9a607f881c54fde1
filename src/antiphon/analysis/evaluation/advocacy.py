"""AdvocacyCheck: flags, acts, languages, pairs and calibration, case by case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.analysis.evaluation.measures import Result, calibration_error, mean_of, resampled, result_of, table_of
from antiphon.analysis.evaluation.suites import findings_on, read_cases
from antiphon.analysis.interface import Analyser
from antiphon.model.schemas import SPEECH_ACTS

__all__ = ["advocacycheck"]

_SENSITIVE = 18  # AdvocacyCheck: F01 to F18 should be flagged, the rest should not
_SURE = 0.5


def _act(finding: Mapping[str, Any]) -> str:
    """Return the act in the words: the strongest that is likelier than not, or none."""
    name = max(SPEECH_ACTS, key=lambda act: float(finding["speech_acts"][act]))
    return name if finding["speech_acts"][name] >= _SURE else "none"


def advocacycheck(path: Path, analyser: Analyser) -> list[Result]:
    """Measure flags, acts, languages, pairs and calibration on AdvocacyCheck."""
    cases = read_cases(path)
    found = findings_on([case["text"] for case in cases], analyser)
    pairs = list(zip(cases, found, strict=True))
    flags = [(case, (case["flag"] == "true") == finding["flag"]) for case, finding in pairs]
    name = "advocacycheck"
    rows = table_of(name, "flag", ((case["functionality"], right) for case, right in flags))
    for title, part in (
        ("sensitivity, mean of F01-F18", rows[:_SENSITIVE]),
        ("specificity, mean of F19-F39", rows[_SENSITIVE:39]),
        ("macro, mean of all", rows[:39]),
    ):
        rows.append(mean_of(name, title, part))
    english = table_of(name, "flag", ((case["functionality"], right) for case, right in flags if case["lang"] == "en"))
    rows.append(mean_of(name, "macro, English", english))
    rows += table_of(name, "flag", ((f"language {case['lang']}", right) for case, right in flags))
    for expected, measure in (("true", "flag, should be raised"), ("false", "flag, should not be raised")):
        outcomes = ((f"language {case['lang']}", right) for case, right in flags if case["flag"] == expected)
        rows += table_of(name, measure, outcomes)
    acts = ((case["functionality"], _act(finding) == case["speech_act"]) for case, finding in pairs)
    rows += table_of(name, "speech act in the words", acts)
    langs = ((f"language {case['lang']}", case["lang"] == finding["lang"]) for case, finding in pairs)
    rows += table_of(name, "language found", langs)
    return rows + _pairs(name, flags) + _calibration(name, pairs)


def _pairs(name: str, flags: list[tuple[dict[str, str], bool]]) -> list[Result]:
    rows = []
    for title, langs in (("pair groups, all members right", None), ("pair groups, English", "en")):
        groups: dict[str, list[bool]] = defaultdict(list)
        for case, right in flags:
            if case["pair"] and langs in (None, case["lang"]):
                groups[case["pair"]].append(right)
        rows.append(result_of(name, title, "flag", sum(map(all, groups.values())), len(groups)))
    return rows


def _calibration(name: str, pairs: list[tuple[dict[str, str], dict[str, Any]]]) -> list[Result]:
    """Compare the chance of the flag with how often it was right to raise it; the order of the queue is the chance."""
    chances = np.array([_chance(finding) for _, finding in pairs])
    right = np.array([float(case["flag"] == "true") for case, _ in pairs])
    rows = [resampled(name, "all", "expected calibration error", len(pairs),
                      lambda which: calibration_error(chances[which], right[which]))]  # fmt: skip
    abstained = [("all", bool(finding["abstained"])) for _, finding in pairs]
    return rows + table_of(name, "abstained", abstained)


def _chance(finding: Mapping[str, Any]) -> float:
    """Return the chance of the flag, out of the queue's order and the urgency that is in it."""
    urgent = max(float(finding["speech_acts"][act]) for act in ("incites", "instructs", "threatens"))
    return float(finding["review_priority"]) / (0.75 + 0.25 * urgent)
