"""Caption files by themselves: WebVTT, SubRip, SBV, SubStation.

Where a video's `info.json` lies beside, or yt-dlp's file name holds a YouTube id, the captions get the identity that
the video's reader gives them too: read twice, they are one material. Else they are known by their bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, ClassVar

from antiphon.errors import InputError
from antiphon.model.material import Item, Material, Skipped
from antiphon.sources.cues import CAPTION_SUFFIXES, caption_name, form_of, read_cues
from antiphon.sources.interface import MAX_RECORD_BYTES, Example, ReadContext
from antiphon.sources.jsonio import loads
from antiphon.sources.youtube import Video, caption_of, input_name, video_of

__all__ = ["CaptionFile"]

_YOUTUBE_ID = re.compile(r"\[([A-Za-z0-9_-]{11})\]$|-([A-Za-z0-9_-]{11})$")
_MAX_INFO_BYTES = 64 * 2**20


class CaptionFile:
    """Reads one caption file as one material."""

    name: ClassVar[str] = "captions"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Captions: WebVTT, SubRip (SRT), SBV, SubStation (ASS)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 where the content is captions, 0.5 where only the file's name says so."""
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = head[: len(head) & ~1].decode("utf-16", "replace")
        else:
            text = head.decode("utf-8", "replace")
        form, certain = form_of(text, name)
        if certain:
            return 0.95
        return 0.5 if form and name.lower().endswith(CAPTION_SUFFIXES) and "\x00" not in text else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the captions, and each cue that could not be read."""
        content = stream.read(MAX_RECORD_BYTES + 1)
        if len(content) > MAX_RECORD_BYTES:
            yield Skipped("record-too-long", f"captions longer than {MAX_RECORD_BYTES:,} bytes; cut the file", 0)
            return
        name = input_name(context)
        for suffix in (".gz", ".zst", ".bz2", ".xz"):
            name = name.removesuffix(suffix)
        stem, lang = caption_name(name) or (name, None)
        video = _video(stem, context)
        if video is not None and (reason := video.closed(context)):
            yield Skipped("not-public", reason, 0, keep_raw=False)
            return
        if video is None:
            video = Video("captions", None, None)
        for item in caption_of(video, lang, read_cues(content, name), 0):
            if isinstance(item, Material) and item.native_id is None:
                item.native_id = f"sha256:{hashlib.sha256(content).hexdigest()}"
            yield item

    def examples(self) -> Iterable[Example]:
        """Return invented captions of three formats."""
        yield Example("harbour.en.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\nThe boats are leaving.\n", 1)
        yield Example("harbour.srt", b"1\n00:00:00,000 --> 00:00:02,000\n<i>The boats are leaving.</i>\n", 1)
        yield Example("harbour.sbv", b"0:00:00.000,0:00:02.000\nThe boats are leaving.\n", 1)


def _video(stem: str, context: ReadContext) -> Video | None:
    """Return the video that captions belong to, by the description beside them or by the id in their name."""
    description = context.sibling(f"{stem}.info.json")
    if description is not None:
        with description:
            content = description.read(_MAX_INFO_BYTES + 1)
        try:
            info = loads(content)
            return video_of(info) if isinstance(info, dict) else None
        except (ValueError, RecursionError, InputError):
            pass  # the description goes to the quarantine by itself
    match = _YOUTUBE_ID.search(stem)
    if match is None:
        return None
    video_id = match[1] or match[2]
    return Video("youtube", video_id, f"https://www.youtube.com/watch?v={video_id}")
