"""What must not move a finding, and what must: disguises, swapped names, and the words that it is said to rest on."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from antiphon.analysis.evaluation.disguises import DISGUISES
from antiphon.analysis.evaluation.measures import Result, result_of, table_of
from antiphon.analysis.evaluation.suites import findings_on, read_cases
from antiphon.analysis.interface import Analyser

__all__ = ["deletions", "disguised", "swapped", "swaps"]

_SAMPLE = 120
_SWAPS_A_TEXT = 4
_NAME = re.compile(r"(?<=[^\W\d_] )[A-ZА-ЯÇĞİÖŞÜÉÈÁÍÓÚÑ][a-zа-яçğıöşüéèêëàâîïôûáíóúñ]{3,}\b(?!['’])")


def disguised(path: Path, analyser: Analyser) -> list[Result]:
    """Measure which share of flagged texts stays flagged, and of others not, under each disguise."""
    cases = read_cases(path)
    found = findings_on([case["text"] for case in cases], analyser)
    flagged = [case["text"] for case, finding in zip(cases, found, strict=True) if finding["flag"]]
    others = [case["text"] for case, finding in zip(cases, found, strict=True) if not finding["flag"]]
    rows = []
    for measure, texts, flag in (("stays flagged", flagged, True), ("stays unflagged", others, False)):
        sample = random.Random(1).sample(texts, min(_SAMPLE, len(texts)))  # noqa: S311 - to draw, not to keep a secret
        told = [(name, change(text)) for name, change in DISGUISES.items() for text in sample]
        again = findings_on([text for _, text in told], analyser)
        outcomes = [(name, finding["flag"] == flag) for (name, _), finding in zip(told, again, strict=True)]
        rows += table_of("disguises", measure, outcomes)
        rows.append(result_of("disguises", "all", measure, sum(same for _, same in outcomes), len(outcomes)))
    return rows


def swaps(path: Path, analyser: Analyser) -> list[Result]:
    """Measure how often the flag moves where names of places, groups, faiths and peoples are put for one another."""
    pairs = [
        (case, changed) for case in read_cases(path) for changed in swapped(case["text"], case["lang"], case["id"])
    ]
    before = findings_on([case["text"] for case, _ in pairs], analyser)
    after = findings_on([text for _, text in pairs], analyser)
    moved = [
        (f"language {case['lang']}", one["flag"] != other["flag"])
        for (case, _), one, other in zip(pairs, before, after, strict=True)
    ]
    rows = table_of("swapped names", "flag moves", moved)
    return [*rows, result_of("swapped names", "all", "flag moves", sum(flag for _, flag in moved), len(moved))]


def swapped(text: str, lang: str, seed: str) -> Iterator[str]:
    """Yield a text with some of its names put for others of their class, each time in another way."""
    rng = random.Random(seed)  # noqa: S311 - to draw, not to keep a secret
    classes = _classes().get(lang, [])
    for _ in range(_SWAPS_A_TEXT):
        changed = text
        for name, words in classes:
            if name == "name":
                found = set(_NAME.findall(changed)) - {
                    word for other, others in classes if other != "name" for word in others
                }
            else:
                found = {word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", changed)}
            for word in sorted(found):
                other = rng.choice([choice for choice in words if choice != word])
                changed = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", other, changed)
        if changed != text:
            yield changed


@cache
def _classes() -> Mapping[str, list[tuple[str, list[str]]]]:
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for line in files(__package__).joinpath("swaps.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, words = line.partition(": ")
            lang, name = head.split(" ")
            found.setdefault(lang, []).append((name, words.split(" | ")))
    return found


def deletions(path: Path, analyser: Analyser) -> list[Result]:
    """Measure how often the flag falls without the marked words, and without as many others.

    Source:
        Erasure, as in DeYoung et al. 2020 (ERASER): what an explanation names should matter more than what it does not.
    """
    texts = [case["text"] for case in read_cases(path)]
    found = findings_on(texts, analyser)
    flagged = [(text, finding["spans"]) for text, finding in zip(texts, found, strict=True) if finding["flag"]]
    marked = [(text, spans) for text, spans in flagged if spans and _words_marked(text, spans) < len(text.split())]
    rng = random.Random(1)  # noqa: S311 - to draw, not to keep a secret
    told = [_without(text, spans) for text, spans in marked]
    drawn = [_without_as_many(text, spans, rng) for text, spans in marked]
    rows = [result_of("deleted words", "all", "flagged texts with a span", len(marked), len(flagged))]
    for measure, changed in (("marked words: flag falls", told), ("as many others: flag falls", drawn)):
        fallen = sum(not finding["flag"] for finding in findings_on(changed, analyser))
        rows.append(result_of("deleted words", "all", measure, fallen, len(changed)))
    return rows


def _without(text: str, spans: list[dict[str, Any]]) -> str:
    for span in sorted(spans, key=lambda span: -span["start"]):
        text = text[: span["start"]] + text[span["end"] :]
    return text


def _words_marked(text: str, spans: list[dict[str, Any]]) -> int:
    return sum(len(text[span["start"] : span["end"]].split()) for span in spans)


def _without_as_many(text: str, spans: list[dict[str, Any]], rng: random.Random) -> str:
    """Delete as many words in a row, drawn from everywhere."""
    words = text.split()
    count = min(_words_marked(text, spans), len(words))
    start = rng.randint(0, len(words) - count)
    return " ".join(words[:start] + words[start + count :])
