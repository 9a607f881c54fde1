"""The words of a narrative: the terms that tell it from the rest, and a title that it wrote itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log, sqrt

from antiphon.model.text import normalise
from antiphon.narratives._terms import NOISE, STEM, Background, terms_of, words_of

__all__ = ["MAX_TITLE", "key_terms", "readable", "tell_the_same", "title_of"]

MAX_TITLE = 110
MIN_TITLE = 15
SHOWN_TERMS = 8
COMMON_SHARE = 0.1
PRIOR_TEXTS = 10.0

_SENTENCE = re.compile(r"(?<=[.!?…؟।。！？])\s*|\n+")


def key_terms(texts: Sequence[set[str]], background: Background) -> dict[str, float]:
    """Return the terms that tell a narrative from the rest with their z-scores, strongest first, at most 8.

    Source:
        Monroe, Colaresi, Quinn, Fightin' Words, 2008: log-odds with a prior of the background's own shares.
    """
    counts = Counter(term for terms in texts for term in terms)
    told, rest = float(len(texts)), float(max(background.texts, 1))
    scored: list[tuple[float, str]] = []
    for term, count in counts.items():
        share = background.share(term)
        if share > COMMON_SHARE or (count == 1 and told > 1):
            continue
        prior = PRIOR_TEXTS * share
        there = share * rest
        odds = log((count + prior) / (told + PRIOR_TEXTS - count - prior))
        odds -= log((there + prior) / (rest + PRIOR_TEXTS - there - prior))
        score = odds / sqrt(1 / (count + prior) + 1 / (there + prior))
        if score > 0:
            scored.append((-score, term))
    return {term: -score for score, term in sorted(scored)[:SHOWN_TERMS]}


def tell_the_same(texts: Sequence[set[str]], background: Background) -> bool:
    """Return whether texts have words in common beyond chance.

    Three terms that are not common anywhere, each in two texts in five and in three texts at least (in all of fewer),
    two of them in half of the texts.
    """
    counts = Counter(term for terms in texts for term in terms if background.share(term) <= COMMON_SHARE)
    most = [count for _, count in counts.most_common(3)]
    size = len(texts)
    return len(most) == 3 and most[2] >= max(min(3, size), 0.4 * size) and most[1] >= 0.5 * size


def readable(terms: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Return terms as they are written most often: terms are cut, and join letters that readers keep apart."""
    wanted = {term: Counter[str]() for term in terms}
    for text in texts:
        for word in set(words_of(text)):
            found = wanted.get(normalise(word)[:STEM])
            if found is not None:
                found[word.lower()] += 1
    return [min(found, key=lambda word: (-found[word], word)) if found else term for term, found in wanted.items()]


def title_of(texts: Sequence[str], terms: dict[str, float]) -> str:
    """Return the sentence that says most of the terms in fewest words; the terms themselves where none can be read.

    Args:
        texts: The narrative's most central texts, the most central first.
        terms: Its terms and their weights.
    """
    best: tuple[float, int, str] | None = None
    for rank, text in enumerate(texts):
        for sentence in _SENTENCE.split(NOISE.sub("", text)):
            words = " ".join(sentence.split()).strip("-–—•*:,;|> ")
            if len(words) < MIN_TITLE:
                continue
            shown = _cut(words)
            told = sum(weight for term, weight in terms.items() if term in terms_of(shown))
            score = (-told / sqrt(30 + len(shown)), rank, shown)
            if told > 0 and (best is None or score < best):
                best = score
    return best[2] if best else _cut(" · ".join(terms)) or "untitled"


def _cut(words: str) -> str:
    """A sentence of bearable length, cut between words."""
    if len(words) <= MAX_TITLE:
        return words
    head = words[:MAX_TITLE]
    return (head.rsplit(" ", 1)[0] if " " in head[MAX_TITLE // 2 :] else head).rstrip(",;:-–— ") + "…"
