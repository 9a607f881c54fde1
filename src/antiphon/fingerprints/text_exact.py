"""BLAKE2b-128 of a text's normal form: the same words, however they are dressed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from antiphon.errors import InputError
from antiphon.fingerprints._texts import Texts, read_texts
from antiphon.fingerprints.interface import Digest, Signal

__all__ = ["FULL_QUALITY_LETTERS", "MIN_LETTERS", "TextExact", "decode_text"]

MIN_LETTERS = 12
"""Texts of fewer letters ("well done!") are said by many who have nothing to do with one another."""

FULL_QUALITY_LETTERS = 60
"""From here on a text is long enough that two people hardly write it by chance; quality grows evenly up to it."""


class TextExact(Digest):
    """Signal type: BLAKE2b-128 of the normal form of a text of 12 letters or more; only equal values match.

    A syllable or word sign (Han, Kana, Hangul, Thai, ...) counts as two letters.
    """

    name: str = "text_exact"
    version: str = "1"
    content: str = "text"
    value_bytes: int = 16

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the digest of the normal form, or None for a text of too few letters."""
        rows, values, qualities = self.of_texts(read_texts([decode_text(content)]))
        return Signal(values[0], qualities[0]) if rows else None

    def of_texts(self, texts: Texts) -> tuple[list[int], list[bytes], list[float]]:
        """Return which texts have a signal, their values and their qualities."""
        letters = texts.letters.tolist()
        rows = [row for row, count in enumerate(letters) if count >= MIN_LETTERS]
        values = [hashlib.blake2b(texts.normal[row].encode(), digest_size=16).digest() for row in rows]
        return rows, values, [min(1.0, letters[row] / FULL_QUALITY_LETTERS) for row in rows]

    def examples(self) -> Sequence[bytes]:
        """Return harmless texts in three scripts."""
        return tuple(
            text.encode()
            for text in (
                "The ferry to Varnholt leaves at nine, bring a coat.",
                "Паром в Варнхольт уходит в девять утра.",
                "渡し船は九時に出ます",
            )
        )


def decode_text(content: bytes) -> str:
    """Return UTF-8 bytes as text.

    Raises:
        InputError: They are not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as cause:
        raise InputError(
            f"the content is not UTF-8 from byte {cause.start} on",
            where="text signal",
            do="Decode the text by its own encoding first, then hand over UTF-8.",
        ) from None
