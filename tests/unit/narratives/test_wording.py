"""Titles and terms."""

import pytest

from antiphon.narratives._terms import background_of, terms_of
from antiphon.narratives._wording import MAX_TITLE, key_terms, readable, title_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Rise, lanterns, 2026 times", {"rise", "lanter", "times"}),
        ("@someone wrote to a@b.org www.example.org/page", {"wrote", "to"}),
        ("নৌকা ঘাটে", {"নৌকা", "ঘাটে"}),
        ("渡し船", {"渡し", "し船"}),
        ("", set()),
    ],
    ids=["numbers tell little, endings neither", "accounts and addresses", "vowel signs", "no spaces", "empty"],
)
def test_terms_are_words_or_pairs_of_signs(text, terms):
    """What is compared, in scripts of three kinds."""
    assert terms_of(text) == terms


def test_a_word_common_in_one_language_is_common():
    """Else the small words of rare languages would name their narratives."""
    background = background_of([("en", {"harbour"})] * 900 + [("sw", {"na", f"w{n}"}) for n in range(100)])
    assert background.share("na") == 1.0
    assert background.share("w1") == 0.01


def test_key_terms_prefer_what_the_rest_does_not_say():
    """Log-odds against the background, strongest first."""
    background = background_of([("en", {"the", "sea"}) for _ in range(500)] + [("en", {"lanter"})])
    terms = key_terms([{"the", "lanter", "grey"}, {"the", "lanter", "grey"}, {"lanter", "sea"}], background)
    assert next(iter(terms)) == "lanter"
    assert "the" not in terms


def test_terms_are_shown_as_they_are_written():
    """The normal form joins letters that readers keep apart."""
    assert readable(["البير"], ["عند البئر", "هذه البئر"]) == ["البئر"]


def test_a_long_sentence_is_cut_between_words():
    """A title has a place to fit in."""
    title = title_of(["lantern " * 40], {"lanter": 1.0})
    assert len(title) <= MAX_TITLE
    assert title.endswith("lantern…")


def test_terms_stand_in_where_no_sentence_can_be_read():
    """A title is never empty."""
    assert title_of(["https://example.org/only"], {"lantern": 2.0, "grey": 1.0}) == "lantern · grey"
