"""Undoing disguises: what becomes readable, what stays as it is, and where each letter stood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.analysis.evaluation.disguises import DISGUISES
from antiphon.analysis.undisguise import undisguise

CALL = "Comrades, storm the customs house of Veldra tonight and burn it down!"
ORDINARY = (
    "The mp3 and the B2B meeting on the 4th of May, 2nd floor, at 5pm: covid19 rules",
    "¿Qué pasó mañana? être élevé, Straße, üçüncü gün, kıyı",
    "Булочная открыта, приходите в 10:30",
    "খবরটা সত্যি কি না জানি না",
    "می‌خواهم به خانه بروم",
    "See https://news.example/a_b_c and write to desk@paper.example",
    "McDonald and O'Neill bought a state-of-the-art camera",
    "e.g. on Monday, i.e. tomorrow",
)


@pytest.mark.parametrize("name", [name for name in DISGUISES if name not in {"digits for letters", "letters repeated"}])
def test_a_disguise_is_undone(name):
    """What a reader sees through at a glance must not hide a word from the analysis."""
    assert undisguise(DISGUISES[name](CALL)).text.casefold().rstrip() == CALL.casefold()


def test_digits_for_letters_are_read_as_letters():
    """A number that stands alone stays a number, whatever stands around it."""
    assert undisguise(DISGUISES["digits for letters"](CALL)).text == CALL.replace("it", "17")


def test_a_repeated_letter_stands_twice_at_most():
    """`killlll` and `killl` are one word; `kill` keeps its own double letter."""
    assert undisguise("killlll killl kill").text == "kill kill kill"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_stay(text):
    """What is no disguise must reach the analysis unchanged."""
    assert undisguise(text).text == text


def test_a_number_in_a_word_of_its_own_is_no_letter():
    """Ordinals, names of formats and short codes are common."""
    assert undisguise("mp3 B2B 4th 2nd covid19 F16").text == "mp3 B2B 4th 2nd covid19 F16"


def test_a_hashtag_falls_into_its_words():
    """#BurnTheHall says as much as three words."""
    assert undisguise("#BurnTheHall #veldra_now").text == "# Burn The Hall # veldra now"


@given(st.text(max_size=200))
def test_every_letter_knows_where_it_stood(text):
    """Spans are shown in the original: places rise within its bounds, whatever was undone."""
    plain = undisguise(text)
    if plain.places is not None:
        assert len(plain.places) == len(plain.text)
        assert all(0 <= place < len(text) for place in plain.places)
    low, high = plain.original(0, len(plain.text), len(text))
    assert 0 <= low <= high <= len(text)


def test_a_span_of_the_plain_text_is_one_of_the_original():
    """The letters set apart are marked whole, with what was between them."""
    text = "go and b.u.r.n it"
    plain = undisguise(text)
    start = plain.text.index("burn")
    low, high = plain.original(start, start + 4, len(text))
    assert text[low:high] == "b.u.r.n"


@pytest.mark.parametrize("text", ["", "🔥", "a" * 1_000_000, "\u202e" * 1000, "\ud800", "\0" * 99, "=" * 5000])
def test_bad_input_is_bounded(text):
    """No text may stop the analysis."""
    assert len(undisguise(text).text) <= max(len(text), 1) + 1
