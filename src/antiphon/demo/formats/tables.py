"""The forum Plaza as JSON lines and the comment columns of the Riverside as CSV."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson

from antiphon.demo.formats.common import URL, account, iso, reach, title_of, write
from antiphon.demo.planned import Broken, Post, Writing

__all__ = ["write_plaza", "write_riverside"]

_CUT = 90
"""Posts in the gzip file that is cut off."""

_BAD_LINES = (
    ("a line that stops in the middle", b'{"id": "p-cut-1", "board": "market-en", "text": "Half of a sent'),
    ("a line that stops in the middle", b'{"id": "p-cut-2", "board": "trams-de", "published_at": "2026-03'),
    ("broken UTF-8", b'{"id": "p-utf8", "board": "garden-fr", "text": "Une tasse de th\xe9 \xff au jardin"}'),
    ("no date", b'{"id": "p-date", "board": "kitchen-en", "text": "Soup at seven", "published_at": "sometime soon"}'),
    ("a number where an object belongs", b"404"),
    ("no content", b'{"id": "p-void", "board": "evening-en", "author": "kettle1", "lang": "en"}'),
)


def write_plaza(folder: Path, posts: Sequence[Post], writing: Writing) -> list[Post]:
    """Write the forum's posts, and return those that can be read.

    Some lines are broken on purpose, and one compressed file stops in the middle.
    """
    rng = Random(f"plaza {writing.seed}")
    lines = _plaza_lines(posts, rng)
    cut = min(_CUT, len(lines) // 10)
    whole = lines[cut:]
    bad = _BAD_LINES if len(whole) >= 20 else ()
    places = sorted(rng.sample(range(len(whole)), len(bad)))
    for before, (place, (fault, line)) in enumerate(zip(places, bad, strict=True)):
        whole.insert(place + before, line)
        writing.broken.append(Broken("plaza/posts.jsonl", place + before, fault))
    write(folder / "plaza/posts.jsonl", b"\n".join(whole) + b"\n")
    kept = _write_cut(folder / "plaza/posts-older.jsonl.gz", lines[:cut])
    writing.broken.append(Broken("plaza/posts-older.jsonl.gz", None, "the compressed file stops in the middle"))
    return [*posts[:kept], *posts[cut:]]


def write_riverside(folder: Path, posts: Sequence[Post], writing: Writing, name: str = "riverside-comments") -> None:
    """Write comments as CSV; one row of another width, and an empty file beside it."""
    rng = Random(f"riverside {writing.seed} {name}")
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(
        ("comment_id", "parent_id", "published_at", "user_id", "lang", "section", "platform", "url", "comment", "likes")
    )
    broken_at = len(posts) // 3 if len(posts) > 30 else None
    for row, post in enumerate(posts):
        if row == broken_at and name == "riverside-comments":
            table.writerow(("c-lost", "", iso(post.at)))
            writing.broken.append(Broken(f"comments/{name}.csv", row, "a row of three cells where ten are expected"))
        table.writerow(_riverside_row(post, rng))
    write(folder / f"comments/{name}.csv", out.getvalue().encode())
    if name == "riverside-comments":
        write(folder / "comments/riverside-march.csv", b"")
        writing.broken.append(Broken("comments/riverside-march.csv", None, "an empty file"))


def _plaza_lines(posts: Sequence[Post], rng: Random) -> list[bytes]:
    threads: dict[str, str] = {}
    lines = []
    for post in posts:
        board, native_id = post.outlet.name, f"p{post.number:07d}"
        starts = board not in threads or rng.random() < 0.3
        threads[board] = native_id if starts else threads[board]
        post.platform, post.native_id = "plaza", native_id
        post.url = f"https://plaza.example/{board}/{threads[board]}#{native_id}" if not starts else ""
        post.url = post.url or f"https://plaza.example/{board}/{native_id}"
        counts = reach(rng)
        lines.append(
            orjson.dumps(
                {
                    "id": native_id, "url": post.url, "platform": "plaza", "board": board,
                    "published_at": iso(post.at), "collected_at": iso(post.at + timedelta(hours=6)),
                    "author": account(post.author), "lang": post.lang,
                    "title": title_of(post.text) if starts and not post.burst and len(post.text) > 80 else None,
                    "text": post.text, "thread": threads[board], "reply_to": None if starts else threads[board],
                    "views": counts.views, "reactions": counts.reactions, "shares": counts.shares,
                    "replies": counts.replies, "links": URL.findall(post.text),
                }
            )
        )  # fmt: skip
    return lines


def _write_cut(path: Path, lines: Sequence[bytes]) -> int:
    """Write lines as gzip without its last third, and return how many lines can still be read."""
    content = gzip.compress(b"\n".join(lines) + b"\n", mtime=0)
    content = content[: len(content) * 2 // 3]
    write(path, content)
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content).count(b"\n")


def _riverside_row(post: Post, rng: Random) -> tuple[object, ...]:
    post.platform, post.native_id = "riverside", f"c{post.number:07d}"
    post.url = f"https://riverside.example/{post.outlet.name}/{post.native_id}"
    return (
        post.native_id, "", iso(post.at), account(post.author), post.lang, post.outlet.name, "riverside", post.url,
        post.text, reach(rng).reactions,
    )  # fmt: skip
