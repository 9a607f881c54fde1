"""A text as a reader sees it: disguised spellings undone, each character with its place in the original.

What is undone: character entities, invisible and direction marks (and text written backwards under them), full-width,
mathematical, circled and small-capital letters, stacks of accents, look-alike letters of another script inside a word,
digits and symbols for letters (`k1ll`), walls of encoded bytes, letters set apart (`k i l l`, `k.i.l.l`), words joined
by `_` or set in a hashtag, the same emoji after every word, aLtErNaTiNg case, words all in capitals, a letter repeated,
white space.

Most posts have none of it and pass through a few searches that find nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

__all__ = ["Plain", "undisguise"]

_Match = re.Match[str]

_ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|[a-zA-Z]{2,8});")
_BACKWARDS = re.compile("\u202e([^\u202c\u202e\n]*)\u202c?")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]+"
    "|(?<![\u0600-\u06ff\u0900-\u0dff\U0001f000-\U0001fbff\ufe0f])[\u200c\u200d]+|[\u200c\u200d]+(?=[A-Za-z])"
)
_FORMS = re.compile(
    "[\u0262\u026a\u0274\u0280\u028f\u0299\u029c\u029f\u02b0-\u02b8\u02e1-\u02e3\u1d00-\u1d6a\u2070-\u209c\u2100-\u214f\u2460-\u24ff\ua730-\ua731\uff01-\uffef"
    "\U0001d400-\U0001d7ff\U0001f110-\U0001f189]+"
)
_STACK = re.compile("[\u0300-\u036f\u20d0-\u20ff]{2,}|[\u0334-\u0338\u20d2\u20d3\u20e5-\u20eb]+")
_ODD_ACCENT = re.compile(
    "[\u0100-\u011d\u0120-\u012f\u0132-\u0141\u0143-\u0151\u0154-\u015d\u0162-\u024f\u0300-\u036f\u1e00-\u1eff]"
)
_ACCENTED = re.compile(r"[A-Za-z\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]+")
_WORD, _LETTER, _LOW_LINES = re.compile(r"[^\W_]+"), re.compile(r"[^\W\d_]"), re.compile("_+")
_STRANGE = re.compile(
    r"(?<!\S)(?=\S*[A-Za-z])(?![#@]\w{4})[A-Za-z013457@$!|',.?:;-]*[013457@$][A-Za-z013457@$!|',.?:;-]*(?!\S)"
)
_LATIN, _OTHER = re.compile("[A-Za-z]"), re.compile("[\u0370-\u04ff]")
_LEET = re.compile(r"(?<![\w@#$./:])(?=[\w@$!|]*[A-Za-z])(?=[\w@$!|]*[013457@$!|])[A-Za-z013457@$!|]{3,}(?![\w@./:])")
_INDIC = "\u0900-\u0dff"  # their vowel signs are no letters to `re`, so a letter there is no word of one letter
_ONE = rf"[^\W\d_{_INDIC}]"
_APART = re.compile(rf"(?<![\w./:@{_INDIC}]){_ONE}(?P<gap>[ .\-_*~·•|/]){_ONE}(?:(?P=gap){_ONE})+(?![\w{_INDIC}])")
_JOINED = re.compile(r"(?<![\w@/.:])[^\W_]{2,}(?:([_*+~|·•])[^\W_]+)(?:\1[^\W_]+)+(?![\w@/])|#\w{4,}")
_WALL = re.compile(r"[A-Za-z0-9+/=]{64,}")  # encoded bytes are no words; no word and few addresses are as long
_WALL_FROM = 64
_JOINERS = frozenset("#_*+~|·•")
_OTHER_SPACES = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
_SWING = re.compile("[a-z][A-Z]")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_BETWEEN = re.compile(r"(?:[\u2600-\u27bf\U0001f300-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]?)+")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_SPACES = re.compile(r"\s{2,}|[^\S ]")
_CAPITAL_SHARE, _CAPITALS_NEEDED = 0.7, 10
_ACCENT_SHARE, _ODD_SHARE, _STRANGE_SHARE = 0.6, 0.16, 0.3
_OFTEN = 3

_LETTERS = dict(zip("013457@$!|", "oieastasil", strict=True))
_STAND_INS = frozenset("013457@$|")
_TO_LATIN = dict(zip("аеорсухіјѕһкмтвнАЕОРСУХІЈЅКМТВНορνικυεαΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
                     "aeopcyxijshkmtbhAEOPCYXIJSKMTBHopvikueaABEZHIKMNOPTYX", strict=True))  # fmt: skip
_TO_CYRILLIC = dict(zip("aeopcyxkmtbhAEOPCYXKMTBH", "аеорсухкмтвнАЕОРСУХКМТВН", strict=True))
_SMALL_CAPITAL = re.compile(r"(?:LATIN|MODIFIER) LETTER (?:SMALL CAPITAL |SMALL |CAPITAL )?([A-Z])")
_NEGATIVE = re.compile(r"NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER ([A-Z])")


class Plain(NamedTuple):
    """A text with its disguises undone; `places[i]` is where its character i stood, nothing where all stayed."""

    text: str
    places: list[int] | None

    def original(self, start: int, end: int, length: int) -> tuple[int, int]:
        """Return the span of the original (of so many characters) that these characters stand for."""
        if self.places is None:
            return start, end
        if start >= end:
            return 0, 0
        low, last = min(self.places[start:end]), max(self.places[start:end])
        # What was dropped behind the last letter (an accent, a zero-width mark) belongs to it.
        behind = self.places[end] if end < len(self.places) else last + 1
        return low, min(max(behind, last + 1), length)


def undisguise(text: str) -> Plain:
    r"""Return a text as a reader sees it.

    Example:
        >>> undisguise("k1ll the b\u200bridge  g u a r d s, #StormTheHall").text
        'kill the bridge guards, # Storm The Hall'
        >>> undisguise("ВURN it").original(0, 4, 7)
        (0, 4)
    """
    editor = _Editor(text)
    seen = frozenset(text)
    if len(text) > _WALL_FROM:
        editor.replace(_WALL, _space)
    if not text.isascii():
        _undo_other_scripts(editor, seen)
    if "&" in seen:
        editor.replace(_ENTITY, _entity)
    if not seen.isdisjoint(_STAND_INS):
        many = _many(editor.text, _STRANGE, _STRANGE_SHARE)
        editor.replace(_STRANGE if many else _LEET, _as_letters if many else _leet)
    editor.replace(_APART, _together)
    if not seen.isdisjoint(_JOINERS):
        if editor.text.count("_") > max(_OFTEN, editor.text.count(" ")):
            editor.replace(_LOW_LINES, _space)
        editor.replace(_JOINED, _parted)
    if (swings := len(_SWING.findall(editor.text))) and 2 * swings > len(_WORD.findall(editor.text)):
        editor.replace(_WORD, _lower)
    if any(3 * char in editor.text for char in seen):
        editor.replace(_REPEATED, _twice)
    if "  " in editor.text or not seen.isdisjoint(_OTHER_SPACES):
        editor.replace(_SPACES, _space)
    editor.calm(seen)
    return Plain(editor.text, editor.places)


def _undo_other_scripts(editor: _Editor, seen: frozenset[str]) -> None:
    if "\u202e" in seen:
        editor.replace(_BACKWARDS, None)
    for pattern, change in ((_INVISIBLE, _nothing), (_FORMS, _forms), (_STACK, _nothing)):
        if not seen.isdisjoint(_members(pattern)):
            editor.replace(pattern, change)
    if _ODD_ACCENT.search(editor.text):
        often = len(_ODD_ACCENT.findall(editor.text)) > _ODD_SHARE * len(_LETTER.findall(editor.text))
        editor.replace(_ACCENTED, _bare if often else _accents)
    if not (seen.isdisjoint(_members(_LATIN)) or seen.isdisjoint(_members(_OTHER))):
        editor.replace(_WORD, _one_script(editor.text))
    if not seen.isdisjoint(_members(_BETWEEN)):
        editor.drop_between()


@cache
def _members(pattern: re.Pattern[str]) -> frozenset[str]:
    """Return the characters that a match of the pattern can begin with: to look for them is cheaper than to search."""
    return frozenset(char for char in map(chr, range(0x1FC00)) if pattern.search(char))


class _Editor:
    """A text that is changed step by step and remembers where each character came from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places: list[int] | None = None

    def replace(self, pattern: re.Pattern[str], change: Callable[[_Match], str] | None) -> None:
        """Put for each match what `change` says; without it, the first group backwards."""
        found = pattern.finditer(self.text)
        first = next(found, None)
        if first is None:
            return
        places = list(range(len(self.text))) if self.places is None else self.places
        parts: list[str] = []
        kept: list[int] = []
        at, moved = 0, False
        for match in (first, *found):
            start, end = match.span()
            new = match[1][::-1] if change is None else change(match)
            if new == match[0]:
                continue
            moved = True
            parts += [self.text[at:start], new]
            kept += places[at:start]
            kept += _spread(places[start:end] if change else places[match.start(1) : match.end(1)][::-1], len(new))
            at = end
        if moved:
            self.text, self.places = "".join([*parts, self.text[at:]]), kept + places[at:]

    def drop_between(self) -> None:
        """Drop an emoji that stands after every word."""
        runs = _BETWEEN.findall(self.text)
        if len(runs) < _OFTEN:
            return
        words = len(_WORD.findall(self.text))
        for emoji in {run for run in runs if runs.count(run) >= max(_OFTEN, words // 2)}:
            self.replace(re.compile(re.escape(emoji)), _nothing)

    def calm(self, seen: frozenset[str]) -> None:
        """Write a text that is all in capitals in small letters."""
        if not any(map(str.isupper, seen)):
            return
        capitals = sum(map(str.isupper, self.text))
        if capitals >= _CAPITALS_NEEDED and capitals > _CAPITAL_SHARE * sum(map(str.isalpha, self.text)):
            self.replace(_WORD, _lower)


def _spread(places: list[int], length: int) -> list[int]:
    """Return places for so many new characters: one by one, the last for all that is more."""
    if length <= len(places):
        return places[:length]
    return places + [places[-1]] * (length - len(places))


def _nothing(_: _Match) -> str:
    return ""


def _entity(match: _Match) -> str:
    return html.unescape(match[0])


def _forms(match: _Match) -> str:
    return "".join(map(_form, match[0]))


@cache
def _form(char: str) -> str:
    name = unicodedata.name(char, "")
    found = _SMALL_CAPITAL.fullmatch(name) or _NEGATIVE.fullmatch(name)
    if found:
        return found[1].lower()
    simple = unicodedata.normalize("NFKC", char)
    if len(simple) == 3 and simple[0] == "(" and simple[2] == ")":  # a letter in brackets
        return simple[1]
    return simple if len(simple) == 1 else char


def _accents(match: _Match) -> str:
    """Take the accents off a word that has one on most letters, some of them unusual; other words keep theirs."""
    word = match[0]
    if not _ODD_ACCENT.search(word):
        return word
    apart = unicodedata.normalize("NFD", word)
    marks = sum(map(bool, map(unicodedata.combining, apart)))
    if marks < _ACCENT_SHARE * (len(apart) - marks):
        return word
    return _bare(match)


def _bare(match: _Match) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", match[0]) if not unicodedata.combining(char))


def _one_script(text: str) -> Callable[[_Match], str]:
    latin_text = len(_LATIN.findall(text)) > len(_OTHER.findall(text))

    def change(match: _Match) -> str:
        word = match[0]
        latin, other = len(_LATIN.findall(word)), len(_OTHER.findall(word))
        if not other or not (latin or latin_text):
            return word
        if latin >= other or (latin_text and not set(word) - set(_TO_LATIN)):
            return "".join(_TO_LATIN.get(char, char) for char in word)
        return "".join(_TO_CYRILLIC.get(char, char) for char in word)

    return change


def _leet(match: _Match) -> str:
    """Read digits and symbols as letters where letters stand around them; numbers, ordinals and names stay."""
    word = match[0]
    letters = sum(map(str.isalpha, word))
    inside = re.search(r"[A-Za-z][013457@$!|]+[A-Za-z]", word)
    begins = re.match(r"[013457@$][A-Za-z]{4,}", word)
    if letters * 2 < len(word) or not (inside or begins) or re.search(r"\d{3}", word):
        return word
    tail = len(word) - len(word.rstrip("!|"))
    core = word[: len(word) - tail] if tail else word
    return "".join(_LETTERS.get(char, char) for char in core) + word[len(core) :]


def _together(match: _Match) -> str:
    return match[0].replace(match["gap"], "")


def _parted(match: _Match) -> str:
    word = match[0]
    if word[0] == "#":
        return "# " + _HUMP.sub(" ", word[1:].replace("_", " ")).strip()
    return word.replace(match[1], " ")


def _many(text: str, pattern: re.Pattern[str], share: float) -> bool:
    """Tell whether so large a share of a text's words, and at least three, match."""
    found = len(pattern.findall(text))
    return found >= _OFTEN and found > share * len(text.split())


def _as_letters(match: _Match) -> str:
    core = match[0].rstrip("!|?.,;:")
    return "".join(_LETTERS.get(char, char) for char in core) + match[0][len(core) :]


def _lower(match: _Match) -> str:
    return match[0].lower()


def _twice(match: _Match) -> str:
    return 2 * match[1]


def _space(_: _Match) -> str:
    return " "
