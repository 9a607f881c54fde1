"""The texts that the encoder learns from, each with what is known of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.analysis.evaluation.held_out import implicit_hate_rows, is_held_out, share_of, vicomtech_rows
from antiphon.analysis.heads import ACTS, CONTEXTS_OF_AUTHOR, IMPLICIT_CLASSES
from antiphon.model.schemas import SPEECH_ACTS

TEXTS = Path(__file__).parent.parent.parent / "data" / "advocacy"
KEPT = {"vicomtech": 0.45, "implicit-hate": 0.6, "mlma": 0.5}
"""Shares of large sets that are read at all: more takes hours on a processor, and the main question gains none."""

_OPEN, _CLOSE = "⟦⟪〔", "⟧⟫〕"
_IMPLICIT = {"not_hate": 0, "implicit_hate": 1, "explicit_hate": 2}
_LANGUAGE_OF_MLMA = {"en_dataset": "en", "fr_dataset": "fr", "ar_dataset": "ar"}


@dataclass(slots=True)
class Text:
    """A text and its answers; a head that is not in `answers` learns nothing from it."""

    text: str
    lang: str
    origin: str
    group: str
    kind: str
    answers: dict[str, int] = field(default_factory=dict)
    tags: list[int] | None = None
    held_out: bool = False


def unmarked(text: str) -> tuple[str, list[int]]:
    """Return a text without its marks, and for each character the tag of the span that it stands in."""
    letters, tags, tag = [], [], 0
    for letter in text:
        if letter in _OPEN:
            tag = 1 + _OPEN.index(letter)
        elif letter in _CLOSE:
            tag = 0
        else:
            letters.append(letter)
            tags.append(tag)
    return "".join(letters), tags


def _answers(row: dict[str, Any]) -> dict[str, int]:
    """Return what a row of invented texts says to each head."""
    act, quoted = row["speech_act"], row.get("quoted_act")
    own = act != "none"
    answers = {"flag": int(own), "act": ACTS.index(act), "context": CONTEXTS_OF_AUTHOR.index(row["context"])}
    # In the older set a quoted call has marks and no name of its act.
    if own or "⟪" not in row["text"] or quoted:
        answers |= {name: int(name in (act, quoted)) for name in SPEECH_ACTS}
    if row.get("directness"):
        answers["direct"] = int(row["directness"] == "direct")
    if not own:
        answers["hateful"] = 0
    return answers


def read_invented(folder: Path, origin: str) -> Iterator[Text]:
    """Yield the texts of a folder of invented ones; minimal pairs and neighbours share a group."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                row = json.loads(line)
                text, tags = unmarked(row["text"])
                # Ten lines that follow one another often vary one idea.
                group = f"{origin}/{path.stem}/{row.get('pair') or number // 10}"
                kind = row.get("kind") or (row["context"] if row["speech_act"] == "none" else row["speech_act"])
                marked = tags if row["speech_act"] == "none" or "⟦" in row["text"] else None
                yield Text(text, row["lang"], origin, group, kind, _answers(row), marked)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read_vicomtech(folder: Path) -> Iterator[Text]:
    """Yield the sentences of a forum; the head `forum` learns from the official balanced sample alone."""
    for text, group, hateful, official in vicomtech_rows(folder):
        answers = {"hateful": int(hateful)} | ({"forum": int(hateful)} if official else {})
        answers |= {} if hateful else {"flag": 0}
        yield Text(text, "en", "vicomtech", group, "hate" if hateful else "no hate", answers)


def read_implicit_hate(folder: Path) -> Iterator[Text]:
    """Yield the tweets of implicit-hate with their three classes and six."""
    for text, group, name, finer in implicit_hate_rows(folder):
        if name in _IMPLICIT:
            coarse = _IMPLICIT[name]
            answers = {"hateful": int(coarse > 0), "implicit": coarse} | ({} if coarse else {"flag": 0})
            if finer in IMPLICIT_CLASSES:
                answers["implicit_class"] = IMPLICIT_CLASSES.index(finer)
            yield Text(text, "en", "implicit-hate", group, name, answers)


def read_hatemoji(folder: Path) -> Iterator[Text]:
    """Yield the contrast pairs with emoji (Kirk et al. 2022), training and validation part, one group a pair."""
    for name in ("hatemoji_train.csv", "hatemoji_validation.csv"):
        for row in _rows(folder / name):
            hateful = int(float(row["label_gold"]))
            pair = sorted([row["entry_id"], row.get("matched_id") or row["entry_id"]])[0]
            answers = {"hateful": hateful} | ({} if hateful else {"flag": 0})
            yield Text(row["text"], "en", "hatemoji", f"hatemoji/{pair}", row["type"], answers)


def read_mlma(folder: Path) -> Iterator[Text]:
    """Yield what is clearly hateful or clearly normal of the tweets of MLMA (Ousidhoum et al. 2019)."""
    for name, lang in _LANGUAGE_OF_MLMA.items():
        for row in _rows(folder / f"{name}.csv"):
            marks = set(row["sentiment"].split("_"))
            if "hateful" in marks or marks == {"normal"}:
                hateful = int("hateful" in marks)
                answers = {"hateful": hateful} | ({} if hateful else {"flag": 0})
                yield Text(row["tweet"], lang, "mlma", f"mlma/{row['tweet']}", row["sentiment"], answers)


def read_corpora(shared: Path) -> list[Text]:
    """Return every text of the training sets, the held-out ones marked, none of a test suite."""
    texts = [
        *read_invented(TEXTS, "advocacy"),
        *read_invented(shared / "advocacytrain", "advocacytrain"),
        *read_vicomtech(shared / "vicomtech"),
        *read_implicit_hate(shared / "implicit-hate"),
        *read_hatemoji(shared / "hatemoji"),
        *read_mlma(shared / "mlma"),
    ]
    for text in texts:
        text.held_out = is_held_out(text.origin, text.group)
    return [text for text in texts if _is_kept(text)]


def _is_kept(text: Text) -> bool:
    """Tell whether a text is read at all: it says something, and is of the share of its set."""
    if not re.search(r"\w|[\U0001F000-\U0001FBFF]", text.text):
        return False
    return text.held_out or share_of(f"kept/{text.group}") < KEPT.get(text.origin, 1.0)
