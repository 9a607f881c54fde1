"""Bluesky: answers of its API, records of the AT Protocol, and the event lines of Jetstream and of firehose dumps.

A post is known by its AT URI wherever it was read. The digest of an image or video comes out of its content id, so a
file can be told apart without having its bytes.

Source:
    atproto.com/specs/at-uri-scheme, /did, /record-key, /data-model; lexicons app.bsky.feed.* and app.bsky.embed.*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar

from antiphon.model.material import Gap, Item, Material, Passed, Skipped
from antiphon.sources._atproto import (
    POST,
    REPOST,
    Place,
    place_of,
    post_material,
    quoted_views,
    record_word,
    repost_material,
    type_of,
)
from antiphon.sources.interface import Example, LineBlock, ReadContext
from antiphon.sources.jsonio import json_head
from antiphon.sources.jsonrecords import (
    Record,
    guarded,
    id_field,
    json_records,
    line_records,
    object_field,
    quarantined,
    text_field,
)

__all__ = ["Bluesky"]

_LISTS = frozenset(
    (
        "feed", "posts", "records", "notifications", "follows", "followers", "likes", "repostedBy", "feeds", "lists",
        "actors", "profiles", "starterPacks", "blocks", "mutes", "thread",
    )
)  # fmt: skip
_EVENTS = {"commit": "commit", "com": "commit", "identity": "identity", "id": "identity", "account": "account",
           "acc": "account", "handle": "identity", "info": "info", "tombstone": "account", "sync": "sync"}  # fmt: skip
_WRITES = {"create": "create", "c": "create", "update": "update", "u": "update", "delete": "delete", "d": "delete"}
_GONE = "a post that the input refers to is blocked or gone"
_PEOPLE = {
    "follows": "follow", "followers": "follow", "likes": "like", "repostedBy": "repost-by", "blocks": "block",
    "mutes": "mute",
}  # fmt: skip


class Bluesky:
    """Reads posts and reposts of Bluesky; likes, follows, profiles and deletions are passed."""

    name: ClassVar[str] = "bluesky"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Bluesky: API answers, AT Protocol records, Jetstream and firehose lines (JSON)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how much the first record looks like the AT Protocol: its event, its AT URI or its `$type`."""
        shape = json_head(head)
        if shape.shape == "none":
            return 0.0
        value = shape.value if isinstance(shape.value, dict) else {}
        firsts = [rows[0] for key, rows in value.items() if key in _LISTS and isinstance(rows, list) and rows]
        thread = value.get("thread")
        candidates = [shape.first, value, *firsts, *([thread] if isinstance(thread, dict) else [])]
        sure = max((_sure(found) for found in candidates if isinstance(found, dict)), default=0.0)
        return sure or (0.5 if b"at://" in head and b"app.bsky.feed." in head else 0.0)

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the posts and reposts of a document or of lines."""
        yield from _read(json_records(stream, _LISTS))

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the posts and reposts of some lines; holes in a sequence are seen within the block."""
        yield from _read(line_records(block, _LISTS))

    def examples(self) -> Iterable[Example]:
        """Return an invented Jetstream, and an invented answer of the API."""
        yield Example("jetstream.jsonl", f"{_event('post', _POST)}\n{_event('like', _LIKE)}\n".encode(), 1)
        view = f'{{"uri": "at://did:plc:quay/{POST}/3k2a", "author": {{"did": "did:plc:quay"}}, "record": {_POST}}}'
        yield Example("posts.json", f'{{"posts": [{view}]}}'.encode(), 1)


_POST = f'{{"$type": "{POST}", "createdAt": "2026-03-01T08:00:00Z", "text": "Low tide at nine", "langs": ["en"]}}'
_LIKE = '{"$type": "app.bsky.feed.like", "createdAt": "2026-03-01T08:00:00Z"}'


def _event(kind: str, record: str) -> str:
    return (
        '{"did": "did:plc:quay", "time_us": 1772352000000000, "kind": "commit", "commit": {"rev": "3k2", "operation": '
        f'"create", "collection": "app.bsky.feed.{kind}", "rkey": "3k2a", "record": {record}}}}}'
    )


def _sure(value: Mapping[str, Any]) -> float:
    keys = value.keys()
    if {"did", "time_us"} <= keys and (value.get("kind") or value.get("type")) in _EVENTS:
        return 0.97
    record, post = value.get("record"), value.get("post")
    certain = (
        _is_at(value.get("uri")) and bool({"record", "value", "author"} & keys),
        type_of(value).startswith(("app.bsky.", "com.atproto.", "chat.bsky.")),
        isinstance(post, dict) and _is_at(post.get("uri")),
        {"ops", "seq"} <= keys and bool({"repo", "did"} & keys),
        isinstance(record, dict) and {"did", "collection", "rkey"} <= record.keys(),
    )
    if any(certain):
        return 0.95
    return 0.85 if str(value.get("did", "")).startswith("did:") and ("handle" in keys or keys == {"did"}) else 0.0


def _is_at(uri: object) -> bool:
    return isinstance(uri, str) and uri.startswith("at://")


def _read(records: Iterator[Record | Skipped]) -> Iterator[Item]:
    sequence = _Sequence()
    for record in records:
        if isinstance(record, Skipped):
            yield record
            continue
        if isinstance(record.value, dict):
            sequence.see(record.value.get("seq"))
        yield from guarded(record, _items)
    yield from sequence.gaps()


class _Sequence:
    """Watches the numbers that a firehose gives its events."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._holes = self._missing = 0

    def see(self, number: object) -> None:
        """Take the number of the next event; going back is a second connection, not a hole."""
        if not isinstance(number, int) or isinstance(number, bool):
            return
        if self._last is not None and number > self._last + 1:
            self._holes += 1
            self._missing += number - self._last - 1
        self._last = number

    def gaps(self) -> Iterator[Gap]:
        """Yield what is missing, once for the input."""
        if self._holes:
            yield Gap(f"{self._missing} sequence numbers are missing, in {self._holes} places")


def _items(record: Record) -> Iterator[Item]:
    """Yield what one record is."""
    value = record.value
    if not isinstance(value, dict):
        yield quarantined(record, "not-an-object", f"got {type(value).__name__}, expected an object")
    elif "time_us" in value and "did" in value:
        yield from _jetstream(value, record)
    elif isinstance(value.get("ops"), list) and "seq" in value:
        yield from _firehose(value, record)
    elif isinstance(value.get("record"), dict) and {"did", "collection", "rkey"} <= value["record"].keys():
        yield from _tap(value["record"], record)
    elif isinstance(value.get("value"), dict) and "depth" in value:
        yield from _thread_item(value["value"], record)
    elif record.key in _PEOPLE:
        yield Passed(_PEOPLE[record.key])
    elif "post" in value or "thread" in value or "replies" in value or "parent" in value:
        yield from _thread(value, record)
    elif _is_at(value.get("uri")):
        yield from _view(record)
    elif type_of(value):
        yield from _write(value, None, type_of(value), record)
    else:
        yield from _other(value, record)


def _other(value: Mapping[str, Any], record: Record) -> Iterator[Item]:
    """Yield what a record without an address is: an account, or the envelope of a page."""
    if "did" in value:
        yield Passed("profile")
    elif record.key in ("posts", "feed"):
        yield quarantined(record, "field-invalid", "field uri: missing; a post has an AT URI")
    elif value.get("cursor"):
        yield Gap("the page ends at a cursor: what follows it is not in this input")
    elif not record.envelope:
        yield Passed("other")


def _jetstream(value: Mapping[str, Any], record: Record) -> Iterator[Item]:
    kind = _EVENTS.get(str(value.get("kind") or value.get("type") or ""))
    if kind != "commit":
        yield Passed(kind or "event")
        return
    commit = object_field(value, "commit")
    operation = _WRITES.get(str(commit.get("operation") or commit.get("type") or ""))
    collection = text_field(commit, "collection") or ""
    if operation == "delete":
        yield Passed("delete")
    elif collection not in (POST, REPOST):
        yield Passed(record_word(collection))
    else:
        place = place_of(f"at://{id_field(value, 'did')}/{collection}/{id_field(commit, 'rkey')}")
        edition = text_field(commit, "rev") if operation == "update" else None
        found = commit.get("record")
        if not isinstance(found, dict):
            yield quarantined(record, "field-invalid", "field commit.record: missing, expected the record")
        else:
            yield from _write(found, place, collection, record, value.get("time_us"), edition)


def _firehose(value: Mapping[str, Any], record: Record) -> Iterator[Item]:
    """Yield the writes of a repository commit as dumps of the firehose hold it, its blocks decoded to JSON."""
    did = text_field(value, "repo") or text_field(value, "did")
    for write in value["ops"]:
        operation = _WRITES.get(str(write.get("action") or write.get("operation")))
        collection, _, rkey = (text_field(write, "path") or "").partition("/")
        found = write.get("record") or write.get("value")
        if operation == "delete":
            yield Passed("delete")
        elif collection not in (POST, REPOST):
            yield Passed(record_word(collection))
        elif isinstance(found, dict):
            edition = text_field(value, "rev") if operation == "update" else None
            place = place_of(f"at://{did}/{collection}/{rkey}")
            yield from _write(found, place, collection, record, value.get("time"), edition)
        else:
            yield quarantined(record, "record-missing", "the dump names a post without its record")


def _tap(write: Mapping[str, Any], record: Record) -> Iterator[Item]:
    """Yield a write as the tool Tap hands it on."""
    collection, operation = text_field(write, "collection") or "", _WRITES.get(str(write.get("action")))
    found = write.get("record")
    if operation == "delete":
        yield Passed("delete")
    elif collection not in (POST, REPOST) or not isinstance(found, dict):
        yield Passed(record_word(collection))
    else:
        place = place_of(f"at://{write['did']}/{collection}/{write['rkey']}")
        edition = text_field(write, "rev") if operation == "update" else None
        yield from _write(found, place, collection, record, None, edition)


def _write(
    found: Mapping[str, Any], place: Place | None, collection: str, record: Record,
    collected_at: Any = None, revision: str | None = None,  # noqa: ANN401 - JSON
) -> Iterator[Item]:  # fmt: skip
    """Yield a record of a repository: a post, a repost, or one that is no public content."""
    if collection == POST:
        yield post_material(found, place, {}, record, collected_at, revision)
    elif collection == REPOST:
        yield repost_material(found, place, record, collected_at)
    elif collection.startswith("chat.bsky."):
        yield _not_public(record)
    else:
        yield Passed(record_word(collection))


def _view(record: Record) -> Iterator[Item]:
    """Yield a post as the API shows it, or a record with its address; the posts that it quotes follow."""
    view: Mapping[str, Any] = record.value
    place = place_of(view["uri"])
    found = view.get("record", view.get("value"))
    if place.collection == POST and isinstance(found, dict):
        yield post_material(found, place, view, record)
        for quoted in quoted_views(view):
            yield from guarded(replace(record, value=quoted), _view)
    elif place.collection == POST:
        missing = view.get("notFound") or view.get("blocked") or view.get("detached")
        yield (
            Gap(_GONE)
            if missing
            else quarantined(record, "field-invalid", "field record: missing, expected the post's record")
        )
    else:
        yield from _write(found if isinstance(found, dict) else {}, place, place.collection, record)


def _thread_item(item: Mapping[str, Any], record: Record) -> Iterator[Item]:
    """Yield the post of one line of a flat thread, as `getPostThreadV2` gives them."""
    if type_of(item).endswith(("#threadItemNotFound", "#threadItemBlocked", "#threadItemNoUnauthenticated")):
        yield Gap(_GONE)
    else:
        yield from _thread(item, record)


def _thread(value: Mapping[str, Any], record: Record) -> Iterator[Item]:
    """Yield every post of a thread or of a feed's entry, each once, without recursion however long the thread is."""
    stack, seen = [value], set[str]()
    while stack:
        node = stack.pop()
        inner = [*_nodes(node.get("replies"))[::-1], *_nodes(node.get("parent")), *_nodes(node.get("thread"))]
        reply = node.get("reply")
        if isinstance(reply, dict):
            inner += [*_nodes(reply.get("parent")), *_nodes(reply.get("root"))]
        stack += inner
        post = node.get("post") if isinstance(node.get("post"), dict) else node if "uri" in node else None
        uri = post.get("uri") if post else None
        if isinstance(uri, str) and uri not in seen and post is not None:
            seen.add(uri)
            yield from guarded(replace(record, value=node), _repost_reason)
            yield from guarded(replace(record, value=post), _view)
    if not seen:
        yield quarantined(record, "field-invalid", "field post.uri: missing; a post has an AT URI")


def _nodes(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [found for found in (value if isinstance(value, list) else [value]) if isinstance(found, dict)]


def _repost_reason(record: Record) -> Iterator[Material]:
    """Yield the repost because of which a post stands in a feed."""
    reason = record.value.get("reason")
    if isinstance(reason, dict) and type_of(reason).endswith("#reasonRepost"):
        by, own = object_field(reason, "by"), text_field(reason, "uri")
        yield Material(
            source="bluesky",
            native_id=own,
            kind="repost",
            published_at=text_field(reason, "indexedAt"),
            author=text_field(by, "did") or text_field(by, "handle"),
            repost_of=text_field(record.value["post"], "uri"),
            record=record.number,
        )


def _not_public(record: Record) -> Skipped:
    detail = f"record {record.number}: a private message"
    return Skipped("not-public", detail, record.number, record.offset, keep_raw=False)
