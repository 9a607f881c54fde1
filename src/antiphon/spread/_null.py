"""What chance alone would bring: the null model of co-sharing, and the test against it.

The model keeps, for every object, how many sources of each platform shared it and at which instants. What it draws
anew is which sources these were: those of the platform, in proportion to how much they published in the object's
language on that day (and on an ordinary day), and how much they usually publish at that hour. So a burst in which
everybody takes part explains itself: with many sharers within the window among few who could, a pair is no wonder.
What an object's sharers published that day is counted without the object: it must not be its own alibi.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from antiphon.spread._events import Activity, Ints, Sources

__all__ = ["Chances", "Openings", "chances_of", "choir_sums", "significant", "weigh_pairs", "without_own"]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

Floats = npt.NDArray[np.float64]

MAX_ALIBI = 200
"""With more sharers than this, one of them more or less on its day makes no difference."""

PRIOR_MATERIALS = 24.0
"""A source's habits by hour are mixed with its platform's, as if it had published so many materials by those."""


class Chances(NamedTuple):
    """What the model knows of sources. A voice is a source in one language; a choir, a platform in one language.

    Source `s` has the voices `voices[s]` to `voices[s + 1]`, sorted by language. Voice `v` published `materials` on
    `days[starts[v] : starts[v + 1]]`, and `usual[v]` on an ordinary day. `profiles` has a row of 24 for each source.
    """

    voices: Ints
    langs: Ints
    usual: Floats
    starts: Ints
    days: Ints
    materials: Floats
    profiles: Floats


class Openings(NamedTuple):
    """Chances to share an object together: pairs of its sharers within the window, by platforms, day and hour.

    Sorted by the two platforms (the smaller first), language and day. `lower_sum` and `upper_sum` are the weights of
    all voices of the two choirs then, `squares` those of the lower's voices, squared and added. `starts` and `sharers`
    say who shared the object (`objects`) on which day (`shared_on`), sorted by source; an object of more than
    `MAX_ALIBI` sharers is given none.
    """

    lower: Ints
    upper: Ints
    langs: Ints
    days: Ints
    hours: Ints
    objects: Ints
    pairs: Floats
    lower_sum: Floats
    upper_sum: Floats
    squares: Floats
    starts: Ints
    sharers: Ints
    shared_on: Ints


def chances_of(sources: Sources, activity: Activity) -> Chances:
    """Return what each source published when, ready to be asked for any day and hour."""
    count = len(sources.names)
    profiles = np.zeros((count, 24))
    np.add.at(profiles, (activity.sources, activity.hours), activity.materials)
    habits = np.zeros((int(sources.platforms.max(initial=-1)) + 1, 24))
    np.add.at(habits, sources.platforms, profiles)
    habits /= np.maximum(habits.sum(axis=1, keepdims=True), 1.0)
    profiles += PRIOR_MATERIALS * habits[sources.platforms]
    profiles /= np.maximum(profiles.sum(axis=1, keepdims=True), 1.0)
    voices, voice_of = np.unique(np.stack([activity.sources, activity.langs], axis=1), axis=0, return_inverse=True)
    days, day_of = np.unique(np.stack([voice_of.ravel(), activity.days], axis=1), axis=0, return_inverse=True)
    materials = np.bincount(day_of.ravel(), activity.materials, minlength=len(days)).astype(np.float64)
    span = float(np.unique(activity.days).size or 1)
    return Chances(
        voices=np.searchsorted(voices[:, 0], np.arange(count + 1)).astype(np.int64),
        langs=voices[:, 1].copy(),
        usual=np.bincount(days[:, 0], materials, minlength=len(voices)).astype(np.float64) / span,
        starts=np.searchsorted(days[:, 0], np.arange(len(voices) + 1)).astype(np.int64),
        days=days[:, 1].copy(),
        materials=materials,
        profiles=profiles,
    )


@kernel
def choir_sums(platforms: Ints, choirs: Ints, days: Ints, hours: Ints, keys: Ints, chances: Chances) -> Floats:
    """Return the weights of all voices of some choirs on some days and hours, added, and squared and added.

    Args:
        platforms: The platform of each source.
        choirs: For each question, the platform and language as one number, `platform * 1000 + language`.
        days: For each question, the day.
        hours: For each question, the hour.
        keys: `choir * 1_000_000 + day` of all questions, sorted and each once.
        chances: What is known of sources.
    """
    table = np.zeros((2, keys.size, 24))
    for source in range(platforms.size):
        profile = chances.profiles[source]
        for voice in range(chances.voices[source], chances.voices[source + 1]):
            choir, usual = platforms[source] * 1000 + chances.langs[voice], chances.usual[voice]
            first, last = np.searchsorted(keys, choir * 1_000_000), np.searchsorted(keys, (choir + 1) * 1_000_000)
            for at in range(first, last):
                table[0, at] += usual * profile
                table[1, at] += (usual * profile) ** 2
            for row in range(chances.starts[voice], chances.starts[voice + 1]):
                key = choir * 1_000_000 + chances.days[row]
                at = np.searchsorted(keys, key)
                if at < keys.size and keys[at] == key:
                    today = chances.materials[row]
                    table[0, at] += today * profile
                    table[1, at] += ((today + usual) ** 2 - usual**2) * profile**2
    sums = np.empty((2, choirs.size))
    for at in range(choirs.size):
        place = np.searchsorted(keys, choirs[at] * 1_000_000 + days[at])
        sums[:, at] = table[:, place, hours[at]]
    return sums


@kernel
def _weight(openings: Openings, at: int, source: int, chances: Chances) -> float:
    """How much of its choir's sharing falls to a source.

    One that is not known to speak the language has no part in what others share in it; where it shared the object all
    the same, all that it says counts.
    """
    item, lang, day, hour = openings.objects[at], openings.langs[at], openings.days[at], openings.hours[at]
    total = 0.0
    for voice in range(chances.voices[source], chances.voices[source + 1]):
        if chances.langs[voice] == lang:
            first, last = chances.starts[voice], chances.starts[voice + 1]
            row = first + np.searchsorted(chances.days[first:last], day)
            today = chances.materials[row] if row < last and chances.days[row] == day else 0.0
            own = _sharing(openings, item, source)
            if today > 0.0 and own >= 0 and openings.shared_on[own] == day:
                today -= 1.0
            return float((today + chances.usual[voice]) * chances.profiles[source, hour])
        total += chances.usual[voice]
    return float(total * chances.profiles[source, hour]) if _sharing(openings, item, source) >= 0 else 0.0


@kernel
def _sharing(openings: Openings, item: int, source: int) -> int:
    """The row that says that a source shared an object, or -1."""
    first, last = openings.starts[item], openings.starts[item + 1]
    at = first + np.searchsorted(openings.sharers[first:last], source)
    return int(at) if at < last and openings.sharers[at] == source else -1


@kernel
def without_own(openings: Openings, platforms: Ints, sums: Floats, side: Ints, chances: Chances) -> Floats:
    """Return `choir_sums` without what the voices published of the object itself that day."""
    left = sums.copy()
    for at in range(side.size):
        for row in range(openings.starts[openings.objects[at]], openings.starts[openings.objects[at] + 1]):
            source = openings.sharers[row]
            if platforms[source] == side[at] and openings.shared_on[row] == openings.days[at]:
                own = chances.profiles[source, openings.hours[at]]
                weight = _weight(openings, at, source, chances)
                left[0, at] -= own
                left[1, at] += weight**2 - (weight + own) ** 2
    return left


@kernel
def _chance(openings: Openings, at: int, a: int, b: int, same: bool, chances: Chances) -> float:
    """The chance that two sources share the object of one opening together.

    Two sharers of one platform are two different sources, hence the squares: six of six newsrooms are no wonder.
    """
    lower, upper = max(openings.lower_sum[at], 1e-9), max(openings.upper_sum[at], 1e-9)
    both = min(1.0, _weight(openings, at, a, chances) / lower) * min(1.0, _weight(openings, at, b, chances) / upper)
    if same:
        both *= 2.0 / max(1.0 - openings.squares[at] / lower**2, 1e-9)
    return float(min(1.0, openings.pairs[at] * both))


@kernel
def weigh_pairs(
    lefts: Ints, rights: Ints, seen: Ints, platforms: Ints, openings: Openings, chances: Chances
) -> tuple[Floats, Floats]:
    """Return for each pair of sources how many objects chance lets it share together, and the chance of `seen` or more.

    Objects are independent and each has its own chance (the Poisson binomial, reckoned exactly). `seen` are occasions,
    of which there are never more than objects, so the chance is no smaller than it should be. Reckoning a pair stops
    where more are expected than were seen: there is nothing to test, and its chance is given as 1.
    """
    expected, p_values = np.zeros(lefts.size), np.zeros(lefts.size)
    for pair in range(lefts.size):
        a, b = lefts[pair], rights[pair]
        if platforms[a] > platforms[b]:
            a, b = b, a
        same = platforms[a] == platforms[b]
        start = np.searchsorted(openings.lower, platforms[a])
        end = np.searchsorted(openings.lower, platforms[a], "right")
        first = start + np.searchsorted(openings.upper[start:end], platforms[b])
        last = start + np.searchsorted(openings.upper[start:end], platforms[b], "right")
        # ways[n]: the chance of n so far; the last place gathers all of `seen` or more.
        ways = np.zeros(seen[pair] + 1)
        ways[0] = 1.0
        for at in range(first, last):
            chance = _chance(openings, at, a, b, same, chances)
            expected[pair] += chance
            if expected[pair] > seen[pair]:
                break
            ways[seen[pair]] += ways[seen[pair] - 1] * chance
            for n in range(seen[pair] - 1, 0, -1):
                ways[n] = ways[n] * (1.0 - chance) + ways[n - 1] * chance
            ways[0] *= 1.0 - chance
        p_values[pair] = 1.0 if expected[pair] > seen[pair] else min(1.0, ways[seen[pair]])
    return expected, p_values


def significant(p_values: Floats, tests: int, false_discovery_rate: float) -> npt.NDArray[np.bool_]:
    """Return which tests to call, so that of those called at most the stated share is false on average.

    Args:
        p_values: Of the tests that were reckoned; the others count as 1.
        tests: How many were made in all.
        false_discovery_rate: The share, 0 to 1.

    Source:
        Benjamini, Hochberg, Controlling the false discovery rate, 1995.

    Example:
        >>> significant(np.array([0.001, 0.2, 0.02]), 3, 0.05)
        array([ True, False,  True])
    """
    order = np.argsort(p_values, kind="stable")
    limits = false_discovery_rate * np.arange(1, p_values.size + 1) / max(tests, 1)
    passed = np.flatnonzero(p_values[order] <= limits)
    called = np.zeros(p_values.size, dtype=np.bool_)
    called[order[: passed[-1] + 1 if passed.size else 0]] = True
    return called
