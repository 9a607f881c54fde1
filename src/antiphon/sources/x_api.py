"""X (Twitter) API 2: pages of tweets with their includes, one to a file or one to a line, and tweets made flat.

What a page includes (quoted, answered and reposted tweets) is material too. What the API could not give is in the
quarantine; a last page that promises another one is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, ClassVar

from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.jsonio import json_head, loads, stream_items
from antiphon.sources.records import (
    after,
    attempt,
    count_in,
    id_in,
    is_one_line,
    json_documents,
    json_values,
    list_in,
    object_in,
    raw_of,
    require_one,
    rewound,
    text_in,
)
from antiphon.sources.x_archive import PROTECTED, expanded, lang_in, posted_at, public_url

__all__ = ["XApi"]

Record = dict[str, Any]
_OF_A_TWEET = {
    "edit_history_tweet_ids", "author_id", "public_metrics", "conversation_id", "referenced_tweets",
    "in_reply_to_user_id", "possibly_sensitive", "reply_settings",
}  # fmt: skip
_MAX_PAGE_BYTES = 64 * 2**20
_MIMES = {"photo": "image/jpeg", "animated_gif": "video/mp4", "video": "video/mp4"}


class XApi:
    """Reads what API 2 answers, as it comes or as twarc 2 writes and flattens it."""

    name: ClassVar[str] = "x_api"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "X/Twitter API 2: pages (JSON or lines), tweets flattened by twarc"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 for a page of tweets, 0.9 for bare tweets, 0.6 for a page without any."""
        shape = json_head(head)
        first = shape.first
        if _is_tweet(first):
            return 0.9
        data = first.get("data")
        found = data if isinstance(data, dict) else data[0] if isinstance(data, list) and data else {}
        if _is_tweet(found):
            return 0.95
        if isinstance(found, dict) and {"id", "name", "username"} <= found.keys():
            return 0.6
        return _of_includes(first)

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the tweets of every page, then those that it includes."""
        reading = _Reading()
        for item in _values(stream):
            if isinstance(item, Skipped):
                yield item
            elif isinstance(item[1], dict) and not _is_page(item[1]):
                yield from reading.tweet(item[1], _Includes())
            else:
                yield from attempt(reading.page, item[1], reading.record)
        if reading.more:
            yield Gap("the last page says that more tweets follow (next_token); the pages after it are not there")

    def examples(self) -> Iterable[Example]:
        """Return an invented page, and a flattened tweet."""
        yield Example("page.json", _EXAMPLE_PAGE, 2)
        yield Example("flat.jsonl", _EXAMPLE_FLAT, 1)


def _is_tweet(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("text"), str)
        and isinstance(value.get("id"), str)
        and bool(_OF_A_TWEET.intersection(value))
    )


def _is_page(value: Record) -> bool:
    return "data" in value or not {"id", "text"} <= value.keys()


def _of_includes(page: Record) -> float:
    """Return how surely this is a page that has nothing but includes, counts or errors."""
    meta, includes = page.get("meta"), page.get("includes", page)
    if isinstance(meta, dict) and "result_count" in meta:
        return 0.6
    tweets = includes.get("tweets") if isinstance(includes, dict) else None
    if isinstance(tweets, list) and tweets and _is_tweet(tweets[0]):
        return 0.8
    errors = page.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return 0.6 if isinstance(first, dict) and str(first.get("type", "")).startswith("https://api.twitter.com/") else 0.0


def _values(stream: BinaryIO) -> Iterator[tuple[int, Any] | Skipped]:
    """Yield pages or tweets; a single page too large for memory is read tweet by tweet, without its includes."""
    head, stream = rewound(stream)
    if json_head(head).shape != "object":
        yield from json_values(stream)
        return
    body = stream.readline(_MAX_PAGE_BYTES + 1) if is_one_line(head) else stream.read(_MAX_PAGE_BYTES + 1)
    if len(body) > _MAX_PAGE_BYTES:
        yield from stream_items(after(body, stream), "data.item")
        return
    try:
        yield 0, loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        yield from _pieces(body)
    rest, stream = rewound(stream)
    if rest.strip():
        yield from json_values(stream)


def _pieces(body: bytes) -> Iterator[tuple[int, Any] | Skipped]:
    """Yield what a body gives that is no single page: pages one behind the other, or the tweets before a break."""
    pages = list(json_documents(BytesIO(body)))
    if isinstance(pages[0], Skipped):
        yield from stream_items(BytesIO(body), "data.item")
    else:
        yield from pages


@dataclass
class _Includes:
    """What a page holds beside its tweets, by the keys that tweets refer to."""

    media: dict[str, Record] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    collected_at: str | None = None


@dataclass
class _Reading:
    """The state of one reading: how many records came, and whether the last page promised another."""

    record: int = 0
    more: bool = False

    def page(self, page: Record) -> Iterator[Item]:
        """Yield what is on a page; each tweet that can't be read is one `Skipped`."""
        includes, errors, meta = _part(page, "includes", {}), _part(page, "errors", []), _part(page, "meta", {})
        if not includes and "data" not in page:
            includes = page  # some tools write the includes of a page to a file of their own
        data = page.get("data")
        tweets = data if isinstance(data, list) else [] if data is None else [data]
        beside = _includes(includes, page)
        known = {tweet.get("id") for tweet in tweets if isinstance(tweet, dict)}
        for tweet in tweets:
            if isinstance(tweet, dict) and "username" in tweet and "text" not in tweet:
                yield Passed("user")
            else:
                yield from self.tweet(tweet, beside)
        for tweet in _part(includes, "tweets", []):
            if not isinstance(tweet, dict) or tweet.get("id") not in known:
                yield from self.tweet(tweet, beside)
        for error in errors:
            yield _refused(error, self.record)
            self.record += 1
        self.more = bool(meta.get("next_token"))

    def tweet(self, tweet: Any, beside: _Includes) -> list[Item]:  # noqa: ANN401 - JSON
        """Return a tweet, and those that a flattened one carries inside."""
        number = self.record
        self.record += 1
        return attempt(partial(_tweets, number, beside), tweet, number)


def _part(page: Record, name: str, empty: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a part of a page, empty where it is missing or of a wrong type: the tweets are there all the same."""
    part = page.get(name)
    return part if isinstance(part, type(empty)) else empty


def _includes(includes: Record, page: Record) -> _Includes:
    users = [user for user in _part(includes, "users", []) if isinstance(user, dict)]
    retrieved = _part(page, "__twarc", {}).get("retrieved_at")
    return _Includes(
        media={str(m.get("media_key")): m for m in _part(includes, "media", []) if isinstance(m, dict)},
        protected=frozenset(str(user.get("id")) for user in users if user.get("protected") is True),
        collected_at=retrieved if isinstance(retrieved, str) else None,
    )


def _refused(error: Any, record: int) -> Skipped:  # noqa: ANN401 - JSON
    """Return the quarantine line of an API error; its own text may name an account, so only its kind is kept."""
    told = error if isinstance(error, dict) else {}
    kind = str(told.get("title") or str(told.get("type") or "error").rpartition("/")[2])[:80]
    thing = str(told.get("resource_type") or "resource")[:40]
    which = f" {told['resource_id']}" if thing == "tweet" and str(told.get("resource_id", "")).isdecimal() else ""
    return Skipped("api-error", f"{kind}: {thing}{which}; the platform did not give it", record, keep_raw=False)


def _tweets(number: int, beside: _Includes, tweet: Record) -> Iterator[Item]:
    require_one(tweet, "id", "text")
    author = id_in(tweet, "author_id") or id_in(object_in(tweet, "author"), "id", "username")
    if author in beside.protected or object_in(tweet, "author").get("protected") is True:
        yield Skipped("not-public", PROTECTED, number, keep_raw=False)
        return
    yield _material(tweet, author, number, beside)
    for referred in list_in(tweet, "referenced_tweets"):
        if isinstance(referred, dict) and "text" in referred:
            yield from _tweets(number, beside, referred)


def _material(tweet: Record, author: str | None, number: int, beside: _Includes) -> Material:
    note = object_in(tweet, "note_tweet")
    body = note if note.get("text") else tweet
    urls = [url for url in list_in(object_in(body, "entities"), "urls") if isinstance(url, dict)]
    shown = [url for url in urls if "media_key" in url]
    text, links = expanded(text_in(body, "text"), [url for url in urls if "media_key" not in url], shown)
    tweet_id = id_in(tweet, "id")
    refers = {r.get("type"): id_in(r, "id") for r in list_in(tweet, "referenced_tweets") if isinstance(r, dict)}
    metrics = object_in(tweet, "public_metrics")
    return Material(
        source="x",
        native_id=tweet_id,
        url=public_url(tweet_id),
        kind="repost" if refers.get("retweeted") else "reply" if refers.get("replied_to") else "post",
        published_at=posted_at(tweet, tweet_id),
        collected_at=text_in(object_in(tweet, "__twarc"), "retrieved_at") or beside.collected_at,
        author=author,
        lang_declared=lang_in(tweet),
        title=text_in(object_in(tweet, "article"), "title"),
        text=text,
        links=links,
        media=_media(object_in(tweet, "attachments"), beside),
        reply_to=refers.get("replied_to"),
        repost_of=refers.get("retweeted"),
        thread=id_in(tweet, "conversation_id"),
        views=count_in(metrics, "impression_count"),
        reactions=count_in(metrics, "like_count"),
        shares=count_in(metrics, "retweet_count", "repost_count"),
        replies=count_in(metrics, "reply_count"),
        record=number,
        raw=raw_of(tweet),
    )


def _media(attachments: Record, beside: _Includes) -> list[Media]:
    given = list_in(attachments, "media") or [
        beside.media.get(str(key), {}) for key in list_in(attachments, "media_keys")
    ]
    found = []
    for shown in given:
        mime = _MIMES.get(str(shown.get("type")))
        ranked = sorted(
            (v for v in list_in(shown, "variants") if v.get("content_type") == "video/mp4"),
            key=lambda v: -(count_in(v, "bit_rate") or 0),
        )
        path = (text_in(ranked[0], "url") if ranked else None) or text_in(shown, "url")
        if path:
            found.append(Media(path=path, mime=mime))
        if preview := text_in(shown, "preview_image_url"):
            found.append(Media(path=preview, mime="image/jpeg", role="preview"))
    return found


_EXAMPLE_PAGE = b"""{
 "data": [{"id": "1900000000000000011", "text": "Tea &amp; bread https://t.co/bbbbbbbbbb", "author_id": "501",
  "created_at": "2026-03-01T09:00:00.000Z", "conversation_id": "1900000000000000010", "lang": "en",
  "referenced_tweets": [{"type": "replied_to", "id": "1900000000000000010"}],
  "entities": {"urls": [{"start": 12, "end": 35, "url": "https://t.co/bbbbbbbbbb",
   "expanded_url": "https://market.example/tea", "display_url": "market.example/tea"}]},
  "public_metrics": {"retweet_count": 1, "reply_count": 0, "like_count": 4, "quote_count": 0}}],
 "includes": {"tweets": [{"id": "1900000000000000010", "text": "What is for breakfast?", "author_id": "502",
  "edit_history_tweet_ids": ["1900000000000000010"]}], "users": [{"id": "501", "name": "A", "username": "a"}]},
 "meta": {"result_count": 1, "newest_id": "1900000000000000011", "oldest_id": "1900000000000000011"}
}"""
_EXAMPLE_FLAT = (
    b'{"id": "1900000000000000012", "text": "The lighthouse is lit again", "author_id": "503", '
    b'"author": {"id": "503", "username": "keeper"}, "public_metrics": {"like_count": 2}, '
    b'"__twarc": {"retrieved_at": "2026-03-02T00:00:00+00:00"}}\n'
)
