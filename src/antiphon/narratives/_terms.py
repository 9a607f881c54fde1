"""Texts as terms, and how much each term tells."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from sys import intern
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.model.text import normalise

__all__ = [
    "DIMENSIONS",
    "NOISE",
    "STEM",
    "Background",
    "Vectors",
    "background_of",
    "terms_of",
    "vectors_of",
    "words_of",
]

DIMENSIONS = 4096
"""Terms are hashed with a sign into so many dimensions; two unrelated texts then differ from 0 by about 1/64."""

STEM = 6
"""A word is cut after so many letters, which joins most of its inflected forms in most languages."""

MAX_TERMS = 32
COMMON_SHARE = 0.2
SMALL_LANGUAGE = 100

# Names of accounts and addresses tell who and where, not what.
NOISE = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|(?<!\w)@[\w.@-]+")
# `\w` leaves out the vowel signs of Indic scripts, Thai and Burmese, which would cut their words to pieces.
_WORD = re.compile(r"(?:[^\W_]|[̀-ͯऀ-ॣ०-෿ะ-๎က-႟ក-៝])+")
_SIGNS = re.compile(r"[฀-๿぀-ꓐ가-힯]")


class Background(NamedTuple):
    """How common a term is: its largest share in the texts of any one language, and of all."""

    texts: int
    shares: dict[str, float]

    def share(self, term: str) -> float:
        """Return the share of a term; for one never seen, half a text's."""
        return self.shares.get(term, 0.5 / max(1, self.texts))


class Vectors(NamedTuple):
    """Texts as rows of a sparse matrix, each of length 1 (or empty): where rows begin, dimensions, weights."""

    starts: npt.NDArray[np.int64]
    dims: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]


def words_of(text: str) -> list[str]:
    """Return the words of a text, without addresses and names of accounts."""
    return _WORD.findall(NOISE.sub(" ", text))


def terms_of(text: str) -> set[str]:
    """Return the terms of a text: the beginnings of its words, or pairs of signs where a script writes no spaces.

    Example:
        >>> sorted(terms_of("The Ash Lanterns rise! https://example.org @someone"))
        ['ash', 'lanter', 'rise', 'the']
    """
    found: set[str] = set()
    for word in words_of(normalise(text)):
        if word.isdigit() or len(word) < 2:
            continue
        if _SIGNS.match(word):
            found.update(intern(a + b) for a, b in pairwise(word))
        else:
            found.add(intern(word[:STEM]))
    return found


def background_of(texts: Iterable[tuple[str | None, set[str]]]) -> Background:
    """Return how common terms are in texts given as language and terms.

    A word that any one language uses everywhere says little, however rare that language is here. A language of fewer
    than 100 texts counts as if it had 100.
    """
    per_language: dict[str, Counter[str]] = {}
    sizes: Counter[str] = Counter()
    for language, terms in texts:
        sizes[language or "und"] += 1
        per_language.setdefault(language or "und", Counter()).update(terms)
    shares: dict[str, float] = {}
    for language, counts in per_language.items():
        size = max(sizes[language], SMALL_LANGUAGE)
        for term, count in counts.items():
            share = count / size
            if share > shares.get(term, 0.0):
                shares[term] = share
    return Background(sizes.total(), shares)


def vectors_of(texts: Sequence[set[str]], background: Background) -> Vectors:
    """Return texts as vectors over the terms that two of them share and that are not common; rarer weighs more."""
    counts = Counter(term for terms in texts for term in terms)
    weights = {
        term: -np.log(background.share(term))
        for term, count in counts.items()
        if count > 1 and background.share(term) < COMMON_SHARE
    }
    places = {term: _place(term) for term in weights}
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    dims: list[int] = []
    values: list[float] = []
    for row, terms in enumerate(texts):
        told = sorted((-weights[term], term) for term in terms if term in weights)[:MAX_TERMS]
        norm = sum(weight * weight for weight, _ in told) ** 0.5
        for weight, term in told:
            dim, sign = places[term]
            dims.append(dim)
            values.append(-weight * sign / norm)
        starts[row + 1] = len(dims)
    return Vectors(starts, np.array(dims, dtype=np.int32), np.array(values, dtype=np.float32))


def _place(term: str) -> tuple[int, int]:
    """A term's dimension and sign."""
    number = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
    return number % DIMENSIONS, 1 if number >> 63 else -1
