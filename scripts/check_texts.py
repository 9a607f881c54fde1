"""Check the invented training texts: their fields and marks, duplicates, and overlap with the test suites.

    python scripts/check_texts.py ../shared/data             every file of data/advocacy
    python scripts/check_texts.py ../shared/data FILE...     these files only

Prints one line a fault, with file and line and never with a suite's words, and ends with status 1 where there is one.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.model.schemas import CONTEXTS, SPEECH_ACTS

TEXTS = Path(__file__).parent.parent / "data" / "advocacy"
SUITE_RUN = 6
"""This many words in a row may not be shared with a text of a test suite."""
OWN_RUN = 7
NEAR = 0.6
"""Share of its runs of seven words from which a text counts as a near-duplicate of another of its file."""

_FIELDS = {"lang", "speech_act", "context", "directness", "quoted_act", "text", "pair", "kind"}
_MARKS = "⟦⟧⟪⟫〔〕"
_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u0900-\u0dff]+[^\W_]*)*")


def without_marks(text: str) -> str:
    """Return a text as it is read, without the marks of its spans."""
    return text.translate(dict.fromkeys(map(ord, _MARKS)))


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, without its marks."""
    return _WORD.findall(unicodedata.normalize("NFKC", without_marks(text)).casefold())


def runs_of(words: list[str], length: int) -> set[str]:
    """Return all runs of so many words in a row."""
    return {" ".join(words[at : at + length]) for at in range(len(words) - length + 1)}


def field_faults(row: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the fields of a row and with the marks in its text."""
    text, act, context = row.get("text"), row.get("speech_act"), row.get("context")
    if not isinstance(text, str) or (not words_of(text) and not without_marks(text).strip()):
        yield "there is no text"
        return
    if set(row) - _FIELDS:
        yield f"unknown fields {sorted(set(row) - _FIELDS)}"
    if act not in (*SPEECH_ACTS, "none") or context not in (*CONTEXTS, "endorses"):
        yield f"unknown speech act {act!r} or context {context!r}"
    if (act != "none") != (context == "endorses"):
        yield "the context is `endorses` where the author does an act, and only there"
    if (row.get("directness") in ("direct", "indirect")) != (act != "none"):
        yield "directness is `direct` or `indirect` where the author does an act, and null elsewhere"
    if (act != "none") != ("⟦" in text):
        yield "⟦⟧ marks the author's own act, and only that"
    if ("⟪" in text) != (row.get("quoted_act") in SPEECH_ACTS):
        yield "⟪⟫ and quoted_act go together"
    marks = "".join(letter for letter in text if letter in _MARKS)
    if not re.fullmatch("(⟦⟧|⟪⟫|〔〕)*", marks) or re.search(r"[⟦⟪〔]\s*[⟧⟫〕]", text):
        yield "a mark does not close, is nested, or holds nothing"


@dataclass
class Suites:
    """All runs of six words of the test suites, and their texts as words."""

    runs: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Add one text of a suite."""
        words = words_of(text)
        self.runs |= runs_of(words, SUITE_RUN)
        if words:
            self.whole.add(" ".join(words))

    def has(self, words: list[str]) -> bool:
        """Tell whether a text repeats one of a suite, whole or six words in a row."""
        return " ".join(words) in self.whole or not self.runs.isdisjoint(runs_of(words, SUITE_RUN))


def read_suites(data: Path) -> Suites:
    """Return the runs of AdvocacyCheck, HateCheck and Multilingual HateCheck."""
    suites = Suites()
    for path in (data / "advocacycheck" / "cases.csv", *sorted(data.glob("*hatecheck/*.csv"))):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                suites.add(row.get("test_case") or row.get("text") or "")
    return suites


def file_faults(path: Path, suites: Suites) -> Iterator[str]:
    """Yield the faults of a file, each with its line."""
    seen: dict[str, int] = {}
    owners: dict[str, list[int]] = {}
    pairs: Counter[str] = Counter()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except ValueError:
            yield f"{path.name}:{number}: the line is no JSON"
            continue
        yield from (f"{path.name}:{number}: {fault}" for fault in field_faults(row))
        words = words_of(str(row.get("text")))
        runs = runs_of(words, OWN_RUN)
        pairs.update([row["pair"]] if "pair" in row else [])
        if (first := seen.setdefault(" ".join(words) or str(row.get("text")), number)) != number:
            yield f"{path.name}:{number}: the same words as line {first}"
        near = Counter(owner for run in runs for owner in owners.get(run, ())).most_common(1)
        if near and "pair" not in row and near[0][1] > max(1, NEAR * len(runs)):
            yield f"{path.name}:{number}: hardly another text than line {near[0][0]}"
        for run in runs:
            owners.setdefault(run, []).append(number)
        if suites.has(words):
            yield f"{path.name}:{number}: shares {SUITE_RUN} words in a row, or all, with a test suite"
    yield from (f"{path.name}: the pair {pair} has one member" for pair, members in pairs.items() if members < 2)


def main(data: Path, *chosen: str) -> int:
    """Print all faults of the files and return 1 where there is one."""
    suites = read_suites(data)
    faults = [
        fault
        for path in (list(map(Path, chosen)) or sorted(TEXTS.glob("*.jsonl")))
        for fault in file_faults(path, suites)
    ]
    print(*faults, f"{len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
