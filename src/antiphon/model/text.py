"""The normal form of a text: what two people would call the same words."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["normalise"]

# Characters that change how a text looks in no way or hardly, used to break naive matching: soft hyphen, combining
# grapheme joiner, zero-width and direction marks, word joiner and invisible operators, variation selectors, the byte
# order mark, Arabic tatweel and short vowels, Hebrew points.
_DROPPED = dict.fromkeys(
    {0x00AD, 0x034F, 0x061C, 0x0640, 0x0670, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)}
    | {*range(0x2060, 0x2070), *range(0xFE00, 0xFE10), *range(0x064B, 0x0660), *range(0x0591, 0x05C8)}
)
_ARABIC_FORMS = dict(zip(map(ord, "أإآٱىئؤةکی"), "ااااييوهكي", strict=True))
_TABLE = {**_DROPPED, **_ARABIC_FORMS}
_IN_TABLE = re.compile(f"[{re.escape(''.join(map(chr, _TABLE)))}]")
_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    r"""Return the normal form of a text.

    Compatibility forms and case are folded, invisible marks and vowel points dropped, Arabic letter forms joined, white
    space collapsed. Pure and idempotent. Words, punctuation and their order stay.

    Source:
        Unicode Standard Annex 15 (NFKC); Unicode Standard section 9.2 for the Arabic marks.

    Example:
        >>> normalise("  The\u200b ASH\tLantern ")
        'the ash lantern'
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    if _IN_TABLE.search(folded):  # most texts have none, and to look is ten times cheaper than to translate
        folded = unicodedata.normalize("NFKC", folded.translate(_TABLE))
    return _SPACES.sub(" ", folded).strip()
