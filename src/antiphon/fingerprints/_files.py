"""The signals of kept files: each file read once, however many materials show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from antiphon.errors import InputError
from antiphon.fingerprints.interface import Signal, SignalType, StreamSignalType

__all__ = ["Fault", "FileSignal", "Found", "KeptFiles"]

MAX_FILE_BYTES = 64 * 2**20
"""A kept copy that is larger is not read into memory."""

REMEMBERED = 1_000
"""So many files are remembered: what is passed on a hundred times is decoded once."""

REMEMBERED_BYTES = 32 * 2**10
"""What gives more than this is not remembered: the signal of a quarter of an hour of video."""


class FileSignal(NamedTuple):
    """A signal of a file: what follows the file's part in the material, signal type, value, quality."""

    after: str
    kind: str
    value: bytes
    quality: float | None


class Fault(NamedTuple):
    """What could not be made of a file: which signal type, the reason for the quarantine, the error."""

    kind: str
    reason: str
    error: InputError


class Found(NamedTuple):
    """What a file gives, and what could not be made of it."""

    signals: tuple[FileSignal, ...] = ()
    faults: tuple[Fault, ...] = ()


class KeptFiles:
    """Reads kept files, each at `sha256[:2]/sha256`.

    Args:
        root: Their folder; None where none were kept.
        kinds: The signal types; each is made of files whose media type begins with its `content`.
        words: What makes signals of the words in an image; None where they are not read.
    """

    def __init__(
        self, root: Path | None, kinds: Sequence[SignalType], words: Callable[[bytes], Iterable[FileSignal]] | None
    ) -> None:
        self._root, self._kinds, self._words = root, tuple(kinds), words
        self._known: dict[tuple[str, str], Found] = {}

    def read(self, sha256: str, mime: str) -> Found:
        """Return the signals of a file, none where no copy was kept.

        Args:
            sha256: Its digest, hex.
            mime: Its media type.
        """
        path = (self._root or Path()) / sha256[:2] / sha256
        if self._root is None or not path.is_file():
            return Found()
        found = self._known.get((sha256, mime)) or self._made(path, mime)
        if sum(len(signal.value) for signal in found.signals) <= REMEMBERED_BYTES:
            self._known[sha256, mime] = found
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return found

    def _made(self, path: Path, mime: str) -> Found:
        signals: list[FileSignal] = []
        faults: list[Fault] = []
        for kind in (kind for kind in self._kinds if mime.startswith(kind.content)):
            try:
                signal = _signal(kind, path)
            except InputError as error:
                faults.append(Fault(kind.name, _reason(kind.content), error))
            else:
                signals += [] if signal is None else [FileSignal("", kind.name, *signal)]
        if self._words is not None and mime.startswith("image/") and not faults:
            try:
                signals += self._words(_content(path))
            except InputError as error:
                faults.append(Fault("words", _reason("image/"), error))
        return Found(tuple(signals), tuple(faults))


def _signal(kind: SignalType, path: Path) -> Signal | None:
    if not isinstance(kind, StreamSignalType):
        return kind.fingerprint(_content(path))
    try:
        with path.open("rb") as stream:
            return kind.of_stream(stream)
    except OSError as cause:
        raise _unreadable(cause) from cause


def _content(path: Path) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes <= MAX_FILE_BYTES:
            return path.read_bytes()
    except OSError as cause:
        raise _unreadable(cause) from cause
    what = f"the kept copy has {size_bytes:,} bytes, expected at most {MAX_FILE_BYTES:,}"
    raise InputError(what, where="fingerprint_materials", do="Look at the folder of kept copies.")


def _unreadable(cause: OSError) -> InputError:
    what = f"the kept copy could not be read ({type(cause).__name__})"
    return InputError(what, where="fingerprint_materials", do="Look at the folder of kept copies.")


def _reason(content: str) -> str:
    kind = content.rstrip("/")
    return f"{kind}-unreadable" if kind in {"image", "video"} else "file-unreadable"
