"""PDQ of decoded pixels, with the bits of the reference and a fraction of its work.

The reference blurs the luma four times (along the rows, along the columns, and both again) with running sums of 32-bit
floats, then looks at 64 x 64 points of the result. Running sums carry their rounding along, so whoever wants the same
bits has to add and subtract in the same order; what may be left out is everything that reaches none of those points.
Here the image goes through in strips of four rows that stay in the cache: four rows are summed side by side, so that no
sum waits for another, the columns are summed a row at a time, and the last two passes keep 64 columns only. What the
reference does in four phases (fill the window, widen it, move it, narrow it) is one here: outside the image stand
zeros, and a float does not change when 0 is added or taken away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["ORIENTATIONS", "Dct", "bits_of", "dct_of", "kernel", "turned"]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True, error_model="numpy"))
"""Compiles a function, once for this machine; no divisor is 0, and to check each for it would cost most of the time."""


_Floats = npt.NDArray[np.float32]
_Pixels = npt.NDArray[np.uint32]
_Counts = npt.NDArray[np.int64]

SIDE = 64
"""Rows and columns of the picture that the transform sees."""

KEPT = 16
"""Frequencies kept each way: the second to the seventeenth of 64."""

STRIP = 4
"""Rows that go through the filter side by side."""

GAP = 16
"""Floats between the rows of a buffer, lest rows of 1,024 pixels lie in each other's way in the cache."""

MIN_SIDE = 5
"""The reference gives a smaller image no bits and no quality."""

_TURNS = {
    "original": (False, False, False),
    "rotate90": (False, True, True),
    "rotate180": (True, True, False),
    "rotate270": (True, False, True),
    "flipx": (True, False, False),
    "flipy": (False, True, False),
    "flipplus1": (False, False, True),
    "flipminus1": (True, True, True),
}
"""Whether every second row and every second column changes sign, and whether rows become columns."""

ORIENTATIONS = tuple(_TURNS)
"""The eight ways to turn and mirror a picture, in the reference's words and order."""


class Dct(NamedTuple):
    """The kept frequencies of an image, shape (16, 16), and its quality from 0 to 100; None where it is too small."""

    frequencies: _Floats | None
    quality: int


class _Box(NamedTuple):
    """How a box filter runs along one side: each step adds what stands `ahead`, and drops what left the `window`."""

    window: int
    ahead: int
    divisors: _Floats
    kept: _Counts


def dct_of(pixels: _Pixels) -> Dct:
    """Return the frequencies of an image given as 32-bit pixels, red in the lowest byte, shape (rows, columns)."""
    rows, columns = pixels.shape
    pixels = np.ascontiguousarray(pixels).view()
    # The kernels are compiled for what is read only, as decoders give it; anything else would be compiled once more.
    pixels.flags.writeable = False
    if min(rows, columns) < MIN_SIDE:
        return Dct(None, 0)
    if rows == columns == SIDE:
        small = np.empty((SIDE, SIDE), dtype=np.float32)
        _luma(pixels.reshape(-1), small.reshape(-1))
    else:
        small = _blurred(pixels, _box(columns), _box(rows))
    return Dct(_frequencies(small, _MATRIX, _MATRIX_T), _quality(small))


def bits_of(frequencies: _Floats | None) -> bytes:
    """Return the 256 bits, most significant first: whether each frequency lies above their median."""
    if frequencies is None:
        return bytes(32)
    flat = frequencies.ravel()
    # The reference takes the lower of the two middle values (Torben's method, written for an odd count).
    median = np.partition(flat, 127)[127]
    return np.packbits(flat[::-1] > median).tobytes()


def turned(frequencies: _Floats | None, orientation: str) -> _Floats | None:
    """Return the frequencies that the image turned or mirrored that way would have; None for an image too small.

    A mirrored cosine of odd frequency changes its sign, and a transposed image transposes its transform.
    """
    if frequencies is None:
        return None
    by_row, by_column, transposed = _TURNS[orientation]
    odd = np.where(np.arange(KEPT) % 2, np.float32(1), np.float32(-1))
    signed = frequencies * (odd[:, None] if by_row else 1) * (odd[None, :] if by_column else 1)
    return np.ascontiguousarray(signed.T if transposed else signed, dtype=np.float32)


def _box(length: int) -> _Box:
    """The reference's box along one side: 1/128 of it, rounded up, and narrower at both ends."""
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = (window + 2) // 2 - 1
    at = np.arange(length)
    divisors = np.minimum(at + ahead + 1, length) - np.maximum(at + ahead + 1 - window, 0)
    kept = ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)
    return _Box(window, ahead, divisors.astype(np.float32), kept)


def _cosines() -> _Floats:
    """Rows 1 to 16 of the 64-point cosine transform, each step in the reference's precision."""
    scale = float(np.float32(math.sqrt(2.0 / SIDE)))
    step = math.pi / 2.0 / SIDE
    rows = [[scale * math.cos(step * (i + 1) * (2 * j + 1)) for j in range(SIDE)] for i in range(KEPT)]
    return np.array(rows, dtype=np.float32)


_MATRIX = _cosines()
_MATRIX_T = np.ascontiguousarray(_MATRIX.T)


@kernel
def _luma(pixels: _Pixels, out: _Floats) -> None:
    """Fill in the luma of one row.

    `pdqhash` weighs by 0.299, 0.587 and 0.114 in 64 bits and rounds to 32. A quotient of two whole numbers rounds to
    the same float for each of the 2**24 colours, as a test shows, and is cheaper.
    """
    for column in range(pixels.size):
        pixel = pixels[column]
        weighed = (
            np.int32(pixel & np.uint32(255)) * np.int32(299)
            + np.int32((pixel >> np.uint32(8)) & np.uint32(255)) * np.int32(587)
            + np.int32((pixel >> np.uint32(16)) & np.uint32(255)) * np.int32(114)
        )
        out[column] = np.float32(weighed) / np.float32(1000)


@kernel
def _sum_rows(strip: _Floats, window: int, ahead: int, columns: int, out: _Floats) -> None:
    """Running sums along four rows that begin after `window` zeros and end before `ahead` zeros."""
    add0, add1, add2, add3 = strip[0, window:], strip[1, window:], strip[2, window:], strip[3, window:]
    s0, s1, s2, s3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for at in range(ahead):
        s0 = (s0 + add0[at]) - strip[0, at]
        s1 = (s1 + add1[at]) - strip[1, at]
        s2 = (s2 + add2[at]) - strip[2, at]
        s3 = (s3 + add3[at]) - strip[3, at]
    add0, add1, add2, add3 = add0[ahead:], add1[ahead:], add2[ahead:], add3[ahead:]
    drop0, drop1, drop2, drop3 = strip[0, ahead:], strip[1, ahead:], strip[2, ahead:], strip[3, ahead:]
    out0, out1, out2, out3 = out[0], out[1], out[2], out[3]
    for at in range(columns):
        s0 = (s0 + add0[at]) - drop0[at]
        s1 = (s1 + add1[at]) - drop1[at]
        s2 = (s2 + add2[at]) - drop2[at]
        s3 = (s3 + add3[at]) - drop3[at]
        out0[at] = s0
        out1[at] = s1
        out2[at] = s2
        out3[at] = s3


@kernel
def _sum_columns(
    sums: _Floats, divisors: _Floats, added: _Floats, dropped: _Floats, column: _Floats, divisor: float, out: _Floats
) -> None:
    """Move the running sums of all columns down by a row: the means of `sums` come in, `dropped` goes out."""
    for at in range(column.size):
        added[at] = sums[at] / divisors[at]
    # A loop of its own: one that writes to as many arrays at once would not be vectorised.
    for at in range(column.size):
        column[at] = (column[at] + added[at]) - dropped[at]
        out[at] = column[at] / divisor


@kernel
def _blurred(pixels: _Pixels, across: _Box, down: _Box) -> _Floats:
    """The 64 x 64 points of the twice filtered luma."""
    rows, columns = pixels.shape
    buffers = np.zeros((5, STRIP, across.window + columns + across.ahead + GAP), dtype=np.float32)
    luma, sums, once, sums_again = buffers[0], buffers[1], buffers[2], buffers[3]
    column, nothing, unused = buffers[4, 0, :columns], buffers[4, 1], buffers[4, 2]
    ring = np.zeros((down.window + 2 * STRIP, columns + GAP), dtype=np.float32)
    narrow = np.empty((rows, SIDE), dtype=np.float32)
    for row in range(rows + down.ahead):
        inside, done, dropped = row < rows, row - down.ahead, row - down.window
        if inside and row % STRIP == 0:
            for beside in range(min(STRIP, rows - row)):
                _luma(pixels[row + beside], luma[beside, across.window :])
            _sum_rows(luma, across.window, across.ahead, columns, sums)
        _sum_columns(
            sums[row % STRIP] if inside else nothing,
            across.divisors,
            ring[row % len(ring)] if inside else unused,
            ring[dropped % len(ring)] if dropped >= 0 else nothing,
            column,
            down.divisors[max(done, 0)],
            once[done % STRIP, across.window :],
        )
        if done >= 0 and (done % STRIP == STRIP - 1 or done == rows - 1):
            _sum_rows(once, across.window, across.ahead, columns, sums_again)
            for at in range(done - done % STRIP, done + 1):
                for kept in range(SIDE):
                    point = across.kept[kept]
                    narrow[at, kept] = sums_again[at % STRIP, point] / across.divisors[point]
    return _sum_down(narrow, down)


@kernel
def _sum_down(narrow: _Floats, down: _Box) -> _Floats:
    """The last pass: means down the 64 columns, at the 64 rows that are kept."""
    small = np.empty((SIDE, SIDE), dtype=np.float32)
    sums = np.zeros(SIDE, dtype=np.float32)
    begin = 0
    for kept in range(SIDE):
        end = down.kept[kept] + down.ahead + 1
        for at in range(begin, end):
            if at < len(narrow):
                sums += narrow[at]
            if at >= down.window:
                sums -= narrow[at - down.window]
        begin = end
        small[kept] = sums / down.divisors[down.kept[kept]]
    return small


@kernel
def _frequencies(small: _Floats, matrix: _Floats, matrix_t: _Floats) -> _Floats:
    """The 16 x 16 kept frequencies; every sum runs in the reference's order, many of them side by side."""
    half = np.zeros((KEPT, SIDE), dtype=np.float32)
    whole = np.zeros((KEPT, KEPT), dtype=np.float32)
    for i in range(KEPT):
        for k in range(SIDE):
            for j in range(SIDE):
                half[i, j] += matrix[i, k] * small[k, j]
        for k in range(SIDE):
            for j in range(KEPT):
                whole[i, j] += half[i, k] * matrix_t[k, j]
    return whole


@kernel
def _quality(small: _Floats) -> int:
    """0 to 100 for how much changes from point to point; small steps count as none."""
    steps = 0
    for row in range(SIDE):
        for column in range(SIDE):
            if row + 1 < SIDE:
                down = (small[row, column] - small[row + 1, column]) * np.float32(100) / np.float32(255)
                steps += abs(int(down))
            if column + 1 < SIDE:
                right = (small[row, column] - small[row, column + 1]) * np.float32(100) / np.float32(255)
                steps += abs(int(right))
    return min(steps // 90, 100)
