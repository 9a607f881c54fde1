"""Telegram Desktop's JSON exports: a folder for each channel, with `result.json` and its photos."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import orjson

from antiphon.demo.formats.common import reach, write
from antiphon.demo.pictures import base_picture, jpeg, variant
from antiphon.demo.planned import START, Broken, Post, Writing

__all__ = ["channels_of", "write_channel"]

_ENTITY = re.compile(r"(?P<link>https://\S+)|(?P<hashtag>#\w+)")


def channels_of(posts: Sequence[Post]) -> dict[str, list[Post]]:
    """Return the posts by channel, channels in the order of their names."""
    found: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        found[post.outlet.name].append(post)
    return dict(sorted(found.items()))


def write_channel(folder: Path, name: str, posts: Sequence[Post], writing: Writing, broken: str = "") -> None:
    """Write the export of one channel into a folder.

    Args:
        folder: The channel's own folder.
        name: The channel.
        posts: Its posts, in the order of time.
        writing: What the writers share.
        broken: Path of the export as inputs are named, where one message shall have no date; else empty.
    """
    rng = Random(f"telegram {writing.seed} {name}")
    chat_id = 1_700_000_000 + zlib.crc32(name.encode()) % 200_000_000
    messages, message_id = [_created(name, chat_id)], 1
    for post in posts:
        message_id += 1 + (rng.randint(1, 3) if rng.random() < 0.02 else 0)  # a message that was deleted
        post.platform, post.native_id = "telegram", f"{chat_id}/{message_id}"
        message = _message(post, message_id, name, chat_id, rng)
        if post.image:
            message |= _photo(folder, post, message_id, writing.seed, rng)
        messages.append(message)
    if broken and len(messages) > 10:
        messages.append({**messages[-1], "id": message_id + 1, "date": "?", "date_unixtime": "unknown"})
        writing.broken.append(Broken(broken, len(messages) - 1, "a message without a date"))
    export = {"name": name, "type": "public_channel", "id": chat_id, "messages": messages}
    write(folder / "result.json", orjson.dumps(export, option=orjson.OPT_INDENT_2))


def _created(name: str, chat_id: int) -> dict[str, Any]:
    return {
        "id": 1, "type": "service", "date": START.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(int(START.timestamp())), "actor": name, "actor_id": f"channel{chat_id}",
        "action": "create_channel", "title": name, "text": "", "text_entities": [],
    }  # fmt: skip


def _message(post: Post, message_id: int, name: str, chat_id: int, rng: Random) -> dict[str, Any]:
    entities = _entities(post.text)
    message: dict[str, Any] = {
        "id": message_id, "type": "message", "date": post.at.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(int(post.at.timestamp())), "from": name, "from_id": f"channel{chat_id}",
    }  # fmt: skip
    if post.copied_from and rng.random() < 0.7:
        message["forwarded_from"] = post.copied_from
    plain = [entity["text"] if entity["type"] == "plain" else entity for entity in entities]
    message |= {"text": post.text if len(entities) == 1 and plain[0] == post.text else plain, "text_entities": entities}
    if rng.random() < 0.6:
        message["reactions"] = [{"type": "emoji", "count": reach(rng).reactions + 1, "emoji": "👍"}]
    return message


def _entities(text: str) -> list[dict[str, str]]:
    found, at = [], 0
    for mark in _ENTITY.finditer(text):
        if mark.start() > at:
            found.append({"type": "plain", "text": text[at : mark.start()]})
        found.append({"type": str(mark.lastgroup), "text": mark[0]})
        at = mark.end()
    if at < len(text):
        found.append({"type": "plain", "text": text[at:]})
    return found


def _photo(folder: Path, post: Post, message_id: int, seed: int, rng: Random) -> dict[str, Any]:
    picture = variant(base_picture(post.image, seed), rng)
    content = jpeg(picture, rng.randint(40, 88))
    post.sha256 = sha256(content).hexdigest()
    path = f"photos/photo_{message_id}@{post.at.strftime('%d-%m-%Y_%H-%M-%S')}.jpg"
    write(folder / path, content)
    return {"photo": path, "photo_file_size": len(content), "width": picture.width, "height": picture.height}
