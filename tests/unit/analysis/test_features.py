"""Features: disguises are seen through, quotation marks paired, and a post's features its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.analysis.features import CUES, Features, cue_classes, extract, normal_form


def of(features: Features, row: int) -> list[int]:
    """Return the buckets of one text."""
    return features.buckets[features.bounds[row, 0] : features.bounds[row, -1]].tolist()


def cues(text: str, lang: str = "en", *, quoted: bool = False) -> set[str]:
    """Return the cue classes found outside or inside quotation marks."""
    bits = int(extract([normal_form(text)], [lang]).bits[0, int(quoted)])
    return {name for number, name in enumerate(CUES) if bits >> number & 1}


@pytest.mark.parametrize("disguise", ["k1ll them", "k!ll k i l l them", "k.i.l.l them", "ki*ll them", "kіll them"])
def test_a_disguised_word_is_read(disguise):
    """Digits, letters set apart and look-alikes are the cheapest way around a filter."""
    assert "violence" in cues(disguise)


@pytest.mark.parametrize("text", ["she has a 1 in 4 chance", "flat 7 b is free", "i a m here"])
def test_ordinary_digits_and_short_words_name_no_violence(text):
    """Undisguising must not invent words."""
    assert "violence" not in cues(text)


@pytest.mark.parametrize(
    "text",
    [
        'he said "bomb it" again',
        "he said “bomb it” again",
        "he said «bomb it» again",
        "er: „bomb it“ so",
        "'bomb it' he said",
    ],
    ids=["straight", "curly", "angle", "low", "single"],
)
def test_a_quoted_cue_is_another_cue(text):
    """Who says a word matters more than the word."""
    assert "violence" in cues(text, quoted=True)
    assert "violence" not in cues(text)


def test_an_apostrophe_opens_no_quotation():
    """Else every contraction would turn the rest of a post into a quotation."""
    assert "violence" in cues("don't bomb it, that's the boys' house")
    assert not cues("don't bomb it, that's the boys' house", quoted=True)


@pytest.mark.parametrize(("word", "lang", "name"), [("martyrs", "en", "martyr"), ("убивайте", "ru", "violence")])
def test_the_kernel_and_the_table_agree_on_a_cue(word, lang, name):
    """Spans explain by the table what the kernel saw by its hash."""
    assert name in cue_classes(word, lang)
    assert name in cues(word, lang)


def test_a_cue_belongs_to_its_language():
    """The same letters mean other things elsewhere: `bala` is a bullet in Spanish only."""
    assert "weapon" in cues("una bala", "es")
    assert "weapon" not in cues("una bala", "id")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_a_text_has_the_same_features_alone(texts):
    """What lets an engine split a batch where it likes."""
    normal = [normal_form(text) for text in texts]
    together = extract(normal, ["en"] * len(normal))
    alone = [of(extract([text], ["en"]), 0) for text in normal]
    assert [of(together, row) for row in range(len(normal))] == alone


@given(st.text(max_size=200))
def test_anchors_lie_in_the_text(text):
    """A span is cut where an anchor points."""
    normal = normal_form(text)
    features = extract([normal], ["und"])
    assert np.all((features.anchors >= 0) & (features.anchors < max(1, len(normal))))


def test_features_of_one_text_are_different_from_one_another():
    """A word said a hundred times counts once, so a flood of it changes nothing."""
    once, often = (of(extract([text], ["en"]), 0) for text in ("burn it", " ".join(["burn it"] * 100)))
    assert len(set(often)) == len(often)
    assert len(often) < 2 * len(once) + 40
