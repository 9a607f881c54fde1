"""MD5 of a file's bytes: the same file, byte for byte, for lists that know nothing better."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import BinaryIO

from antiphon.fingerprints.interface import Digest, Signal

__all__ = ["Md5"]

_CHUNK = 2**20


class Md5(Digest):
    """Signal type: MD5 (RFC 1321) of the bytes, 16 bytes; only equal values match.

    Older lists of known files hold MD5 alone. Two different files with one MD5 can be made on purpose, so where a list
    has `sha256` too, that one is the evidence.
    """

    name: str = "md5"
    version: str = "1"
    content: str = ""
    value_bytes: int = 16

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the digest; None for an empty file, which says nothing."""
        return Signal(hashlib.md5(content, usedforsecurity=False).digest(), None) if content else None

    def of_stream(self, stream: BinaryIO) -> Signal | None:
        """Return what `fingerprint` does, of a file that need not be in memory."""
        digest = hashlib.md5(usedforsecurity=False)
        while piece := stream.read(_CHUNK):
            digest.update(piece)
        return Signal(digest.digest(), None) if stream.tell() else None

    def examples(self) -> Sequence[bytes]:
        """Return two harmless files."""
        return (b"the lighthouse keeper of Varnholt", bytes(range(256)))
