"""Which bands an index has: chosen from the number of entries and the largest distance, when it is built."""

from __future__ import annotations

from math import comb
from typing import NamedTuple

from antiphon.matching._bits import BITS

__all__ = ["Design", "design_for"]

_SCAN_BELOW = 8_192
"""Fewer entries are looked at one by one: that takes less time than asking the directories."""
_MOST_RADIUS = 3
_WIDTHS = range(8, 29)
# What a step costs, in nanoseconds, measured; only their proportions matter.
_BUCKET, _BLOCK_NEAR, _BLOCK_FAR, _LINE = 3.0, 2.0, 8.0, 11.0
_CACHE_BYTES = 2 * 2**20
_ROW_BYTES, _NUMBER_BYTES, _INLINE_BYTES = 32, 4, 12


class Design(NamedTuple):
    """Width, radius and bits per count of each band; the first `inline` of them hold parts of the values too."""

    bands: tuple[tuple[int, int, int], ...]
    inline: int


def design_for(entries: int, limit: int, bytes_per_entry: int) -> Design:
    """Return the bands with the least work for a query within a budget of memory; none where a scan is less work.

    A pair at most `limit` bits apart must be within the radius of at least one band: if it were beyond each, it would
    differ in the sum of (radius + 1) bits at least. So that sum has to be more than `limit` (the pigeonhole rule of
    multi-index hashing).

    Source:
        Norouzi, Punjani, Fleet, Fast exact search in Hamming space with multi-index hashing, 2014.
    """
    if entries < _SCAN_BELOW or limit >= BITS // 2:
        return Design((), 0)
    best, least = Design((), 0), entries * 1.0
    for radii in _all_radii(limit):
        for design in _all_widths(radii, entries):
            size = _size(design, entries)
            inline = min(len(design), int((bytes_per_entry - size) // _INLINE_BYTES))
            work = _work(Design(design, inline), entries)
            if size <= bytes_per_entry and work < least:
                best, least = Design(design, inline), work
    return best


def _all_radii(limit: int) -> list[list[int]]:
    """Every number of bands, with the distance shared out among them evenly, the larger radii first."""
    found = []
    for count in range(1, limit + 2):
        each, more = divmod(limit + 1, count)
        radii = [each] * more + [each - 1] * (count - more)
        if radii[0] <= _MOST_RADIUS:
            found.append(radii)
    return found


def _all_widths(radii: list[int], entries: int) -> list[tuple[tuple[int, int, int], ...]]:
    """Widths that fit into the bits there are: those of a like radius are the same, up to what is left over."""
    wide = sum(radius == radii[0] for radius in radii)
    found = []
    for first in _WIDTHS:
        rest = BITS - wide * first
        second = min(_WIDTHS[-1], rest // (len(radii) - wide)) if wide < len(radii) else first
        if rest < 0 or second < _WIDTHS[0]:
            continue
        widths = [first] * wide + [second] * (len(radii) - wide)
        found.append(_with_counts(widths, radii, entries))
        left = BITS - sum(widths)
        wider = [width + (at < left) for at, width in enumerate(widths)]
        if max(wider) <= _WIDTHS[-1]:
            found.append(_with_counts(wider, radii, entries))
    return found


def _with_counts(widths: list[int], radii: list[int], entries: int) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        (width, radius, 2 if entries <= 0.5 * 2**width else 4) for width, radius in zip(widths, radii, strict=True)
    )


def _directory_bytes(width: int, count_bits: int) -> float:
    return 16 * 2.0**width * count_bits / 64


def _size(design: tuple[tuple[int, int, int], ...], entries: int) -> float:
    """Bytes an entry."""
    directories = sum(_directory_bytes(width, count_bits) for width, _, count_bits in design)
    return _ROW_BYTES + _NUMBER_BYTES * (len(design) + 1) + directories / entries


def _work(design: Design, entries: int) -> float:
    """Nanoseconds a query, about."""
    work = 0.0
    for at, (width, radius, count_bits) in enumerate(design.bands):
        low_bits = 4 if count_bits == 4 else 5
        blocks = sum(comb(width - low_bits, flips) for flips in range(radius + 1))
        buckets = sum(comb(width, flips) for flips in range(radius + 1))
        block = _BLOCK_NEAR if _directory_bytes(width, count_bits) <= _CACHE_BYTES else _BLOCK_FAR
        lines = 1 if at < design.inline else 2
        work += blocks * block + buckets * _BUCKET + lines * _LINE * buckets * entries / 2**width
    return work
