"""What captions say: the text of WebVTT, SubRip, YouTube's SBV and (Advanced) SubStation files as a viewer reads it.

Each block of a file is judged by the library that knows its format, so that one broken cue costs one cue. Captions made
by machines roll: every cue repeats the line before it; the repetition is taken out.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pysubs2
import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from antiphon.model.material import Gap, Skipped

__all__ = ["CAPTION_SUFFIXES", "Cues", "caption_name", "form_of", "read_cues"]

CAPTION_SUFFIXES = (".vtt", ".srt", ".sbv", ".ass", ".ssa")
_NAME = re.compile(
    r"(?P<stem>.+?)(?:\.(?P<lang>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,12})*))?\.(?P<suffix>vtt|srt|sbv|ass|ssa)$"
)
_SRT = re.compile(r"\s*\d+[ \t]*\r?\n[ \t]*\d+:\d{1,2}:\d{1,2}[,.]\d+[ \t]*-->")
_SBV = re.compile(r"\s*\d+:\d{1,2}:\d{1,2}\.\d{3},\d+:\d{1,2}:\d{1,2}\.\d{3}[ \t]*\r?\n")
_LANGUAGE = re.compile(r"Language:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)\s*$", re.MULTILINE)
_STAMP = re.compile(r"<\d+:[\d:.]+>")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_NO_CUE = ("NOTE", "STYLE", "REGION", "WEBVTT", "X-TIMESTAMP-MAP")
_ROLLING_SHARE = 0.8
_ROLLING_CUES = 4
_FAULTS = {
    "cue-timing-invalid": "the cue's timing can't be read; correct it and read the file again",
    "cue-timing-missing": "the text has no timing; it was not shown",
    "cue-empty": "the cue has no text",
}


@dataclass
class Cues:
    """What a caption file says, and what of it could not be read."""

    text: str | None = None
    lang: str | None = None
    cues: int = 0
    faults: list[Skipped] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def caption_name(name: str) -> tuple[str, str | None] | None:
    """Return what a caption file belongs to and its language, by its name; None where it has no suffix of captions.

    Example:
        >>> caption_name("Harbour at dawn [AAAAAAAAAAA].en-orig.vtt")
        ('Harbour at dawn [AAAAAAAAAAA]', 'en-orig')
    """
    match = _NAME.match(name)
    return (match["stem"], match["lang"]) if match else None


def form_of(text: str, name: str) -> tuple[str | None, bool]:
    """Return the format of captions, and whether the content says so; else only the name does."""
    opened = text.removeprefix("\ufeff").lstrip("\r\n ")
    if opened.startswith("WEBVTT"):
        return "vtt", True
    if opened.startswith("[Script Info]"):
        return "ass", True
    for pattern, form in ((_SRT, "srt"), (_SBV, "sbv")):
        if pattern.match(opened):
            return form, True
    suffix = next((suffix[1:] for suffix in CAPTION_SUFFIXES if name.lower().endswith(suffix)), None)
    return ("ass" if suffix == "ssa" else suffix), False


def read_cues(content: bytes, name: str) -> Cues:
    """Return what a caption file says. Never raises: what can't be read is among the faults."""
    found = Cues()
    text, form = _decoded(content, name, found)
    if text is None:
        return found
    if not text.strip():
        found.faults.append(Skipped("captions-empty", "the file has no content; get it again", raw=content))
    elif form == "ass":
        _read_ass(text, content, found)
    else:
        _read_blocks(text, form or "srt", content, found)
    if found.text is None and not any(fault.reason.startswith("captions-") for fault in found.faults):
        found.faults.append(Skipped("captions-empty", "the file has no cue with text", raw=content))
    return found


def _decoded(content: bytes, name: str, found: Cues) -> tuple[str | None, str | None]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
        return text, form_of(text, name)[0]
    text = content.decode("utf-8-sig", "replace")
    form, _ = form_of(text, name)
    broken = text.count("\ufffd") - content.count("\ufffd".encode())
    if broken > 0 and form == "vtt":  # WebVTT is UTF-8, decoded with replacement (W3C WebVTT, section 4.1)
        found.gaps.append(Gap(f"{broken} places are broken UTF-8; they are shown as U+FFFD"))
    elif broken > 0:
        detail = "not UTF-8, and these files do not say what else; save it as UTF-8"
        found.faults.append(Skipped("encoding-unknown", detail, raw=content))
        return None, form
    return text, form


def _read_ass(text: str, content: bytes, found: Cues) -> None:
    try:
        events = pysubs2.SSAFile.from_string(text, format_="ass").events
    except (pysubs2.Pysubs2Error, ValueError, KeyError, IndexError, TypeError) as fault:
        found.faults.append(_malformed(type(fault).__name__, content))
        return
    shown = sorted((event for event in events if not event.is_comment), key=lambda event: int(event.start))
    _say(found, [event.plaintext.split("\n") for event in shown], rolling=False)


def _malformed(why: str, content: bytes) -> Skipped:
    return Skipped("captions-malformed", f"not one cue can be read ({why}); get the file again", raw=content)


def _read_blocks(text: str, form: str, content: bytes, found: Cues) -> None:
    lines = text.replace("\x00", "\ufffd").splitlines()
    if form == "vtt" and not text.removeprefix("\ufeff").startswith("WEBVTT"):
        found.faults.append(_malformed("the WEBVTT line at the top is missing", content))
        return
    if form == "vtt" and (language := _LANGUAGE.search(text.partition("-->")[0])):
        found.lang = language[1]
    cues: list[list[str]] = []
    faults: list[Skipped] = []
    for number, block in enumerate(_blocks(lines, form)):
        _read_block(block, form, number, cues, faults)
    if not cues and form != "vtt":
        found.faults.append(_malformed(f"expected {form.upper()}", content))
        return
    found.faults += faults
    _say(found, cues, rolling=bool(_STAMP.search(text)))


def _blocks(lines: list[str], form: str) -> Iterator[list[str]]:
    """Yield the blocks between blank lines, cut also where a timing follows without one; the header is left out."""
    block: list[str] = []
    for line in [*lines, ""]:
        starts = "-->" in line and bool(block) and _is_whole(block, form)
        if (not line.strip() and not (block and form == "vtt" and line)) or starts:
            index = [block.pop()] if starts and form == "srt" and block[-1].strip().isdecimal() else []
            if block:
                yield block
            block = index
        if line.strip() or block:
            block.append(line)


def _is_whole(block: list[str], form: str) -> bool:
    """Tell whether a timing can't belong to the block before it, so that it begins the next."""
    if any("-->" in line for line in block):
        return True
    return len(block) > 1 if form == "srt" else block[0].startswith("WEBVTT")


def _read_block(block: list[str], form: str, number: int, cues: list[list[str]], faults: list[Skipped]) -> None:
    if form == "vtt" and block[0].startswith(_NO_CUE):
        return
    timed = [index for index, line in enumerate(block[:2]) if _is_timing(line, form)]
    if not timed:
        if form == "srt" and cues and not block[0].strip().isdecimal():
            cues[-1] += block  # a blank line inside a cue's text
        else:
            faults.append(_fault("cue-timing-missing", number, block))
        return
    said = _captions(block, form)
    if said is None:
        faults.append(_fault("cue-timing-invalid" if len(block) > timed[0] + 1 else "cue-empty", number, block))
    elif not any(line.strip() for line in said):
        faults.append(_fault("cue-empty", number, block))
    else:
        cues.append(said)


def _is_timing(line: str, form: str) -> bool:
    return "," in line and line[:1].isdigit() and ":" in line.partition(",")[0] if form == "sbv" else "-->" in line


def _fault(reason: str, number: int, block: list[str]) -> Skipped:
    return Skipped(
        reason, f"block {number}: {_FAULTS[reason]}", number, raw="\n".join(block).encode("utf-8", "replace")
    )


def _captions(block: list[str], form: str) -> list[str] | None:
    """Return the lines that a block shows, its tags resolved; None where the library finds no cue in it."""
    lines = block
    if form == "vtt":
        lines = ["WEBVTT", "", *block]
    elif form == "srt" and ("-->" in block[0] or block[0].strip().isdecimal()):
        lines = [
            "1",
            *block[0 if "-->" in block[0] else 1 :],
        ]  # the number says nothing, and is often missing or padded
    try:
        captions = webvtt.from_buffer(io.StringIO("\n".join(lines)), format=form).captions
    except (MalformedFileError, MalformedCaptionError, ValueError):
        return None
    return [line for caption in captions for line in caption.text.split("\n")] if captions else None


def _say(found: Cues, cues: list[list[str]], *, rolling: bool) -> None:
    """Set the text that the cues show; where they roll, a line that is still on the screen is said once."""
    shown = [[line for raw in cue if (line := _plain(raw))] for cue in cues]
    pairs = [(before, cue) for before, cue in pairwise(shown) if before and cue]
    repeats = sum(before[-1] == cue[0] for before, cue in pairs)
    if not rolling:
        rolling = len(pairs) >= _ROLLING_CUES and repeats >= _ROLLING_SHARE * len(pairs)
    lines: list[str] = []
    for cue in shown:
        lines += cue[_overlap(lines, cue) :] if rolling else cue
    found.text, found.cues = "\n".join(lines) or None, len(cues)


def _plain(line: str) -> str:
    return html.unescape(_OVERRIDE.sub("", line)).replace("\u200b", "").strip()


def _overlap(lines: list[str], cue: list[str]) -> int:
    """Return how many of a cue's first lines are the last ones said."""
    return next((size for size in range(min(len(lines), len(cue)), 0, -1) if lines[-size:] == cue[:size]), 0)
