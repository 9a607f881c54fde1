"""Material text made safe to show: excerpts, the words that led to a label, and nothing that can steer the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from antiphon.dossier.words import is_act

__all__ = ["Segment", "Span", "passage", "plain"]

# C0 and C1 controls but tab and line feed, noncharacters that HTML forbids, and the two direction overrides. Each
# becomes one visible character, so that the offsets of spans hold.
_CONTROLS = {
    code: "\ufffd" for code in (*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
}
_CONTROLS[0x0D] = "\n"
_OVERRIDES = {"\u202d": "left-to-right override", "\u202e": "right-to-left override"}
_OVERRIDE = re.compile("([\u202d\u202e])")
_SOFT_CHARS = 24
_MAX_SPANS = 24
_MAX_SPAN_CHARS = 400


@dataclass(frozen=True)
class Span:
    """Words of a text that led to a label: `start` and `end` in characters, and why."""

    start: int
    end: int
    label: str
    reason: str


@dataclass(frozen=True)
class Segment:
    """A run of text to be shown in one way.

    Args:
        kind: `plain`, `act` or `context` (words that led to a label), `gap` (text left out; `text` says how much) or
            `control` (a direction override, named instead of obeyed).
        text: The characters.
        notes: Numbers, from 1, of the spans that cover it.
        ends: Those of `notes` that end here, where the page puts their numbers.
    """

    kind: str
    text: str
    notes: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


def plain(text: str | None, limit: int = 300) -> str:
    r"""Return one line of text for a heading or a table: no controls, no overrides, at most `limit` characters.

    Example:
        >>> plain("a\x00 b\n\u202ec", limit=40)
        'a� b [right-to-left override]c'
        >>> plain("abcdef", limit=4)
        'abc…'
    """
    line = " ".join((text or "")[: limit * 4].translate(_CONTROLS).split())
    line = _OVERRIDE.sub(lambda found: f"[{_OVERRIDES[found.group()]}]", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def usable_spans(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the spans that lie inside the text, in order, at most 24; an analyser's mistake must not break a page."""
    inside = {span for span in spans if 0 <= span.start < span.end <= len(text)}
    return sorted(inside, key=lambda span: (span.start, span.end, span.label, span.reason))[:_MAX_SPANS]


def passage(text: str, spans: Sequence[Span], limit: int, total_chars: int | None = None) -> tuple[Segment, ...]:
    """Return the text as segments: whole if short, else its beginning and the words around each span.

    Args:
        text: The text; characters beyond it may exist, see `total_chars`.
        spans: Spans as `usable_spans` gives them; numbered from 1 in this order.
        limit: About how many characters to show.
        total_chars: Length of the whole text where `text` is only its beginning.
    """
    shown = text.replace("\r\n", " \n").translate(_CONTROLS)
    segments: list[Segment] = []
    at = 0
    for start, end in _windows(shown, spans, limit):
        if start > at:
            segments.append(_gap(start - at))
        segments.extend(_pieces(shown, spans, start, end))
        at = end
    if (rest := max(len(text), total_chars or 0) - at) > 0:
        segments.append(_gap(rest))
    return tuple(segments)


def _gap(chars: int) -> Segment:
    return Segment("gap", f"{chars:,} character{'' if chars == 1 else 's'} not shown")


def _windows(text: str, spans: Sequence[Span], limit: int) -> list[tuple[int, int]]:
    """Which ranges of the text to show, in order, not touching."""
    if len(text) <= limit:
        return [(0, len(text))] if text else []
    around = limit // 10
    windows = [(0, _soft(text, limit // 2))]
    room = limit // 2
    for span in sorted(spans, key=lambda span: (not is_act(span.label), span.start)):
        start = _soft(text, max(0, span.start - around))
        end = min(len(text), min(span.end, span.start + _MAX_SPAN_CHARS) + around)
        if any(low <= start and end <= high for low, high in windows):
            continue
        if (room := room - (end - start)) < 0:
            break
        windows.append((start, max(_soft(text, end), start + 1)))
    return _merged(windows)


def _merged(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1] + _SOFT_CHARS:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _soft(text: str, at: int) -> int:
    """Move a cut back to the nearest white space, so that words stay whole where there are words."""
    for back in range(min(at, _SOFT_CHARS)):
        if at >= len(text) or text[at - back - 1].isspace():
            return at - back
    return at


def _pieces(text: str, spans: Sequence[Span], start: int, end: int) -> list[Segment]:
    """Cut a range where spans begin and end, so that overlapping spans nest in no way."""
    cuts = {start, end}
    for span in spans:
        cuts.update(cut for cut in (span.start, span.end) if start < cut < end)
    pieces: list[Segment] = []
    ordered = sorted(cuts)
    for low, high in pairwise(ordered):
        notes = tuple(n for n, span in enumerate(spans, 1) if span.start < high and low < span.end)
        kind = "act" if any(is_act(spans[n - 1].label) for n in notes) else "context" if notes else "plain"
        ends = tuple(n for n in notes if spans[n - 1].end == high or (high == end and spans[n - 1].end > high))
        pieces.extend(_named_overrides(Segment(kind, text[low:high], notes, ends)))
    return pieces


def _named_overrides(segment: Segment) -> list[Segment]:
    parts = [part for part in _OVERRIDE.split(segment.text) if part]
    if len(parts) == 1 and parts[0] not in _OVERRIDES:
        return [segment]
    pieces = [
        Segment("control", _OVERRIDES[part]) if part in _OVERRIDES else Segment(segment.kind, part, segment.notes)
        for part in parts
    ]
    last = max((i for i, piece in enumerate(pieces) if piece.kind != "control"), default=None)
    if last is not None:
        pieces[last] = Segment(segment.kind, pieces[last].text, segment.notes, segment.ends)
    return pieces
