"""Telegram Desktop's JSON export: one chat, or a whole account with its chats, also those left.

What a chat is decides whether it is read: a public channel or group is, a personal chat never, a closed one only where
a person has stated why it counts as public (R-03). Message ids are sequence numbers, so holes are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

import ijson

from antiphon.model.material import Gap, Item, Material, Media, Passed, Skipped
from antiphon.sources.interface import Example, ReadContext
from antiphon.sources.jsonio import broken_json, json_head
from antiphon.sources.records import (
    attempt,
    count_in,
    id_in,
    list_in,
    object_in,
    raw_of,
    require_one,
    rewound,
    text_in,
    wrong,
)

__all__ = ["TelegramExport"]

Record = dict[str, Any]
_ROOTS = ("", "chats.list.item", "left_chats.list.item")
_OPEN = ("public_channel", "public_supergroup", "public_group")
_CLOSED = ("private_channel", "private_supergroup", "private_group")
_PERSONAL = ("personal_chat", "bot_chat", "saved_messages", "replies", "verify_codes")
_SEQUENCES = (None, "public_channel", "public_supergroup", "private_channel", "private_supergroup")
"""Only channels and supergroups number their own messages; all other chats of an account share one numbering."""
_NO_CONTENT = {
    "contacts.list.item": "contact", "frequent_contacts.list.item": "contact", "sessions.list.item": "session",
    "web_sessions.list.item": "session", "profile_pictures.item": "profile picture", "stories.item": "story",
}  # fmt: skip
_HOLD = 10_000
_RANGES = 20


def _at(root: str, key: str) -> str:
    return f"{root}.{key}" if root else key


_HEADERS = {_at(root, key): (root, key) for root in _ROOTS for key in ("name", "type", "id")}
_MESSAGES = {_at(root, "messages.item"): root for root in _ROOTS} | {"item": "item"}
"""Where messages stand; `item` is an array of them that someone took out of an export."""


@dataclass
class _Holes:
    """The holes in a chat's message ids so far: the first few ranges and the totals, whatever their number."""

    first: int | None = None
    last: int = 0
    missing: int = 0
    ranges: list[str] = field(default_factory=list)
    more: int = 0

    def see(self, number: int) -> None:
        if self.first is None:
            self.first = number
        elif number > self.last + 1:
            low, high = self.last + 1, number - 1
            self.missing += high - low + 1
            if len(self.ranges) < _RANGES:
                self.ranges.append(str(low) if low == high else f"{low}-{high}")
            else:
                self.more += 1
        self.last = max(self.last, number)

    def said(self) -> str:
        return ", ".join(self.ranges) + (f" and {self.more:,} more ranges" if self.more else "")


@dataclass
class _Chat:
    """What is known of the chat whose messages are being read."""

    name: str | None = None
    type: str | None = None
    id: str | None = None
    holes: _Holes = field(default_factory=_Holes)
    topics: set[str] = field(default_factory=set)
    held: list[tuple[int, Any]] | None = field(default_factory=list)

    @property
    def outlet(self) -> str | None:
        return self.name or self.id

    def key(self, message: str | None, peer: str | None = None) -> str | None:
        chat = peer or self.id or self.name
        return f"{chat}/{message}" if chat and message else None

    def barred(self, context: ReadContext) -> str | None:
        """Return why the chat may not be read, or None."""
        if self.type is None or self.type in _OPEN:
            return None
        if self.type in _CLOSED:
            if context.public_basis:
                return None
            kind = _word(self.type)
            return f"a chat of type {kind} is closed; state the public basis if anyone may join or read it (R-03)"
        return f"a chat of type {_word(self.type)} is not disseminated to the public (R-03)"


class TelegramExport:
    """Reads `result.json` of Telegram Desktop, however large."""

    name: ClassVar[str] = "telegram"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Telegram Desktop export (result.json): one chat or a whole account"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 where messages or a list of chats are seen; 0.9 for a chat's or an account's opening keys."""
        value = json_head(head).value
        if isinstance(value, list):
            first = value[0] if value else None
            told = {"date_unixtime", "from_id", "text_entities"}.intersection(first) if isinstance(first, dict) else ()
            return 0.8 if told and _has_messages({"messages": value}) else 0.0
        if not isinstance(value, dict):
            return 0.0
        chats = [value, *(_first_chat(value.get(key)) for key in ("chats", "left_chats"))]
        if any(_has_messages(chat) for chat in chats):
            return 0.95
        if value.get("type") in (*_OPEN, *_CLOSED, *_PERSONAL) and "name" in value:
            return 0.9
        known = {"about", "personal_information", "chats", "contacts", "left_chats"}.intersection(value)
        return 0.9 if len(known) >= 2 and ("personal_information" in known or "chats" in known) else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the messages of every chat that may be read, in the order of the export."""
        number = 0
        try:
            for chat, message in _walk(stream):
                if isinstance(message, Passed):
                    yield message
                elif message is None:
                    yield from _flush(chat, context)
                    yield from _gap(chat, context)
                elif chat.held is not None and chat.type is None and len(chat.held) < _HOLD:
                    # Real exports tell a chat's type first; where they do not, it may still follow.
                    chat.held.append((number, message))
                    number += 1
                else:
                    yield from _flush(chat, context)
                    yield from _read_message(chat, message, number, context)
                    number += 1
        except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
            yield broken_json(number, fault)

    def examples(self) -> Iterable[Example]:
        """Return an invented public channel, and an account with a channel and a personal chat."""
        yield Example("channel/result.json", _EXAMPLE_CHANNEL, 2)
        yield Example("account/result.json", _EXAMPLE_ACCOUNT, 1)


def _first_chat(chats: object) -> object:
    listed = chats.get("list") if isinstance(chats, dict) else None
    return listed[0] if isinstance(listed, list) and listed else None


def _has_messages(chat: object) -> bool:
    messages = chat.get("messages") if isinstance(chat, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    return (
        isinstance(first, dict)
        and first.get("type") in ("message", "service", "unsupported")
        and bool({"date", "date_unixtime", "from", "from_id", "actor", "text"}.intersection(first))
    )


def _walk(stream: BinaryIO) -> Iterator[tuple[_Chat, Any]]:
    """Yield (chat, message) for each message, (chat, None) at a chat's end; only one message is in memory.

    A break of the JSON ends the open chats first, so that what they hold is not lost, and is raised then.
    """
    head, stream = rewound(stream)
    chat = _told(json_head(head).value)
    chats: dict[str, _Chat] = {"item": _Chat()} if chat is None else {"": chat}
    broken: Exception | None = None
    try:
        if chat is not None:  # a single chat that says first what it is: twice as fast
            for message in ijson.items(stream, "messages.item", use_float=True):
                yield chat, "" if message is None else message
        else:
            yield from _found(ijson.parse(stream, use_float=True), chats)
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as fault:
        broken = fault
    for unfinished in chats.values():
        yield unfinished, None
    if broken is not None:
        raise broken


def _told(value: object) -> _Chat | None:
    """Return the single chat that an export opens with, if it says its type."""
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list) or "chats" in value:
        return None
    name, kind, chat_id = (value.get(key) for key in ("name", "type", "id"))
    if not isinstance(kind, str) or not kind:
        return None
    return _Chat(name if isinstance(name, str) and name else None, kind, None if chat_id is None else str(chat_id))


def _found(events: Iterator[tuple[str, str, Any]], chats: dict[str, _Chat]) -> Iterator[tuple[_Chat, Any]]:
    for prefix, event, value in events:
        if prefix in _MESSAGES:
            if _MESSAGES[prefix] in chats:
                yield chats[_MESSAGES[prefix]], _built(events, prefix, event, value)
        elif prefix in _HEADERS:
            _note(chats, prefix, value)
        elif event == "start_map":
            if prefix in _ROOTS:
                chats[prefix] = _Chat()
            elif prefix in _NO_CONTENT:
                yield _Chat(), Passed(_NO_CONTENT[prefix])
        elif event == "end_map" and prefix in chats:
            yield chats.pop(prefix), None


def _built(events: Iterator[tuple[str, str, Any]], prefix: str, event: str, value: object) -> Any:  # noqa: ANN401 - JSON
    """Return the value that begins here, and leave the events behind it."""
    if event not in ("start_map", "start_array"):
        return "" if value is None else value
    builder = ijson.ObjectBuilder()
    builder.event(event, value)
    for at, inner, scalar in events:
        builder.event(inner, scalar)
        if at == prefix and inner in ("end_map", "end_array"):
            break
    return builder.value


def _note(chats: dict[str, _Chat], prefix: str, value: object) -> None:
    root, key = _HEADERS[prefix]
    if root in chats and isinstance(value, str | int) and value != "":
        setattr(chats[root], key, str(value))


def _flush(chat: _Chat, context: ReadContext) -> Iterator[Item]:
    """Yield what was held back until the chat's type is known; from here on nothing is held."""
    held, chat.held = chat.held, None
    for number, message in held or ():
        yield from _read_message(chat, message, number, context)


def _gap(chat: _Chat, context: ReadContext) -> Iterator[Gap]:
    holes = chat.holes
    if holes.missing and chat.type in _SEQUENCES and chat.barred(context) is None:
        total = holes.last - (holes.first or 0) + 1
        yield Gap(
            f"chat {chat.outlet or 'without a name'}: {holes.missing:,} of {total:,} message ids are not there "
            f"(deleted, or left out of the export): {holes.said()}"
        )


def _read_message(chat: _Chat, message: Any, number: int, context: ReadContext) -> list[Item]:  # noqa: ANN401 - JSON
    reason = chat.barred(context)
    if reason is not None and not (isinstance(message, dict) and message.get("type") == "service"):
        return [Skipped("not-public", reason, number, keep_raw=False)]
    return attempt(lambda record: _items(chat, record, number, context), message, number)


def _items(chat: _Chat, message: Record, number: int, context: ReadContext) -> Iterator[Item]:
    message_id = id_in(message, "id")
    if message_id is not None and message_id.isdecimal():
        chat.holes.see(int(message_id))
    kind = message.get("type") or "message"
    if kind == "service":
        if message.get("action") == "topic_created" and message_id:
            chat.topics.add(message_id)
        yield Passed(f"service: {_word(message.get('action'))}")
    elif kind == "unsupported":
        detail = "the exporting program did not know this kind of message; export again with a newer one"
        yield Skipped("unsupported-message", detail, number, raw=raw_of(message))
    elif kind != "message":
        wrong("type", kind, "message or service")
    elif _is_personal(message):
        yield Passed("contact or location")
    else:
        require_one(message, "id", "date_unixtime", "date", "text", "text_entities")
        yield _material(chat, message, message_id, number, context)


def _word(value: object) -> str:
    """Return a code of the format for a message; anything longer than a code could be somebody's text."""
    return value if isinstance(value, str) and value.isidentifier() and len(value) <= 40 else "unknown"


def _is_personal(message: Record) -> bool:
    """Tell a contact card or a position without words: personal data, no content."""
    return (
        ("contact_information" in message or "location_information" in message)
        and not message.get("text")
        and not message.get("poll")
    )


def _material(chat: _Chat, message: Record, message_id: str | None, number: int, context: ReadContext) -> Material:
    answered = id_in(message, "reply_to_message_id")
    forwarded = "forwarded_from" in message or "forwarded_from_id" in message
    text, links = _text(message)
    return Material(
        source=f"telegram/{chat.outlet}" if chat.outlet else "telegram",
        native_id=chat.key(message_id),
        revision=_edited(message),
        kind="repost" if forwarded else "reply" if answered and answered not in chat.topics else "post",
        published_at=_instant(message, "date_unixtime", "date"),
        author=id_in(message, "from_id", "from"),
        title=text_in(message, "title") if message.get("media_type") == "audio_file" else None,
        text=text,
        links=links,
        media=_media(message, context),
        reply_to=chat.key(answered, _peer(message.get("reply_to_peer_id"))),
        thread=chat.key(answered) if answered in chat.topics else chat.key(id_in(message, "topic_id")),
        views=count_in(message, "views"),
        reactions=_reactions(message),
        shares=count_in(message, "forwards"),
        replies=_replies(message),
        record=number,
        raw=raw_of(message),
    )


def _instant(message: Record, *fields: str) -> str | int | None:
    """Return the first instant that is set; unset ones are written as 0 or as 1970."""
    for name in fields:
        value = message.get(name)
        if value not in (None, "", 0, "0") and not str(value).startswith("1970-01-01"):
            return value if isinstance(value, str | int) else wrong(name, value, "a time")
    return None


def _edited(message: Record) -> str | None:
    stamp = _instant(message, "edited_unixtime", "edited")
    return None if stamp is None else str(stamp)


def _peer(value: object) -> str | None:
    """Return the bare id of a peer such as `channel1234`, as chats carry it."""
    return str(value).removeprefix("channel").removeprefix("chat").removeprefix("user") if value else None


def _text(message: Record) -> tuple[str | None, list[str]]:
    """Return the text that a reader sees, and the addresses behind it."""
    entities = message.get("text_entities") or message.get("text") or ""
    parts, links = _plain(entities, "text_entities" if message.get("text_entities") else "text")
    texts = [parts] if parts else []
    for name in ("poll", "todo_list"):
        texts += _question(object_in(message, name))
    for name in ("game_title", "game_description"):
        texts += [text] if (text := text_in(message, name)) else []
    invoice = object_in(message, "invoice_information")
    texts += [text for key in ("title", "description") if (text := text_in(invoice, key))]
    links += [
        button["data"]
        for row in list_in(message, "inline_bot_buttons")
        for button in row
        if button.get("type") == "url" and isinstance(button.get("data"), str)
    ]
    return "\n".join(texts) or None, links


def _plain(value: Any, name: str) -> tuple[str, list[str]]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value, []
    if not isinstance(value, list):
        wrong(name, value, "text or a list")
    text, links, styled = "", [], False
    for part in value:
        piece = part if isinstance(part, str) else part.get("text", "")
        if not isinstance(piece, str):
            wrong(f"{name}.text", piece, "text")
        kind = "plain" if isinstance(part, str) else part.get("type", "plain")
        if styled and kind == "link" and not text[-1:].isspace():
            text += " "  # older exports leave out the space between a styled word and a link
        text, styled = text + piece, kind != "plain"
        if not isinstance(part, str) and (address := _address(part, piece)):
            links.append(address)
    return text, links


def _address(part: Record, piece: str) -> str | None:
    if part.get("type") == "text_link" and isinstance(part.get("href"), str):
        return str(part["href"])
    if part.get("type") == "link" and piece:
        return piece if "://" in piece else f"http://{piece}"  # as Telegram itself opens it
    return None


def _question(asked: Record) -> list[str]:
    """Return the lines of a poll or a list of tasks."""
    lines = [_plain(asked.get("question") or asked.get("title") or "", "poll.question")[0]] if asked else []
    for answer in list_in(asked, "answers"):
        lines.append("- " + _plain(answer.get("text") or "", "poll.answers.text")[0])
    return [line for line in lines if line]


def _media(message: Record, context: ReadContext) -> list[Media]:
    found = []
    mime = text_in(message, "mime_type")
    if photo := text_in(message, "photo"):
        found.append(_file(photo, None, "image/jpeg", count_in(message, "photo_file_size"), context))
    if path := text_in(message, "file"):
        found.append(_file(path, text_in(message, "file_name"), mime, count_in(message, "file_size"), context))
    if (thumbnail := text_in(message, "thumbnail")) and not thumbnail.startswith("("):
        found.append(_file(thumbnail, None, None, None, context, "preview"))
    return found


def _file(
    path: str, named: str | None, mime: str | None, size_bytes: int | None, context: ReadContext,
    role: str = "attachment",
) -> Media:  # fmt: skip
    """Return a file of the export; one that was left out has a sentence in brackets in place of its path."""
    if path.startswith("("):
        return Media(path=named, mime=mime, bytes=size_bytes, role=role)
    if path.startswith(("/", "\\")) or ":" in path[:2] or ".." in path.replace("\\", "/").split("/"):
        return Media(path=named, mime=mime, bytes=size_bytes, role=role)  # leads out of the export: never followed
    media = context.media(path, role, mime)
    return media if media.sha256 else Media(path=path, mime=mime, bytes=size_bytes, role=role)


def _reactions(message: Record) -> int | None:
    given = list_in(message, "reactions")
    return sum(count_in(reaction, "count") or 0 for reaction in given) if given else None


def _replies(message: Record) -> int | None:
    value = message.get("replies")
    return count_in(value, "replies", "count") if isinstance(value, dict) else count_in(message, "replies")


_EXAMPLE_CHANNEL = b"""{
 "name": "Harbour News Veyl", "type": "public_channel", "id": 1700000001,
 "messages": [
  {"id": 1, "type": "service", "date": "2026-03-01T08:00:00", "date_unixtime": "1772352000",
   "actor": "Harbour News Veyl", "actor_id": "channel1700000001", "action": "create_channel", "text": ""},
  {"id": 2, "type": "message", "date": "2026-03-01T09:00:00", "date_unixtime": "1772355600",
   "from": "Harbour News Veyl", "from_id": "channel1700000001",
   "text": ["The ferry is late. ", {"type": "text_link", "text": "Timetable", "href": "https://ferry.example/veyl"}],
   "text_entities": [{"type": "plain", "text": "The ferry is late. "},
    {"type": "text_link", "text": "Timetable", "href": "https://ferry.example/veyl"}],
   "reactions": [{"type": "emoji", "count": 3, "emoji": "\xf0\x9f\x91\x8d"}]},
  {"id": 5, "type": "message", "date": "2026-03-01T10:00:00", "date_unixtime": "1772359200",
   "edited": "2026-03-01T10:05:00", "edited_unixtime": "1772359500",
   "from": "Harbour News Veyl", "from_id": "channel1700000001", "reply_to_message_id": 2,
   "photo": "(File not included. Change data exporting settings to download.)", "width": 800, "height": 600,
   "text": "It has left the harbour.", "text_entities": [{"type": "plain", "text": "It has left the harbour."}]}
 ]
}"""
_EXAMPLE_ACCOUNT = b"""{
 "about": "Here is the data you requested.",
 "chats": {"about": "This page lists all chats.", "list": [
  {"name": "A Friend", "type": "personal_chat", "id": 42, "messages": [
   {"id": 7, "type": "message", "date": "2026-03-01T08:00:00", "from": "A Friend", "from_id": "user42",
    "text": "See you tomorrow"}]},
  {"name": "Veyl Market", "type": "public_supergroup", "id": 1700000002, "messages": [
   {"id": 1, "type": "message", "date": "2026-03-01T08:00:00", "from": "Fishmonger", "from_id": "user43",
    "text": "Fresh herring today"}]}]}
}"""
