"""Spellings that hide words from a filter, made on purpose: for training, and to measure what they hide."""

from __future__ import annotations

import random
from collections.abc import Callable

Seen = tuple[str, list[int] | None, dict[str, int]]
"""A text, the tag of each character (or nothing) and its answers."""

VOWELS = frozenset("aeiouAEIOUаеиоуыэюяАЕИОУЫЭЮЯ")
NOISE = (
    "https://t.example/9fk2",
    "https://link.example/a?x=1",
    "#fyp",
    "#trending #news",
    "@someone",
    "lol",
    "…",
    "👀",
    "🔥🔥",
    "🙏",
    "(1/3)",
)


def starred(text: str, rng: random.Random) -> list[str]:
    """Put a star for a vowel inside some words."""
    letters = list(text)
    for at in range(1, len(text) - 1):
        inside = text[at - 1].isalpha() and text[at + 1].isalpha()
        if inside and text[at] in VOWELS and rng.random() < 0.35:
            letters[at] = rng.choice("*.-#_")
    return letters


def swapped(text: str, rng: random.Random) -> list[str]:
    """Swap neighbouring letters inside some words: a typing error in one word of four."""
    letters = list(text)
    for at in range(1, len(text) - 2):
        if text[at - 1 : at + 3].isalpha() and rng.random() < 0.06:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return letters


def dropped(text: str, rng: random.Random) -> list[str]:
    """Leave out a letter here and there."""
    return ["" if letter.isalpha() and rng.random() < 0.05 else letter for letter in text]


def repeated(text: str, rng: random.Random) -> list[str]:
    """Say some letters twice or more."""
    return [letter * rng.choice((2, 3)) if letter.isalpha() and rng.random() < 0.07 else letter for letter in text]


def lowered(text: str, rng: random.Random) -> list[str]:
    """Write all in small letters, without punctuation."""
    return [
        "" if letter in ".,;:!?¿¡।؟،؛" else letter.lower() if len(letter.lower()) == 1 else letter for letter in text
    ]


def capitals(text: str, rng: random.Random) -> list[str]:
    """Write all in capitals."""
    return [letter.upper() if len(letter.upper()) == 1 else letter for letter in text]


def digits(text: str, rng: random.Random) -> list[str]:
    """Put digits and symbols for letters."""
    table = dict(zip("oieastg", "01345$9", strict=True))
    return [table.get(letter.lower(), letter) if rng.random() < 0.6 else letter for letter in text]


def separated(text: str, rng: random.Random) -> list[str]:
    """Set the letters of some words apart."""
    gap = rng.choice(" .-_")
    parts, apart = [], False
    for at, letter in enumerate(text):
        if not letter.isalpha() or not at or not text[at - 1].isalpha():
            apart = rng.random() < 0.3
        follows = at + 1 < len(text) and text[at + 1].isalpha()
        parts.append(letter + gap if apart and letter.isalpha() and follows else letter)
    return parts


CHANGES: tuple[Callable[[str, random.Random], list[str]], ...] = (
    starred, swapped, dropped, repeated, lowered, lowered, capitals, digits, separated,
)  # fmt: skip


def disguise(text: str, tags: list[int] | None, answers: dict[str, int], rng: random.Random) -> Seen:
    """Return a text under one disguise, or with something that means nothing put before or behind it."""
    if rng.random() < 0.2:
        noise, first = rng.choice(NOISE), rng.random() < 0.3
        whole = f"{noise} {text}" if first else f"{text} {noise}"
        more = [0] * (len(noise) + 1)
        return whole, None if tags is None else (more + tags if first else tags + more), answers
    parts = rng.choice(CHANGES)(text, rng)
    spread = None if tags is None else [tag for part, tag in zip(parts, tags, strict=True) for _ in part]
    return "".join(parts), spread, answers
