"""MinHash over the shingles of a text: the same words with a few changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.fingerprints._texts import Texts, is_sign, kernel, read_texts
from antiphon.fingerprints.interface import Signal, require_length
from antiphon.fingerprints.text_exact import FULL_QUALITY_LETTERS, decode_text

__all__ = ["MIN_LETTERS", "VALUES", "TextNear", "shingle_hashes"]

VALUES = 32
"""How many minima a signal keeps."""

MIN_LETTERS = 24
"""Shorter texts have so few shingles that two agree by chance too often."""

SHINGLE = 4
SIGN_SHINGLE = 2

# Fixed for ever: the signals of banks and lakes were made with them. Drawn once from PCG64 with the seed 20261124.
_DRAWN = np.random.Generator(np.random.PCG64(20261124)).integers(0, 2**32, (2, VALUES), dtype=np.uint32)
_FLIP = _DRAWN[0]
_ODD = _DRAWN[1] | np.uint32(1)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint32(0x2C1B3C6D)


class TextNear:
    """Signal type: 32 minima of 32 bits over the set of a text's shingles; the distance is how many differ.

    A shingle is 4 characters of the skeleton (letters, digits and single spaces), or 2 where it begins with a syllable
    or word sign. The share of equal minima estimates the share of shingles that two texts have in common (Jaccard),
    with a standard error of at most 0.09. At distance 6 or less 26 of 32 agree (0.81): called a near copy.

    Source:
        Broder, On the resemblance and containment of documents, 1997.
    """

    name: str = "text_near"
    version: str = "1"
    content: str = "text"
    value_bytes: int = 4 * VALUES
    max_distance: int = 6

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the minima as 128 bytes, little-endian, or None for a text of fewer than 24 letters."""
        rows, values, qualities = self.of_texts(read_texts([decode_text(content)]))
        return Signal(values[0].tobytes(), float(qualities[0])) if rows.size else None

    def of_texts(self, texts: Texts) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
        """Return which texts have a signal, their values (one row each) and their qualities."""
        rows = np.flatnonzero(texts.letters >= MIN_LETTERS)
        values = _minima(texts.skeleton, texts.starts, rows)
        quality = np.minimum(1.0, texts.letters[rows] / FULL_QUALITY_LETTERS).astype(np.float32)
        return rows, values, quality

    def distance(self, left: bytes, right: bytes) -> int:
        """Return how many of the 32 minima differ."""
        for value in (left, right):
            require_length(value, self.value_bytes, signal_type=self.name)
        return int(np.count_nonzero(np.frombuffer(left, "<u4") != np.frombuffer(right, "<u4")))

    def oracle(self, value: bytes, entries: Sequence[bytes]) -> list[int]:
        """Return the distance to each entry, four bytes after four bytes."""
        parts = range(0, self.value_bytes, 4)
        return [sum(value[at : at + 4] != entry[at : at + 4] for at in parts) for entry in entries]

    def examples(self) -> Sequence[bytes]:
        """Return harmless texts, the first two near copies of one another."""
        return tuple(
            text.encode()
            for text in (
                "The ferry to Varnholt leaves at nine tomorrow morning, so bring a warm coat and a book to read.",
                "The ferry to Varnholt leaves at ten tomorrow morning, so bring a warm coat and a book to read!",
                "Паром в Варнхольт уходит завтра в девять утра, возьмите тёплое пальто.",
            )
        )


@kernel
def _fold(codes: npt.NDArray[np.uint32]) -> np.uint32:
    """One number for a shingle: polynomial, then mixed so that every bit counts."""
    folded = np.uint64(0)
    for code in codes:
        folded = (folded + np.uint64(code) + np.uint64(1)) * _STEP
    folded ^= folded >> np.uint64(30)
    folded *= _MIX
    return np.uint32(folded >> np.uint64(32))


@kernel
def shingle_hashes(skeleton: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return one 32-bit number for each shingle of a skeleton; the whole of it is one where it is shorter."""
    hashes = np.empty(max(1, skeleton.size), dtype=np.uint32)
    count = 0
    for at in range(skeleton.size):
        end = at + (SIGN_SHINGLE if is_sign(skeleton[at]) else SHINGLE)
        if end <= skeleton.size:
            hashes[count] = _fold(skeleton[at:end])
            count += 1
    if count == 0:
        hashes[0] = _fold(skeleton)
        count = 1
    return hashes[:count]


@kernel
def _minima(
    skeleton: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint32]:
    """The minima of each row; the inner loop is over the 32 permutations, so that it runs in vector registers."""
    minima = np.empty((rows.size, VALUES), dtype=np.uint32)
    low = np.empty(VALUES, dtype=np.uint32)
    for at in range(rows.size):
        low[:] = np.uint32(0xFFFFFFFF)
        for folded in shingle_hashes(skeleton[starts[rows[at]] : starts[rows[at] + 1]]):
            for k in range(VALUES):
                value = np.uint32((folded ^ _FLIP[k]) * _ODD[k])
                value = np.uint32((value ^ (value >> np.uint32(15))) * _LAST)
                low[k] = min(low[k], value)
        minima[at] = low
    return minima
