"""The table stage that looks for sources that move together: COPIES and links to COORDINATION."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import ConfigError
from antiphon.model.schemas import COORDINATION, SKIPPED
from antiphon.spread._events import Sources, prepared, read_activity, read_events, read_sources
from antiphon.spread._null import chances_of, significant, weigh_pairs
from antiphon.spread._pairs import CoShared, co_shared, count_pairs, count_testable, openings_of

__all__ = ["FindCoordination"]

MAX_PAIRS_PER_OBJECT = 50_000
"""Pairs of sharers within the window; some 320 sources at once. What more share is left out, and reported."""

MAX_PAIRS = 3_000_000
"""Of all objects together; where there are more, those shared most are left out, and reported."""


class FindCoordination:
    """Table stage: pairs of sources that shared the same things within the window, more often than chance explains.

    It compares sources, never authors. A thing is a group of copies or an address elsewhere. A pair is called where it
    shared things together on `min_occasions` or more, each more than a day after the one before, and where so many are
    so unlikely under the null model (see `_null.py`) that of all pairs called at most `false_discovery_rate` are
    expected to be false (Benjamini-Hochberg over all pairs of sources of which both shared that often within the
    window, with anybody). Clusters are what called pairs connect.

    Args:
        window_s: The longest time between two sharings that counts as together.
        min_occasions: The fewest occasions on which a pair shared something together.
        false_discovery_rate: The share of false pairs that is accepted.
    """

    name: str = "find_coordination"
    version: str = "1"
    writes: Mapping[str, pa.Schema] = {"coordination": COORDINATION, "skipped": SKIPPED}

    def __init__(self, window_s: int = 300, min_occasions: int = 3, false_discovery_rate: float = 0.05) -> None:
        if window_s < 1 or min_occasions < 2 or not 0 < false_discovery_rate < 1:
            raise ConfigError(
                f"the window is {window_s} s, the fewest occasions {min_occasions}, the rate {false_discovery_rate}; "
                "expected at least 1, at least 2, and a share between 0 and 1",
                where=self.name,
                do="Leave the settings out to use 300 seconds, 3 occasions and 0.05.",
            )
        self.window_s = window_s
        self.min_occasions = min_occasions
        self.false_discovery_rate = false_discovery_rate

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return `coordination`, and in `skipped` what too many shared to look at; reads `materials` and `copies`."""
        with prepared(tables):
            sources, events, activity = read_sources(tables), read_events(tables), read_activity(tables)
        window_us = self.window_s * 1_000_000
        kept = _bounded(count_pairs(events.starts, events.seen_us, window_us))
        pairs = co_shared(events, kept, window_us, self.min_occasions)
        chances = chances_of(sources, activity)
        openings = openings_of(events, kept, sources.platforms, window_us, chances)
        expected, p_values = weigh_pairs(
            pairs.lefts, pairs.rights, pairs.occasions, sources.platforms, openings, chances
        )
        testable = count_testable(events, kept, window_us, self.min_occasions)
        called = significant(p_values, testable * (testable - 1) // 2, self.false_discovery_rate)
        found = self._written(sources, CoShared(*(c[called] for c in pairs)), expected[called], p_values[called])
        return {"coordination": found, "skipped": _skipped(int(np.count_nonzero(~kept)))}

    def _written(
        self,
        sources: Sources,
        pairs: CoShared,
        expected: npt.NDArray[np.float64],
        p_values: npt.NDArray[np.float64],
    ) -> pa.Table:
        lefts = [sources.names[at] for at in pairs.lefts]
        rights = [sources.names[at] for at in pairs.rights]
        columns = {
            "cluster_id": _clusters(lefts, rights),
            "source_a": lefts,
            "source_b": rights,
            "shared_objects": pairs.objects,
            "expected": expected,
            "p_value": p_values,
            "window_s": np.full(len(lefts), self.window_s, dtype=np.int64),
            "first_at": pairs.first_us,
            "last_at": pairs.last_us,
        }
        arrays = [
            pa.array(column).cast(field.type) for column, field in zip(columns.values(), COORDINATION, strict=True)
        ]
        found = pa.Table.from_arrays(arrays, schema=COORDINATION)
        return found.sort_by([(name, "ascending") for name in ("cluster_id", "source_a", "source_b")])


def _bounded(pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which objects are looked at: all but those shared by too many within the window."""
    kept = pairs <= MAX_PAIRS_PER_OBJECT
    order = np.argsort(pairs, kind="stable")
    kept[order[np.cumsum(pairs[order]) > MAX_PAIRS]] = False
    return kept


def _clusters(lefts: Sequence[str], rights: Sequence[str]) -> list[str]:
    """The id of each pair's cluster: a digest of the names of the sources that pairs connect."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for left, right in zip(lefts, rights, strict=True):
        a, b = sorted((find(left), find(right)))
        root[b] = a
    members: dict[str, list[str]] = {}
    for name in sorted(root):
        members.setdefault(find(name), []).append(name)
    ids = {
        first: "c" + hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()
        for first, names in members.items()
    }
    return [ids[find(name)] for name in lefts]


def _skipped(too_common: int) -> pa.Table:
    if not too_common:
        return pa.Table.from_pylist([], schema=SKIPPED)
    detail = (
        f"{too_common} objects were shared by so many sources within one window that they say nothing of a pair; "
        "they were left out. Choose a shorter window to look at them."
    )
    row = {"input": "copies", "stage": "spread/coordination", "reason": "object-too-common", "detail": detail}
    return pa.Table.from_pylist([row], schema=SKIPPED)
