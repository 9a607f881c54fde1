"""Texts folded so that disguised spellings meet, each letter with its place in the original.

A folded text is a run of *units*, one for each letter that a reader sees, without anything between them: what lies
between words is a mark on the unit behind it. So `blue lantern`, `#BlueLantern`, `b.l.u.e lantern` and `ВLUЕ L4NTERN`
are the same letters, and a search looks at letters first and at the marks only where the letters agree. Nothing that
tells words apart is lost: a doubled letter, i and l, and look-alike letters of another script keep a mark of it.

What folds together: case, compatibility forms (full width, mathematical, ligatures, presentation forms), accents and
vowel points, Arabic letter forms and tatweel, zero-width and direction marks, look-alike letters, digits and `$ @ € |`
inside a word, one letter repeated, letters set apart. What stays: the signs of scripts without spaces, the vowel signs
of Indic scripts, a number that stands alone. Emoji are gaps. Two spellings are not told from one: an `@` that begins a
word is a name's, and letters of regional flags are no letters.

Layout of a unit (`antiphon.matching` reads it; a test holds the two together), from the low bits::

    0-20   the letter, as a code point
    21-22  edge: 0 inside a word, 1 a soft edge before it, 2 a hard one
    23-24  1 the word follows `#`, 2 it follows `@`
    25-26  how often the letter stands: 0 once, 1 twice, 2 three times or more
    27-29  of the letter i: an i stands here, an l, a sign that may be either
    30     folded from a look-alike letter of another script

A soft edge is one where a phrase may begin or end, and that a phrase may run over: one hyphen, dot or apostrophe inside
a word, a capital inside a hashtag, between the signs of scripts without spaces, between letters set apart one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from confusable_homoglyphs.confusables import confusables_data

from antiphon.fingerprints._texts import is_sign

__all__ = ["Folded", "fold_column", "fold_texts", "fold_utf8", "folded_text", "original_span"]

_F = TypeVar("_F", bound=Callable[..., object])
# Without numba's own memory management: a call that hands over an array would count a reference to it up and down,
# which takes longer than all that is done for a letter. So nothing here makes an array.
_kernel = cast("Callable[[_F], _F]", cast("Any", numba).njit(cache=True, nogil=True, _nrt=False))
# What is called for every letter becomes a part of its caller.
_inlined = cast("Callable[[_F], _F]", cast("Any", numba).njit(nogil=True, _nrt=False, forceinline=True))

Units = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Out = tuple[Units, Places, Places]
"""Where units go, and what `places` and `ends` of `Folded` say of each."""

CODE = (1 << 21) - 1
SOFT, HARD, EDGE = 1 << 21, 2 << 21, 3 << 21
TAG_SHIFT, TAG = 23, 3 << 23
RUN, RUNS = 1 << 25, 3 << 25
SEEN_I, SEEN_L, SEEN_EITHER, SEEN = 1 << 27, 2 << 27, 4 << 27, 7 << 27
FOREIGN = 1 << 30

# What a code point is to the kernel, in bits 21-24 of its table entry; bit 25 is set for a capital letter.
_GAP, _LETTER, _DIGIT, _SIGN, _CLING, _DROP, _EXPAND, _JOINER, _SYMBOL, _INNER, _HASH = range(11)
_CLASS_SHIFT, _CAPITAL = 21, 1 << 25
_KEEP = CODE | SEEN | FOREIGN
_POINTS = 0x20000

_LEET = dict(zip("0134578 9", "oieast bg", strict=True))
_SYMBOLS = {"$": "s", "€": "e"}
_INNERS = {"@": "a", "|": "i", "¡": "i"}
_JOINERS = "-._'’‘ʼ*·•~+/‐‑‒–′`´"
_ARABIC_FORMS = dict(zip("ٱىةکیےۀہھەۍې", "ايهكييههههيي", strict=True))
_LETTERS = {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ſ": "s", "ƨ": "s", "ʃ": "s", "ς": "σ"}
_LOOK_ALIKE = dict(zip("аеорсухіјѕһкмтвнαορτικυεν", "aeopcyxijshkmtbhaoptikuev", strict=True))
_LOOK_ALIKE_SCRIPTS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LISU", "COPTIC", "DESERET", "LATIN")
_LATIN_NAME = re.compile(
    r"LATIN (?:CAPITAL |SMALL )?LETTER (?:SMALL CAPITAL |TURNED |REVERSED |SCRIPT |DOTLESS |OPEN )?([A-Z])(?: WITH .+)?"
)
_NEGATIVE_NAME = re.compile(r"NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER ([A-Z])")
# Marks that change how a letter is said, not which it is. The vowel signs of Indic scripts and the voicing marks of
# Kana are marks too, and stay.
_ACCENTS = (
    (0x0300, 0x0370), (0x0483, 0x0488), (0x0591, 0x05C8), (0x0610, 0x061B), (0x064B, 0x0660), (0x0670, 0x0671),
    (0x06D6, 0x06EE), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE20, 0xFE30),
)  # fmt: skip
_INVISIBLE = {0x00AD, 0x034F, 0x061C, 0x0640, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0} | {
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)
}  # fmt: skip
_DROPPED = dict.fromkeys(_INVISIBLE.union(*(range(low, high) for low, high in _ACCENTS)))
_MARKS = {"#": _HASH, **dict.fromkeys(_SYMBOLS, _SYMBOL), **dict.fromkeys(_INNERS, _INNER)}


class Folded(NamedTuple):
    """Texts as units, one text behind the other, and where each unit stands in its original.

    Attributes:
        units: Shape (u,), uint32. Each text is closed by one unit with the letter 0 and a hard edge.
        starts: Shape (n + 1,), int64: the units of text t are `starts[t]` to `starts[t + 1]`, its closing one included.
        places: Shape (u,), int32: the character of the original text where a unit begins.
        ends: Shape (u,), int32: the character behind the last one of a unit with which a word may end; else 0.
    """

    units: Units
    starts: Offsets
    places: Places
    ends: Places


class _Tables(NamedTuple):
    """What each code point becomes, the parts of those that become several, and the letters that digits stand for."""

    entries: Units
    parts: Units
    leet: Offsets


def fold_texts(texts: Iterable[str]) -> Folded:
    """Return texts folded; half a surrogate pair is a gap.

    Example:
        >>> folded_text(fold_texts(["The ВLUЕ L4ntern", "b.l.u.e"]))
        ['the blue lantern', 'blue']
    """
    listed = list(texts)
    try:
        column = pa.array(listed, pa.large_string())
    except UnicodeEncodeError:
        column = pa.array([text.encode("utf-8", "replace").decode() for text in listed], pa.large_string())
    return fold_column(column)


def fold_column(column: pa.Array) -> Folded:
    """Return a column of strings folded without a copy of it; a null is an empty text."""
    if column.null_count:
        column = column.fill_null("")
    large = column if pa.types.is_large_string(column.type) else column.cast(pa.large_string())
    _, bounds, content = large.buffers()
    if content is None or not len(large):
        content = pa.py_buffer(b"")
    at = np.frombuffer(bounds, np.int64)[large.offset :][: len(large) + 1] if len(large) else np.zeros(1, np.int64)
    return fold_utf8(np.frombuffer(content, np.uint8), at)


def fold_utf8(content: Bytes, bounds: Offsets) -> Folded:
    """Return texts folded, given as UTF-8 and the byte where each begins (and the last one ends); bad bytes are gaps.

    About 145 MB a second on one core, measured (`bench/phrase_peers.py`).
    """
    tables = _tables()
    size = int(bounds[-1] - bounds[0]) + len(bounds) + 16
    while True:
        units, places, ends = np.empty(size, np.uint32), np.empty(size, np.int32), np.zeros(size, np.int32)
        starts = np.zeros(len(bounds), np.int64)
        used = _fold(content, bounds, (tables.entries, tables.parts, tables.leet), (units, places, ends), starts)
        if used >= 0:
            return Folded(units[:used], starts, places[:used], ends[:used])
        size *= 4  # a text of ligatures that stand for whole words


def folded_text(folded: Folded) -> list[str]:
    """Return folded texts to read: words set apart at hard edges, a letter repeated thrice once."""
    return [
        _readable(folded.units[low : high - 1]) for low, high in zip(folded.starts, folded.starts[1:], strict=False)
    ]


def original_span(folded: Folded, start: int, end: int) -> tuple[int, int]:
    """Return the characters of the original text that the units from `start` to before `end` stand for.

    Example:
        >>> original_span(fold_texts(["the b.l.u.e!"]), 3, 7)
        (4, 11)
    """
    last = folded.ends[end - 1] if folded.units[end] & EDGE else folded.places[end]
    return int(folded.places[start]), max(int(last), int(folded.places[end - 1]) + 1)


def _readable(units: Units) -> str:
    parts = []
    for at, unit in enumerate(units.tolist()):
        letter = "l" if unit & SEEN == SEEN_L else chr(unit & CODE)
        pair = "il" if unit & (SEEN_I | SEEN_L) == SEEN_I | SEEN_L else 2 * letter
        parts.append(" " if at and unit & EDGE == HARD else "")
        parts.append(pair if unit & RUNS == RUN else letter)
    return "".join(parts)


@cache
def _tables() -> _Tables:
    entries = np.zeros(_POINTS, np.uint32)
    leet = np.zeros(10, np.int64)
    parts: list[int] = []
    similar = _look_alikes()
    for point in range(_POINTS):
        char = chr(point)
        category = unicodedata.category(char)
        if category == "Cn" or 0x3400 <= point < 0xA000:  # Han is as it is, and 28,000 signs take time
            entries[point] = _SIGN << _CLASS_SHIFT | point if category != "Cn" else 0
            continue
        singles = [] if point in _INVISIBLE else _simplest(char, similar)
        if point in _INVISIBLE or (not singles and category[0] == "M"):
            entries[point] = _DROP << _CLASS_SHIFT
        elif len(singles) == 1:
            entries[point] = _entry(singles[0], similar) | (_CAPITAL if category == "Lu" else 0)
        elif singles:
            entries[point] = _EXPAND << _CLASS_SHIFT | len(parts)
            parts += [len(singles), *map(ord, singles)]
    for digit, letter in _LEET.items():
        if digit != " ":
            leet[int(digit)] = int(entries[ord(letter)]) & _KEEP & ~SEEN | (SEEN_EITHER if letter == "i" else 0)
    return _Tables(entries, np.array(parts or [0], np.uint32), leet)


def _look_alikes() -> dict[str, str]:
    """Letters by the Latin letter that they look like; both cases of a letter go by its small form."""
    found: dict[str, str] = {}
    for latin in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":  # the small forms overrule the capitals
        for similar in confusables_data.get(latin, []):
            char = similar["c"].strip("\u200e")
            if len(char) == 1 and similar["n"].startswith(_LOOK_ALIKE_SCRIPTS) and len(char.casefold()) == 1:
                found[char.casefold()] = latin.lower()
    return {char: latin for char, latin in (found | _LOOK_ALIKE).items() if not char.isascii()}


def _simplest(char: str, similar: dict[str, str]) -> list[str]:
    """The characters that a character folds to, look-alikes and digits not yet put together."""
    if char.isascii():
        return [char.lower()]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return list("".join(_plain(c, similar) for c in folded.translate(_DROPPED)))


def _plain(char: str, similar: dict[str, str]) -> str:
    if char.isascii():
        return char
    if char in _ARABIC_FORMS or char in _LETTERS:
        return _ARABIC_FORMS.get(char) or _LETTERS[char]
    name = unicodedata.name(char, "")
    if name.startswith("NEGATIVE"):
        negative = _NEGATIVE_NAME.fullmatch(name)
        return negative[1].lower() if negative else char
    if name.startswith("LATIN"):
        latin = _LATIN_NAME.fullmatch(name)
        return latin[1].lower() if latin else similar.get(char, char)
    return char


def _entry(char: str, similar: dict[str, str]) -> int:
    """The table entry of a character that folds to itself or to a look-alike."""
    latin = similar.get(char)
    letter = latin or _SYMBOLS.get(char) or _INNERS.get(char) or char
    seen = {"i": SEEN_I, "l": SEEN_L}.get(letter, 0)
    code = ord("i") if seen else ord(letter)
    if char in _INNERS and letter == "i":
        seen = SEEN_EITHER
    return _class_of(char) << _CLASS_SHIFT | code | seen | (FOREIGN if latin else 0)


def _class_of(char: str) -> int:
    if char in _MARKS:
        return _MARKS[char]
    point, category = ord(char), unicodedata.category(char)
    if category == "Nd":
        return _DIGIT
    if 0x1160 <= point < 0x1200 or 0xD7B0 <= point < 0xD800:  # vowels and finals of Hangul
        return _CLING
    sign = 0x1100 <= point < 0x1160 or 0xA960 <= point < 0xA980 or bool(is_sign(point))
    if category[0] == "M":
        return _CLING if sign else _LETTER
    if category[0] == "L" or category == "Nl":
        return _SIGN if sign else _LETTER
    return _JOINER if char in _JOINERS else _GAP


@_inlined
def _read(content: Bytes, low: int, high: int, entries: Units) -> tuple[int, int]:
    """Return the table entry of the code point that begins at `low`, and where the next begins."""
    first = int(content[low])
    if first < 0x80:
        return int(entries[first]), low + 1
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 0xC2 or low + length > high:
        return 0, low + 1
    point = first & (0x7F >> length)
    for step in range(1, length):
        point = (point << 6) | (int(content[low + step]) & 0x3F)
    if point < _POINTS:
        return int(entries[point]), low + length
    if point < 0x32000:
        return (_SIGN << _CLASS_SHIFT) | point, low + length
    return (_DROP << _CLASS_SHIFT) if 0xE0000 <= point < 0xE1000 else 0, low + length


@_kernel
def _follows(content: Bytes, at: int, high: int, entries: Units) -> int:
    """What the next code point is that is seen at all."""
    kind = _DROP
    while at < high and kind == _DROP:
        entry, at = _read(content, at, high, entries)
        kind = (entry >> _CLASS_SHIFT) & 15
    return kind


@_kernel
def _kind(content: Bytes, at: int, high: int, entries: Units, entry: int, inside: bool) -> int:
    """What a code point is, given what follows at `at` and whether a word is open: `$` and `@` may be letters."""
    kind = (entry >> _CLASS_SHIFT) & 15
    if kind not in (_SYMBOL, _INNER):
        return kind
    follows = _follows(content, at, high, entries)
    letter = follows in (_LETTER, _EXPAND) or (kind == _SYMBOL and follows == _SYMBOL)
    if kind == _SYMBOL:
        return _LETTER if letter or (inside and follows != _DIGIT) else _GAP
    if inside and letter:
        return _LETTER
    return _HASH if entry & CODE == 97 else _GAP


@_inlined
def _merge(units: Units, at: int, unit: int) -> None:
    """Count a letter to the one before `at`, which is the same."""
    before = int(units[at - 1])
    run = min((before & RUNS) + (unit & RUNS) + RUN, 2 * RUN)
    units[at - 1] = ((before | (unit & SEEN)) & ~RUNS) | run


@_kernel
def _rewrite(out: Out, leet: Offsets, first: int, last: int, at: int) -> int:
    """Make letters of the digits from `first` to `last`, put equal ones together, and close ranks up to `at`.

    Edges inside are soft: it is one word, or letters set apart.
    """
    units, places, ends = out
    write = first
    for read in range(first, at):
        unit = int(units[read])
        if read < last:
            digit = (unit & CODE) - 48
            if 0 <= digit <= 9 and leet[digit]:
                unit = (unit & ~_KEEP) | leet[digit]
            if read > first and unit & EDGE:
                unit = (unit & ~EDGE) | SOFT
            if write > first and (unit ^ int(units[write - 1])) & CODE == 0 and not 48 <= unit & CODE <= 57:
                _merge(units, write, unit)
                ends[write - 1] = ends[read]
                continue
        units[write] = unit
        places[write] = places[read]
        ends[write] = ends[read]
        write += 1
    return write


@_kernel
def _see_through(out: Out, leet: Offsets, at: int, spell: int, word: int, disguised: bool) -> int:
    """See through the digits of a disguised word, and letters set apart before it; return where the units end."""
    if disguised:
        at = _rewrite(out, leet, word, at, at)
    single = 0
    for unit in out[0][spell:word]:
        single += not 48 <= unit & CODE <= 57
    if single >= 3 and 2 * single >= word - spell:
        at = _rewrite(out, leet, spell, word, at)
    return at


@_inlined
def _close_word(out: Out, leet: Offsets, at: int, spell: int, word: int, letters: int, digits: int) -> tuple[int, int]:
    """Return where the units end behind a word, and where letters set apart may begin: before it if it is one."""
    if at - word == 1 and letters + digits == 1:
        return at, spell
    disguised = digits > 0 and letters > 1 and letters >= digits
    if disguised or word - spell >= 3:
        at = _see_through(out, leet, at, spell, word, disguised)
    return at, at


@_inlined
def _plain_letters(content: Bytes, low: int, high: int, entries: Units, out: Out, at: int, char: int) -> int:
    """Fold the small ASCII letters that go on with a word: most of most texts. Return how many they are."""
    units, places, _ = out
    last, first = int(units[at - 1]) & CODE, low
    while low < high and 0x61 <= content[low] <= 0x7A:
        entry = int(entries[content[low]])
        if entry & CODE == last:
            break
        last = entry & CODE
        char += 1
        units[at] = entry & _KEEP
        places[at] = char
        low += 1
        at += 1
    return low - first


@_kernel
def _fold_one(  # noqa: C901, PLR0912, PLR0915 - one state machine; handing its state about would cost a third
    content: Bytes, low: int, high: int, end: int, tables: tuple[Units, Units, Offsets], out: Out, at: int
) -> int:
    """Fold one text; return where its units end, or -1 where those up to byte `end` may need more room."""
    entries, parts, leet = tables
    units, places, ends = out
    spell = word = at
    letters = digits = tag = part = last_part = 0
    char, edge = -1, HARD
    tagged = signs = small = False
    while low < high or part < last_part:
        if part < last_part:
            entry = int(entries[parts[part]])
            part += 1
        else:
            entry, low = _read(content, low, high, entries)
            char += 1
        kind = (entry >> _CLASS_SHIFT) & 15
        if kind >= _SYMBOL:
            kind = _kind(content, low, high, entries, entry, edge == 0)
        if kind == _GAP or kind >= _JOINER:
            if edge == 0:
                ends[at - 1] = char
            edge = SOFT if kind == _JOINER and edge == 0 else HARD
            tag = 0 if kind != _HASH else 1 if entry & CODE == 35 else 2
        elif kind == _EXPAND:
            part = (entry & CODE) + 1
            last_part = part + int(parts[part - 1])
            if at + last_part - part + end - low > units.size:
                return -1
        elif kind != _DROP:
            capital = entry & _CAPITAL != 0
            if capital and edge == 0 and small and entry & SEEN == SEEN_I:
                entry ^= SEEN_I | SEEN_EITHER  # a capital I behind a small letter is read as an l
            if edge == 0 and ((kind != _CLING and (signs or kind == _SIGN)) or (tagged and small and capital)):
                edge, ends[at - 1] = SOFT, char
            if edge == 0 and kind == _LETTER and (int(units[at - 1]) ^ entry) & CODE == 0:
                _merge(units, at, entry & SEEN)
            else:
                if edge:
                    at, spell = _close_word(out, leet, at, spell, word, letters, digits)
                    word, letters, digits = at, 0, 0
                    tagged = tag > 0 or (tagged and edge == SOFT)
                units[at] = (entry & _KEEP) | edge | (tag << TAG_SHIFT)
                places[at] = char
                at += 1
            letters, digits = letters + (kind == _LETTER), digits + (kind == _DIGIT)
            signs = kind == _SIGN or (kind == _CLING and signs)
            small, edge, tag = not capital, 0, 0
            if kind == _LETTER and part == last_part:
                more = _plain_letters(content, low, high, entries, out, at, char)
                at, low, char, letters, small = at + more, low + more, char + more, letters + more, small or more > 0
    if edge == 0:
        ends[at - 1] = char + 1
    at, spell = _close_word(out, leet, at, spell, word, letters, digits)
    if at > spell:  # one letter is the last word
        at, spell = _close_word(out, leet, at, spell, at, 0, 0)
    units[at], places[at], ends[at] = HARD, char + 1, char + 1
    return at + 1


@_kernel
def _fold(content: Bytes, bounds: Offsets, tables: tuple[Units, Units, Offsets], out: Out, starts: Offsets) -> int:
    """Fold every text; return how many units there are, or -1 where they need more room."""
    at, texts = 0, bounds.size - 1
    for text in range(texts):
        end = int(bounds[texts]) + texts - text  # each text has a closing unit
        at = _fold_one(content, bounds[text], bounds[text + 1], end, tables, out, at)
        if at < 0:
            return -1
        starts[text + 1] = at
    return at
