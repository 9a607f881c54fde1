"""What the writers share: invented ids, counters and accounts, and markup around a text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from random import Random
from typing import NamedTuple

from antiphon.demo.planned import Post

__all__ = ["URL", "Reach", "account", "code", "html_of", "iso", "iso_ms", "pages", "reach", "title_of", "write"]

URL = re.compile(r"https://\S+")
_BASE32 = "234567abcdefghijklmnopqrstuvwxyz"


class Reach(NamedTuple):
    """Counters of a post as a platform would show them."""

    views: int
    reactions: int
    shares: int
    replies: int


def reach(rng: Random) -> Reach:
    """Return invented counters: most posts are seen by few, a few by many."""
    views = int(rng.lognormvariate(5.2, 1.3)) + 3
    return Reach(views, int(views * rng.random() * 0.12), int(views * rng.random() * 0.03), int(rng.random() ** 3 * 14))


def account(author: int) -> str:
    """Return the handle of an invented author."""
    return f"{_NAMES[author % len(_NAMES)]}{author}"


def code(kind: str, number: int, length: int) -> str:
    """Return an id of letters and digits as platforms make them; the same arguments give the same id."""
    digest = hashlib.blake2b(f"{kind} {number}".encode(), digest_size=64).digest()
    return "".join(_BASE32[byte & 31] for byte in digest[:length])


def iso(at: datetime) -> str:
    """Return an instant as `2026-03-02T08:00:00Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(at: datetime) -> str:
    """Return an instant with milliseconds, as web interfaces write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def html_of(text: str) -> str:
    """Return a text as paragraphs of HTML, its addresses as links."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        safe = escape(paragraph, quote=False).replace("\n", "<br>")
        paragraphs.append("<p>" + URL.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', safe) + "</p>")
    return "".join(paragraphs)


def title_of(text: str) -> str:
    """Return the first words of a text as a title."""
    words = text.split()
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")


def pages(posts: Sequence[Post], size: int) -> Iterable[tuple[int, Sequence[Post]]]:
    """Yield (number from 1, posts) for each page of a listing."""
    for number, start in enumerate(range(0, len(posts), size), 1):
        yield number, posts[start : start + size]


def write(path: Path, content: bytes) -> Path:
    """Write a file with the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


_NAMES = (
    "kettle", "marten", "juniper", "quill", "pebble", "lantern", "barley", "otter", "thistle", "compass", "sparrow",
    "clover", "biscuit", "harbour", "willow", "magnet", "plum", "saddle", "ginger", "foxglove",
)  # fmt: skip
