"""Plans the posts of the invented world: ordinary days, copies, three campaigns, and two innocent bursts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from antiphon.demo.kinds import KINDS
from antiphon.demo.outlets import all_outlets
from antiphon.demo.phrases import LANGS, phrasebook
from antiphon.demo.planned import Outlet, Post
from antiphon.demo.wording import article, compose, reword

__all__ = ["CAMPAIGNS", "DAY_US", "plan"]

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
CAMPAIGNS = ("dam", "column", "posters")

_LANG_SHARES = (34, 12, 9, 10, 9, 8, 7, 6, 5)  # in the order of LANGS
_HOURS = (2, 1, 1, 1, 1, 2, 5, 8, 9, 8, 8, 8, 10, 9, 8, 8, 9, 11, 13, 14, 13, 11, 8, 4)
_MEMBERS = {
    "dam": "telegram", "column": "mastodon", "column_boards": "plaza", "posters": "telegram",
    "posters_subreddits": "reddit",
}  # fmt: skip
_CHEERS = 0.10  # part of all posts
_COPIED = 0.03
_WITH_PHOTO = 0.10
_POSTS_AN_AUTHOR = 6


@dataclass(frozen=True)
class _Campaign:
    """A set of outlets that say the same thing almost at once."""

    name: str
    kind: str
    lang: str
    texts: int
    outlets: tuple[Outlet, ...]
    slowest_s: float
    first_day: float
    last_day: float
    images: bool


def plan(posts: int, seed: int, days: int) -> list[Post]:
    """Return about `posts` planned posts over `days` days, in the order of time; same arguments, same posts."""
    planner = _Planner(Random(f"plan {seed}"), posts, days)
    found = [*planner.campaigns(), *planner.storm(), *planner.final()]
    origins = list(planner.ordinary(max(0, posts - len(found))))
    found += [*origins, *planner.copies(origins)]
    found.sort(key=lambda post: post.at_us)
    for number, post in enumerate(found):
        post.number = number
    return found


class _Planner:
    def __init__(self, rng: Random, posts: int, days: int) -> None:
        self._rng, self._posts, self._days = rng, posts, days
        self._outlets, self._names = all_outlets()
        self._authors = max(40, posts // _POSTS_AN_AUTHOR)

    def ordinary(self, count: int) -> Iterator[Post]:
        """Yield the posts of ordinary days; the copies of some of them are counted in `count` already."""
        rng, names, shares = self._rng, list(KINDS), [kind.share for kind in KINDS.values()]
        for _ in range(round(count / (1 + _COPIED * 2.5))):
            kind = rng.choices(names, shares)[0]
            lang = rng.choices(LANGS, _LANG_SHARES)[0]
            yield self._post(kind, lang, self._outlets.choose(kind, lang, rng), self._any_time())

    def copies(self, origins: Sequence[Post]) -> Iterator[Post]:
        """Yield reposts of some ordinary posts, hours to days later in other outlets."""
        rng = self._rng
        for number, origin in enumerate(origins):
            if rng.random() >= _COPIED or len(origin.text) < 60 or origin.outlet.format in ("web", "feed"):
                continue
            origin.copy_group = f"copy-{number}"
            for _ in range(1 + int(rng.random() ** 2 * 6)):
                outlet = self._elsewhere(origin)
                late = round(rng.lognormvariate(2.2, 1.1) * HOUR_US) + HOUR_US // 4
                if origin.at_us + late < self._days * DAY_US:
                    yield self._copy(origin, outlet, origin.at_us + late)

    def campaigns(self) -> Iterator[Post]:
        """Yield the posts of the three coordinated campaigns."""
        for campaign in self._all_campaigns():
            said: set[str] = set()
            for number in range(campaign.texts):
                yield from self._wave(campaign, number, said)

    def storm(self) -> Iterator[Post]:
        """Yield the weather service's warnings as every newsroom copies them within minutes."""
        rng = self._rng
        start = round(self._days * 0.35 * DAY_US)
        for lang in LANGS:
            book = phrasebook(lang)
            outlets = [outlet for outlet in self._outlets.news() if outlet.lang == lang]
            for number in range(len(book.pools["warning"])):
                text = book.say_nth("warning", number, rng.random)
                at = start + round((number * 9 + 2) * HOUR_US)
                for outlet in outlets:
                    late = round(rng.uniform(20, 540) * SECOND_US)
                    post = self._bare("warning", lang, text, outlet, at + late)
                    post.burst, post.copy_group = "storm", f"storm-{lang}-{number}"
                    yield post

    def final(self) -> Iterator[Post]:
        """Yield thousands of short cheers from everywhere in the two hours of the football final."""
        rng = self._rng
        kick_off = round((int(self._days * 0.7) + 19 / 24) * DAY_US)
        for _ in range(round(self._posts * _CHEERS)):
            lang = rng.choices(LANGS, _LANG_SHARES)[0]
            at = kick_off + round(rng.triangular(0, 2, 1.8) * HOUR_US)
            text = phrasebook(lang).line("cheer", rng.random)
            if rng.random() < 0.35:
                text += rng.choice((" ⚽", " 🎉🎉", "!!!", " 🏆", " ❤️", " 😭"))
            post = self._bare("cheer", lang, text, self._outlets.choose("cheer", lang, rng), at)
            post.burst = "final"
            yield post

    def _all_campaigns(self) -> list[_Campaign]:
        outlets, last = self._outlets, self._days - 4
        named = {key: outlets.named(form, self._names[key]) for key, form in _MEMBERS.items()}
        dam, column = named["dam"], named["column"] + named["column_boards"]
        posters = named["posters"] + named["posters_subreddits"]
        return [
            _Campaign("dam", "rumour", "en", 16, tuple(dam), 90, last * 0.1, last * 0.6, images=False),
            _Campaign("column", "recruitment", "de", 12, tuple(column), 240, last * 0.3, last, images=False),
            _Campaign("posters", "glorification", "tr", 14, tuple(posters), 150, last * 0.2, last * 0.9, images=True),
        ]  # fmt: skip

    def _wave(self, campaign: _Campaign, number: int, said: set[str]) -> Iterator[Post]:
        rng = self._rng
        text = self._new_text(campaign, said)
        start = round(rng.uniform(campaign.first_day, campaign.last_day) * DAY_US)
        members = rng.sample(campaign.outlets, round(len(campaign.outlets) * rng.uniform(0.6, 1.0)))
        at = start
        for place, outlet in enumerate(members):
            at += round(rng.uniform(2, campaign.slowest_s / len(members) * 2) * SECOND_US) if place else 0
            said_here = text if rng.random() < 0.55 else reword(text, rng)
            post = self._bare(campaign.kind, campaign.lang, said_here, outlet, at)
            post.campaign, post.copy_group = campaign.name, f"{campaign.name}-{number}"
            post.image = f"image-{number + 1:02d}" if campaign.images and outlet.format == "telegram" else ""
            yield post

    def _new_text(self, campaign: _Campaign, said: set[str]) -> str:
        """Return a text of the campaign that it has not used; two sentences, long enough to be told apart."""
        book = phrasebook(campaign.lang)
        say = book.line if campaign.kind == "rumour" else book.say
        while True:
            text = say(campaign.kind, self._rng.random) + " " + say(campaign.kind, self._rng.random)
            if text not in said:
                said.add(text)
                return text

    def _post(self, kind: str, lang: str, outlet: Outlet, at_us: int) -> Post:
        is_page = outlet.format == "web"
        text = "\n\n".join(article(kind, lang, self._rng)) if is_page else compose(kind, lang, self._rng)
        post = self._bare(kind, lang, text, outlet, at_us)
        if outlet.format == "telegram" and self._rng.random() < _WITH_PHOTO:
            post.image = f"image-{self._rng.randint(15, 40):02d}"
        if outlet.format in ("feed", "web") and kind == "news":
            post.title = phrasebook(lang).line("headline", self._rng.random)
        return post

    def _bare(self, kind: str, lang: str, text: str, outlet: Outlet, at_us: int) -> Post:
        return Post(0, kind, lang, text, at_us, outlet, int(self._rng.random() * self._authors))

    def _copy(self, origin: Post, outlet: Outlet, at_us: int) -> Post:
        text = origin.text if self._rng.random() < 0.5 else reword(origin.text, self._rng)
        copy = self._bare(origin.kind, origin.lang, text, outlet, at_us)
        copy.copy_group, copy.copied_from = origin.copy_group, origin.outlet.name
        copy.image = origin.image if outlet.format == "telegram" else ""
        return copy

    def _elsewhere(self, origin: Post) -> Outlet:
        kind = "everyday" if origin.kind == "news" else origin.kind
        return self._outlets.choose(kind, origin.lang, self._rng)

    def _any_time(self) -> int:
        rng = self._rng
        hour = rng.choices(range(24), _HOURS)[0]
        return int(rng.random() * self._days) * DAY_US + hour * HOUR_US + int(rng.random() * HOUR_US)
