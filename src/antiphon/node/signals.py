"""The signals of a file, by all signal types that read such files, and the words in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from antiphon import plugins
from antiphon.fingerprints.interface import Signal, SignalType
from antiphon.fingerprints.ocr import PictureWords, load_reader, read_words, reader_version
from antiphon.fingerprints.vpdq import Vpdq
from antiphon.node.media import media_type_of

__all__ = [
    "SIGNALS_GROUP",
    "Compared",
    "PictureWords",
    "compare",
    "load_reader",
    "reader_version",
    "signals_of",
    "words_of",
]

SIGNALS_GROUP = "antiphon.signals"

_SEEN = ("image/", "video/")


def signals_of(content: bytes, media_type: str) -> dict[str, Signal]:
    """Return the signals of a file by type.

    Args:
        content: The file.
        media_type: What it is, such as `image/jpeg`; where that is neither a picture nor a video the file's first bytes
            may say that it is one. Of a kind that nothing knows only what every file has is made.

    Raises:
        InputError: the file is damaged, or is not what its media type says.
    """
    media_type = _seen(content, media_type)
    kinds: dict[str, SignalType] = plugins.load(SIGNALS_GROUP, SignalType)
    found = {name: kind.fingerprint(content) for name, kind in kinds.items() if media_type.startswith(kind.content)}
    return {name: signal for name, signal in found.items() if signal is not None}


def words_of(content: bytes, media_type: str) -> PictureWords | None:
    """Return the words in a picture; None where there are none, it is no picture, or no reader is installed.

    Raises:
        InputError: the file is damaged, or is not what its media type says.
    """
    return read_words(content) if _seen(content, media_type).startswith("image/") else None


def _seen(content: bytes, media_type: str) -> str:
    """The media type of a picture or a video by its bytes where nobody has said that it is one."""
    if media_type.startswith(_SEEN):
        return media_type
    found = media_type_of(content[:64]) or ""
    return found if found.startswith(_SEEN) else media_type


class Compared(NamedTuple):
    """How far two signals lie apart, whether that is a match, and of two videos the share of each in the other."""

    distance: int
    is_match: bool
    shares: tuple[float, float] | None


def compare(left: Mapping[str, bytes], right: Mapping[str, bytes]) -> Compared | None:
    """Return how two things compare by the type of signal that both have; None where they have none in common.

    Args:
        left: Signal type → value; of several that both have the one that allows for most counts.
        right: The same of the other.

    Raises:
        InputError: a value is none of its type.
    """
    kinds: dict[str, SignalType] = plugins.load(SIGNALS_GROUP, SignalType)
    common = [kinds[name] for name in left if name in right and name in kinds]
    if not common:
        return None
    kind = max(common, key=lambda one: one.max_distance)
    values = left[kind.name], right[kind.name]
    distance = kind.distance(*values)
    shares = kind.shares(*values) if isinstance(kind, Vpdq) else None
    return Compared(distance, distance <= kind.max_distance, shares)
