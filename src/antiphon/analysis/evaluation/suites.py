"""Suites by others: what each asks, and what counts as right."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from antiphon.analysis.encoder import open_encoder
from antiphon.analysis.evaluation.held_out import implicit_hate_rows, is_held_out, vicomtech_rows
from antiphon.analysis.evaluation.measures import Result, macro_f1, mean_of, resampled, result_of, table_of
from antiphon.analysis.heads import IMPLICIT_CLASSES
from antiphon.analysis.interface import Analyser
from antiphon.analysis.passages import Reading, read_passages
from antiphon.analysis.undisguise import undisguise
from antiphon.model.schemas import MATERIALS

__all__ = ["classes_of", "findings_on", "germeval", "hatecheck", "materials_of", "read_cases", "readings_of", "threats"]

_BATCH = 1024
_THREATS = ("threat_dir_h", "threat_norm_h")
_COARSE = ("not_hate", "implicit_hate", "explicit_hate")


def materials_of(texts: list[str]) -> pa.RecordBatch:
    """Return texts as a batch of materials that have nothing but a text."""
    rows = [
        {"material_id": f"{number:032x}", "source": "evaluation", "kind": "post", "text": text,
         "provenance": {"input": "evaluation", "record": number}}
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=MATERIALS)


def findings_on(texts: list[str], analyser: Analyser) -> list[dict[str, Any]]:
    """Return what an analyser finds in texts."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(texts), _BATCH):
        for batch in analyser.run(materials_of(texts[start : start + _BATCH])):
            found += batch.to_pylist()
    return found


def readings_of(texts: list[str]) -> list[Reading]:
    """Return what the encoder says of texts, all heads, whatever a first look would let go."""
    return [read_passages(undisguise(text).text, open_encoder()) for text in texts]


def read_cases(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Return the rows of a suite."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def threats(path: Path, analyser: Analyser) -> list[Result]:
    """Measure what of HateCheck is the question of the flag.

    A threat should be flagged. What is not hateful should not be. Hate without a call is hate speech, no advocacy of
    terrorism: how much of it is left unflagged is told apart, and is neither right nor wrong in law.
    """
    cases = read_cases(path)
    found = findings_on([case["test_case"] for case in cases], analyser)
    outcomes: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for case, finding in zip(cases, found, strict=True):
        if case["functionality"] in _THREATS:
            outcomes["threat, flagged"].append((case["functionality"], finding["flag"]))
        elif case["label_gold"] != "hateful":
            outcomes["not hateful, not flagged"].append((case["functionality"], not finding["flag"]))
        else:
            outcomes["hate without a call, not flagged"].append((case["functionality"], not finding["flag"]))
    return [row for measure, pairs in sorted(outcomes.items()) for row in table_of(_name(path), measure, pairs)]


def _name(path: Path) -> str:
    return "hatecheck, odd templates" if path.parent.name == "hatecheck" else f"multilingual-hatecheck {path.stem[22:]}"


def hatecheck(path: Path, _: Analyser) -> list[Result]:
    """Measure the encoder's head for hate, which no finding uses, on HateCheck (Röttger et al. 2021, 2022)."""
    cases = read_cases(path)
    said = [reading.heads["hateful"][0] > 0 for reading in readings_of([case["test_case"] for case in cases])]
    outcomes = [
        (case["functionality"], bool(hateful) == (case["label_gold"] == "hateful"))
        for case, hateful in zip(cases, said, strict=True)
    ]
    rows = table_of(_name(path), "hateful or not", outcomes)
    whole = result_of(_name(path), "whole suite", "hateful or not", sum(right for _, right in outcomes), len(outcomes))
    return [*rows, whole, mean_of(_name(path), "mean of functionalities", rows)]


def classes_of(path: Path, _: Analyser) -> list[Result]:
    """Measure the side heads on what was held out of vicomtech and implicit-hate."""
    if path.parent.name == "vicomtech":
        cases = [
            (text, int(hateful)) for text, group, hateful, official in vicomtech_rows(path.parent)
            if official and is_held_out("vicomtech", group)
        ]  # fmt: skip
        return [_f1("vicomtech, held out", "hate or not", "forum", cases)]
    rows = [row for row in implicit_hate_rows(path.parent) if is_held_out("implicit-hate", row[1])]
    coarse = [(text, _COARSE.index(name)) for text, _, name, _ in rows if name in _COARSE]
    fine = [(text, IMPLICIT_CLASSES.index(name)) for text, _, _, name in rows if name in IMPLICIT_CLASSES]
    return [
        _f1("implicit-hate, held out", "three classes", "implicit", coarse),
        _f1("implicit-hate, held out", "six classes", "implicit_class", fine),
    ]


def _f1(data_set: str, title: str, head: str, cases: list[tuple[str, int]]) -> Result:
    answers = [reading.heads[head] for reading in readings_of([text for text, _ in cases])]
    said = np.array([int(answer[0] > 0) if len(answer) == 1 else int(answer.argmax()) for answer in answers])
    truth = np.array([label for _, label in cases])
    return resampled(data_set, title, "macro F1", len(cases), lambda which: macro_f1(truth[which], said[which]))


def germeval(path: Path, analyser: Analyser) -> list[Result]:
    """Measure flags on German posts (GermEval 2025): criticism should not be flagged, calls to violence should."""
    questions = (
        ("dbo_train.csv", "dbo", "criticism", "legitimate criticism", "not flagged"),
        ("vio_train.csv", "vio", "call2violence", "call to violence", "flagged"),
        ("vio_train.csv", "vio", "support", "support of violence", "flagged"),
    )
    rows = []
    for name, column, label, title, measure in questions:
        texts = [row["description"] for row in read_cases(path.parent / name, ";") if row[column] == label]
        flagged = sum(finding["flag"] for finding in findings_on(texts, analyser))
        right = flagged if measure == "flagged" else len(texts) - flagged
        rows.append(result_of("germeval", title, measure, right, len(texts)))
    return rows
