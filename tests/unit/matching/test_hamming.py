"""The index must find what looking at everything finds: nothing less, nothing more, nothing twice."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigError, StorageError
from antiphon.matching._design import design_for
from antiphon.matching.hamming import HammingIndex

Values = npt.NDArray[np.uint8]


def oracle(queries: Values, entries: Values, limit: int) -> list[tuple[int, int, int]]:
    """Every pair, bit by bit."""
    found = []
    for query in range(len(queries)):
        apart = np.unpackbits(queries[query] ^ entries, axis=1).sum(axis=1, dtype=np.int64)
        found += [(query, int(entry), int(apart[entry])) for entry in np.flatnonzero(apart <= limit)]
    return found


def pairs(index: HammingIndex, queries: Values, limit: int | None = None) -> list[tuple[int, int, int]]:
    return list(zip(*(column.tolist() for column in index.search(queries, limit)), strict=True))


def flipped(rng: np.random.Generator, values: Values, most: int) -> Values:
    """The values with up to `most` bits of each changed."""
    bits = np.unpackbits(values, axis=1)
    for row in bits:
        row[rng.choice(256, rng.integers(0, most + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def random(rng: np.random.Generator, n: int) -> Values:
    return rng.integers(0, 256, (n, 32), dtype=np.uint8)


def near_black(rng: np.random.Generator, n: int) -> Values:
    return flipped(rng, np.zeros((n, 32), dtype=np.uint8), 20)


def one_bucket(rng: np.random.Generator, n: int) -> Values:
    """Random but for a hundred bits that all share: a list made to fill buckets."""
    values = random(rng, n)
    values[:, :13] = 0x5A
    return values


def few_and_their_copies(rng: np.random.Generator, n: int) -> Values:
    return flipped(rng, random(rng, 12)[rng.integers(0, 12, n)], 40)


BANKS = {"random": random, "near black": near_black, "one bucket": one_bucket, "copies": few_and_their_copies}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(BANKS)), min_size=1, max_size=3), st.integers(0, 40))
def test_it_finds_what_the_oracle_finds(seed: int, kinds: list[str], limit: int) -> None:
    """Over random, crowded and hostile banks and every kind of query, whatever the limit."""
    rng = np.random.default_rng(seed)
    entries = np.concatenate([BANKS[kind](rng, int(rng.integers(1, 30_000))) for kind in kinds])
    queries = np.concatenate([
        flipped(rng, entries[rng.integers(0, len(entries), 12)], 2 * limit), random(rng, 3), near_black(rng, 2),
    ])  # fmt: skip
    index = HammingIndex.build(entries, limit)
    assert pairs(index, queries) == oracle(queries, entries, limit)


@pytest.mark.parametrize("kind", sorted(BANKS))
def test_a_large_bank_of_each_kind_is_searched_exactly(kind: str) -> None:
    """Large enough for bands, crowds, full blocks and half words in them."""
    rng = np.random.default_rng(5)
    entries = np.concatenate([random(rng, 60_000), BANKS[kind](rng, 60_000)])
    queries = np.concatenate([flipped(rng, entries[rng.integers(0, len(entries), 60)], 40), near_black(rng, 4)])
    index = HammingIndex.build(entries, 31)
    assert pairs(index, queries) == oracle(queries, entries, 31)


def test_a_smaller_distance_may_be_asked_for() -> None:
    """A bank's own threshold is below that of the index that several banks share."""
    rng = np.random.default_rng(6)
    entries = random(rng, 20_000)
    queries = flipped(rng, entries[:40], 31)
    index = HammingIndex.build(entries, 31)
    assert pairs(index, queries, 12) == oracle(queries, entries, 12)
    with pytest.raises(ConfigError, match="up to distance 31, asked for 32"):
        index.search(queries, 32)


def test_an_empty_bank_and_no_queries_give_nothing() -> None:
    """Both happen: a bank begins empty, and a batch may have no pictures."""
    none = np.empty((0, 32), dtype=np.uint8)
    assert pairs(HammingIndex.build(none), near_black(np.random.default_rng(1), 3)) == []
    assert pairs(HammingIndex.build(near_black(np.random.default_rng(1), 30)), none) == []


def test_values_of_another_shape_are_refused() -> None:
    """Hashes of the wrong length must not be matched as if they were others."""
    with pytest.raises(ConfigError, match="expected uint8 of shape"):
        HammingIndex.build(np.zeros((3, 31), dtype=np.uint8))


def _bits_looked_at(entries: Values, queries: Values) -> float:
    """CPU seconds a query, for a comparison within one test."""
    index = HammingIndex.build(entries, 31, seed=3)
    index.search(queries)
    began = time.process_time()
    for _ in range(5):
        index.search(queries)
    return (time.process_time() - began) / len(queries)


@pytest.mark.slow
def test_a_crowd_costs_other_queries_nothing_to_speak_of() -> None:
    """50,000 pictures that are all but black in a bank of 200,000 (a bound far above noise, far below a scan)."""
    rng = np.random.default_rng(8)
    queries, entries = random(rng, 2_000), random(rng, 200_000)
    crowded = np.concatenate([entries, near_black(rng, 50_000)])
    assert _bits_looked_at(crowded, queries) < 4 * _bits_looked_at(entries, queries)


def _found_in_a_process(folder: Path, queries: Values) -> list[tuple[int, int, int]]:
    return pairs(HammingIndex.open(folder), queries)


@pytest.mark.parametrize("kind", ["random", "near black"])
def test_a_saved_index_is_the_same_in_another_process(kind: str, tmp_path: Path) -> None:
    """What a service and its workers share."""
    rng = np.random.default_rng(9)
    entries = np.concatenate([random(rng, 30_000), BANKS[kind](rng, 10_000)])
    queries = flipped(rng, entries[::800], 31)
    HammingIndex.build(entries).save(tmp_path / "index")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_found_in_a_process, (tmp_path / "index", queries)) == oracle(queries, entries, 31)


def test_a_folder_that_is_not_whole_is_told(tmp_path: Path) -> None:
    """A file cut off in the middle must not be searched as if it were shorter."""
    rng = np.random.default_rng(10)
    HammingIndex.build(random(rng, 20_000)).save(tmp_path / "index")
    path = tmp_path / "index" / "values.npy"
    path.write_bytes(path.read_bytes()[:-4_000])
    with pytest.raises(StorageError, match="can't be opened"):
        HammingIndex.open(tmp_path / "index")


@given(st.integers(0, 50_000_000), st.integers(0, 127), st.integers(40, 300))
def test_every_design_obeys_the_pigeonhole_rule_and_its_budget(entries: int, limit: int, budget: int) -> None:
    """Sum of (radius + 1) over the bands > limit; the bits they take are there, and the memory is not exceeded."""
    design = design_for(entries, limit, budget)
    if design.bands:
        assert sum(radius + 1 for _, radius, _ in design.bands) > limit
        assert sum(width for width, _, _ in design.bands) <= 256
        assert all(radius < width for width, radius, _ in design.bands)
