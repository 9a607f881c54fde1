"""How often the analyser is right, on suites that it has never learnt from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from antiphon.analysis.cascade import CascadeAnalyser
from antiphon.analysis.evaluation.advocacy import advocacycheck
from antiphon.analysis.evaluation.measures import Result, result_of
from antiphon.analysis.evaluation.robustness import deletions, disguised, swaps
from antiphon.analysis.evaluation.suites import classes_of, germeval, hatecheck, threats
from antiphon.analysis.interface import Analyser
from antiphon.analysis.linear import LinearAnalyser
from antiphon.analysis.weights import MODEL_FOLDER, MODEL_NAME
from antiphon.errors import MissingError

__all__ = ["evaluate"]

Suite = Callable[[Path, Analyser], list[Result]]


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


def _held_out() -> list[Result]:
    """Return what cross-validation measured in training: each post read by a model that has not seen its group."""
    sidecar = json.loads((MODEL_FOLDER / f"{MODEL_NAME}.json").read_text(encoding="utf-8"))
    limit = f"right at {sidecar['flag_at']}"
    return [
        result_of("training posts, cross-validated", title, "flag", round(row[limit] * row["posts"]), row["posts"])
        for title, row in sidecar["cross_validated"].items()
        if limit in row
    ]
