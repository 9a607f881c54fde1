from collections import Counter, defaultdict

import pytest

from antiphon.demo.kinds import ADVOCACY, ORDINARY, PROTECTED
from antiphon.demo.phrases import LANGS
from antiphon.demo.plan import CAMPAIGNS, DAY_US, HOUR_US, SECOND_US, plan

POSTS = plan(6_000, seed=4, days=60)


def _waves(campaign):
    waves = defaultdict(list)
    for post in POSTS:
        if post.campaign == campaign:
            waves[post.copy_group].append(post)
    return waves


def test_the_same_seed_gives_the_same_posts():
    """What was measured once can be measured again."""
    assert plan(700, 4, 20) == plan(700, 4, 20)


def test_another_seed_gives_another_world():
    """Figures from one world alone could be its luck."""
    assert [post.text for post in plan(700, 4, 20)] != [post.text for post in plan(700, 5, 20)]


def test_every_language_is_spoken():
    """The share per language is only worth a figure where there is enough of it."""
    counts = Counter(post.lang for post in POSTS)
    assert set(counts) == set(LANGS)
    assert min(counts.values()) > 150


def test_most_of_life_is_ordinary():
    """A world of threats would make any alarm look good."""
    counts = Counter(post.kind for post in POSTS)
    ordinary, protected, advocacy = (sum(counts[kind] for kind in kinds) for kinds in (ORDINARY, PROTECTED, ADVOCACY))
    assert 0.78 < ordinary / len(POSTS) < 0.87
    assert 0.08 < protected / len(POSTS) < 0.15
    assert 0.04 < advocacy / len(POSTS) < 0.10


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_a_campaign_is_many_outlets_and_many_texts(campaign):
    """One shared text is a coincidence; 8 to 20 among 6 to 15 outlets are planned."""
    waves = _waves(campaign)
    outlets = {post.outlet for posts in waves.values() for post in posts}
    assert 6 <= len(outlets) <= 15
    assert 8 <= len(waves) <= 20
    assert len({posts[0].text for posts in waves.values()}) == len(waves)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_a_wave_is_over_within_minutes(campaign):
    """What makes it coordinated is the time between two, not the text."""
    for posts in _waves(campaign).values():
        instants = [post.at_us for post in posts]
        assert max(instants) - min(instants) < 600 * SECOND_US


def test_ordinary_copies_come_hours_or_days_later():
    """Ordinary reposting must be told from a campaign."""
    groups = defaultdict(list)
    for post in POSTS:
        if post.copy_group.startswith("copy-"):
            groups[post.copy_group].append(post.at_us)
    delays = sorted(at - min(instants) for instants in groups.values() for at in instants if at > min(instants))
    assert len(delays) > 100
    assert delays[len(delays) // 2] > 3 * HOUR_US


def test_the_final_is_two_hours_of_cheers_from_everywhere():
    """An innocent burst: many at once, and nobody agreed on it."""
    cheers = [post for post in POSTS if post.burst == "final"]
    assert max(post.at_us for post in cheers) - min(post.at_us for post in cheers) <= 2 * HOUR_US
    assert len({post.outlet for post in cheers}) > 100
    assert len(cheers) == 600


def test_newsrooms_copy_the_warnings_word_for_word():
    """The hardest innocent case: the same sources, the same texts, minutes apart, several times."""
    groups = defaultdict(list)
    for post in POSTS:
        if post.burst == "storm":
            groups[post.copy_group].append(post)
    assert len(groups) == 6 * len(LANGS)
    assert all(len({post.text for post in posts}) == 1 for posts in groups.values())
    assert all(post.outlet.beat == "news" for posts in groups.values() for post in posts)


def test_no_post_lies_outside_of_the_days():
    """A timeline that runs past its end would look like a fault of the reader."""
    assert all(0 <= post.at_us <= 60 * DAY_US for post in POSTS)
    assert [post.number for post in POSTS] == list(range(len(POSTS)))
