"""The kernels of the Hamming index: bands with directories, built by counting, searched with many reads in flight.

A band is a range of bits. Its directory has one pair of words for each block of buckets: how many entries each bucket
holds (two or four bits each), and where the first of them stands in the band's list of entries. A block with a fuller
bucket holds `FULL` instead, and a row number in a table of plain starts. Flips of the lowest bits of a key stay within
the block, so one read answers for all of them: reads that miss the caches are what a search costs.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.matching._bits import Words, distance, kernel, popcount, prefetch

__all__ = [
    "FULL", "Band", "Flips", "Search", "count_keys", "enter", "fill_band", "flips_within", "key_of", "pack_counts",
    "scan", "search_band",
]  # fmt: skip

Ids = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
Whole = int | np.int64

FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES = np.uint64(0x0101010101010101)
_ODD = np.uint64(0xAAAAAAAAAAAAAAAA)
_FOUR = np.uint64(4)


class Band(NamedTuple):
    """One band of an index: its first bit, width and radius, and what is looked up in it.

    `entries` has `row` words an entry: its number, or its number and three half words of the value, by which most
    entries are refused without a look at `values`.
    """

    start: int
    width: int
    radius: int
    count_bits: int
    row: int
    directory: Words
    entries: Ids
    full: Ids


class Search(NamedTuple):
    """What is searched for in what: flat words, four a query and four an entry.

    `shape` has first bit, width and radius of each band: (b, 3). `limit` is the largest distance that is a match,
    `budget` how many entries may be looked at for one query.
    """

    queries: Words
    values: Words
    shape: Ints
    limit: int
    budget: int


class Flips(NamedTuple):
    """Which buckets lie within a radius of a key's own.

    `blocks` flips its upper bits, those with most radius left first; `left` is that radius. `low` flips its lower bits,
    the fewest first, and `low_within[r]` is how many of those flip at most `r`.
    """

    blocks: Words
    left: Ints
    low: Words
    low_within: Ints


def flips_within(width: int, radius: int, count_bits: int) -> Flips:
    """Return the flips of a band."""
    low_bits = 4 if count_bits == 4 else 5
    places = range(width - low_bits)
    some = [
        (sum(1 << at for at in flipped), radius - count)
        for count in range(radius + 1)
        for flipped in combinations(places, count)
    ]
    low = sorted(range(1 << low_bits), key=lambda flips: (flips.bit_count(), flips))
    within = [sum(flips.bit_count() <= r for flips in low) for r in range(radius + 1)]
    return Flips(
        np.array([flips for flips, _ in some], dtype=np.uint64), np.array([left for _, left in some], dtype=np.int64),
        np.array(low, dtype=np.uint64), np.array(within, dtype=np.int64),
    )  # fmt: skip


@kernel
def key_of(values: Words, at: Whole, start: Whole, width: Whole) -> np.int64:
    """The bits of a band, from its first bit on."""
    word, shift = start >> 6, np.uint64(start & 63)
    bits = values[at + word] >> shift
    if (start & 63) + width > 64:
        bits |= values[at + word + 1] << np.uint64(64 - (start & 63))
    return np.int64(bits & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)))


@kernel
def count_keys(values: Words, start: int, width: int) -> Ids:
    """Return how many values have each key of a band: (2^width,)."""
    counts = np.zeros(1 << width, dtype=np.uint32)
    for at in range(0, values.size, 4):
        counts[key_of(values, at, start, width)] += np.uint32(1)
    return counts


@kernel
def pack_counts(counts: Ids, count_bits: int, directory: Words) -> Ids:
    """Fill a band's directory; return the starts of its full blocks. `counts` become the starts of the buckets."""
    size = 64 // count_bits
    most = np.uint32((1 << count_bits) - 1)
    full = np.empty(64, dtype=np.uint32)
    total, rows = np.int64(0), 0
    for block in range(counts.size // size):
        packed, is_full, base = np.uint64(0), True, total
        for low in range(size):
            count = counts[size * block + low]
            is_full &= count >= most
            packed |= np.uint64(min(count, most)) << np.uint64(count_bits * low)
            total += np.int64(count)
        for low in range(size):
            is_full |= counts[size * block + low] > most
        directory[2 * block], directory[2 * block + 1] = packed, np.uint64(base)
        if is_full:
            directory[2 * block], directory[2 * block + 1] = FULL, np.uint64(rows)
            while (rows + 1) * (size + 1) > full.size:
                larger = np.empty(2 * full.size, dtype=np.uint32)
                larger[: full.size] = full
                full = larger
        begin = np.int64(base)
        for low in range(size):
            count = counts[size * block + low]
            counts[size * block + low] = np.uint32(begin)
            if is_full:
                full[rows * (size + 1) + low] = np.uint32(begin)
            begin += np.int64(count)
        if is_full:
            full[rows * (size + 1) + size] = np.uint32(begin)
            rows += 1
    return full[: rows * (size + 1)].copy()


@kernel
def fill_band(values: Words, start: int, width: int, row: int, begins: Ids, entries: Ids) -> None:
    """Fill a band's list of entries, `row` words each; `begins` tells where each bucket begins, and is used up."""
    for entry in range(values.size // 4):
        key = key_of(values, 4 * entry, start, width)
        place = row * np.int64(begins[key])
        begins[key] += np.uint32(1)
        entries[place] = np.uint32(entry)
        if row == 4:
            for part in range(3):
                entries[place + 1 + part] = _half(values, 4 * entry, start, part)


@kernel
def _half(values: Words, at: Whole, start: int, part: int) -> np.uint32:
    """One of three half words of a value, from beyond the band that begins at a bit: what the band says is known."""
    half = ((start >> 5) + 2 + part) & 7
    return np.uint32((values[at + (half >> 1)] >> np.uint64(32 * (half & 1))) & np.uint64(0xFFFFFFFF))


@kernel
def _ranges_of_fours(directory: Words, full: Ids, flips: Flips, key: np.uint64, begins: Ids, sizes: Ids) -> np.int64:
    """Enter where the entries of all near buckets stand, of counts of four bits; return how many buckets have any."""
    blocks, left, flip_low, within = flips.blocks, flips.left, flips.low, flips.low_within
    upper, lower = key >> np.uint64(4), key & np.uint64(15)
    count = np.uint64(0)
    for at in range(blocks.size):
        block = (upper ^ blocks[at]) << np.uint64(1)
        packed, base = directory[block], directory[block + np.uint64(1)]
        for step in range(within[left[at]]):
            low = lower ^ flip_low[step]
            shift = low << np.uint64(2)
            rest = packed & ~(FULL << shift)
            pairs = (rest & _NIBBLES) + ((rest >> _FOUR) & _NIBBLES)
            begin = np.uint32(base + ((pairs * _ONES) >> np.uint64(56)))
            size = np.uint32((packed >> shift) & np.uint64(15))
            if packed == FULL:
                begin = full[base * np.uint64(17) + low]
                size = full[base * np.uint64(17) + low + np.uint64(1)] - begin
            begins[count], sizes[count] = begin, size
            count += np.uint64(size != 0)  # no branch: most buckets of a wide band are empty, at random
    return np.int64(count)


@kernel
def _ranges_of_twos(directory: Words, full: Ids, flips: Flips, key: np.uint64, begins: Ids, sizes: Ids) -> np.int64:
    """The same of counts of two bits."""
    blocks, left, flip_low, within = flips.blocks, flips.left, flips.low, flips.low_within
    upper, lower = key >> np.uint64(5), key & np.uint64(31)
    count = np.uint64(0)
    for at in range(blocks.size):
        block = (upper ^ blocks[at]) << np.uint64(1)
        packed, base = directory[block], directory[block + np.uint64(1)]
        for step in range(within[left[at]]):
            low = lower ^ flip_low[step]
            shift = low << np.uint64(1)
            rest = packed & ~(FULL << shift)
            begin = np.uint32(base + popcount(rest) + popcount(rest & _ODD))
            size = np.uint32((packed >> shift) & np.uint64(3))
            if packed == FULL:
                begin = full[base * np.uint64(33) + low]
                size = full[base * np.uint64(33) + low + np.uint64(1)] - begin
            begins[count], sizes[count] = begin, size
            count += np.uint64(size != 0)  # no branch: most buckets of a wide band are empty, at random
    return np.int64(count)


@kernel
def enter(found: Ints, count: int, query: int, entry: Whole, apart: Whole) -> Ints:
    """Write a triple at the end, doubling the room when it is full."""
    if 3 * count + 3 > found.size:
        larger = np.empty(2 * found.size, dtype=np.int64)
        larger[: found.size] = found
        found = larger
    found[3 * count], found[3 * count + 1], found[3 * count + 2] = query, entry, apart
    return found


@kernel
def search_band(
    search: Search, number: int, band: Band, flips: Flips, spent: Ints, found: Ints, count: int
) -> tuple[Ints, int]:
    """Enter (query, entry, distance) for every pair that one band brings together; return the list and its length.

    Args:
        search: What is searched for.
        number: Which band of the index this is.
        band: What is looked up in it.
        flips: Its near buckets.
        spent: (q,), how many entries were looked at so far; a query that needs more than the budget is left, its
            `spent` negative.
        found: Triples, flat, grown as needed.
        count: How many triples there are already.
    """
    queries, values, limit = search.queries, search.values, search.limit
    begins = np.empty(flips.low.size * flips.blocks.size, dtype=np.uint32)
    sizes = np.empty(begins.size, dtype=np.uint32)
    near = np.empty(search.budget + 1, dtype=np.uint32)
    halves = np.empty(3, dtype=np.uint32)
    for query in range(queries.size // 4):
        if spent[query] < 0:
            continue
        runs, total = _buckets(
            band, flips, np.uint64(key_of(queries, 4 * query, band.start, band.width)), begins, sizes
        )
        spent[query] += total
        if spent[query] > search.budget:
            spent[query] = -1
            continue
        if band.row == 4:
            for part in range(3):
                halves[part] = _half(queries, 4 * query, band.start, part)
            filled = _pass_halves(band.entries, begins, sizes, runs, halves, limit, near)
        else:
            filled = _gather(band.entries, begins, sizes, runs, near)
        filled = _half_near(values, near, filled, queries[4 * query], queries[4 * query + 1], limit)
        if filled:
            found, count = _verify(search, query, number, near[:filled], found, count)
    return found, count


@kernel
def _buckets(band: Band, flips: Flips, key: np.uint64, begins: Ids, sizes: Ids) -> tuple[np.int64, np.int64]:
    """Enter the near buckets that have entries, asking the memory for these; return how many of both there are."""
    directory, entries, blocks = band.directory, band.entries, flips.blocks
    low_bits, shift = np.uint64(4 if band.count_bits == 4 else 5), 2 if band.row == 4 else 0
    for at in range(blocks.size):
        prefetch(directory, np.int64(((key >> low_bits) ^ blocks[at]) << np.uint64(1)))
    if band.count_bits == 4:
        runs = _ranges_of_fours(directory, band.full, flips, key, begins, sizes)
    else:
        runs = _ranges_of_twos(directory, band.full, flips, key, begins, sizes)
    total = np.int64(0)
    for run in range(runs):
        prefetch(entries, np.int64(begins[run]) << shift)
        total += np.int64(sizes[run])
    return runs, total


@kernel
def _gather(entries: Ids, begins: Ids, sizes: Ids, runs: Whole, near: Ids) -> np.int64:
    """Enter the entries of some buckets; return how many there are."""
    put = np.uint64(0)
    for run in range(runs):
        begin = np.int64(begins[run])
        for place in range(begin, begin + np.int64(sizes[run])):
            near[put] = entries[place]
            put += np.uint64(1)
    return np.int64(put)


@kernel
def _pass_halves(entries: Ids, begins: Ids, sizes: Ids, runs: Whole, halves: Ids, limit: int, near: Ids) -> np.int64:
    """Enter the entries of some buckets whose three half words are near the query's; return how many there are."""
    put, a, b, c = np.uint64(0), halves[0], halves[1], halves[2]
    for run in range(runs):
        begin = np.int64(begins[run])
        for place in range(begin, begin + np.int64(sizes[run])):
            at = np.uint64(place) << np.uint64(2)
            near[put] = entries[at]
            pair = np.uint64(entries[at + np.uint64(1)] ^ a) << np.uint64(32) | np.uint64(
                entries[at + np.uint64(2)] ^ b
            )
            apart = popcount(pair) + popcount(np.uint64(entries[at + np.uint64(3)] ^ c))
            put += np.uint64(np.int64(apart) <= limit)
    return np.int64(put)


@kernel
def _half_near(values: Words, near: Ids, filled: Whole, first: np.uint64, second: np.uint64, limit: int) -> np.int64:
    """Keep those of some entries that are near in half of the bits: of unrelated ones, hardly any."""
    for i in range(filled):
        prefetch(values, np.int64(near[i]) << 2)
    put = np.uint64(0)
    for i in range(filled):
        at = np.uint64(near[i]) << np.uint64(2)
        near[put] = near[i]
        apart = popcount(first ^ values[at]) + popcount(second ^ values[at + np.uint64(1)])
        put += np.uint64(np.int64(apart) <= limit)
    return np.int64(put)


@kernel
def _verify(search: Search, query: int, number: int, near: Ids, found: Ints, count: int) -> tuple[Ints, int]:
    """Enter those of some entries that are near a query, and that no earlier band has found."""
    for i in range(near.size):
        entry = np.int64(near[i])
        apart = distance(search.queries, 4 * query, search.values, 4 * entry)
        if apart <= search.limit and not _seen_before(search, query, entry, number):
            found = enter(found, count, query, entry, apart)
            count += 1
    return found, count


@kernel
def _seen_before(search: Search, query: int, entry: Whole, number: int) -> bool:
    for earlier in range(number):
        start, width, radius = search.shape[earlier, 0], search.shape[earlier, 1], search.shape[earlier, 2]
        left, right = key_of(search.queries, 4 * query, start, width), key_of(search.values, 4 * entry, start, width)
        if np.int64(popcount(np.uint64(left ^ right))) <= radius:
            return True
    return False


@kernel
def scan(
    queries: Words, query: int, values: Words, begin: int, end: int, limit: int, found: Ints, count: int
) -> tuple[Ints, int]:
    """Enter every entry of a range that is near one query, by looking at all of them."""
    a, b = queries[4 * query], queries[4 * query + 1]
    for entry in range(begin, end):
        at = np.uint64(4 * entry)
        if np.int64(popcount(a ^ values[at]) + popcount(b ^ values[at + np.uint64(1)])) <= limit:
            apart = distance(queries, 4 * query, values, 4 * entry)
            if apart <= limit:
                found = enter(found, count, query, entry, apart)
                count += 1
    return found, count
