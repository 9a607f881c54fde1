"""The signals of a file, by all signal types that read such files."""

from __future__ import annotations

from antiphon import plugins
from antiphon.fingerprints.interface import Signal, SignalType

__all__ = ["SIGNALS_GROUP", "signals_of"]

SIGNALS_GROUP = "antiphon.signals"


def signals_of(content: bytes, media_type: str) -> dict[str, Signal]:
    """Return the signals of a file by type.

    Args:
        content: The file.
        media_type: What it is, such as `image/jpeg`; of an unknown one only what every file has is made.

    Raises:
        InputError: the file is damaged, or is not what its media type says.
    """
    kinds: dict[str, SignalType] = plugins.load(SIGNALS_GROUP, SignalType)
    found = {name: kind.fingerprint(content) for name, kind in kinds.items() if media_type.startswith(kind.content)}
    return {name: signal for name, signal in found.items() if signal is not None}
