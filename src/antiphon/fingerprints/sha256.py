"""SHA-256 of a file's bytes: the same file, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from antiphon.fingerprints.interface import Digest, Signal

__all__ = ["Sha256"]


class Sha256(Digest):
    """Signal type: SHA-256 (FIPS 180-4) of the bytes, 32 bytes; only equal values match."""

    name: str = "sha256"
    version: str = "1"
    content: str = ""
    value_bytes: int = 32

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the digest; None for an empty file, which says nothing."""
        return Signal(hashlib.sha256(content).digest(), None) if content else None

    def examples(self) -> Sequence[bytes]:
        """Return two harmless files."""
        return (b"the lighthouse keeper of Varnholt", bytes(range(256)))
