"""How often the analyser is right, on suites that it has never learnt from."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from antiphon.analysis.interface import Analyser
from antiphon.analysis.linear import LinearAnalyser
from antiphon.analysis.weights import MODEL_NAME
from antiphon.errors import MissingError
from antiphon.model.schemas import MATERIALS, SPEECH_ACTS

__all__ = ["Result", "evaluate", "materials_of", "wilson"]

_BATCH = 1024
_THREATS = ("threat_dir_h", "threat_norm_h")
_SENSITIVE = 18  # AdvocacyCheck: F01 to F18 should be flagged, the rest should not


class Result(NamedTuple):
    """One line of the table: how many of n cases came out right, and the 95% interval of that share."""

    data_set: str
    functionality: str
    measure: str
    n: int
    right: int
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


def materials_of(texts: list[str]) -> pa.RecordBatch:
    """Return texts as a batch of materials that have nothing but a text."""
    rows = [
        {"material_id": f"{number:032x}", "source": "evaluation", "kind": "post", "text": text,
         "provenance": {"input": "evaluation", "record": number}}
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=MATERIALS)


def evaluate(shared_data: Path, analyser: Analyser | None = None) -> list[Result]:
    """Return how often an analyser is right on the suites under `shared_data`, and what training measured.

    Args:
        shared_data: The folder that holds `advocacycheck`, `hatecheck` and `multilingual-hatecheck`.
        analyser: The analyser to measure; the linear one where it is not given.

    Raises:
        MissingError: none of the suites is there.
    """
    suites: dict[str, Callable[[Path, Analyser], list[Result]]] = {
        "advocacycheck/cases.csv": _advocacycheck,
        "hatecheck/cases_odd_templates.csv": _hatecheck,
        "multilingual-hatecheck/hatecheck_cases_final_german.csv": _hatecheck,
        "multilingual-hatecheck/hatecheck_cases_final_arabic.csv": _hatecheck,
    }
    measured = analyser or LinearAnalyser()
    measured.open()
    results = [
        row for name, suite in suites.items() if (shared_data / name).is_file()
        for row in suite(shared_data / name, measured)
    ]  # fmt: skip
    if not results:
        raise MissingError(
            "none of the suites is there",
            where=str(shared_data),
            do="Name the folder that holds advocacycheck, hatecheck or multilingual-hatecheck.",
        )
    return results + (_held_out() if measured.name == LinearAnalyser.name else [])


def _findings(texts: list[str], analyser: Analyser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(texts), _BATCH):
        for batch in analyser.run(materials_of(texts[start : start + _BATCH])):
            found += batch.to_pylist()
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _table(data_set: str, measure: str, outcomes: Iterable[tuple[str, bool]]) -> list[Result]:
    """Count outcomes by functionality."""
    tally: dict[str, list[bool]] = defaultdict(list)
    for functionality, right in outcomes:
        tally[functionality].append(right)
    return [_result(data_set, name, measure, sum(rights), len(rights)) for name, rights in sorted(tally.items())]


def _result(data_set: str, functionality: str, measure: str, right: int, n: int) -> Result:
    return Result(data_set, functionality, measure, n, right, right / n, *wilson(right, n))


def _act(finding: Mapping[str, Any]) -> str:
    """Return the act in the words: the strongest that is likelier than not, or none."""
    name = max(SPEECH_ACTS, key=lambda act: float(finding["speech_acts"][act]))
    return name if finding["speech_acts"][name] >= 0.5 else "none"


def _advocacycheck(path: Path, analyser: Analyser) -> list[Result]:
    cases = _read(path)
    found = _findings([case["text"] for case in cases], analyser)
    pairs = list(zip(cases, found, strict=True))
    flags = [(case, (case["flag"] == "true") == finding["flag"]) for case, finding in pairs]
    name = "advocacycheck"
    rows = _table(name, "flag", ((case["functionality"], right) for case, right in flags))
    for title, part in (
        ("sensitivity, mean of F01-F18", rows[:_SENSITIVE]),
        ("specificity, mean of F19-F39", rows[_SENSITIVE:39]),
        ("macro, mean of all", rows[:39]),
    ):
        rows.append(_mean(name, title, part))
    for expected, measure in (("true", "flag, should be raised"), ("false", "flag, should not be raised")):
        outcomes = ((f"language {case['lang']}", right) for case, right in flags if case["flag"] == expected)
        rows += _table(name, measure, outcomes)
    acts = ((case["functionality"], _act(finding) == case["speech_act"]) for case, finding in pairs)
    rows += _table(name, "speech act in the words", acts)
    langs = ((f"language {case['lang']}", case["lang"] == finding["lang"]) for case, finding in pairs)
    rows += _table(name, "language found", langs)
    groups: dict[str, list[bool]] = defaultdict(list)
    for case, right in flags:
        if case["pair"]:
            groups[case["pair"]].append(right)
    return [*rows, _result(name, "pair groups, all members right", "flag", sum(map(all, groups.values())), len(groups))]


def _mean(data_set: str, title: str, rows: list[Result]) -> Result:
    """Return the mean of shares; its interval is that of the pooled cases around it."""
    n, share = sum(row.n for row in rows), sum(row.share for row in rows) / len(rows)
    return Result(data_set, title, "flag", n, sum(row.right for row in rows), share, *wilson(round(share * n), n))


def _hatecheck(path: Path, analyser: Analyser) -> list[Result]:
    """Measure what of HateCheck is this analyser's question.

    A threat should be flagged. What is not hateful should not be. Hate without a call is hate speech, no advocacy of
    terrorism: how much of it is left unflagged is told apart, and is neither right nor wrong in law.
    """
    cases = _read(path)
    found = _findings([case["test_case"] for case in cases], analyser)
    outcomes: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for case, finding in zip(cases, found, strict=True):
        if case["functionality"] in _THREATS:
            outcomes["threat, flagged"].append((case["functionality"], finding["flag"]))
        elif case["label_gold"] != "hateful":
            outcomes["not hateful, not flagged"].append((case["functionality"], not finding["flag"]))
        else:
            outcomes["hate without a call, not flagged"].append((case["functionality"], not finding["flag"]))
    name = (
        "hatecheck, odd templates"
        if path.parent.name == "hatecheck"
        else f"multilingual-{path.stem[:9]} {path.stem[22:]}"
    )
    return [row for measure, pairs in sorted(outcomes.items()) for row in _table(name, measure, pairs)]


def _held_out() -> list[Result]:
    """Return what cross-validation measured in training: each post read by a model that has not seen its group."""
    sidecar = json.loads(files(__package__).joinpath("model_data", f"{MODEL_NAME}.json").read_text(encoding="utf-8"))
    limit = f"right at {sidecar['flag_at']}"
    return [
        _result("training posts, cross-validated", title, "flag", round(row[limit] * row["posts"]), row["posts"])
        for title, row in sidecar["cross_validated"].items()
        if limit in row
    ]
