"""Small timelines that stand in a line of text."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Sparkline", "sparkline"]

_HIGH = 24


@dataclass(frozen=True)
class Sparkline:
    """A row of upright strokes: an SVG path in a box of `width` by `height`."""

    path: str
    width: int
    height: int = _HIGH + 1


def sparkline(counts: tuple[int, ...]) -> Sparkline | None:
    """Return a stroke for each count, the highest as high as the box, or None where there is nothing to draw.

    Example:
        >>> sparkline((0, 4, 2)).path
        'M4.5 25V1M7.5 25V13'
        >>> sparkline((0, 0)) is None
        True
    """
    top = max(counts, default=0)
    if top <= 0:
        return None
    strokes = (
        f"M{bucket * 3 + 1.5:g} {_HIGH + 1}V{_HIGH + 1 - max(1, round(n / top * _HIGH))}"
        for bucket, n in enumerate(counts)
        if n > 0
    )
    return Sparkline("".join(strokes), len(counts) * 3)
