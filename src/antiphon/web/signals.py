"""HMA's names and spellings of signals, and ours.

HMA's types belong to a kind of content (`video_md5`); ours do not (`md5`). Digests are hexadecimal on both sides, a
video's frames are vPDQ's own JSON list, an address and a text are themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import orjson

from antiphon.errors import AntiphonError
from antiphon.model.bank import MAX_VALUE_BYTES, SIGNAL_BYTES, BankEntry
from antiphon.node.banks import address_entry
from antiphon.node.lookup import Query
from antiphon.web.errors import BadRequestError

__all__ = ["CONTENT_TYPES", "OF_WORDS", "TYPES", "WORDS", "hashes_of", "query_of", "spelled"]

CONTENT_TYPES: Mapping[str, str] = {"photo": "image/", "video": "video/"}
"""HMA's kinds of files → the beginning of their media type."""

TYPES: Mapping[str, str] = {
    "pdq": "pdq", "md5": "md5", "video_md5": "md5", "sha256": "sha256", "video_sha256": "sha256", "vpdq": "vpdq",
    "url": "url", "url_domain": "url_domain", "raw_text": "text",
}  # fmt: skip
"""Name in a request → our signal type."""

WORDS = "raw_text"
"""HMA's name of a text; of a picture, the words in it."""

OF_WORDS = frozenset({"text", "phrase", "text_near", "text_exact"})
"""What a text can be near to."""

_OF_VIDEO = {"md5": "video_md5", "sha256": "video_sha256"}
_FRAME = re.compile(r"([0-9a-fA-F]{64}),([0-9]{1,3}),[0-9.]{1,20}")
_FRAME_BYTES = 33


def query_of(name: str, signal: str) -> tuple[str, Query]:
    """Return our signal type and what to look up for a signal in HMA's spelling.

    Raises:
        BadRequestError: there is no such type, or the signal is none of it.
    """
    kind = TYPES.get(name)
    if kind is None:
        raise BadRequestError(
            f"No such SignalType {name[:40]!r}", where="signal_type", do="Use one of: " + ", ".join(TYPES) + "."
        )
    if kind == "text":
        return kind, Query(text=_text(signal))
    return kind, Query({kind: _READ.get(kind, _digest)(kind, signal.strip())})


def hashes_of(signals: Mapping[str, bytes], content_type: str, wanted: str | None = None) -> dict[str, str]:
    """Return a file's signals by HMA's names, each as HMA spells it.

    Args:
        signals: Our signal type → value.
        content_type: `photo` or `video`.
        wanted: Names with commas between them; None for all.

    Raises:
        BadRequestError: a name is none of this kind of file's.
    """
    names = {kind: _OF_VIDEO.get(kind, kind) if content_type == "video" else kind for kind in signals}
    if wanted is not None:
        chosen = {name.strip() for name in wanted.split(",")} - {""}
        unknown = sorted(chosen - set(names.values()))
        if unknown or not chosen:
            raise BadRequestError(
                f"{len(unknown)} of the signal types are not made of a {content_type}", where="types",
                do="Use some of: " + ", ".join(sorted(names.values())) + ".",
            )  # fmt: skip
        names = {kind: name for kind, name in names.items() if name in chosen}
    return {name: spelled(kind, signals[kind]) for kind, name in sorted(names.items())}


def spelled(kind: str, value: bytes) -> str:
    """Return a value as HMA spells it; vPDQ as a JSON list of `hash,quality,seconds`.

    Example:
        >>> spelled("md5", bytes(2)), spelled("phrase", b"blue lantern")
        ('0000', 'blue lantern')
    """
    if kind == "vpdq":
        frames = [value[at : at + _FRAME_BYTES] for at in range(0, len(value), _FRAME_BYTES)]
        return orjson.dumps([f"{frame[:32].hex()},{frame[32]},{at}.0" for at, frame in enumerate(frames)]).decode()
    return value.decode("utf-8", "replace") if kind in {"text", "phrase"} else value.hex()


def _text(signal: str) -> str:
    if not signal.strip() or len(signal.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
        raise _unfit("raw_text", f"a text of 1 to {MAX_VALUE_BYTES} bytes")
    return signal.encode("utf-8", "replace").decode()


def _digest(kind: str, signal: str) -> bytes:
    digits = 2 * SIGNAL_BYTES[kind]
    if len(signal) != digits or not re.fullmatch(r"[0-9a-fA-F]+", signal):
        raise _unfit(kind, f"{digits} hexadecimal digits", f"{len(signal)} characters")
    return bytes.fromhex(signal)


def _frames(kind: str, signal: str) -> bytes:
    try:
        listed = orjson.loads(signal)
    except orjson.JSONDecodeError:
        listed = None
    strings = listed if isinstance(listed, list) else []
    found = [_FRAME.fullmatch(one) if isinstance(one, str) else None for one in strings]
    frames = [bytes.fromhex(one[1]) + bytes((int(one[2]),)) for one in found if one and int(one[2]) <= 100]
    if not frames or len(frames) != len(strings) or len(frames) * _FRAME_BYTES > MAX_VALUE_BYTES:
        raise _unfit(kind, "a JSON list of `hash,quality,seconds`")
    return b"".join(frames)


def _address(kind: str, signal: str) -> bytes:
    try:
        return address_entry(BankEntry("", "", kind, b""), signal, "url" if kind == "url" else "url_domain").value
    except AntiphonError as fault:
        raise BadRequestError(fault.what, where="signal", do=fault.do) from fault


_READ: Mapping[str, Callable[[str, str], bytes]] = {"vpdq": _frames, "url": _address, "url_domain": _address}


def _unfit(name: str, wanted: str, got: str = "something else") -> BadRequestError:
    return BadRequestError(
        f"invalid signal: {name} is {wanted}, got {got}", where="signal", do="Send it as its own program writes it."
    )
