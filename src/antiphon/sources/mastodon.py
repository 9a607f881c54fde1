"""Mastodon's API answers: statuses alone, in arrays and lines, in searches, contexts, histories and streams.

Gab, Truth Social, Pleroma, GoToSocial and Friendica answer in the same shape. A status names the instance it comes from
in its address; its id is that of the server that was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from mimetypes import guess_type
from typing import Any, BinaryIO, ClassVar

from antiphon.model.address import site
from antiphon.model.material import Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, LineBlock, ReadContext
from antiphon.sources.jsonio import json_head, loads
from antiphon.sources.jsonrecords import (
    Record,
    count_field,
    guarded,
    id_field,
    json_records,
    line_records,
    list_field,
    object_field,
    quarantined,
    text_field,
)
from antiphon.sources.markup import Markup, read_markup

__all__ = ["Mastodon"]

_LISTS = frozenset(("statuses", "ancestors", "descendants", "accounts", "hashtags", "collections"))
_STATUS = frozenset(("content", "account", "created_at"))
_ONLY_HERE = frozenset(
    ("spoiler_text", "visibility", "reblog", "reblogs_count", "favourites_count", "in_reply_to_account_id")
)
_ACCOUNT = frozenset(("acct", "username", "followers_count", "note", "display_name"))
_INSTANCE = frozenset(("domain", "uri", "title", "version", "source_url", "configuration", "stats", "registrations"))
_SOURCE_TEXT = frozenset(("id", "text", "spoiler_text"))
_PUBLIC = frozenset(("public", "unlisted"))
_MAX_DEPTH = 4
"""How deep statuses may stand in statuses: a boost of a quote of a quote."""


class Mastodon:
    """Reads statuses as Mastodon's API gives them."""

    name: ClassVar[str] = "mastodon"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Mastodon API: statuses, searches, contexts, edit histories, streams (JSON, JSON lines)"

    def recognise(self, head: bytes, name: str) -> float:
        """Return how much the first record looks like a status, or like what else the API answers."""
        shape = json_head(head)
        value, first = shape.value, shape.first
        if isinstance(value, dict):
            if "ancestors" in value and "descendants" in value:
                return 0.95
            lists = [value[key] for key in _LISTS if isinstance(value.get(key), list)]
            inner = [_sure(rows[0]) for rows in lists if rows and isinstance(rows[0], dict)]
            if lists:
                return max([*inner, 0.85 if {"statuses", "accounts", "hashtags"} <= value.keys() else 0.0])
        return _sure(first)

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the statuses of a document; boosts and quotes also give the status that they repeat."""
        for record in json_records(stream, _LISTS):
            yield from (record,) if isinstance(record, Skipped) else guarded(record, _items)

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield the statuses of some lines."""
        for record in line_records(block, _LISTS):
            yield from (record,) if isinstance(record, Skipped) else guarded(record, _items)

    def examples(self) -> Iterable[Example]:
        """Return an invented status, and one that boosts it."""
        post = _EXAMPLE % ("1", "<p>The night ferry to Veyl runs again</p>", "null")
        boost = _EXAMPLE % ("2", "", post)
        yield Example("statuses.json", f"[{post}]".encode(), 1)
        yield Example("statuses.jsonl", f"{post}\n{boost}\n".encode(), 3)
        yield Example("search.json", f'{{"accounts": [], "statuses": [{post}], "hashtags": []}}'.encode(), 1)


_EXAMPLE = (
    '{"id": "%s", "created_at": "2026-03-01T08:00:00.000Z", "visibility": "public", "spoiler_text": "", '
    '"language": "en", "url": "https://quay.example/@ferry/1", "content": "%s", "reblog": %s, '
    '"account": {"id": "7", "acct": "ferry", "url": "https://quay.example/@ferry"}, "media_attachments": []}'
)


def _sure(record: Mapping[str, Any]) -> float:
    keys = record.keys()
    if keys >= _STATUS:
        return 0.97 if len(_ONLY_HERE & keys) >= 2 else 0.8 if "spoiler_text" in keys else 0.0
    if "event" in keys and "payload" in keys:
        return 0.85 if isinstance(record["payload"], str) else 0.0
    if isinstance(record.get("status"), dict) and "type" in keys:
        return min(_sure(record["status"]), 0.9)
    if isinstance(record.get("last_status"), dict) and "accounts" in keys:
        return 0.9
    if len(_ACCOUNT & keys) >= 4 or len(_INSTANCE & keys) >= 5 or keys == _SOURCE_TEXT:
        return 0.85
    # The head may end inside a long first record, after its first fields.
    return 0.75 if {"spoiler_text", "visibility", "uri"} <= keys else 0.0


def _items(record: Record) -> Iterator[Item]:
    """Yield what one record is: a status, or a thing that holds one, or no public content."""
    value = record.value
    if not isinstance(value, dict):
        yield quarantined(record, "not-an-object", f"got {type(value).__name__}, expected a status")
    elif "event" in value and isinstance(value.get("payload"), str):
        yield from _event(record)
    elif "account" in value and ("content" in value or _deleted(value)):
        yield from _statuses(value, record)
    elif isinstance(value.get("status"), dict) and "type" in value:
        yield from _statuses(value["status"], record)
    elif isinstance(value.get("last_status"), dict):
        yield from _statuses(value["last_status"], record)
    elif value.keys() == _SOURCE_TEXT:
        yield _source_text(value, record)
    else:
        what = _what(value, record)
        if what is None:
            yield quarantined(record, "not-a-status", "no field content; a status has content, account, created_at")
        elif what:
            yield Passed(what)


def _what(value: Mapping[str, Any], record: Record) -> str | None:
    """Return what a record without content is: empty for an envelope, None where it should have been a status."""
    key = record.key
    if key in ("accounts", "hashtags", "collections"):
        return {"accounts": "profile", "hashtags": "hashtag"}.get(key, "collection")
    if key or _STATUS & value.keys():
        return None
    if len(_ACCOUNT & value.keys()) >= 3:
        return "profile"
    if len(_INSTANCE & value.keys()) >= 3:
        return "instance"
    if "type" in value and "account" in value:
        return "notification"
    return "" if record.envelope else "other"


def _deleted(value: Mapping[str, Any]) -> bool:
    """Whether this is the answer to a deletion: the status once more, with `text` as it was typed for `content`."""
    return "text" in value and "visibility" in value


def _event(record: Record) -> Iterator[Item]:
    """Yield what a line of the streaming API tells."""
    if record.value["event"] not in ("update", "status.update"):
        yield Passed(str(record.value["event"]).replace(".", "-"))
        return
    inner = loads(record.value["payload"].encode("utf-8", "surrogatepass"))
    yield from _statuses(inner, record)


def _statuses(status: Mapping[str, Any], record: Record, depth: int = 0) -> Iterator[Item]:
    """Yield a status, and the statuses that it boosts or quotes."""
    visibility = status.get("visibility")
    if visibility is not None and visibility not in _PUBLIC:
        yield Skipped(
            "not-public",
            f"record {record.number}: visibility {str(visibility)[:20]!r} is no dissemination to the public",
            record.number, record.offset, keep_raw=False,
        )  # fmt: skip
        return
    yield _material(status, record)
    if depth < _MAX_DEPTH:
        for inner in (_inner(status, "reblog"), _quoted(status)):
            if inner:
                own = replace(record, value=inner)
                yield from guarded(own, lambda record: _statuses(record.value, record, depth + 1))


def _inner(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = status.get(name)
    return found if isinstance(found, dict) and "content" in found else {}


def _quoted(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the quoted status: Mastodon 4.5 wraps it, forks give it as it is, under `quote` or `pleroma.quote`."""
    quote = status.get("quote")
    if isinstance(quote, dict):
        return _inner(quote, "quoted_status") or _inner(status, "quote")
    return _inner(object_field(status, "pleroma"), "quote")


def _material(status: Mapping[str, Any], record: Record) -> Material:
    account = object_field(status, "account")
    markup = _body(status)
    reblog, reply_to = object_field(status, "reblog"), id_field(status, "in_reply_to_id")
    url = text_field(status, "url") or text_field(status, "uri")
    return Material(
        source=_source(url, account),
        native_id=id_field(status, "id"),
        revision=_revision(status),
        url=url,
        kind="repost" if reblog else "reply" if reply_to else "post",
        published_at=text_field(status, "created_at"),
        author=_author(account),
        lang_declared=text_field(status, "language") or None,
        title=text_field(status, "spoiler_text") or None,
        text=markup.text or None,
        links=_links(status, markup),
        media=[_media(found) for found in list_field(status, "media_attachments")],
        reply_to=reply_to,
        repost_of=id_field(reblog, "id"),
        thread=id_field(object_field(status, "pleroma"), "conversation_id"),
        reactions=count_field(status, "favourites_count"),
        shares=count_field(status, "reblogs_count"),
        replies=count_field(status, "replies_count"),
        record=record.number,
        offset=record.offset,
        raw=record.raw,
    )


def _revision(status: Mapping[str, Any]) -> str | None:
    """Return the edition: when it was edited, or, in an edit history, where no entry has an id, when it was made."""
    return text_field(status, "edited_at") or (None if "id" in status else text_field(status, "created_at"))


def _source(url: str | None, account: Mapping[str, Any]) -> str:
    host = site(url) or site(text_field(account, "url")) or (text_field(account, "acct") or "").partition("@")[2]
    return f"mastodon/{host}" if host else "mastodon"


def _author(account: Mapping[str, Any]) -> str | None:
    """Return the account's address: its id is only that of the server that was asked, and another's elsewhere."""
    return text_field(account, "url") or text_field(account, "uri") or id_field(account, "id")


def _body(status: Mapping[str, Any]) -> Markup:
    """Return the text, a poll's options as lines below it, as they stand on the page."""
    content = text_field(status, "content")
    markup = Markup(text_field(status, "text") or "") if content is None else read_markup(content)
    options = [text_field(option, "title") for option in list_field(object_field(status, "poll"), "options")]
    lines = [markup.text, *(option for option in options if option)]
    return Markup("\n".join(line for line in lines if line), markup.links)


def _links(status: Mapping[str, Any], markup: Markup) -> list[str]:
    card = text_field(object_field(status, "card"), "url")
    quoted = text_field(_quoted(status), "url")
    return list(dict.fromkeys([*markup.links, *(link for link in (card, quoted) if link)]))


def _media(found: Mapping[str, Any]) -> Media:
    url = text_field(found, "url") or text_field(found, "remote_url") or text_field(found, "preview_url")
    kind = text_field(found, "type") or ""
    guessed = guess_type(url.partition("?")[0])[0] if url else None
    said = text_field(object_field(found, "pleroma"), "mime_type")
    return Media(path=url, mime=said or guessed or {"gifv": "video/mp4"}.get(kind))


def _source_text(value: Mapping[str, Any], record: Record) -> Material:
    """Return the plain text that an author typed, as `statuses/:id/source` gives it."""
    return Material(
        source="mastodon",
        native_id=id_field(value, "id"),
        title=text_field(value, "spoiler_text") or None,
        text=text_field(value, "text") or None,
        record=record.number,
        offset=record.offset,
        raw=record.raw,
    )
