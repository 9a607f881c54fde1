"""X (Twitter): the archive that an account can download, and full statuses of API 1.1.

An archive's files are scripts (`window.YTD.tweets.part0 = [...]`); the tweets are materials, everything else about the
account (likes, followers, messages, settings) is passed over and counted.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, ClassVar, cast
from urllib.parse import urlsplit

import ijson

from antiphon.errors import InputError
from antiphon.model.instants import instant_us
from antiphon.model.material import Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import HEAD_BYTES, Example, LineBlock, ReadContext
from antiphon.sources.jsonio import broken_json, json_head, loads, stream_items
from antiphon.sources.records import (
    attempt,
    count_in,
    id_in,
    json_line,
    json_values,
    list_in,
    object_in,
    raw_of,
    require_one,
    rewound,
    text_in,
)  # fmt: skip

__all__ = ["PROTECTED", "XArchive", "XStatusLines", "expanded", "lang_in", "posted_at", "public_url"]

Record = dict[str, Any]
_SCRIPT = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:window\.YTD\.([a-z0-9_]+)\.part\d+|Grailbird\.data\.(tweets)_\w+"
    rb"|window\.__THAR_(CONFIG)|var\s+(payload_details|tweet_index|user_details))\s*=\s*(?=[\[{])"
)
_TWEETS = ("tweets", "tweet", "community_tweet")
_TWEET_FILES = {"tweets.js", "tweet.js"}
_SECONDS = (0, 1, -1)
_SAME_CHARS = 40
_FOLDERS = ("tweets_media", "tweet_media", "community_tweet_media", "data/tweets_media")
_CREATED = re.compile(
    r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}$|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+"
)
_REPOST = re.compile(r"RT @\w+: ")
_TAIL_BYTES = 64
_EPOCH_MS = 1_288_834_974_657
_FIRST_SNOWFLAKE = 29_700_859_247
PROTECTED = "the account is protected: only people it admits can read it (R-03)"
_MAX_SIBLING_BYTES = 64 * 2**20


class _Value(io.RawIOBase):
    """The JSON value of a script, without the assignment before it and the semicolon that some tools put behind it."""

    def __init__(self, stream: BinaryIO, begin: int) -> None:
        stream.read(begin)
        self._stream, self._next = stream, stream.read(HEAD_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the type that io declares
        piece, self._next = self._next[: len(buffer)], self._next[len(buffer) :]
        if len(self._next) < _TAIL_BYTES:
            more = self._stream.read(HEAD_BYTES)
            self._next = self._next + more if more else (piece + self._next).rstrip(b"; \t\r\n\x00")[len(piece) :]
            piece = piece if more or self._next else piece.rstrip(b"; \t\r\n\x00")
        buffer[: len(piece)] = piece
        return len(piece)


class XArchive:
    """Reads the files of an account's archive, and arrays of API 1.1 statuses."""

    name: ClassVar[str] = "x_archive"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "X/Twitter archive (tweets.js and its parts), arrays of API 1.1 statuses"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.97 for a script of an archive, 0.9 for an array that opens with a status."""
        if _SCRIPT.match(head):
            return 0.97
        shape = json_head(head)
        if shape.shape == "array":
            return 0.9 if _is_archived(shape.first) or is_status(shape.first) else 0.0
        if shape.shape == "object" and is_status(shape.value):
            return 0.85  # one status by itself, or one too long for the head
        statuses = shape.value.get("statuses") if isinstance(shape.value, dict) else None
        return 0.9 if isinstance(statuses, list) and statuses and is_status(statuses[0]) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the tweets of a file that holds tweets; count the elements of any other."""
        head, stream = rewound(stream)
        script = _SCRIPT.match(head)
        if script is None:
            shape = json_head(head)
            archive = _archive(context) if _is_archived(shape.first) else None
            values = stream_items(stream, "statuses.item") if "statuses" in shape.first else json_values(stream)
            yield from _read_statuses(values, archive, context)
            return
        stream = cast(BinaryIO, io.BufferedReader(_Value(stream, script.end())))
        part = next(group for group in script.groups() if group).decode()
        if part in _TWEETS:
            yield from _read_statuses(stream_items(stream, "item"), _archive(context), context)
        elif part == "note_tweet" and not _TWEET_FILES.intersection(context.siblings()):
            for item in stream_items(stream, "item"):
                yield from (
                    [item] if isinstance(item, Skipped) else attempt(partial(_note, item[0], context), item[1], item[0])
                )
        else:
            yield from _pass(stream, part.lower().replace("_", "-"))

    def examples(self) -> Iterable[Example]:
        """Return an invented archive's tweets and likes."""
        yield Example("data/tweets.js", _EXAMPLE_TWEETS, 2)
        yield Example("data/like.js", b'window.YTD.like.part0 = [ {"like": {"tweetId": "7", "fullText": "Tea"}} ]', 0)


class XStatusLines:
    """Reads lines of API 1.1 statuses, as streams and twarc 1 wrote them."""

    name: ClassVar[str] = "x_status_lines"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "X/Twitter API 1.1 statuses, one on each line"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.92 where the first line is a status."""
        shape = json_head(head)
        return 0.92 if shape.shape == "lines" and (_is_archived(shape.first) or is_status(shape.first)) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the statuses of all lines."""
        yield from _read_statuses(json_values(stream), None, context)

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the statuses of some lines."""
        for record, offset, line in block.lines():
            value = json_line(line, record, offset)
            if isinstance(value, Skipped):
                yield value
            else:
                yield from attempt(partial(_statuses, record, offset, None, context), value, record, offset)

    def examples(self) -> Iterable[Example]:
        """Return two invented statuses."""
        yield Example("statuses.jsonl", _EXAMPLE_LINES, 3)


def is_status(value: object) -> bool:
    """Tell a status of API 1.1 by its id, text and the way in which that API writes a time."""
    if not isinstance(value, dict) or not isinstance(value.get("created_at"), str):
        return False
    has_text = isinstance(value.get("full_text") or value.get("text"), str)
    return has_text and ("id_str" in value or "id" in value) and bool(_CREATED.match(value["created_at"]))


def _is_archived(value: Record) -> bool:
    """Tell an element of an archive's tweets whose script was turned into plain JSON."""
    tweet = value.get("tweet")
    return isinstance(tweet, dict) and "full_text" in tweet and ("id_str" in tweet or "id" in tweet)


def _unwrapped(value: Record) -> Record:
    inner = value.get("tweet") or (next(iter(value.values())) if len(value) == 1 else None)
    return inner if isinstance(inner, dict) else value


@dataclass(frozen=True)
class _Archive:
    """What an archive says beside its tweets: whose they are, and the whole text of the long ones by their second."""

    owner: str | None
    notes: dict[int, list[Record]]

    def with_note(self, status: Record) -> Record:
        """Return a tweet with its long text, where the archive has one: same time, same beginning."""
        if not self.notes:
            return status
        try:
            posted_s = (instant_us(status.get("created_at")) or 0) // 1_000_000
        except InputError:
            return status  # the row's own check names the field
        said = html.unescape(text_in(status, "full_text") or "")
        for body in (body for second in _SECONDS for body in self.notes.get(posted_s + second, ())):
            whole = html.unescape(body["full_text"])
            if len(whole) > len(said) and whole[:_SAME_CHARS] in said:
                media = object_in(status, "entities").get("media", [])
                return status | {"extended_tweet": body | {"entities": {**body["entities"], "media": media}}}
        return status


def _archive(context: ReadContext) -> _Archive:
    notes: dict[int, list[Record]] = {}
    for value in _beside(context, "note-tweet.js"):
        try:
            note, body = _long_text(value)
            posted_s = (instant_us(note.get("createdAt")) or 0) // 1_000_000
        except (InputError, AttributeError, TypeError):
            continue  # the file itself is read too, and tells of it
        if body["full_text"]:
            notes.setdefault(posted_s, []).append(body)
    return _Archive(_owner(context), notes)


def _owner(context: ReadContext) -> str | None:
    """Return the account id of an archive's owner, which stands in a file beside the tweets."""
    try:
        return next((id_in(value["account"], "accountId") for value in _beside(context, "account.js")), None)
    except (LookupError, TypeError, AttributeError, InputError):
        return None


def _beside(context: ReadContext, name: str) -> list[Any]:
    """Return the elements of another file of the archive; none where it can't be read."""
    stream = context.sibling(name)
    if stream is None:
        return []
    with stream:
        content = stream.read(_MAX_SIBLING_BYTES)
    try:
        values = loads(content.partition(b"=")[2].rstrip(b"; \t\r\n\x00"))
    except (ValueError, RecursionError):
        return []
    return values if isinstance(values, list) else []


def _pass(stream: BinaryIO, what: str) -> Iterator[Item]:
    """Count the elements of a list without keeping any."""
    count, whole = 0, False
    try:
        for prefix, event, _ in ijson.parse(stream):
            whole = whole or (prefix == "" and event == "start_map")
            count += prefix == "item" and event not in ("end_map", "end_array", "map_key")
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
        yield broken_json(count, fault)
    if count or whole:
        yield Passed(what, count or 1)


def _read_statuses(
    values: Iterator[tuple[int, Any] | Skipped], archive: _Archive | None, context: ReadContext
) -> Iterator[Item]:
    for item in values:
        if isinstance(item, Skipped):
            yield item
        else:
            number, value = item
            yield from attempt(partial(_statuses, number, None, archive, context), value, number)


def _statuses(
    number: int, offset: int | None, archive: _Archive | None, context: ReadContext, value: Record
) -> Iterator[Item]:
    """Yield a status, and those that it carries: what it reposts and what it quotes."""
    status = _unwrapped(value)
    if "delete" in value or "limit" in value:  # notices of the streaming API
        yield Passed("stream notice")
        return
    require_one(status, "id_str", "id", "full_text", "text")
    user = object_in(status, "user")
    if user.get("protected") is True:
        yield Skipped("not-public", PROTECTED, number, offset, keep_raw=False)
        return
    author = id_in(user, "id_str", "id", "screen_name")
    if archive is not None:
        status, author = archive.with_note(status), author or archive.owner
    yield _material(status, number, offset, author, context, archive is not None)
    for key in ("retweeted_status", "quoted_status"):
        carried = object_in(status, key)
        if carried.get("id_str") or carried.get("id"):
            yield from _statuses(number, offset, None, context, carried)


def _material(
    status: Record, number: int, offset: int | None, author: str | None, context: ReadContext, archive: bool
) -> Material:
    long = object_in(status, "extended_tweet")
    body = long or status
    raw_text = text_in(body, "full_text") or text_in(status, "text")
    entities = object_in(body, "entities")
    text, links = expanded(raw_text, list_in(entities, "urls"), list_in(entities, "media"))
    status_id = id_in(status, "id_str", "id")
    reposted = id_in(object_in(status, "retweeted_status"), "id_str", "id")
    answered = id_in(status, "in_reply_to_status_id_str", "in_reply_to_status_id")
    repeats = reposted or (archive and _REPOST.match(raw_text or ""))
    return Material(
        source="x",
        native_id=status_id,
        url=public_url(status_id),
        kind="repost" if repeats else "reply" if answered else "post",
        published_at=posted_at(status, status_id),
        author=author,
        lang_declared=lang_in(status),
        text=text,
        links=links,
        media=_media(status, body, status_id if archive and status_id and status_id.isdecimal() else None, context),
        reply_to=answered,
        repost_of=reposted,
        thread=id_in(object_in(status, "self_thread"), "id_str", "id") or id_in(status, "conversation_id_str"),
        reactions=count_in(status, "favorite_count"),
        shares=count_in(status, "retweet_count"),
        replies=count_in(status, "reply_count"),
        record=number,
        offset=offset,
        raw=raw_of(status),
    )


def _note(number: int, context: ReadContext, value: Record) -> Iterator[Item]:
    """Yield a long text by itself, under its own id, where no tweets lie beside that it could belong to."""
    note, body = _long_text(value)
    entities = object_in(body, "entities")
    text, links = expanded(text_in(body, "full_text"), list_in(entities, "urls"), [])
    yield Material(
        source="x", native_id=id_in(note, "noteTweetId"), kind="post", published_at=text_in(note, "createdAt"),
        author=_owner(context), text=text, links=links, record=number, raw=raw_of(value),
    )  # fmt: skip


def _long_text(value: Record) -> tuple[Record, Record]:
    """Return a note of an archive, and its text in the form of a long status of API 1.1."""
    note = object_in(value, "noteTweet") or value
    core = object_in(note, "core") or object_in(note, "noteTweetResults") or object_in(note, "noteTweetContents")
    urls = [{"url": u.get("shortUrl"), "expanded_url": u.get("expandedUrl")} for u in list_in(core, "urls")]
    return note, {"full_text": text_in(core, "text"), "entities": {"urls": urls}}


def public_url(status_id: str | None) -> str | None:
    """Return the address of a status, without the handle of its author."""
    return f"https://x.com/i/status/{status_id}" if status_id else None


def posted_at(status: Record, status_id: str | None) -> str | int | None:
    """Return when a status was posted; where the export leaves it out, its id says so to the millisecond.

    Source:
        X's documentation of its ids ("snowflakes"): the upper 42 bits are milliseconds since 2010-11-04 01:42:54.657.
    """
    given = status.get("created_at")
    if given:
        return given if isinstance(given, str | int) else text_in(status, "created_at")
    if status_id and status_id.isdecimal() and _FIRST_SNOWFLAKE < int(status_id) < 2**63:
        return (int(status_id) >> 22) + _EPOCH_MS
    return None


def lang_in(status: Record) -> str | None:
    """Return the language as the platform declares it; its codes for "no language" are none."""
    lang = text_in(status, "lang")
    return None if lang is None or lang in ("und", "zxx", "art") or (lang.startswith("q") and len(lang) == 3) else lang


def expanded(text: str | None, urls: list[Any], media: list[Any]) -> tuple[str | None, list[str]]:
    """Return a text with its shortened links written out and its entities decoded, and those links."""
    links = []
    for url in urls:
        short, long = url.get("url"), url.get("unwound_url") or url.get("expanded_url")
        if isinstance(long, str) and long:
            links.append(long)
            if text and isinstance(short, str) and short:
                text = text.replace(short, long)
    for shown in media:  # as a reader sees it; its long address would name the author
        short, long = shown.get("url"), shown.get("display_url")
        if text and isinstance(short, str) and isinstance(long, str) and short:
            text = text.replace(short, long)
    return (html.unescape(text) if text else None), list(dict.fromkeys(links))


def _media(status: Record, body: Record, local: str | None, context: ReadContext) -> list[Media]:
    """Return the files of a status: those that the archive holds, else their addresses."""
    entities = object_in(body, "extended_entities") or object_in(status, "extended_entities")
    found = []
    for shown in list_in(entities or object_in(body, "entities"), "media"):
        image = text_in(shown, "media_url_https") or text_in(shown, "media_url")
        variants = _variants(object_in(shown, "video_info"))
        if variants:
            found.append(_file(variants, "attachment", "video/mp4", local, context))
        if image:
            found.append(_file([image], "preview" if variants else "attachment", _mime(image), local, context))
    return found


def _variants(video: Record) -> list[str]:
    """Return the addresses of a video's MP4 files, the best first."""
    ranked = [
        (count_in(variant, "bitrate") or 0, variant["url"])
        for variant in list_in(video, "variants")
        if variant.get("content_type", variant.get("contentType")) == "video/mp4"
        and isinstance(variant.get("url"), str)
    ]
    return [url for _, url in sorted(ranked, key=lambda pair: -pair[0])]


def _file(urls: list[str], role: str, mime: str | None, local: str | None, context: ReadContext) -> Media:
    for url in urls if local else ():
        base = posixpath.basename(urlsplit(url).path)
        for folder in _FOLDERS:
            media = context.media(f"{folder}/{local}-{base}", role)
            if media.sha256:
                return media
    return Media(path=urls[0], mime=mime, role=role)


def _mime(url: str) -> str | None:
    suffix = posixpath.splitext(urlsplit(url).path)[1].lower()
    return {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}.get(suffix)


_EXAMPLE_TWEETS = b"""window.YTD.tweets.part0 = [ {
  "tweet" : {
    "id" : "1900000000000000001", "id_str" : "1900000000000000001", "created_at" : "Sun Mar 01 09:00:00 +0000 2026",
    "full_text" : "Tea &amp; bread at the Veyl market https://t.co/aaaaaaaaaa", "lang" : "en",
    "favorite_count" : "12", "retweet_count" : "3",
    "entities" : { "urls" : [ { "url" : "https://t.co/aaaaaaaaaa", "expanded_url" : "https://market.example/veyl",
      "display_url" : "market.example/veyl", "indices" : [ "33", "56" ] } ] }
  }
}, {
  "tweet" : {
    "id_str" : "1900000000000000002", "created_at" : "Sun Mar 01 10:00:00 +0000 2026",
    "full_text" : "RT @market_of_veyl: Open until six", "lang" : "en", "favorite_count" : "0", "retweet_count" : "5"
  }
} ]"""
_EXAMPLE_LINES = (
    b'{"created_at": "Sun Mar 01 09:00:00 +0000 2026", "id": 1900000000000000003, "id_str": "1900000000000000003", '
    b'"full_text": "The lighthouse is lit again", "user": {"id_str": "501", "protected": false}, "lang": "en"}\n'
    b'{"created_at": "Sun Mar 01 09:30:00 +0000 2026", "id_str": "1900000000000000004", "text": "RT @keeper: Lit", '
    b'"user": {"id_str": "502"}, "retweeted_status": {"created_at": "Sun Mar 01 09:10:00 +0000 2026", '
    b'"id_str": "1900000000000000005", "text": "Lit", "user": {"id_str": "503"}}}\n'
)
