"""What the linear model sees in a text: its words, its characters and the discourse cues of its language."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.analysis import kernels
from antiphon.errors import ConfigError
from antiphon.model.text import normalise

__all__ = ["CUES", "DOCUMENT_CUES", "LONGEST_TEXT", "Features", "cue_classes", "extract", "normal_form", "warm_up"]

LONGEST_TEXT = 20_000
"""Characters of a text that are analysed; a book's start says enough for a first pass."""

DOCUMENT_CUES = (
    "emoji", "", "question", "exclamation", "hashtag", "", "percentage", "colon", "mention", "", "quotation",
    "mostly quoted", "starts with a quotation", "ends with a quotation", "short", "long", "disguised words",
)  # fmt: skip
"""Cues of a whole post, from bit 30; an empty name is a bit that is not used."""

_POINTS = 0x20000
_FIRST_DOCUMENT_BIT = 30
_INDEX_BITS = 18
_QUOTES = '"“”„‟«»‹›「」『』〝〞＂'  # ' is told apart in the kernel
_SINGLES = "'‘’‚"
_LATIN = dict(zip("01345789@$", "oieastbgas", strict=True)) | dict(
    zip("аеорсхуіјѕһкмтвнαορντικυε", "aeopcxyijshkmtbhaopvtikue", strict=True)
)


class Features(NamedTuple):
    """Features of a batch, in the layout of `kernels.featurise`."""

    buckets: npt.NDArray[np.int32]
    anchors: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]
    bits: npt.NDArray[np.uint64]


class _Cues(NamedTuple):
    keys: npt.NDArray[np.uint64]
    masks: npt.NDArray[np.uint64]


def normal_form(text: str) -> str:
    """Return the normal form of the part of a text that is analysed."""
    return normalise(text[:LONGEST_TEXT])


def extract(texts: list[str], langs: list[str]) -> Features:
    """Return the features of texts, given in their normal form, each in its language.

    Example:
        >>> features = extract(["the bus is late", ""], ["en", "en"])
        >>> bool(features.bounds[1, 0] == features.bounds[1, -1] == len(features.buckets))
        True
    """
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    kinds, latin = _tables()
    points = np.where(points < _POINTS, points, 0)
    cues = _cues()
    salts = np.array([_salt(lang) for lang in langs], dtype=np.uint64)
    return Features(*kernels.featurise(points, offsets, salts, kinds, latin, cues.keys, cues.masks, _senses()))


def warm_up() -> None:
    """Load the tables and the compiled kernels."""
    extract(["a"], ["en"])


def cue_classes(word: str, lang: str) -> list[str]:
    """Return the classes of discourse cues that a single word of a language stands for.

    Example:
        >>> cue_classes("martyrs", "en")
        ['martyr']
    """
    known = _classes_by_cue().get(lang)
    if not known:
        return []
    found = list(known.get(word, ()))
    for size in range(3, min(len(word), 10) + 1):
        found += known.get(word[:size] + "*", ())
    return found


@cache
def _classes_by_cue() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for name, by_lang in _read_cues().items():
        for lang, cues in by_lang.items():
            for cue in cues:
                found.setdefault(lang, {}).setdefault(cue, []).append(name)
    return found


@cache
def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    kinds = np.zeros(_POINTS, dtype=np.uint8)
    of_category = {"L": kernels.LETTER, "M": kernels.LETTER, "N": kernels.DIGIT, "S": 0}
    for point in range(_POINTS):
        category = unicodedata.category(chr(point))
        kinds[point] = kernels.EMOJI if category == "So" else of_category.get(category[0], 0)
    for marks, kind in ((_QUOTES, kernels.QUOTE), (_SINGLES, kernels.SINGLE), ("?؟", kernels.ASK), ("!", kernels.CRY),
                        ("@$*", kernels.JOINER)):  # fmt: skip
        kinds[[ord(mark) for mark in marks]] = kind
    latin = np.arange(0x500, dtype=np.uint32)
    for disguise, letter in _LATIN.items():
        latin[ord(disguise)] = ord(letter)
    return kinds, latin


@cache
def _senses() -> tuple[kernels.Array, kernels.Array, kernels.Array, kernels.Array]:
    """Load the lexicon: for the hash of a word, the classes of words that mean much the same."""
    with as_file(files(__package__).joinpath("model_data", "word_classes.npz")) as path, np.load(path) as arrays:
        hashes, coarse, fine = arrays["hashes"], arrays["coarse"], arrays["fine"]
    return hashes, kernels.index_hashes(hashes, _INDEX_BITS), coarse.astype(np.uint64), fine.astype(np.uint64)


@cache
def _salt(lang: str) -> int:
    code = 0xCBF29CE484222325
    for letter in lang.encode():
        code = (code ^ letter) * 0x100000001B3 % 2**64
    return code


def _mix(left: int, right: int) -> int:
    mixed = (left ^ right) * 0x100000001B3 % 2**64
    return mixed ^ (mixed >> 32)


def _cue_key(cue: str, lang: str) -> int:
    """Return the key under which the kernel looks a cue up: one to three words, or the beginning of a word."""
    hashes = []
    for word in cue.rstrip("*").split():
        value = 0xCBF29CE484222325
        for letter in word:
            value = _mix(value, ord(letter))
        hashes.append(value)
    whole = hashes[0]
    for value in hashes[1:]:
        whole = _mix(whole, value)
    return _mix(whole ^ _salt(lang), 1 if cue.endswith("*") else len(hashes) + 1)


def _read_cues() -> dict[str, dict[str, frozenset[str]]]:
    """Read cues.txt: class, then language, then its cues."""
    classes: dict[str, dict[str, frozenset[str]]] = {}
    for line in files(__package__).joinpath("cues.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            classes[line.strip("[] ")] = {}
        elif line and not line.startswith("#"):
            lang, _, cues = line.partition(":")
            classes[next(reversed(classes))][lang] = frozenset(normalise(cue) for cue in cues.split(","))
    if len(classes) > _FIRST_DOCUMENT_BIT:
        raise ConfigError(
            f"{len(classes)} classes of cues, expected at most {_FIRST_DOCUMENT_BIT}",
            where="analysis/cues.txt",
            do="Join two classes, or widen the bits in kernels.py.",
        )
    return classes


@cache
def _cues() -> _Cues:
    classes = _read_cues()
    table: dict[int, int] = {}
    for number, by_lang in enumerate(classes.values()):
        for lang, cues in by_lang.items():
            for cue in cues:
                key = _cue_key(cue, lang)
                table[key] = table.get(key, 0) | 1 << number
    keys, masks = np.zeros(1 << 14, dtype=np.uint64), np.zeros(1 << 14, dtype=np.uint64)
    for key, mask in table.items():
        slot = key % keys.size
        while keys[slot]:
            slot = (slot + 1) % keys.size
        keys[slot], masks[slot] = key, mask
    return _Cues(keys, masks)


CUES: tuple[str, ...] = tuple(_read_cues())
"""The classes of discourse cues, by bit."""
