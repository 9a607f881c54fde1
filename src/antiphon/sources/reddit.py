"""Reddit: listings as the API answers them, and dumps with one submission or comment on each line.

A body that its author or a moderator took away stays a material without text: that it was there, when and in which
thread, is still public.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, ClassVar

from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, LineBlock, ReadContext
from antiphon.sources.jsonio import json_head
from antiphon.sources.records import (
    attempt,
    count_in,
    id_in,
    json_line,
    json_values,
    list_in,
    object_in,
    raw_of,
    text_in,
    wrong,
)

__all__ = ["RedditDump", "RedditListing"]

Record = dict[str, Any]
_GONE = {"[deleted]", "[removed]", "[deleted by user]", "[ Removed by reddit ]", "[ Removed by Reddit ]"}
_THINGS = {"t1", "t3"}
_NO_CONTENT = {"t2": "account", "t4": "private message", "t5": "subreddit", "t6": "award", "wikipage": "wiki page"}
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class RedditListing:
    """Reads listings of the API: posts, comments, or a post with the tree of its comments."""

    name: ClassVar[str] = "reddit"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Reddit API listings (posts, comments, a post with its comments)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 for a listing, 0.9 for things in an array, 0.85 for bare posts in an array."""
        shape = json_head(head)
        first = shape.first
        if first.get("kind") == "Listing" and isinstance(first.get("data"), dict):
            return 0.95
        if first.get("kind") in (*_THINGS, *_NO_CONTENT, "more") and isinstance(first.get("data"), dict):
            return 0.9
        data = first.get("data")
        if isinstance(data, list) and data and isinstance(data[0], dict) and _is_thing(data[0]):
            return 0.9
        return 0.85 if shape.shape != "lines" and _is_thing(first) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the posts and comments of every listing, each comment before its replies."""
        tree = _Tree(context)
        for item in json_values(stream):
            if isinstance(item, Skipped):
                yield item
            elif not isinstance(item[1], dict):
                yield from attempt(lambda _: (), item[1], tree.record)
            else:
                yield from tree.read(item[1])
        if tree.after:
            yield Gap("the last listing says that it goes on (after); what follows is not there")

    def examples(self) -> Iterable[Example]:
        """Return an invented post with two comments, and a page of posts."""
        yield Example("thread.json", _EXAMPLE_THREAD, 3)
        yield Example("new.json", _EXAMPLE_LISTING, 1)


class RedditDump:
    """Reads dumps with one submission or comment on each line, as Pushshift and Arctic Shift give them."""

    name: ClassVar[str] = "reddit_dump"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Reddit dumps (Pushshift, Arctic Shift): submissions or comments, one on each line"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.92 where the first line is a submission or a comment."""
        shape = json_head(head)
        return 0.92 if shape.shape == "lines" and _is_thing(shape.first) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the submissions and comments of all lines."""
        for item in json_values(stream):
            if isinstance(item, Skipped):
                yield item
            else:
                yield from attempt(partial(_things, item[0], None, context), item[1], item[0])

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the submissions and comments of some lines."""
        for record, offset, line in block.lines():
            value = json_line(line, record, offset)
            if isinstance(value, Skipped):
                yield value
            else:
                yield from attempt(partial(_things, record, offset, context), value, record, offset)

    def examples(self) -> Iterable[Example]:
        """Return an invented submission and a comment."""
        yield Example("RS_2026-03.jsonl", _EXAMPLE_SUBMISSION, 1)
        yield Example("RC_2026-03.jsonl", _EXAMPLE_COMMENT, 1)


def _is_thing(value: Record) -> bool:
    if "subreddit" not in value and "subreddit_id" not in value:
        return False
    if "body" in value and ("link_id" in value or "parent_id" in value):
        return True
    return "title" in value and bool({"selftext", "permalink", "num_comments", "is_self", "domain"}.intersection(value))


@dataclass
class _Tree:
    """The state of one reading of listings."""

    context: ReadContext
    record: int = 0
    after: bool = False

    def read(self, top: Record) -> Iterator[Item]:
        """Yield what is in a listing or a thing; trees of replies are walked without recursion, however deep."""
        self.after = False
        waiting: list[Any] = [top]
        while waiting:
            thing = waiting.pop()
            kind = str(thing.get("kind") or "") if isinstance(thing, dict) else ""
            data = thing.get("data") if isinstance(thing, dict) else None
            if kind == "Listing" and isinstance(data, dict):
                self.after = self.after or bool(data.get("after"))
                children = data.get("children")
                waiting.extend(reversed(children if isinstance(children, list) else []))
            elif not kind and isinstance(data, list):  # what Pushshift's and Arctic Shift's own APIs answer
                waiting.extend(reversed(data))
            elif kind == "more" and isinstance(data, dict):
                yield _unloaded(data)
            elif kind in _NO_CONTENT:
                yield Passed(_NO_CONTENT[kind])
            else:
                yield from self._thing(thing, data if kind in _THINGS else thing, kind)
                replies = data.get("replies") if isinstance(data, dict) else None
                waiting.extend([replies] if isinstance(replies, dict) else [])

    def _thing(self, thing: Any, data: Any, kind: str) -> list[Item]:  # noqa: ANN401 - JSON
        number = self.record
        self.record += 1
        if isinstance(thing, dict) and thing is data and kind:
            return [Skipped("unknown-kind", "its kind is none that Reddit's API has", number, raw=raw_of(thing))]
        return attempt(partial(_things, number, None, self.context), data, number)


def _unloaded(more: Record) -> Gap:
    count, parent = more.get("count"), more.get("parent_id")
    told = f"{count:,} comments" if isinstance(count, int) and count > 0 else "deeper replies"
    where = f" under {parent}" if isinstance(parent, str) and parent[:3] in ("t1_", "t3_") else ""
    return Gap(f"{told}{where} were not loaded")


def _things(number: int, offset: int | None, context: ReadContext, data: Record) -> Iterator[Item]:
    """Yield a submission or a comment, and the submission that a crosspost repeats."""
    if not _is_thing(data):
        wrong("record", data, "a submission or a comment with its subreddit")
    if data.get("subreddit_type") in ("private", "employees_only") and not context.public_basis:
        detail = "the subreddit is private: only people it admits can read it (R-03)"
        yield Skipped("not-public", detail, number, offset, keep_raw=False)
        return
    is_comment = "body" in data and "title" not in data
    yield (_comment if is_comment else _submission)(data, number, offset)
    for parent in list_in(data, "crosspost_parent_list")[:1]:
        if isinstance(parent, dict) and _is_thing(parent):
            yield from _things(number, offset, context, parent | {"crosspost_parent_list": []})


def _submission(data: Record, number: int, offset: int | None) -> Material:
    native_id = _fullname(data, "t3")
    repeats = id_in(data, "crosspost_parent")
    body = _body(data, "selftext")
    link = _unescaped(text_in(data, "url_overridden_by_dest") or text_in(data, "url"))
    permalink = text_in(data, "permalink")
    is_self = data.get("is_self") is True or (link or "").endswith(permalink or "\x00")
    return Material(
        source=_source(data),
        native_id=native_id,
        revision=_edited(data),
        url=_address(permalink, data) or (f"https://www.reddit.com/comments/{native_id[3:]}/" if native_id else None),
        kind="repost" if repeats else "post",
        published_at=data.get("created_utc") or data.get("created"),
        collected_at=data.get("retrieved_on") or data.get("retrieved_utc"),
        author=_author(data),
        title=_unescaped(text_in(data, "title")),
        text=body,
        links=[] if is_self or not link or not link.startswith("http") else [link],
        media=_media(data, link),
        repost_of=repeats,
        thread=native_id,
        views=count_in(data, "view_count"),
        reactions=count_in(data, "score", "ups"),
        shares=count_in(data, "num_crossposts"),
        replies=count_in(data, "num_comments"),
        record=number,
        offset=offset,
        raw=raw_of(data),
    )


def _comment(data: Record, number: int, offset: int | None) -> Material:
    native_id, thread = _fullname(data, "t1"), _linked(data, "link_id", "t3")
    permalink = _address(text_in(data, "permalink"), data)
    if permalink is None and native_id and thread:
        permalink = f"https://www.reddit.com/comments/{thread[3:]}/_/{native_id[3:]}/"
    parent = _linked(data, "parent_id", "t1")
    if parent and thread and parent[3:] == thread[3:]:
        parent = thread
    return Material(
        source=_source(data),
        native_id=native_id,
        revision=_edited(data),
        url=permalink,
        kind="comment",
        published_at=data.get("created_utc") or data.get("created"),
        collected_at=data.get("retrieved_on") or data.get("retrieved_utc"),
        author=_author(data),
        text=_body(data, "body"),
        media=_metadata(data, []),
        reply_to=parent,
        thread=thread,
        reactions=count_in(data, "score", "ups"),
        record=number,
        offset=offset,
        raw=raw_of(data),
    )


def _source(data: Record) -> str:
    """Return the subreddit as the outlet; an account's own page is no outlet, its name is a person's."""
    subreddit = text_in(data, "subreddit")
    if not subreddit or subreddit.lower().startswith("u_") or data.get("subreddit_type") == "user":
        return "reddit"
    return f"reddit/{subreddit}"


def _author(data: Record) -> str | None:
    if data.get("author") in _GONE:
        return None
    return id_in(data, "author_fullname") or id_in(data, "author")


def _fullname(data: Record, kind: str) -> str | None:
    name = data.get("name")
    if isinstance(name, str) and name.startswith(kind + "_"):
        return name
    bare = id_in(data, "id")
    return f"{kind}_{bare}" if bare else None


def _linked(data: Record, field: str, kind: str) -> str | None:
    """Return a fullname; some dumps write the id behind it as a plain number."""
    value = data.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{kind}_{_base36(value)}"
    return id_in(data, field)


def _base36(number: int) -> str:
    digits = ""
    while number > 0:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def _edited(data: Record) -> str | None:
    value = data.get("edited")
    if value is None or isinstance(value, bool):
        return None  # years ago Reddit said only that it was edited, not when
    return id_in(data, "edited")


def _body(data: Record, field: str) -> str | None:
    text = text_in(data, field)
    return None if text is None or text.strip() in _GONE else _unescaped(text)


def _unescaped(text: str | None) -> str | None:
    """Return a text with the three characters that Reddit's API escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if text else None


def _address(permalink: str | None, data: Record) -> str | None:
    """Return the whole address; under an account's own page it names the account, so the short one is better."""
    if permalink is None or _source(data) == "reddit":
        return None
    if permalink.startswith("http"):
        return permalink
    return f"https://www.reddit.com{permalink}"


def _media(data: Record, link: str | None) -> list[Media]:
    """Return the files of a submission: its gallery, its video, or the image that it links to, and its preview."""
    order = [str(item.get("media_id")) for item in list_in(object_in(data, "gallery_data"), "items")]
    found = _metadata(data, order)
    video = object_in(object_in(data, "secure_media") or object_in(data, "media"), "reddit_video")
    if url := text_in(video, "fallback_url"):
        found.append(Media(path=_unescaped(url), mime="video/mp4"))
    elif not found and link and (mime := _mime(link)):
        found.append(Media(path=link, mime=mime))
    for image in list_in(object_in(data, "preview"), "images"):
        if url := text_in(object_in(image, "source"), "url"):
            found.append(Media(path=_unescaped(url), role="preview"))
    return found


def _metadata(data: Record, order: list[str]) -> list[Media]:
    metadata = object_in(data, "media_metadata")
    found = []
    for key in [key for key in order if key in metadata] or metadata:
        item = metadata[key] if isinstance(metadata[key], dict) else {}
        largest = object_in(item, "s")
        url = text_in(largest, "u") or text_in(largest, "mp4") or text_in(largest, "gif") or text_in(item, "hlsUrl")
        if url:
            found.append(Media(path=_unescaped(url), mime=text_in(item, "m")))
    return found


def _mime(link: str) -> str | None:
    suffix = link.partition("?")[0].rpartition(".")[2].lower()
    return {
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "gif": "image/gif",
        "webp": "image/webp",
    }.get(suffix)


_EXAMPLE_LISTING = b"""{"kind": "Listing", "data": {"after": null, "dist": 1, "children": [{"kind": "t3", "data": {
 "id": "1aa001", "name": "t3_1aa001", "subreddit": "veyl", "subreddit_type": "public", "title": "Ferry &amp; fog",
 "selftext": "", "is_self": false, "url": "https://ferry.example/fog.jpg",
 "permalink": "/r/veyl/comments/1aa001/ferry/",
 "author": "keeper", "author_fullname": "t2_501", "created_utc": 1772355600.0, "score": 5, "num_comments": 0,
 "num_crossposts": 1, "edited": false}}]}}"""
_EXAMPLE_THREAD = b"""[{"kind": "Listing", "data": {"after": null, "children": [{"kind": "t3", "data": {
 "id": "1aa002", "name": "t3_1aa002", "subreddit": "veyl", "title": "When does the market open?", "is_self": true,
 "selftext": "I could not find the hours.", "permalink": "/r/veyl/comments/1aa002/when/", "author": "asker",
 "created_utc": 1772355600.0, "score": 2, "num_comments": 2, "edited": 1772359200.0}}]}},
 {"kind": "Listing", "data": {"after": null, "children": [{"kind": "t1", "data": {"id": "k01", "name": "t1_k01",
 "subreddit": "veyl", "body": "At nine.", "link_id": "t3_1aa002", "parent_id": "t3_1aa002", "author": "keeper",
 "created_utc": 1772356600.0, "score": 3, "replies": {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {
 "id": "k02", "name": "t1_k02", "subreddit": "veyl", "body": "[deleted]", "link_id": "t3_1aa002",
 "parent_id": "t1_k01", "author": "[deleted]", "created_utc": 1772357600.0, "score": 1, "replies": ""}}]}}}},
 {"kind": "more", "data": {"count": 4, "parent_id": "t3_1aa002", "children": ["k03"]}}]}}]"""
_EXAMPLE_SUBMISSION = (
    b'{"id": "1aa003", "subreddit": "veyl", "title": "Herring prices", "selftext": "[removed]", "author": "[deleted]", '
    b'"created_utc": "1772355600", "is_self": true, "num_comments": 3, "score": 0, "domain": "self.veyl"}\n'
)
_EXAMPLE_COMMENT = (
    b'{"id": "k04", "subreddit": "veyl", "body": "Too dear &gt; 5 a pound", "link_id": "t3_1aa003", '
    b'"parent_id": "t3_1aa003", "author": "keeper", "created_utc": 1772356600, "score": 7}\n'
)
