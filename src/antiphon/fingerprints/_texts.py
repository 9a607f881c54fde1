"""Many texts as one array of code points, so that kernels read them without a call per text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from antiphon.model.text import normalise

__all__ = ["Texts", "kernel", "read_texts"]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

SPACE = 0x20


class Texts(NamedTuple):
    """Normalised texts, and their skeletons one behind the other.

    A skeleton is the normal form with each run of punctuation, symbols and white space made one space, so that a moved
    comma or an added emoji is no change.
    """

    normal: list[str]
    skeleton: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    letters: npt.NDArray[np.int32]


def read_texts(texts: Iterable[str]) -> Texts:
    """Return texts normalised and laid out for the kernels; `letters` counts a syllable or word sign as two."""
    normal = [normalise(text) for text in texts]
    bounds = np.fromiter(accumulate(map(len, normal), initial=0), dtype=np.int64, count=len(normal) + 1)
    codes = np.frombuffer("".join(normal).encode("utf-32-le"), dtype=np.uint32)
    skeleton, starts, letters = _skeletons(codes, bounds)
    return Texts(normal, skeleton, starts, letters)


@kernel
def is_sign(code: int) -> bool:
    """Whether a code point writes a syllable or a word (Thai to Khmer, Kana, Han, Hangul)."""
    return (
        0x0E00 <= code < 0x0F00
        or 0x1000 <= code < 0x10A0
        or 0x1780 <= code < 0x1800
        or 0x3040 <= code < 0xA4D0
        or 0xAC00 <= code < 0xD7B0
        or 0xF900 <= code < 0xFB00
        or 0x20000 <= code < 0x32000
    )


@kernel
def _is_gap(code: int) -> bool:
    """Whether a code point is neither letter nor digit; the blocks of punctuation and symbols, not a full table."""
    if code < 0x80:
        return not (0x61 <= code <= 0x7A or 0x30 <= code <= 0x39)
    return (
        code < 0xAA
        or code in (0xAB, 0xBB, 0xBF, 0x060C, 0x061B, 0x061F, 0x06D4, 0x0964, 0x0965)
        or 0x2000 <= code < 0x2C00
        or 0x2E00 <= code < 0x2E80
        or 0x3000 <= code < 0x3005
        or 0x3008 <= code < 0x3021
        or 0xFE10 <= code < 0xFE70
        or 0x1F000 <= code < 0x20000
    )


@kernel
def _skeletons(
    codes: npt.NDArray[np.uint32], bounds: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Squeeze every run of gaps into one space, none at either end."""
    skeleton = np.empty(codes.size, dtype=np.uint32)
    starts = np.zeros(bounds.size, dtype=np.int64)
    letters = np.zeros(bounds.size - 1, dtype=np.int32)
    at = 0
    for text in range(bounds.size - 1):
        start, gap = at, False
        for code in codes[bounds[text] : bounds[text + 1]]:
            if _is_gap(code):
                gap = True
                continue
            if gap and at > start:
                skeleton[at] = SPACE
                at += 1
            gap = False
            skeleton[at] = code
            at += 1
            if not 0x30 <= code <= 0x39:
                letters[text] += 2 if is_sign(code) else 1
        starts[text + 1] = at
    return skeleton[:at], starts, letters
