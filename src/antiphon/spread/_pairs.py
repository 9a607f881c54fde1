"""Pairs of sources that shared an object within the window, without ever holding all pairs of everything."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.spread._events import Events, Ints
from antiphon.spread._null import MAX_ALIBI, Chances, Openings, choir_sums, kernel, without_own

__all__ = ["CoShared", "co_shared", "count_pairs", "count_testable", "openings_of"]


APART_US = 24 * 3_600_000_000
"""A day without anything shared together parts two occasions; the hours of one event do not."""


class CoShared(NamedTuple):
    """Pairs of sources with what they shared together, one row a pair, sorted by it."""

    lefts: Ints
    rights: Ints
    objects: Ints
    occasions: Ints
    first_us: Ints
    last_us: Ints


@kernel
def count_pairs(starts: Ints, seen_us: Ints, window_us: int) -> Ints:
    """Return for each object how many pairs of its sharers lie within the window; linear."""
    counts = np.zeros(starts.size - 1, dtype=np.int64)
    for item in range(counts.size):
        before = starts[item]
        for at in range(starts[item], starts[item + 1]):
            while seen_us[at] - seen_us[before] > window_us:
                before += 1
            counts[item] += at - before
    return counts


def openings_of(
    events: Events, kept: npt.NDArray[np.bool_], platforms: Ints, window_us: int, chances: Chances
) -> Openings:
    """Return the pairs within the window of the kept objects, counted by object, platforms, day and hour."""
    rows = _openings(events, kept, platforms, window_us)
    found, pairs = np.unique(rows, axis=0, return_counts=True)
    lower, upper, langs, hours, objects = (found[:, at].copy() for at in range(5))
    days, hours = hours // 24, hours % 24
    sums: list[npt.NDArray[np.float64]] = []
    for side in (lower, upper):
        choirs = side * 1000 + langs
        keys = np.unique(choirs * 1_000_000 + days)
        sums.append(choir_sums(platforms, choirs, days, hours, keys, chances))
    starts, sharers, shared_on = _sharers(events)
    openings = Openings(
        lower=lower,
        upper=upper,
        langs=langs,
        days=days,
        hours=hours,
        objects=objects,
        pairs=pairs.astype(np.float64),
        lower_sum=sums[0][0],
        upper_sum=sums[1][0],
        squares=sums[0][1],
        starts=starts,
        sharers=sharers,
        shared_on=shared_on,
    )
    below = without_own(openings, platforms, sums[0], lower, chances)
    above = without_own(openings, platforms, sums[1], upper, chances)
    return openings._replace(lower_sum=below[0], upper_sum=above[0], squares=below[1])


def _sharers(events: Events) -> tuple[Ints, Ints, Ints]:
    """Who shared each object on which day, by source; objects of very many sharers have none here."""
    counts = np.diff(events.starts)
    objects = np.repeat(np.arange(counts.size), counts)
    few = counts[objects] <= MAX_ALIBI
    order = np.lexsort((events.sources, objects))
    order = order[few[order]]
    starts = np.searchsorted(objects[order], np.arange(counts.size + 1)).astype(np.int64)
    return starts, events.sources[order], events.seen_us[order] // 86_400_000_000


@kernel
def _openings(events: Events, kept: npt.NDArray[np.bool_], platforms: Ints, window_us: int) -> Ints:
    """One row for each pair: its two platforms, the language, the hour of its earlier sharing, its object."""
    starts, sources, seen_us = events.starts, events.sources, events.seen_us
    counts = count_pairs(starts, seen_us, window_us)
    rows = np.empty((counts[kept].sum(), 5), dtype=np.int64)
    row = 0
    for item in np.flatnonzero(kept):
        before = starts[item]
        for at in range(starts[item], starts[item + 1]):
            while seen_us[at] - seen_us[before] > window_us:
                before += 1
            for other in range(before, at):
                p, q = platforms[sources[at]], platforms[sources[other]]
                rows[row, 0] = min(p, q)
                rows[row, 1] = max(p, q)
                rows[row, 2] = events.langs[item]
                rows[row, 3] = seen_us[other] // 3_600_000_000
                rows[row, 4] = item
                row += 1
    return rows


def co_shared(events: Events, kept: npt.NDArray[np.bool_], window_us: int, least: int) -> CoShared:
    """Return the pairs that shared kept objects together on `least` occasions or more.

    A post with a text, a picture and three addresses is one act, not five objects: of the objects that a pair shared
    as many count as there are different materials on the side that has fewer. What was shared within a day of the one
    before is one occasion: a storm has many warnings, and is one storm.
    """
    rows = _shared(events, kept, window_us)
    _, at, counts = np.unique(rows[:, :2], axis=0, return_inverse=True, return_counts=True)
    rows = rows[counts[at.ravel()] >= least]
    rows = rows[np.lexsort((rows[:, 4], rows[:, 1], rows[:, 0]))]
    pairs, starts = np.unique(rows[:, :2], axis=0, return_index=True)
    bounds = np.append(starts, len(rows)).astype(np.int64)
    objects, occasions = _count_acts(rows, bounds)
    enough = occasions >= least
    first, last = rows[bounds[:-1], 4], rows[bounds[1:] - 1, 4]
    columns = (pairs[:, 0].copy(), pairs[:, 1].copy(), objects, occasions, first, last)
    return CoShared(*(column[enough] for column in columns))


@kernel
def count_testable(events: Events, kept: npt.NDArray[np.bool_], window_us: int, least: int) -> int:
    """Return how many sources shared `least` kept objects or more within the window of anybody else's sharing."""
    counts = np.zeros(events.sources.max() + 1 if events.sources.size else 0, dtype=np.int64)
    for item in np.flatnonzero(kept):
        first, last = events.starts[item], events.starts[item + 1]
        for at in range(first, last):
            before = at > first and events.seen_us[at] - events.seen_us[at - 1] <= window_us
            after = at + 1 < last and events.seen_us[at + 1] - events.seen_us[at] <= window_us
            counts[events.sources[at]] += before or after
    return int((counts >= least).sum())


@kernel
def _count_acts(rows: Ints, bounds: Ints) -> tuple[Ints, Ints]:
    """Objects and occasions of each pair; rows are sorted by pair, then by time."""
    objects = np.zeros(bounds.size - 1, dtype=np.int64)
    occasions = np.zeros(bounds.size - 1, dtype=np.int64)
    for pair in range(objects.size):
        first, last = bounds[pair], bounds[pair + 1]
        left, right = np.unique(rows[first:last, 2]).size, np.unique(rows[first:last, 3]).size
        apart = 1
        for at in range(first + 1, last):
            apart += rows[at, 4] - rows[at - 1, 4] > APART_US
        objects[pair] = min(last - first, left, right)
        occasions[pair] = min(objects[pair], apart)
    return objects, occasions


@kernel
def _shared(events: Events, kept: npt.NDArray[np.bool_], window_us: int) -> Ints:
    """One row for each pair: the two sources (the smaller first), their materials, the instant of the later."""
    starts, sources, seen_us, materials = events.starts, events.sources, events.seen_us, events.materials
    counts = count_pairs(starts, seen_us, window_us)
    rows = np.empty((counts[kept].sum(), 5), dtype=np.int64)
    row = 0
    for item in np.flatnonzero(kept):
        before = starts[item]
        for at in range(starts[item], starts[item + 1]):
            while seen_us[at] - seen_us[before] > window_us:
                before += 1
            for other in range(before, at):
                left, right = (at, other) if sources[at] < sources[other] else (other, at)
                rows[row, 0] = sources[left]
                rows[row, 1] = sources[right]
                rows[row, 2] = materials[left]
                rows[row, 3] = materials[right]
                rows[row, 4] = seen_us[at]
                row += 1
    return rows
