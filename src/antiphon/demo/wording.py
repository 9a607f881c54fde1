"""How a post is put together from sentences, and how a copy is lightly reworded."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from antiphon.demo.kinds import ADVOCACY
from antiphon.demo.phrases import Phrasebook, phrasebook

__all__ = ["article", "compose", "reword"]

_EMOJI = (" 🙂", " ☕", " 🌧️", " 😅", " 🍞", " 🚋", " 🌱", " 👍", " 🤷", " 🎻")
_TAGS = ("#veyl", "#lomira", "#sarn", "#maravel", "#today", "#oda", "#tram", "#brask")
_MARKS = ("❗ ", "‼️ ", "➡️ ", "📢 ", "🔥 ", "NEW: ", "👉 ")
_ENDS = (" 👇", " 🙏", "!", " …", " 🔁", " #share", " #veyl", "\n\n@all", " ✊")
_TAILS = {"news": "tail_news", "counter": "tail_counter", "everyday": "tail_everyday"}
_SENTENCE = re.compile(r"(?<=[.!?।؟…])\s+")
_LONG = ("everyday", "news", "research", "testimony")


def compose(kind: str, lang: str, rng: Random) -> str:
    """Return the text of an ordinary post of a kind: one to four sentences, now and then a tag or a link."""
    book, rand = phrasebook(lang), rng.random
    parts = [book.say(kind, rand)]
    if kind in _LONG and rand() < 0.45:
        parts.append(book.say(kind, rand))
    if kind in ("everyday", "football", "storm") and rand() < 0.2:
        parts.insert(0, book.line("opener", rand))
    if rand() < 0.45:
        parts.append(_tail(kind, book, rand))
    return _styled(" ".join(parts), kind, rng)


def article(kind: str, lang: str, rng: Random) -> list[str]:
    """Return the paragraphs of a longer page: what it is about first, then background."""
    book, rand = phrasebook(lang), rng.random
    first = f"{book.say(kind, rand)} {book.line('tail_news', rand)}"
    rest = [f"{book.line('paragraph', rand)} {book.line('paragraph', rand)}" for _ in range(3 + int(rand() * 4))]
    return [first, *rest]


def reword(text: str, rng: Random) -> str:
    """Return a text as somebody passes it on: a mark before it, a call behind it, a sentence less, another space."""
    changed = text
    sentences = _SENTENCE.split(text)
    if len(sentences) > 2 and rng.random() < 0.25:
        changed = " ".join(sentences[:-1])
    if rng.random() < 0.45:
        changed = rng.choice(_MARKS) + changed
    if rng.random() < 0.5:
        changed += rng.choice(_ENDS)
    if changed == text or rng.random() < 0.2:
        changed = changed.replace(", ", " , ", 1) if rng.random() < 0.5 else changed.replace(" ", "  ", 1)
    return changed


def _tail(kind: str, book: Phrasebook, rand: Callable[[], float]) -> str:
    pool = "tail_advocacy" if kind in ADVOCACY else _TAILS.get(kind, "tail_other")
    if kind in ("football", "storm"):
        pool = "tail_everyday"
    return book.line(pool, rand)


def _styled(text: str, kind: str, rng: Random) -> str:
    draw = rng.random()
    if draw < 0.06 and kind != "news":
        return text.lower()
    if draw < 0.14 and kind in ("everyday", "football", "storm"):
        return text + rng.choice(_EMOJI)
    if draw < 0.20:
        return f"{text} {rng.choice(_TAGS)}"
    if draw < 0.24 and kind in ("everyday", "news", "research", "counter"):
        return f"{text} https://{rng.choice(('notes', 'pages', 'boards'))}.example/{rng.getrandbits(32):08x}"
    return text
