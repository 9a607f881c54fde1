"""How often the analyser is right, on suites that it has never learnt from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.analysis.cascade import CascadeAnalyser
from antiphon.analysis.interface import Analyser
from antiphon.analysis.linear import LinearAnalyser
from antiphon.analysis.measures import Result, calibration_error, mean_of, resampled, result_of, table_of
from antiphon.analysis.robustness import deletions, disguised, swaps
from antiphon.analysis.suites import classes_of, findings_on, germeval, hatecheck, read_cases, threats
from antiphon.analysis.weights import MODEL_NAME
from antiphon.errors import MissingError
from antiphon.model.schemas import SPEECH_ACTS

__all__ = ["evaluate"]

Suite = Callable[[Path, Analyser], list[Result]]

_SENSITIVE = 18  # AdvocacyCheck: F01 to F18 should be flagged, the rest should not
_SURE = 0.5


def evaluate(
    shared_data: Path, analyser: Analyser | None = None, *, progress: Callable[[str], None] = lambda _: None
) -> list[Result]:
    """Return how often an analyser is right on the suites under `shared_data`, and what training measured.

    Args:
        shared_data: The folder that holds `advocacycheck`, `hatecheck` and the others.
        analyser: The analyser to measure; the cascade where it is not given.
        progress: Told the name of each suite before it is read.

    Raises:
        MissingError: none of the suites is there.
    """
    measured = analyser or CascadeAnalyser()
    measured.open()
    suites: list[tuple[str, str, Suite]] = [
        ("AdvocacyCheck", "advocacycheck/cases.csv", advocacycheck),
        ("HateCheck, threats", "hatecheck/cases_odd_templates.csv", threats),
        ("Multilingual HateCheck, threats", "multilingual-hatecheck/hatecheck_cases_final_german.csv", threats),
        ("Multilingual HateCheck, threats", "multilingual-hatecheck/hatecheck_cases_final_arabic.csv", threats),
    ]
    if measured.name == CascadeAnalyser.name:
        suites += [
            ("HateCheck", "hatecheck/cases_odd_templates.csv", hatecheck),
            ("Multilingual HateCheck", "multilingual-hatecheck/hatecheck_cases_final_german.csv", hatecheck),
            ("Multilingual HateCheck", "multilingual-hatecheck/hatecheck_cases_final_arabic.csv", hatecheck),
            ("vicomtech", "vicomtech/train.csv", classes_of),
            ("implicit-hate", "implicit-hate/implicit_hate_v1_stg1_train.tsv", classes_of),
            ("GermEval", "germeval-harmful/vio_train.csv", germeval),
            ("disguises", "advocacycheck/cases.csv", disguised),
            ("swapped names", "advocacycheck/cases.csv", swaps),
            ("deleted spans", "advocacycheck/cases.csv", deletions),
        ]
    results: list[Result] = []
    for name, path, suite in suites:
        if (shared_data / path).is_file():
            progress(name)
            results += suite(shared_data / path, measured)
    if not results:
        raise MissingError(
            "none of the suites is there",
            where=str(shared_data),
            do="Name the folder that holds advocacycheck, hatecheck or multilingual-hatecheck.",
        )
    return results + (_held_out() if measured.name == LinearAnalyser.name else [])


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


def _held_out() -> list[Result]:
    """Return what cross-validation measured in training: each post read by a model that has not seen its group."""
    sidecar = json.loads(files(__package__).joinpath("model_data", f"{MODEL_NAME}.json").read_text(encoding="utf-8"))
    limit = f"right at {sidecar['flag_at']}"
    return [
        result_of("training posts, cross-validated", title, "flag", round(row[limit] * row["posts"]), row["posts"])
        for title, row in sidecar["cross_validated"].items()
        if limit in row
    ]
