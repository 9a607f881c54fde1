"""What a signal type is: one fingerprint algorithm, found by the entry point `antiphon.signals`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from antiphon.errors import InputError

__all__ = ["Digest", "Signal", "SignalType", "StreamSignalType", "require_length"]


class Signal(NamedTuple):
    """A comparable value, and 0–1 how much there was to tell apart (None where the type has no measure)."""

    value: bytes
    quality: float | None


@runtime_checkable
class SignalType(Protocol):
    """One fingerprint algorithm. Instances hold no state, so one is shared by every thread.

    Attributes:
        name: `[a-z0-9_]+`; stands in banks and in result tables, so it is never reused for another algorithm.
        version: Raised when the same content would give another value.
        content: `text` where it reads UTF-8 text, or the media type's beginning (`image/`, or `` for every file).
        value_bytes: Length of a value.
        max_distance: The largest distance that can be a match, in the unit of `distance`; 0 for exact types.
    """

    name: str
    version: str
    content: str
    value_bytes: int
    max_distance: int

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the signal of some content, or None where it carries too little to tell apart.

        Raises:
            InputError: The content can't be read as what the type reads; `what` holds no part of it.
        """

    def distance(self, left: bytes, right: bytes) -> int:
        """Return how far two values lie apart, 0 for equal; symmetric.

        Raises:
            InputError: A value has another length than `value_bytes`.
        """

    def oracle(self, value: bytes, entries: Sequence[bytes]) -> list[int]:
        """Return the distance to each entry, reckoned the plain slow way that every index must reproduce."""

    def examples(self) -> Sequence[bytes]:
        """Return harmless contents that have a signal, for the contract test and the demo."""


@runtime_checkable
class StreamSignalType(SignalType, Protocol):
    """A signal type that need not have a whole file in memory; only such types are made of large files."""

    def of_stream(self, stream: BinaryIO) -> Signal | None:
        """Return what `fingerprint` does, of a stream that can be read to and fro.

        Raises:
            InputError: As `fingerprint`.
        """


def require_length(value: bytes, value_bytes: int, *, signal_type: str) -> None:
    """Check the length of a value.

    Raises:
        InputError: It is another one.
    """
    if len(value) != value_bytes:
        raise InputError(
            f"a {signal_type} value has {len(value)} bytes, expected {value_bytes}",
            where=f"signal type {signal_type}",
            do="Hand over values as the signal type's own `fingerprint` gives them.",
        )


class Digest:
    """What signal types have in common of which only equal values match."""

    name: str
    value_bytes: int
    max_distance: int = 0

    def distance(self, left: bytes, right: bytes) -> int:
        """Return 0 for equal values, 1 otherwise."""
        for value in (left, right):
            require_length(value, self.value_bytes, signal_type=self.name)
        return int(left != right)

    def oracle(self, value: bytes, entries: Sequence[bytes]) -> list[int]:
        """Return the distance to each entry, one after the other."""
        return [self.distance(value, entry) for entry in entries]
