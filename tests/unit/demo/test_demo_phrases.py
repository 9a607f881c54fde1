import random
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.demo.kinds import KINDS
from antiphon.demo.phrases import LANGS, RIGHT_TO_LEFT, compile_template, phrasebook, render
from antiphon.errors import ConfigError

LEAST = {
    "everyday": 15, "news": 8, "counter": 6, "research": 4, "satire": 4, "testimony": 3, "faith": 3, "protest": 4,
    "direct": 6, "indirect": 6, "recruitment": 4, "threat": 3, "glorification": 4, "football": 4, "storm": 3,
}  # fmt: skip
POOLS = {"opener", "tail_everyday", "tail_news", "tail_counter", "tail_other", "tail_advocacy", "cheer", "warning",
         "headline", "paragraph"}  # fmt: skip
SCRIPTS = {"ru": "CYRILLIC", "ar": "ARABIC", "bn": "BENGALI"}


@pytest.mark.parametrize("lang", LANGS)
def test_every_language_has_enough_of_every_kind(lang):
    """A language with two sentences of a kind would make its figures a matter of these two."""
    book = phrasebook(lang)
    short = {kind: len(book.kinds[kind]) for kind, least in LEAST.items() if len(book.kinds[kind]) < least}
    assert short == {}
    assert set(book.pools) >= POOLS


@pytest.mark.parametrize("lang", LANGS)
def test_every_template_can_be_said_without_marks_left(lang):
    """A slot or bracket that stays in a text would tell the analyser that it was made."""
    book, rng = phrasebook(lang), random.Random(1)
    for templates in (*book.kinds.values(), *book.pools.values()):
        for template in templates:
            texts = [render(template, rng.random) for _ in range(8)]
            assert not [text for text in texts if re.search(r"[\[\]{}|]", text)]


@pytest.mark.parametrize(("lang", "script"), SCRIPTS.items())
def test_languages_are_written_in_their_script(lang, script):
    """Names transliterated into Latin would make the language easy to tell."""
    book, rng = phrasebook(lang), random.Random(2)
    text = " ".join(book.say(kind, rng.random) for kind in LEAST for _ in range(10))
    letters = [char for char in text if char.isalpha()]
    inside = sum(unicodedata.name(char).startswith(script) for char in letters)
    assert inside / len(letters) > 0.98


def test_one_language_at_least_runs_from_right_to_left():
    """Bidirectional text breaks pages that were only tried with Latin."""
    text = phrasebook(RIGHT_TO_LEFT[0]).say("everyday", random.Random(1).random)
    assert sum(unicodedata.bidirectional(char) == "AL" for char in text) > len(text) / 2


@given(seed=st.integers(0, 2**32))
def test_a_slot_that_stands_twice_is_filled_with_two_words(seed):
    """A team can't beat itself."""
    template = compile_template("{team} beat {team}", {"team": ["Brask", "Veyl", "Pellin"]})
    winner, loser = render(template, random.Random(seed).random).split(" beat ")
    assert winner != loser


def test_an_unknown_slot_is_refused_by_name():
    """A typo in a data file must not become an empty word in ten thousand posts."""
    with pytest.raises(ConfigError, match="'twon'"):
        compile_template("Rain in {twon}", {"town": ["Veyl"]})


def test_a_sentence_begins_with_a_capital_of_its_language():
    """Turkish writes İ for a first i; `upper` alone gives another letter."""
    book = phrasebook("tr")
    seen = {book.line("cheer", random.Random(seed).random)[:1] for seed in range(60)}
    assert "I" not in seen
    assert "İ" in seen


def test_kinds_that_are_drawn_for_ordinary_days_have_sentences():
    """A share above zero and no templates would fail only on the day that the kind is drawn."""
    drawn = [name for name, kind in KINDS.items() if kind.share]
    assert set(drawn) <= set(phrasebook("en").kinds)
    assert sum(KINDS[name].share for name in drawn) == pytest.approx(1, abs=0.06)
