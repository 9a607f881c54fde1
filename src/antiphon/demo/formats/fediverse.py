"""Mastodon's web interface (arrays of statuses) and Bluesky's Jetstream (one event a line)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import orjson

from antiphon.demo.formats.common import URL, account, code, html_of, iso_ms, pages, reach, write
from antiphon.demo.planned import START, Broken, Post, Writing

__all__ = ["write_bluesky", "write_mastodon"]

_PAGE = 200
_TID = "234567abcdefghijklmnopqrstuvwxyz"


def write_mastodon(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write the statuses of each instance as pages of its public timeline, newest first."""
    rng = Random(f"mastodon {writing.seed}")
    by_host: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        by_host[post.outlet.name].append(post)
    for host in sorted(by_host):
        for number, page in pages(by_host[host][::-1], _PAGE):
            content = orjson.dumps([_status(post, host, rng) for post in page])
            write(folder / f"mastodon/{host}/timeline-{number:02d}.json", content)


def write_bluesky(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as Jetstream events, between them likes, follows and changes of names as the stream has them."""
    rng = Random(f"bluesky {writing.seed}")
    lines: list[bytes] = []
    for post in posts:
        while rng.random() < 0.3:
            lines.append(_no_post(post, rng))
        lines.append(_event(post))
        if len(lines) == 40:
            writing.broken.append(Broken("bluesky/jetstream.jsonl", 40, "an event that stops in the middle"))
            lines.append(b'{"did":"did:plc:cut","time_us":17724096000')
    write(folder / "bluesky/jetstream.jsonl", b"\n".join(lines) + b"\n")


def _status(post: Post, host: str, rng: Random) -> dict[str, Any]:
    name, counts = account(post.author), reach(rng)
    # Mastodon's ids begin with the milliseconds of the instant; the low bits keep them apart.
    native_id = str((int(post.at.timestamp() * 1000) << 16) + post.number % 65_536)
    post.platform, post.native_id, post.url = "mastodon", native_id, f"https://{host}/@{name}/{native_id}"
    return {
        "id": native_id, "created_at": iso_ms(post.at), "in_reply_to_id": None, "in_reply_to_account_id": None,
        "sensitive": False, "spoiler_text": "", "visibility": "public", "language": post.lang,
        "uri": f"https://{host}/users/{name}/statuses/{native_id}", "url": post.url,
        "replies_count": counts.replies, "reblogs_count": counts.shares, "favourites_count": counts.reactions,
        "edited_at": None, "content": html_of(post.text), "reblog": None, "application": None,
        "account": _mastodon_account(post.author, name, host), "media_attachments": [], "mentions": [], "tags": [],
        "emojis": [], "card": None, "poll": None,
    }  # fmt: skip


def _mastodon_account(author: int, name: str, host: str) -> dict[str, Any]:
    return {
        "id": str(109_000_000_000_000_000 + author), "username": name, "acct": name, "display_name": name.title(),
        "locked": False, "bot": False, "discoverable": True, "group": False, "created_at": iso_ms(START),
        "note": "", "url": f"https://{host}/@{name}", "uri": f"https://{host}/users/{name}", "avatar": "",
        "header": "", "followers_count": author % 400, "following_count": author % 90, "statuses_count": 12,
        "last_status_at": "2026-05-01", "emojis": [], "fields": [],
    }  # fmt: skip


def _tid(at: datetime, number: int) -> str:
    """Return a record key as the AT protocol makes it: microseconds and a clock id in base 32."""
    value = (int(at.timestamp() * 1_000_000) << 10) | number % 1024
    return "".join(_TID[value >> shift & 31] for shift in range(60, -1, -5))


def _cid(number: int) -> str:
    return "bafyrei" + code("cid", number, 52)


def _event(post: Post) -> bytes:
    did, key = "did:plc:" + code("did", post.author, 24), _tid(post.at, post.number)
    post.platform, post.native_id = "bluesky", f"at://{did}/app.bsky.feed.post/{key}"
    post.url = f"https://bsky.app/profile/{did}/post/{key}"
    record: dict[str, Any] = {
        "$type": "app.bsky.feed.post", "createdAt": iso_ms(post.at), "langs": [post.lang], "text": post.text,
    }  # fmt: skip
    if facets := _facets(post.text):
        record["facets"] = facets
    return _commit(did, post, "app.bsky.feed.post", key, record)


def _facets(text: str) -> list[dict[str, Any]]:
    return [
        {
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": found[0]}],
            "index": {
                "byteStart": len(text[: found.start()].encode()),
                "byteEnd": len(text[: found.end()].encode()),
            },
        }
        for found in URL.finditer(text)
    ]


def _commit(did: str, post: Post, collection: str, key: str, record: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "did": did, "time_us": int(post.at.timestamp() * 1_000_000) + 300_000, "kind": "commit",
            "commit": {
                "rev": _tid(post.at, post.number + 1), "operation": "create", "collection": collection, "rkey": key,
                "record": record, "cid": _cid(post.number),
            },
        }
    )  # fmt: skip


def _no_post(post: Post, rng: Random) -> bytes:
    did, other = ("did:plc:" + code("did", rng.randrange(4_000), 24) for _ in range(2))
    key, draw = _tid(post.at, rng.randrange(1024)), rng.random()
    if draw < 0.6:
        subject = {"cid": _cid(rng.randrange(10**6)), "uri": f"at://{other}/app.bsky.feed.post/{key}"}
        collection, record = "app.bsky.feed.like", {"createdAt": iso_ms(post.at), "subject": subject}
    elif draw < 0.85:
        collection, record = "app.bsky.graph.follow", {"createdAt": iso_ms(post.at), "subject": other}
    else:
        at_us = int(post.at.timestamp() * 1_000_000)
        event = {"did": did, "handle": f"{account(rng.randrange(4_000))}.bsky.example", "seq": at_us % 10**9}
        return orjson.dumps({"did": did, "time_us": at_us, "kind": "identity", "identity": event})
    return _commit(did, post, collection, key, {"$type": collection, **record})
