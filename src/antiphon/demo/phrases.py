"""Sentences of the invented world: hand-written templates per language, filled at random.

`[a|b]` in a template is a choice, `{name}` a slot of the language's list of that name; a choice may hold slots. Where a
slot stands twice in one template, the two never get the same word.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from antiphon.errors import ConfigError

__all__ = ["LANGS", "RIGHT_TO_LEFT", "Phrasebook", "Template", "compile_template", "phrasebook", "render"]

LANGS = ("en", "de", "fr", "es", "ru", "ar", "tr", "id", "bn")
"""Languages of the world; each has a file in `data/`."""

RIGHT_TO_LEFT = ("ar",)

Option = str | list["Part"]
Part = str | tuple["Option", ...]
Template = list[Part]
"""Literal texts, and tuples of options one of which is taken."""

_MARK = re.compile(r"\[([^\[\]]*)\]|\{(\w+)\}")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Phrasebook:
    """The sentences of one language: templates by kind, further pools by name, and the words of its slots."""

    lang: str
    kinds: Mapping[str, Sequence[Template]]
    pools: Mapping[str, Sequence[Template]]
    words: Mapping[str, Sequence[str]] = field(repr=False)

    def say(self, kind: str, rand: Callable[[], float]) -> str:
        """Return one sentence of a kind, its first letter a capital."""
        return self._pick(self.kinds[kind], rand)

    def line(self, pool: str, rand: Callable[[], float]) -> str:
        """Return one sentence of a pool (an opener, a tail, a headline...)."""
        return self._pick(self.pools[pool], rand)

    def say_nth(self, pool: str, number: int, rand: Callable[[], float]) -> str:
        """Return a certain sentence of a pool, its slots filled at random."""
        return _capital(render(self.pools[pool][number], rand), self.lang)

    def _pick(self, templates: Sequence[Template], rand: Callable[[], float]) -> str:
        return _capital(render(templates[int(rand() * len(templates))], rand), self.lang)


def compile_template(source: str, words: Mapping[str, Sequence[str]]) -> Template:
    """Return a template ready to be filled.

    Raises:
        ConfigError: it names a slot that the language has no words for, or too few to tell its places apart.

    Example:
        >>> compile_template("[Tea|{food}] please", {"food": ["Soup"]})
        [('Tea', [('Soup',)]), ' please']
    """
    return _Compiler(source, words).sequence(source)


def render(template: Template, rand: Callable[[], float]) -> str:
    """Return a template's text with every choice made by `rand`, which gives numbers from 0 to below 1."""
    out = []
    for part in template:
        if type(part) is str:
            out.append(part)
        else:
            option = part[int(rand() * len(part))]
            out.append(option if type(option) is str else render(option, rand))  # type: ignore[arg-type]
    return "".join(out)


@lru_cache(maxsize=len(LANGS))
def phrasebook(lang: str) -> Phrasebook:
    """Return the sentences of a language of `LANGS`."""
    table = tomllib.loads(files("antiphon.demo").joinpath(f"data/{lang}.toml").read_text(encoding="utf-8"))
    words = table["slots"]
    compiled = {
        section: {name: [compile_template(source, words) for source in sources] for name, sources in part.items()}
        for section, part in table.items()
        if section in ("kinds", "pools")
    }
    return Phrasebook(lang, compiled["kinds"], compiled["pools"], words)


class _Compiler:
    """Compiles one template; remembers which of a slot's places it has filled."""

    def __init__(self, source: str, words: Mapping[str, Sequence[str]]) -> None:
        self._words = words
        self._places = Counter(_SLOT.findall(source))
        self._filled: Counter[str] = Counter()

    def sequence(self, source: str) -> Template:
        parts: Template = []
        at = 0
        for mark in _MARK.finditer(source):
            if mark.start() > at:
                parts.append(source[at : mark.start()])
            options, slot = mark.groups()
            parts.append(self._slot(slot) if slot else self._choice(options))
            at = mark.end()
        if at < len(source):
            parts.append(source[at:])
        return parts

    def _choice(self, options: str) -> tuple[Option, ...]:
        return tuple(self.sequence(option) if "{" in option else option for option in options.split("|"))

    def _slot(self, name: str) -> tuple[Option, ...]:
        place, places = self._filled[name], self._places[name]
        self._filled[name] += 1
        found = tuple(self._words.get(name, ())[place::places])
        if not found:
            raise ConfigError(
                f"a template has slot {name!r} {places} times and the language {len(self._words.get(name, ()))} words",
                do="Add words to that list under [slots].",
            )
        return found


def _capital(text: str, lang: str) -> str:
    if lang == "tr" and text[:1] == "i":
        return "İ" + text[1:]
    return text[:1].upper() + text[1:]
