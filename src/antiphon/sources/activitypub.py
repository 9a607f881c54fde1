"""ActivityStreams 2.0 and ActivityPub: content objects, the activities around them, collections, an account's outbox.

What servers send each other and what accounts export (Mastodon's `outbox.json`, Lemmy, PeerTube, WordPress, BookWyrm,
WriteFreely). An object that is addressed, and not to the public, is no dissemination and goes unread.

Source:
    W3C, Activity Streams 2.0 and Activity Vocabulary (23 May 2017); W3C, ActivityPub section 5.6 (public addressing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar

from antiphon.model.material import Gap, Item, Passed, Skipped
from antiphon.sources._as2 import (
    ACTIVITIES,
    COLLECTIONS,
    Addressed,
    compact,
    is_content,
    listed,
    material,
    public_or_unaddressed,
    require_valid,
    types_of,
)
from antiphon.sources.interface import Example, LineBlock, ReadContext
from antiphon.sources.jsonio import json_head
from antiphon.sources.jsonrecords import Record, guarded, json_records, line_records, quarantined

__all__ = ["ActivityPub"]

_LISTS = frozenset(("items", "orderedItems", "@graph"))
_WRAPPERS = frozenset(("Create", "Update", "Announce", "Add"))
_PROFILES = frozenset(("Person", "Group", "Organization", "Application", "Service", "Profile"))
_OTHERS = frozenset(("Tombstone", "Place", "Relationship", "Link", "Mention", "Hashtag"))
_MAX_DEPTH = 6
"""How deep activities may wrap each other: an Announce of a Create of a Note is three."""


class ActivityPub:
    """Reads ActivityStreams 2.0 documents."""

    name: ClassVar[str] = "activitypub"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "ActivityPub and ActivityStreams 2.0: objects, activities, collections, account exports"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how much the first object looks like ActivityStreams: its context, else its type and addressing."""
        shape = json_head(head)
        value = shape.value if isinstance(shape.value, dict) else shape.first
        return max(_sure(value), _sure(shape.first))

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the public content of a document, and what its collections say is missing."""
        reader = _Reader(context)
        for record in json_records(stream, _LISTS):
            yield from (record,) if isinstance(record, Skipped) else guarded(record, reader.items)

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the public content of some lines."""
        reader = _Reader(context)
        for record in line_records(block, _LISTS):
            yield from (record,) if isinstance(record, Skipped) else guarded(record, reader.items)

    def examples(self) -> Iterable[Example]:
        """Return an invented note, and an outbox with a note and a like."""
        yield Example("note.json", f'{{"@context": "{_AS}", {_NOTE}}}'.encode(), 1)
        outbox = (
            f'{{"@context": "{_AS}", "type": "OrderedCollection", "totalItems": 2, "orderedItems": [\n'
            f'{{"type": "Create", "actor": "https://quay.example/u/7", "object": {{{_NOTE}}}}},\n'
            '{"type": "Like", "actor": "https://quay.example/u/7", "object": "https://quay.example/n/3"}]}'
        )
        yield Example("outbox.json", outbox.encode(), 1)


_AS = "https://www.w3.org/ns/activitystreams"
_NOTE = (
    '"id": "https://quay.example/n/1", "type": "Note", "published": "2026-03-01T08:00:00Z", '
    f'"to": ["{_AS}#Public"], "content": "<p>Bread from the harbour bakery</p>"'
)


def _sure(value: Mapping[str, Any]) -> float:
    context = value.get("@context")
    if "ns/activitystreams" in str(context):
        return 0.95
    keys = value.keys()
    if any("ns/activitystreams" in key or key.startswith("as:") for key in keys):
        return 0.9
    known = is_content(types_of(value)) or bool(types_of(value) & (ACTIVITIES | COLLECTIONS | _PROFILES))
    if known and "type" in keys:
        if {"to", "attributedTo"} & keys or {"actor", "object"} <= keys or {"orderedItems", "totalItems"} & keys:
            return 0.85
        return 0.5 if "id" in keys or context is not None else 0.0
    return 0.5 if isinstance(context, int | float) else 0.0


class _Reader:
    """Reads the records of one input; counts the members of its collection against what the collection says."""

    def __init__(self, context: ReadContext) -> None:
        self._context, self._members = context, 0
        self._keys: set[str] = set()

    def items(self, record: Record) -> Iterator[Item]:
        """Yield what one record holds."""
        if record.key:
            self._members += 1
            self._keys.add(record.key)
        value = compact(record.value)
        if isinstance(value, str) and record.key:
            yield Passed("reference")
        elif not isinstance(value, dict):
            yield quarantined(record, "not-an-object", f"got {type(value).__name__}, expected an object with a type")
        elif not record.key and _foreign(value):
            yield quarantined(record, "context-unknown", "field @context: expected that of ActivityStreams 2.0")
        else:
            yield from self._object(value, record, Addressed(), 0)

    def _object(self, value: Mapping[str, Any], record: Record, around: Addressed, depth: int) -> Iterator[Item]:
        types = types_of(value)
        if is_content(types) and not public_or_unaddressed(value, around):
            yield _not_public(
                record
            )  # before any check: what is wrong with it would go to the quarantine with its text
            return
        require_valid(value, types)
        if types & COLLECTIONS:
            yield from self._collection(value, types, record, depth)
        elif types & ACTIVITIES:
            yield from self._activity(value, types, record, around, depth)
        elif is_content(types) or isinstance(value.get("content"), str) or value.get("contentMap"):
            yield from self._content(value, record, around, depth)
        elif types & _PROFILES:
            yield Passed("profile")
        else:
            yield Passed(min(types).lower() if types & _OTHERS else "object")

    def _content(self, value: Mapping[str, Any], record: Record, around: Addressed, depth: int) -> Iterator[Item]:
        if not public_or_unaddressed(value, around):
            yield _not_public(record)
            return
        yield material(value, record, around, self._context)
        answers = value.get("replies")
        if isinstance(answers, dict) and depth < _MAX_DEPTH:
            for found in (*_members(answers), *_members(answers.get("first"))):
                if isinstance(found, dict):
                    yield from self._member(found, record, depth)

    def _member(self, value: Mapping[str, Any], record: Record, depth: int) -> Iterator[Item]:
        own = replace(record, value=value, raw=None)
        yield from guarded(own, lambda record: self._object(record.value, record, Addressed(), depth + 1))

    def _activity(
        self, value: Mapping[str, Any], types: frozenset[str], record: Record, around: Addressed, depth: int
    ) -> Iterator[Item]:
        wrapper = types & _WRAPPERS
        inner = value.get("object")
        if not wrapper or depth >= _MAX_DEPTH:
            yield Passed(min(types & ACTIVITIES).lower())
            return
        within = around.within(value, edited="Update" in types)
        if "Announce" in types:
            if not public_or_unaddressed(value, around):
                yield _not_public(record)
                return
            repost = material(value, record, around, self._context)
            yield repost if repost.repost_of else Passed("announce")
            within = Addressed()  # what is announced was published by another, at another time
        objects = [found for found in (inner if isinstance(inner, list) else [inner]) if isinstance(found, dict)]
        for found in objects:
            yield from self._object(found, record, within, depth + 1)
        if not objects and "Announce" not in types:
            yield Passed("reference")  # the activity names its object, the object stands elsewhere

    def _collection(
        self, value: Mapping[str, Any], types: frozenset[str], record: Record, depth: int
    ) -> Iterator[Item]:
        first = value.get("first") if depth < _MAX_DEPTH else None
        self._keys |= {name for name in ("items", "orderedItems") if name in value}
        for member in (*_members(value), *_members(first)):
            self._members += 1
            if isinstance(member, dict):
                yield from self._member(member, record, depth)
            else:
                yield Passed("reference")
        wrong = "items" if any(name.startswith("Ordered") for name in types) else "orderedItems"
        if wrong in self._keys:
            yield quarantined(record, "field-invalid", f"field {wrong}: not a property of {min(types & COLLECTIONS)}")
        yield from self._gap(value, first if isinstance(first, dict) else value)

    def _gap(self, value: Mapping[str, Any], page: Mapping[str, Any]) -> Iterator[Gap]:
        """Yield what a collection says it has and the input does not hold."""
        total, seen, self._members = value.get("totalItems"), self._members, 0
        self._keys.clear()
        follows = page.get("next") or (value.get("first") if page is value and not seen else None)
        if isinstance(total, int) and not isinstance(total, bool) and total > seen and "partOf" not in value:
            yield Gap(f"the collection says {total} members, {seen} are here")
        elif follows:
            yield Gap("a further page of the collection is not here")


def _members(page: object) -> list[Any]:
    return [*listed(page, "items"), *listed(page, "orderedItems")] if isinstance(page, dict) else []


def _foreign(value: Mapping[str, Any]) -> bool:
    context = value.get("@context")
    return isinstance(context, str) and "activitystreams" not in context


def _not_public(record: Record) -> Skipped:
    detail = f"record {record.number}: addressed to some, not to the public"
    return Skipped("not-public", detail, record.number, record.offset, keep_raw=False)
