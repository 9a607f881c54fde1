"""How much of the planted truth an analysis found. The truth is joined here, after the fact, and nowhere else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import orjson
import pyarrow as pa

from antiphon.demo.intervals import wilson
from antiphon.demo.planned import Broken
from antiphon.errors import InputError
from antiphon.model.address import canonical_url

__all__ = ["Measure", "Score", "score"]

_NEEDED = ("materials", "findings", "copies", "matches", "coordination")
_HIGH, _LOW = "high", "low"
_WORDS = 8
Row = Mapping[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Measure:
    """One share with its 95 % interval.

    Attributes:
        name: What was counted.
        group: All, or the kind, language or campaign it was counted for.
        found: How many.
        of: Of how many.
        better: Whether `high` or `low` is better.
    """

    name: str
    group: str
    found: int
    of: int
    better: str

    @property
    def share(self) -> float | None:
        """Return `found / of`, or None where there was nothing to find."""
        return self.found / self.of if self.of else None


@dataclass(frozen=True)
class Score:
    """All measures of one comparison, in the order in which they are shown."""

    measures: tuple[Measure, ...]

    def get(self, name: str, group: str = "all") -> Measure:
        """Return one measure.

        Raises:
            InputError: there is no such measure.
        """
        for measure in self.measures:
            if (measure.name, measure.group) == (name, group):
                return measure
        names = ", ".join(dict.fromkeys(measure.name for measure in self.measures))
        raise InputError(f"no measure {name!r} for {group!r}", do=f"Ask for one of: {names}.")

    def rows(self) -> list[dict[str, object]]:
        """Return the measures as rows to print; each has the same keys."""
        return [
            {
                "measure": m.name, "for": m.group, "found": m.found, "of": m.of, "share": _percent(m.share),
                "95 % interval": "{} to {}".format(*map(_percent, wilson(m.found, m.of))) if m.of else "-",
                "better": m.better,
            }
            for m in self.measures
        ]  # fmt: skip

    def to_json(self) -> bytes:
        """Return the measures as JSON, shares and interval ends as numbers."""
        rows = []
        for m in self.measures:
            low, high = wilson(m.found, m.of)
            rows.append({**asdict(m), "share": m.share, "low": low, "high": high})
        return orjson.dumps(rows, option=orjson.OPT_INDENT_2)


def score(
    truth: pa.Table,
    results: Mapping[str, pa.Table],
    broken: Sequence[Broken] = (),
    bank_texts: Mapping[str, str] | None = None,
) -> Score:
    """Return how much of the truth was found.

    Args:
        truth: What was planted, a table of `antiphon.demo.truth.TRUTH`.
        results: The tables of `antiphon.model.schemas.RESULT_TABLES` by name; `materials`, `findings`, `copies`,
            `matches` and `coordination` are needed, `skipped` where `broken` is given.
        broken: The records that were broken on purpose.
        bank_texts: Entry → text, of those entries of the bank that are texts.

    Raises:
        InputError: a table that is needed is not there.
    """
    missing = [name for name in (*_NEEDED, *(["skipped"] if broken else [])) if name not in results]
    if missing:
        raise InputError(f"no table {missing[0]!r}", where="score", do="Hand over the result tables of a whole run.")
    joined = _Joined(truth.to_pylist(), results["materials"], bank_texts or {})
    return Score(
        (
            Measure("planted records read", "all", len(joined.material_of), truth.num_rows, _HIGH),
            *_broken(broken, results.get("skipped")),
            *_flags(joined, results["findings"]),
            *_copies(joined, results["copies"]),
            *_matches(joined, results["matches"]),
            *_coordination(joined, results["coordination"]),
        )
    )


def _texts(materials: pa.Table) -> dict[str, str]:
    ids, texts = materials["material_id"].to_pylist(), materials["text"].to_pylist()
    return {material_id: text for material_id, text in zip(ids, texts, strict=True) if text}


class _Joined:
    """Truth and materials side by side: by native id, by address, by the digest of an image."""

    def __init__(self, truth: list[dict[str, Any]], materials: pa.Table, bank_texts: Mapping[str, str]) -> None:
        self.bank_texts = bank_texts
        self.text_of = _texts(materials)
        keys: dict[tuple[str, str, str], int] = {}
        for number, row in enumerate(truth):
            for key in _truth_keys(row):
                keys.setdefault(key, number)
        self.truth: dict[str, Row] = {}
        self.material_of: dict[int, str] = {}
        self.source_of: dict[str, str] = {}
        columns = ["material_id", "source", "native_id", "url", "kind", "media"]
        for row in materials.select(columns).to_pylist():
            place = next((keys[key] for key in _material_keys(row) if key in keys), None)
            if place is not None and place not in self.material_of:
                self.material_of[place] = row["material_id"]
                self.truth[row["material_id"]] = truth[place]
                self.source_of[row["material_id"]] = row["source"]

    def groups(self, field: str) -> dict[str, list[str]]:
        """Return the materials by a field of the truth, those without it left out."""
        found: dict[str, list[str]] = defaultdict(list)
        for material_id, row in self.truth.items():
            if row[field]:
                found[row[field]].append(material_id)
        return found


def _truth_keys(row: Row) -> Iterator[tuple[str, str, str]]:
    platform = row["platform"]
    if platform == "image":
        yield platform, "sha256", row["sha256"]
        return
    if row["native_id"]:
        yield platform, "id", row["native_id"]
    if row["url"]:
        yield platform, "url", canonical_url(row["url"])


def _material_keys(row: Row) -> Iterator[tuple[str, str, str]]:
    platform = row["source"].partition("/")[0]
    if platform == "image":
        yield from ((platform, "sha256", media["sha256"]) for media in row["media"] or () if media["sha256"])
        return
    if row["kind"] == "caption":
        return  # the captions of a film repeat the post that is planted as the film
    if row["native_id"]:
        yield platform, "id", row["native_id"]
        yield platform, "id", row["native_id"].rpartition("/")[2]
    if row["url"]:
        yield platform, "url", canonical_url(row["url"])


def _broken(broken: Sequence[Broken], skipped: pa.Table | None) -> Iterator[Measure]:
    if not broken or skipped is None:
        return
    seen = list(zip(skipped["input"].to_pylist(), skipped["record"].to_pylist(), strict=True))
    found = sum(any(_same_record(one, input_, record) for input_, record in seen) for one in broken)
    yield Measure("broken records in quarantine", "all", found, len(broken), _HIGH)


def _same_record(one: Broken, input_: str, record: int | None) -> bool:
    wanted = PurePosixPath(one.input).parts
    same = PurePosixPath(input_).parts[-len(wanted) :] == wanted
    return same and (one.record is None or record == one.record)


def _flags(joined: _Joined, findings: pa.Table) -> Iterator[Measure]:
    """Yield what was flagged of each kind: advocacy should be, all else should not."""
    columns = [findings[name].to_pylist() for name in ("material_id", "flag", "abstained")]
    known = {material_id: (flag, unsure) for material_id, flag, unsure in zip(*columns, strict=True)}
    rows = [(row, *known[key]) for key, row in joined.truth.items() if key in known and row["kind"] != "image"]
    advocacy = [one for one in rows if one[0]["reading"] in ("direct", "indirect")]
    protected = [one for one in rows if one[0]["reading"] == "protected"]
    ordinary = [one for one in rows if one[0]["reading"] == "none"]
    flagged = [one for one in rows if one[1]]
    yield _flagged("advocacy flagged", "all", advocacy, _HIGH)
    yield from _by("advocacy flagged", "kind", advocacy, _HIGH)
    yield from _by("advocacy flagged", "lang", advocacy, _HIGH)
    right = sum(row["reading"] in ("direct", "indirect") for row, _, _ in flagged)
    yield Measure("flags that are advocacy", "all", right, len(flagged), _HIGH)
    for lang in sorted({row["lang"] for row, _, _ in flagged}):
        here = [row for row, _, _ in flagged if row["lang"] == lang]
        right = sum(row["reading"] in ("direct", "indirect") for row in here)
        yield Measure("flags that are advocacy", lang, right, len(here), _HIGH)
    yield _flagged("protected speech flagged", "all", protected, _LOW)
    yield from _by("protected speech flagged", "kind", protected, _LOW)
    yield from _by("protected speech flagged", "lang", protected, _LOW)
    yield _flagged("ordinary life flagged", "all", ordinary, _LOW)
    yield from _by("ordinary life flagged", "kind", ordinary, _LOW)
    yield Measure("abstained", "all", sum(bool(unsure) for _, _, unsure in rows), len(rows), _LOW)


Judged = tuple[Row, bool, bool]


def _flagged(name: str, group: str, rows: Sequence[Judged], better: str) -> Measure:
    return Measure(name, group, sum(bool(flag) for _, flag, _ in rows), len(rows), better)


def _by(name: str, field: str, rows: Sequence[Judged], better: str) -> Iterator[Measure]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in rows:
        groups[one[0][field]].append(one)
    for group in sorted(groups):
        yield _flagged(name, group, groups[group], better)


def _copies(joined: _Joined, copies: pa.Table) -> Iterator[Measure]:
    """Yield how many planted pairs of copies stand in one group, and how many groups mix what was planted apart."""
    texts, images = (
        _memberships(copies, lambda kind: kind != "image"),
        _memberships(copies, lambda kind: kind == "image"),
    )
    yield _pairs_together("text copies grouped (pairs)", joined.groups("copy_group"), texts)
    yield _unmixed("text groups that mix nothing", joined, texts, "copy_group")
    yield _pairs_together("image copies grouped (pairs)", joined.groups("image"), images)
    yield _unmixed("image groups that mix nothing", joined, images, "image")


def _memberships(copies: pa.Table, wanted: Callable[[str], bool]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    columns = [copies[name].to_pylist() for name in ("material_id", "copy_group", "copy_kind")]
    for material_id, group, kind in zip(*columns, strict=True):
        if wanted(kind):
            found[material_id].add(group)
    return found


def _pairs_together(name: str, planted: Mapping[str, Sequence[str]], groups: Mapping[str, set[str]]) -> Measure:
    together = pairs = 0
    for members in planted.values():
        for one, other in combinations(members, 2):
            pairs += 1
            together += bool(groups.get(one, set()) & groups.get(other, set()))
    return Measure(name, "all", together, pairs, _HIGH)


def _unmixed(name: str, joined: _Joined, groups: Mapping[str, set[str]], field: str) -> Measure:
    """Count the found groups with two or more planted copies, and those of them whose copies were planted together."""
    planted: dict[str, list[str]] = defaultdict(list)
    for material_id, found in groups.items():
        value = joined.truth.get(material_id, {}).get(field)
        if value:
            for group in found:
                planted[group].append(value)
    several = [set(values) for values in planted.values() if len(values) > 1]
    return Measure(name, "all", sum(len(values) == 1 for values in several), len(several), _HIGH)


def _matches(joined: _Joined, matches: pa.Table) -> Iterator[Measure]:
    """Yield how much of what the bank knows was recognised, and how many matches are right."""
    found: dict[str, set[str]] = defaultdict(set)
    for material_id, entry in zip(matches["material_id"].to_pylist(), matches["entry_id"].to_pylist(), strict=True):
        found[material_id].add(entry)
    wanted = {key: row["bank_entry"] for key, row in joined.truth.items() if row["bank_entry"]}
    for sort in ("picture", "file", "text"):
        here = {key: entry for key, entry in wanted.items() if entry.startswith(sort)}
        hits = sum(entry in found.get(key, ()) for key, entry in here.items())
        yield Measure("known material matched", sort, hits, len(here), _HIGH)
    pairs = [(key, entry) for key, entries in found.items() if key in joined.truth for entry in entries]
    right = sum(wanted.get(key) == entry or _repeats(joined, key, entry) for key, entry in pairs)
    yield Measure("matches that are right", "all", right, len(pairs), _HIGH)


def _repeats(joined: _Joined, material_id: str, entry: str) -> bool:
    """Whether a material repeats eight words in a row of a text of the bank: leaflets share sentences with others."""
    return bool(_runs(joined.text_of.get(material_id, "")) & _runs(joined.bank_texts.get(entry, "")))


@lru_cache(maxsize=4_096)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + _WORDS]) for at in range(len(words) - _WORDS + 1))


def _coordination(joined: _Joined, coordination: pa.Table) -> Iterator[Measure]:
    """Yield how many pairs of coordinated sources were found, and how many innocent ones were called so."""
    said = {
        _pair(a, b)
        for a, b in zip(coordination["source_a"].to_pylist(), coordination["source_b"].to_pylist(), strict=True)
    }
    campaigns = {
        name: set(_pairs(joined.source_of[key] for key in members))
        for name, members in joined.groups("campaign").items()
    }
    planted = set().union(*campaigns.values())
    yield Measure("coordinated pairs found", "all", len(planted & said), len(planted), _HIGH)
    for name, pairs in sorted(campaigns.items()):
        yield Measure("coordinated pairs found", name, len(pairs & said), len(pairs), _HIGH)
    yield Measure("pairs called coordinated that are", "all", len(planted & said), len(said), _HIGH)
    for burst, members in sorted(joined.groups("burst").items()):
        innocent = set(_pairs(joined.source_of[key] for key in members)) - planted
        yield Measure("innocent pairs called coordinated", burst, len(innocent & said), len(innocent), _LOW)


def _pairs(sources: Iterable[str]) -> Iterator[Pair]:
    return combinations(sorted(set(sources)), 2)


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one <= other else (other, one)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
