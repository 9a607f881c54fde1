"""Twenty ways in which people hide words from a filter, to measure what they hide from this one."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

__all__ = ["DISGUISES"]

_BOLD = {chr(ord("a") + n): chr(0x1D41A + n) for n in range(26)} | {
    chr(ord("A") + n): chr(0x1D400 + n) for n in range(26)
}
_CIRCLED = {chr(ord("a") + n): chr(0x24D0 + n) for n in range(26)}
_WIDE = {chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)}
_CYRILLIC = dict(zip("aeopcxyiACEHKMOPTX", "аеорсхуіАСЕНКМОРТХ", strict=True))
_GREEK = dict(zip("ovAEHIKMNOPTXZ", "ονΑΕΗΙΚΜΝΟΡΤΧΖ", strict=True))
_LEET = dict(zip("oieast", "01345" + "7", strict=True))
_SYMBOLS = dict(zip("as", "@$", strict=True))
_SMALL_CAPITALS = dict(zip("abcdeghijklmnoprtuvwz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡᴢ", strict=True))
_ACCENTS = dict(zip("aeiouncsz", "ăĕĭŏŭňčšž", strict=True))
_WORD = re.compile(r"[^\W\d_]+")


def _mapped(table: dict[str, str]) -> Callable[[str], str]:
    return lambda text: "".join(table.get(letter, letter) for letter in text)


def _between_letters(mark: str) -> Callable[[str], str]:
    """Put a mark between the letters of every other word of four letters or more."""

    def change(text: str) -> str:
        count = iter(range(len(text)))
        return _WORD.sub(
            lambda word: mark.join(word[0]) if len(word[0]) > 3 and next(count) % 2 == 0 else word[0], text
        )

    return change


def _after_letters(mark: str) -> Callable[[str], str]:
    return lambda text: "".join(letter + mark if letter.isalpha() else letter for letter in text)


def _between_words(mark: str) -> Callable[[str], str]:
    return lambda text: mark.join(text.split())


def _alternating(text: str) -> str:
    return "".join(letter.upper() if at % 2 else letter.lower() for at, letter in enumerate(text))


def _stretched(text: str) -> str:
    return _WORD.sub(lambda word: word[0] + 3 * word[0][-1] if len(word[0]) > 3 else word[0], text)


def _entities(text: str) -> str:
    return "".join(f"&#{ord(letter)};" if letter.isalpha() and at % 3 == 0 else html.escape(letter, quote=False)
                   for at, letter in enumerate(text))  # fmt: skip


def _backwards(text: str) -> str:
    return f"\u202e{text[::-1]}\u202c"


DISGUISES: dict[str, Callable[[str], str]] = {
    "zero-width space": _after_letters("\u200b"),
    "soft hyphen": _after_letters("\u00ad"),
    "direction marks": _after_letters("\u200e"),
    "strike-through": _after_letters("\u0336"),
    "written backwards": _backwards,
    "full width": _mapped(_WIDE),
    "mathematical bold": _mapped(_BOLD),
    "circled letters": _mapped(_CIRCLED),
    "small capitals": _mapped(_SMALL_CAPITALS),
    "Cyrillic look-alikes": _mapped(_CYRILLIC),
    "Greek look-alikes": _mapped(_GREEK),
    "accents": _mapped(_ACCENTS),
    "digits for letters": _mapped(_LEET),
    "symbols for letters": _mapped(_SYMBOLS),
    "letters set apart": _between_letters(" "),
    "dots between letters": _between_letters("."),
    "words joined by _": _between_words("_"),
    "emoji between words": _between_words(" 🔥 "),
    "alternating case": _alternating,
    "letters repeated": _stretched,
    "entities": _entities,
    "capitals": str.upper,
    "a line a word": _between_words("\n"),
}
"""Name of a disguise to what it makes of a text; on scripts that it does not know it leaves the text as it is."""
