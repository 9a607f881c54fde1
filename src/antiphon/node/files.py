"""Looking up a file whole: by its signals, and by the words that stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from antiphon.node.lookup import Hit, LookUp
from antiphon.node.signals import PictureWords, words_of

__all__ = ["FileFound", "look_up_file"]

_IN_WORDS = "words in the picture"


class FileFound(NamedTuple):
    """What a file is near: its signals by type, the words in it (None where none were read), and the hits of both."""

    signals: dict[str, bytes]
    words: PictureWords | None
    hits: list[Hit]


def look_up_file(look_up: LookUp, content: bytes, media_type: str, *, words: bool = True) -> FileFound:
    """Return what this node's banks know of a file.

    Args:
        look_up: The banks.
        content: The file.
        media_type: What it is, such as `image/jpeg`.
        words: Whether the words in a picture are read too, which takes a fifth of a second or more.

    Raises:
        InputError: the file is damaged, or is not what its media type says.
    """
    signals, hits = look_up.file(content, media_type)
    said = words_of(content, media_type) if words else None
    if said is not None:
        hits = [*hits, *_of_words(look_up.text(said.text))]
    return FileFound(signals, said, hits)


def _of_words(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Say of each hit that it is one of the words."""
    for hit in hits:
        yield replace(hit, alignment=f"{_IN_WORDS}, {hit.alignment}" if hit.alignment else _IN_WORDS)
