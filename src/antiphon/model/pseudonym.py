"""Author pseudonyms: keyed, one-way, different in every case-space."""

from __future__ import annotations

from hashlib import blake2b

from antiphon.errors import ConfigError

__all__ = ["KEY_BYTES", "Pseudonyms", "case_key"]

KEY_BYTES = 32


def case_key(node_key: bytes, case_space: str) -> bytes:
    """Return the key of one case-space, so that the same author has unrelated pseudonyms in two of them (R-76)."""
    _require_key(node_key)
    return blake2b(case_space.encode(), key=node_key, person=b"antiphon-case", digest_size=KEY_BYTES).digest()


class Pseudonyms:
    """Maps (platform, account id) to a pseudonym under one key. Nothing here leads back."""

    def __init__(self, key: bytes) -> None:
        _require_key(key)
        self._keyed = blake2b(key=key, digest_size=16)

    def __call__(self, platform: str, account: str) -> str:
        """Return the pseudonym: `a_` and 32 hex digits of keyed BLAKE2b-128."""
        state = self._keyed.copy()  # the key is a block of its own: hashed once
        state.update(f"{len(platform)}:{platform}:{account}".encode("utf-8", "surrogatepass"))
        return "a_" + state.hexdigest()


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the key has {len(key)} bytes, expected {KEY_BYTES}", do="Run `antiphon init` to make one.")
