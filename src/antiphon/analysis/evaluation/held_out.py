"""Which texts of the training sets are kept from training: the rule that training and evaluation share."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["HELD_OUT_SHARE", "implicit_hate_rows", "is_held_out", "share_of", "tidy_tweet", "vicomtech_rows"]

HELD_OUT_SHARE = {"vicomtech": 0.2}
_HELD_OUT_ELSE = 0.1
"""Of the groups of texts: kept for calibration and for what the cards and `antiphon evaluate` tell."""

_LONGEST_FIELD = 10**7


def share_of(key: str) -> float:
    """Return a number from 0 to 1 that depends on the key alone, to part texts the same way in every run.

    Example:
        >>> share_of("a") == share_of("a") != share_of("b")
        True
    """
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) / 2**32


def is_held_out(origin: str, group: str) -> bool:
    """Tell whether a group of texts (a thread, a pair, a text) of a training set is kept from training."""
    return share_of(group) < HELD_OUT_SHARE.get(origin, _HELD_OUT_ELSE)


def vicomtech_rows(folder: Path) -> Iterator[tuple[str, str, bool, bool]]:
    """Yield text, group, hateful, and whether it is of the official balanced sample, of de Gibert et al. 2018."""
    for row in _rows(folder / "train.csv", ","):
        if row["label"] in ("hate", "noHate"):
            group = f"vicomtech/{row['file_id'].rsplit('_', 1)[0]}"
            yield row["text"], group, row["label"] == "hate", row["official_split"] == "train"


def implicit_hate_rows(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield text, group, class and finer class (or nothing) of ElSherief et al. 2021."""
    finer = {row["post"]: row["implicit_class"] for row in _rows(folder / "implicit_hate_v1_stg2_train.tsv", "\t")}
    for row in _rows(folder / "implicit_hate_v1_stg1_train.tsv", "\t"):
        text = tidy_tweet(row["post"])
        yield text, f"implicit-hate/{text}", row["class"], finer.get(row["post"], "")


def tidy_tweet(post: str) -> str:
    """Return a tweet of implicit-hate without the quotation marks that its table was written with."""
    return post.strip().removeprefix('"').removesuffix('"').replace('""', '"').strip()


def _rows(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding="utf-8", newline="") as file:
        if delimiter == "\t":
            yield from csv.DictReader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(file, delimiter=delimiter)
