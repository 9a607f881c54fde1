"""What folds together, what stays apart, and where it stood."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.fingerprints import folding
from antiphon.fingerprints.folding import fold_column, fold_texts, fold_utf8, folded_text, original_span
from antiphon.matching import _automaton

slow_first = settings(deadline=None)  # the first call compiles a kernel
any_text = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=60)


def letters_of(text):
    """The folded letters of a text, without any mark."""
    return "".join(chr(unit & folding.CODE) for unit in fold_texts([text]).units[:-1].tolist())


def edges_of(text):
    """For each unit: `|` behind a hard edge, `'` behind a soft one, `-` inside a word."""
    return "".join("-'|"[(unit & folding.EDGE) >> 21] for unit in fold_texts([text]).units[:-1].tolist())


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("ASH Lantern", "ash lantern"),
        ("Аѕһ Lаntеrn", "ash lantern"),
        ("4sh l@nt3rn", "ash lantern"),
        ("$ilver lantern", "silver lantern"),
        ("a.s.h l-a-n-t-e-r-n", "ash lantern"),
        ("a s h l a n t e r n", "ashlantern"),
        ("s 1 l v e r", "silver"),
        ("a\u200bs\u2060h lan\u00adtern\u202e", "ash lantern"),
        ("ãşĥ ĺåńţéŕñ", "ash lantern"),
        ("aaash lanternnnn", "ash lantern"),
        ("ａｓｈ 𝐥𝐚𝐧𝐭𝐞𝐫𝐧", "ash lantern"),
        ("ᴀꜱʜ ⓛⓐⓝⓣⓔⓡⓝ", "ash lantern"),
        ("ASH 🅛🅐🅝🅣🅔🅡🅝", "ash lantern"),
        ("si1ver", "silver"),
        ("siIver", "silver"),
        ("ﬁre", "fire"),
        ("Straße", "strasse"),
        ("كِتَـــاب", "كتاب"),
        ("أحمد", "احمد"),
        ("مكة", "مكه"),
        ("على کتاب", "علي كتاب"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("ﾗﾝﾀﾝ", "ランタン"),
        ("n.º 7", "no 7"),
    ],
    ids=lambda text: text,
)
def test_disguised_spellings_have_the_letters_of_the_plain_one(disguised, plain):
    """Each is a way in which people get past a list of words."""
    assert letters_of(disguised) == letters_of(plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [("brigade 88", "brigade bb"), ("3D", "ed"), ("1000", "100"), ("মা", "মি"), ("が", "か"), ("мост", "пост")],
    ids=["a number alone", "a digit and a letter", "noughts", "Bengali vowels", "voiced Kana", "Cyrillic"],
)
def test_what_is_another_word_stays_another(one, other):
    """Folding must not make strangers alike."""
    assert letters_of(one) != letters_of(other)


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("ash lantern", "|--|------"),
        ("ash-lantern", "|--'------"),
        ("ash - lantern", "|--|------"),
        ("Khan's", "|---'"),
        ("#AshLantern", "|--'------"),
        ("AshLantern", "|---------"),
        ("a s h", "|''"),
        ("a s", "||"),
        ("港の灯台", "|'''"),
        ("灯台tower", "|''----"),
        ("방패", "|--'-"),
    ],
)
def test_an_edge_is_hard_between_words_and_soft_where_one_may_be_meant(text, edges):
    """Matching trusts these marks alone; it never sees the original."""
    assert edges_of(text) == edges


@pytest.mark.parametrize(
    ("text", "tag"), [("#ash", 1), ("@ash", 2), ("# ash", 0), ("ash", 0), ("a#sh", 0), ("#.ash", 0)]
)
def test_a_word_behind_a_hash_or_an_at_says_so(text, tag):
    """A list that says #peace does not mean every peace; an `@` in a word is an a."""
    assert (int(fold_texts([text]).units[0]) & folding.TAG) >> folding.TAG_SHIFT == tag


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("see the B.L.U.E one!", 5, 9, "B.L.U.E"),
        ("x bluuuue!!", 1, 5, "bluuuue"),
        ("🔥🔥 blue\u0301\u200b.", 0, 4, "blue\u0301\u200b"),
        ("a ﬁre", 1, 3, "ﬁ"),
        ("lan-tern", 0, 7, "lan-tern"),
        ("s t o p p!", 3, 4, "p p"),
    ],
)
def test_a_span_of_units_leads_back_to_the_characters(text, start, end, shown):
    """An explanation marks the words as they were written."""
    low, high = original_span(fold_texts([text]), start, end)
    assert text[low:high] == shown


@slow_first
@given(st.lists(any_text, max_size=5))
def test_texts_do_not_run_into_one_another(texts):
    """Any partition of a batch gives the same units."""
    together = fold_texts(texts)
    alone = [fold_texts([text]) for text in texts]
    for at, one in enumerate(alone):
        low, high = together.starts[at], together.starts[at + 1]
        for column, single in zip(together[:1] + together[2:], one[:1] + one[2:], strict=True):
            assert column[low:high].tolist() == single.tolist()


@slow_first
@given(any_text)
def test_places_rise_and_every_span_lies_within_the_text(text):
    """A mark that points outside a text would break the page that shows it."""
    folded = fold_texts([text])
    assert (np.diff(folded.places) >= 0).all()
    assert int(folded.places[-1]) == len(text)
    for at in range(folded.units.size - 1):
        low, high = original_span(folded, at, at + 1)
        assert 0 <= low < high <= len(text)


@slow_first
@given(any_text)
def test_zero_width_marks_never_matter(text):
    """They cost a writer nothing, and no reader sees them."""
    marked = "".join(char + "\u200b" for char in text)
    assert fold_texts([marked]).units.tolist() == fold_texts([text]).units.tolist()


@slow_first
@given(st.binary(max_size=40))
def test_bytes_that_are_no_utf8_are_gaps_and_never_read_past(content):
    """Arrow promises UTF-8; a damaged file may break the promise."""
    folded = fold_utf8(np.frombuffer(content, np.uint8), np.array([0, len(content)], np.int64))
    assert folded.units.size <= len(content) * 6 + 1
    assert folded.starts.tolist() == [0, folded.units.size]


@pytest.mark.parametrize("texts", [[], [""], ["", "ash", ""], ["ﷺ" * 50, "ash"]])
def test_any_number_of_texts_folds(texts):
    """None, empty ones, and ligatures that stand for more letters than they have bytes."""
    folded = fold_texts(texts)
    assert len(folded.starts) == len(texts) + 1
    assert len(folded_text(folded)) == len(texts)


def test_a_slice_of_a_column_with_nulls_folds_like_its_texts():
    """Engines hand over slices; a null is an empty text."""
    column = pa.array(["one", None, "Ash", "lantern"])[1:3]
    assert folded_text(fold_column(column)) == ["", "ash"]


def test_half_a_surrogate_pair_is_a_gap():
    """JSON may hold one; it must not stop a batch."""
    assert folded_text(fold_texts(["ash\ud800lantern"])) == ["ash lantern"]


@pytest.mark.parametrize("name", ["CODE", "SOFT", "EDGE", "TAG", "RUNS", "SEEN", "SEEN_EITHER", "FOREIGN"])
def test_matching_reads_the_layout_that_folding_writes(name):
    """The two rooms do not import each other, so this holds them together."""
    assert getattr(folding, name) == getattr(_automaton, name)
