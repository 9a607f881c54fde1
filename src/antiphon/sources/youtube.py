"""YouTube and its like: what yt-dlp and youtube-dl write about videos, playlists, their captions and comments.

The descriptions are `info.json` files, one-line dumps or a playlist in one document. Captions that lie beside an
`info.json` are read with it; whether a video may be read follows from its availability (R-03).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, ClassVar
from urllib.parse import urlsplit

import ijson

from antiphon.model.address import site
from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.cues import CAPTION_SUFFIXES, Cues, caption_name, read_cues
from antiphon.sources.interface import MAX_RECORD_BYTES, Example, ReadContext
from antiphon.sources.jsonio import broken_json, json_head
from antiphon.sources.records import (
    attempt,
    count_in,
    id_in,
    json_values,
    list_in,
    raw_of,
    require_one,
    rewound,
    text_in,
)

__all__ = ["Video", "YoutubeInfo", "caption_of", "input_name", "video_of"]

Record = dict[str, Any]
_ANY_SITE = ("", "generic", "html5", "html5mediaembed")
_PLAYLISTS = ("playlist", "multi_video")
_FLAT = ("url", "url_transparent")
_IMAGES = (".jpg", ".jpeg", ".webp", ".png")
_GONE = {"[Private video]": "not-public", "[Deleted video]": "deleted"}
_INFO = re.compile(r"\.info\.json.*$")
_ADULT = 18


@dataclass(frozen=True)
class Video:
    """What names a video, and what its captions and comments take from it."""

    source: str
    native_id: str | None
    url: str | None
    published_at: str | int | float | None = None
    author: str | None = None
    barred: str | None = None
    for_members: bool = False

    def closed(self, context: ReadContext) -> str | None:
        """Return why the video may not be read, or None; a person may state why members are the public."""
        return None if self.for_members and context.public_basis else self.barred


class YoutubeInfo:
    """Reads `info.json` files with the captions beside them, playlists, and dumps with one video on each line."""

    name: ClassVar[str] = "youtube"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = (
        "YouTube and other video sites: info.json of yt-dlp or youtube-dl, with captions and comments"
    )

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 where yt-dlp's own keys are seen, 0.9 for their shape where the head ends before them."""
        first = json_head(head).first
        if "replayChatItemAction" in first:
            return 0.9
        formats = first.get("formats")
        listed = formats[0] if isinstance(formats, list) and formats else None
        if (isinstance(listed, dict) and "format_id" in listed) or "automatic_captions" in first:
            return 0.9
        if not isinstance(first.get("id"), str):
            return 0.0
        if ("extractor_key" in first or "extractor" in first or "ie_key" in first) and _has_shape(first):
            return 0.95
        return 0.8 if first.get("_type") in _PLAYLISTS and ("entries" in first or "title" in first) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the videos, then what belongs to each: its captions; its comments come first, as they are streamed."""
        head, stream = rewound(stream)
        if json_head(head).shape == "object":
            yield from _read_documents(stream, context)
            return
        for item in json_values(stream):
            if isinstance(item, Skipped):
                yield item
            elif isinstance(item[1], dict) and "replayChatItemAction" in item[1]:
                yield Passed("live chat message")
            else:
                yield from attempt(partial(_infos, item[0], context, True), item[1], item[0])

    def examples(self) -> Iterable[Example]:
        """Return an invented video with a comment, and a flat playlist."""
        yield Example("Harbour [AAAAAAAAAAA].info.json", _EXAMPLE_VIDEO, 2)
        yield Example("playlist.json", _EXAMPLE_PLAYLIST, 2)


def _has_shape(info: Record) -> bool:
    return bool({"title", "_type", "url", "webpage_url", "formats"}.intersection(info))


@dataclass
class _Document:
    """A document while it is read: its own fields, and how many comments and entries came."""

    context: ReadContext
    info: Record = field(default_factory=dict)
    number: int = 0
    comments: int = 0
    entries: int | None = None

    def part(self, prefix: str, value: Any) -> list[Item]:  # noqa: ANN401 - JSON
        """Return what a comment or an entry gives."""
        self.number += 1
        if prefix == "entries.item":
            self.entries = (self.entries or 0) + 1
            return _entry(value, self.number, self.info, self.context)
        self.comments += 1
        return attempt(partial(_comment, self.number, video_of(self.info), self.context), value, self.number)

    def end(self) -> Iterator[Item]:
        """Yield what the document itself is, and begin the next."""
        if self.info.get("_type") in _PLAYLISTS or self.entries is not None:
            yield from _playlist(self.info, self.entries)
        elif self.info:
            yield from attempt(partial(_infos, self.number, self.context, True), self.info, self.number)
            yield from _missing_comments(self.info, self.comments)
        self.info, self.comments, self.entries, self.number = {}, 0, None, self.number + 1


def _read_documents(stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
    """Yield what documents hold; comments and entries are read one by one, however many there are."""
    document = _Document(context)
    events = ijson.parse(stream, use_float=True, multiple_values=True)
    try:
        for prefix, event, value in events:
            if prefix in ("comments.item", "entries.item"):
                yield from document.part(prefix, _built(events, prefix, event, value))
            elif prefix == "" and event == "end_map":
                yield from document.end()
            elif "." not in prefix and prefix and event in ("string", "number", "boolean"):
                document.info[prefix] = value
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
        if "title" in document.info:
            yield from document.end()
        yield broken_json(document.number, fault)


def _built(events: Iterator[tuple[str, str, Any]], prefix: str, event: str, value: object) -> Any:  # noqa: ANN401 - JSON
    """Return the value that begins here, and leave the events behind it."""
    if event not in ("start_map", "start_array"):
        return value
    builder = ijson.ObjectBuilder()
    builder.event(event, value)
    for at, inner, scalar in events:
        builder.event(inner, scalar)
        if at == prefix and inner in ("end_map", "end_array"):
            break
    return builder.value


def _entry(entry: Any, number: int, playlist: Record, context: ReadContext) -> list[Item]:  # noqa: ANN401 - JSON
    """Return what an entry of a playlist gives; entries that the tool could not fetch are null."""
    if entry is None:
        return [Gap(f"entry {number} of the playlist could not be fetched")]
    if isinstance(entry, dict) and "extractor_key" not in entry and "ie_key" not in entry:
        entry = entry | {key: playlist[key] for key in ("extractor_key", "webpage_url_domain") if key in playlist}
    return attempt(partial(_infos, number, context, False), entry, number)


def _playlist(info: Record, entries: int | None) -> Iterator[Item]:
    yield Passed("playlist")
    count = info.get("playlist_count")
    if entries is not None and isinstance(count, int) and count > entries:
        yield Gap(f"the playlist has {count:,} entries, {entries:,} of them are here")


def _missing_comments(info: Record, comments: int) -> Iterator[Item]:
    count = info.get("comment_count")
    if comments and isinstance(count, int) and count > comments:
        yield Gap(f"{comments:,} of {count:,} comments are here")


def _infos(number: int, context: ReadContext, own_file: bool, info: Record) -> Iterator[Item]:
    """Yield a video, its captions where they lie beside, and its comments; or the entries of a playlist."""
    if info.get("_type") in _PLAYLISTS or isinstance(info.get("entries"), list):
        entries = list_in(info, "entries")
        for entry in entries:
            yield from _entry(entry, number, info, context)
        yield from _playlist(info, len(entries) if "entries" in info else None)
        return
    require_one(info, "id", "title", "description")
    video = video_of(info)
    reason = _GONE.get(str(info.get("title")))
    if reason or video.closed(context):
        detail = video.barred or "the platform no longer shows the video"
        yield Skipped(reason or "not-public", detail, number, keep_raw=False)
        return
    files = _beside(context) if own_file else []
    yield _video(info, video, files, number, context)
    for name, lang in _captions(files, context):
        yield from _caption(name, lang, video, number, context)
    comments = list_in(info, "comments")
    for comment in comments:
        yield from attempt(partial(_comment, number, video, context), comment, number)
    yield from _missing_comments(info, len(comments))


def video_of(info: Record) -> Video:
    """Return what names a video, from what yt-dlp says of it."""
    platform = _platform(info)
    video_id = id_in(info, "id")
    page = text_in(info, "webpage_url") or text_in(info, "original_url")
    author = id_in(info, "channel_id", "uploader_id", "uploader", "channel")
    if platform == "youtube":
        return Video(
            "youtube", video_id, f"https://www.youtube.com/watch?v={video_id}" if video_id else page,
            _published(info), author, *_barred(info),
        )  # fmt: skip
    host = site(page) or text_in(info, "webpage_url_domain")
    source = platform if platform != "web" else f"web/{host}" if host else "web"
    # The id that yt-dlp makes up for any page is its file's name: only the site makes it unique.
    native_id = f"{host}/{video_id}" if platform == "web" and host and video_id else video_id
    return Video(source, native_id, page, _published(info), author, *_barred(info))


def _platform(info: Record) -> str:
    name = (text_in(info, "extractor_key") or text_in(info, "ie_key") or text_in(info, "extractor") or "").lower()
    host = site(text_in(info, "webpage_url") or text_in(info, "url")) or ""
    if name.startswith("youtube") or host in ("youtube.com", "m.youtube.com", "youtu.be"):
        return "youtube"
    return "web" if name in _ANY_SITE else re.sub(r"[^a-z0-9]+", "_", name.partition(":")[0]).strip("_")


def _published(info: Record) -> str | int | float | None:
    return next(
        (info[k] for k in ("timestamp", "release_timestamp", "upload_date", "release_date") if info.get(k)), None
    )


def _barred(info: Record) -> tuple[str | None, bool]:
    """Return why a video may not be read, or None, and whether that is for members to pass.

    Behind an age limit a video is public all the same: any adult can see it.
    """
    availability = info.get("availability")
    if availability in ("premium_only", "subscriber_only"):
        return "the video is for paying members; state the public basis if anyone may become one (R-03)", True
    if availability == "private" or (availability == "needs_auth" and (count_in(info, "age_limit") or 0) < _ADULT):
        return f"the video is not public (availability {availability}) (R-03)", False
    return None, False


def _video(info: Record, video: Video, files: list[str], number: int, context: ReadContext) -> Material:
    is_audio = video.source != "youtube" and info.get("vcodec") == "none" and info.get("acodec") not in (None, "none")
    return Material(
        source=video.source,
        native_id=video.native_id,
        url=video.url,
        kind="audio" if is_audio else "video",
        published_at=video.published_at,
        collected_at=info.get("epoch"),
        author=video.author,
        lang_declared=text_in(info, "language"),
        title=text_in(info, "title") or text_in(info, "fulltitle"),
        text=text_in(info, "description"),
        media=_media(info, video, files, context),
        views=count_in(info, "view_count"),
        reactions=count_in(info, "like_count"),
        shares=count_in(info, "repost_count"),
        replies=count_in(info, "comment_count"),
        record=number,
        raw=raw_of(info),
    )


def _media(info: Record, video: Video, files: list[str], context: ReadContext) -> list[Media]:
    """Return the video's file and its picture: those beside the description, else their addresses."""
    found = []
    stem = _stem(context)
    extension = text_in(info, "ext")
    own = f"{stem}.{extension}"
    address = text_in(info, "url")
    if own in files:
        found.append(context.media(own, "self"))
    elif address and info.get("_type") not in _FLAT and video.source != "youtube" and not urlsplit(address).query:
        # YouTube's own addresses expire, and carry the collector's network address.
        found.append(
            Media(path=address, mime=f"video/{extension}" if extension in ("mp4", "webm") else None, role="self")
        )
    picture = next((name for suffix in _IMAGES if (name := stem + suffix) in files), None)
    thumbnail = text_in(info, "thumbnail")
    if picture:
        found.append(context.media(picture, "preview"))
    elif thumbnail:
        found.append(Media(path=thumbnail, role="preview"))
    return found


def input_name(context: ReadContext) -> str:
    """Return the name of the input without its folders or containers."""
    return context.input.replace("!/", "/").replace("\\", "/").rpartition("/")[2]


def _stem(context: ReadContext) -> str:
    return _INFO.sub("", input_name(context))


def _beside(context: ReadContext) -> list[str]:
    """Return the files that belong to an `info.json` by their names."""
    name, stem = input_name(context), _stem(context)
    if stem == name:
        return []
    return sorted(sibling for sibling in context.siblings() if sibling.startswith(f"{stem}."))


def _captions(files: list[str], context: ReadContext) -> Iterator[tuple[str, str | None]]:
    """Yield the caption files and their languages; of a language in several formats only the first."""
    stem = _stem(context)
    seen = set()
    for suffix in CAPTION_SUFFIXES:
        for name in files:
            named = caption_name(name) if name.endswith(suffix) else None
            if named and named not in seen:
                seen.add(named)
                yield name, named[1] if named[0] == stem else name.removeprefix(f"{stem}.").removesuffix(suffix) or None


def _caption(name: str, lang: str | None, video: Video, number: int, context: ReadContext) -> Iterator[Item]:
    stream = context.sibling(name)
    if stream is None:
        return
    with stream:
        content = stream.read(MAX_RECORD_BYTES + 1)
    if len(content) > MAX_RECORD_BYTES:
        yield Skipped("record-too-long", f"captions longer than {MAX_RECORD_BYTES:,} bytes", number)
        return
    yield from caption_of(video, lang, read_cues(content, name), number)


def caption_of(video: Video, lang: str | None, cues: Cues, number: int | None) -> Iterator[Item]:
    """Yield a video's captions as a material, and what of them could not be read."""
    yield from cues.faults
    yield from cues.gaps
    if cues.text is None:
        return
    spoken = lang or cues.lang
    yield Material(
        source=video.source,
        native_id=f"{video.native_id}/{lang or 'und'}" if video.native_id else None,
        url=video.url,
        kind="caption",
        published_at=video.published_at,
        author=video.author,
        lang_declared=spoken.removesuffix("-orig") if spoken else None,
        text=cues.text,
        thread=video.native_id,
        record=number,
    )


def _comment(number: int, video: Video, context: ReadContext, comment: Record) -> Iterator[Item]:
    if reason := video.closed(context):
        yield Skipped("not-public", reason, number, keep_raw=False)
        return
    require_one(comment, "id", "text")
    comment_id, parent = id_in(comment, "id"), id_in(comment, "parent")
    yield Material(
        source=video.source,
        native_id=comment_id,
        url=f"{video.url}&lc={comment_id}" if video.source == "youtube" and video.url and comment_id else video.url,
        kind="comment",
        published_at=comment.get("timestamp"),
        author=id_in(comment, "author_id", "author"),
        text=text_in(comment, "text"),
        reply_to=video.native_id if parent in (None, "root") else parent,
        thread=video.native_id,
        reactions=count_in(comment, "like_count"),
        record=number,
        raw=raw_of(comment),
    )


_EXAMPLE_VIDEO = b"""{"id": "AAAAAAAAAAA", "title": "Harbour at dawn", "formats": [{"format_id": "18", "ext": "mp4"}],
 "description": "Fishing boats leave the harbour of Veyl.", "channel_id": "UCAAAAAAAAAAAAAAAAAAAAAA", "channel": "Veyl",
 "duration": 60, "view_count": 120, "like_count": 7, "comment_count": 1, "upload_date": "20260301",
 "timestamp": 1772355600, "availability": "public", "age_limit": 0, "extractor": "youtube", "extractor_key": "Youtube",
 "webpage_url": "https://www.youtube.com/watch?v=AAAAAAAAAAA", "_type": "video", "ext": "mp4", "epoch": 1772442000,
 "comments": [{"id": "UgAAAA", "parent": "root", "text": "What a quiet morning", "like_count": 2,
  "author_id": "UCBBBBBBBBBBBBBBBBBBBBBB", "author": "@someone", "timestamp": 1772359200}]}"""
_EXAMPLE_PLAYLIST = b"""{"id": "PLAAAA", "title": "Harbours", "_type": "playlist", "entries": [
 {"_type": "url", "ie_key": "Youtube", "id": "AAAAAAAAAAB", "url": "https://www.youtube.com/watch?v=AAAAAAAAAAB",
  "title": "Harbour at noon", "view_count": 3}, null,
 {"_type": "url", "ie_key": "Youtube", "id": "AAAAAAAAAAC", "url": "https://www.youtube.com/watch?v=AAAAAAAAAAC",
  "title": "Harbour at dusk", "view_count": 5}], "extractor_key": "YoutubeTab", "playlist_count": 3}"""
