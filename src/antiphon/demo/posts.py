"""A stream of invented posts as JSON lines, as many as a benchmark wants, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import orjson

from antiphon.demo.formats.common import account, iso
from antiphon.demo.kinds import KINDS, ORDINARY
from antiphon.demo.phrases import LANGS, Phrasebook, phrasebook
from antiphon.demo.planned import moment
from antiphon.demo.wording import reword
from antiphon.errors import InputError

__all__ = ["json_posts", "write_jsonl"]

_BOARDS = tuple(f"board-{number:03d}" for number in range(400))
_REPEATED = 0.05
_REMEMBERED = 2_000
_STEP_US = 9_000_000
_LINES_A_WRITE = 2_000
_WHEEL = 4_096
_LANG_SHARES = (34, 12, 9, 10, 9, 8, 7, 6, 5)


def write_jsonl(path: Path, posts: int, seed: int = 1) -> int:
    """Write posts as JSON lines and return how many bytes they are. Same arguments, same bytes.

    About one post in twenty repeats an earlier one, word for word or lightly changed. Kinds and languages are mixed as
    in the demo world; no truth is kept. Memory does not grow with `posts`.

    Raises:
        InputError: `posts` is negative.
    """
    if posts < 0:
        raise InputError(f"got {posts} posts, expected 0 or more", do="Ask for a number of posts.")
    written = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        lines: list[bytes] = []
        for line in json_posts(posts, seed):
            lines.append(line)
            if len(lines) == _LINES_A_WRITE:
                written += out.write(b"\n".join(lines) + b"\n")
                lines.clear()
        if lines:
            written += out.write(b"\n".join(lines) + b"\n")
    return written


def json_posts(posts: int, seed: int) -> Iterator[bytes]:
    """Yield posts as JSON objects of some 400 to 500 bytes, in the order of time."""
    rng = Random(f"json posts {seed}")
    rand = rng.random
    kinds, books = _wheels(rng)
    memory: list[tuple[str, str]] = []
    for number in range(posts):
        if memory and rand() < _REPEATED:
            lang, text = memory[int(rand() * len(memory))]
            text = text if rand() < 0.5 else reword(text, rng)
        else:
            book = books[int(rand() * _WHEEL)]
            lang, text = book.lang, _text(book, kinds[int(rand() * _WHEEL)], rand)
            if len(memory) < _REMEMBERED:
                memory.append((lang, text))
            else:
                memory[int(rand() * _REMEMBERED)] = (lang, text)
        yield _line(number, lang, text, rand)


def _wheels(rng: Random) -> tuple[list[str], list[Phrasebook]]:
    """Return kinds and phrasebooks in their proportions, to draw from with one multiplication."""
    names = list(KINDS)
    kinds = rng.choices(names, [KINDS[name].share for name in names], k=_WHEEL)
    return kinds, [phrasebook(lang) for lang in rng.choices(LANGS, _LANG_SHARES, k=_WHEEL)]


def _text(book: Phrasebook, kind: str, rand: Callable[[], float]) -> str:
    """Return two sentences and at times a third: one alone would repeat too often in a million posts."""
    ordinary = kind in ORDINARY
    second = book.say("everyday" if ordinary else kind, rand)
    text = f"{book.say(kind, rand)} {second}"
    if not ordinary or rand() < 0.5:
        text = f"{text} {book.line('tail_everyday' if ordinary else 'tail_other', rand)}"
    return text


def _line(number: int, lang: str, text: str, rand: Callable[[], float]) -> bytes:
    board = _BOARDS[int(rand() * len(_BOARDS))]
    views = int(4 / (rand() + 0.0005))
    at = iso(moment(number * _STEP_US + int(rand() * _STEP_US)))
    return orjson.dumps(
        {
            "id": f"n{number}", "url": f"https://plaza.example/{board}/n{number}", "published_at": at,
            "author": account(int(rand() * 200_000)), "lang": lang, "platform": "plaza", "board": board, "text": text,
            "views": views, "reactions": views >> 4, "shares": views >> 6, "replies": views >> 7,
        }
    )  # fmt: skip
