"""Phrases are found where they stand, disguised or not, and nowhere else."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.fingerprints.folding import CODE, EDGE, FOREIGN, HARD, RUNS, SEEN, TAG, fold_texts, original_span
from antiphon.matching.phrases import MAX_SAME_LETTERS, MAX_UNITS, PhraseIndex

EITHER, BOTH, MANY = 4 << 27, 3 << 27, 2 << 25
PHRASES = [
    "ash lantern", "lantern", "ash lantern brigade", "lantern brigade", "#ashlantern", "fall", "fail", "to", "too",
    "bus stop", "فانوس الرماد", "пепельный фонарь", "灰の灯", "灰の灯台", "ab", "ab ab", "aab", "сор", "cope",
    "88", "b b",
]  # fmt: skip


def index_of(phrases, inside=None):
    """An index of phrases as people write them."""
    folded = fold_texts(phrases)
    return PhraseIndex.build(folded.units, folded.starts, inside=None if inside is None else np.array(inside))


def found_in(text, phrases, inside=None):
    """The phrases found in a text, and what stands there."""
    folded = fold_texts([text])
    spotted = index_of(phrases, inside).search(folded.units, folded.starts)
    rows = zip(spotted.phrases.tolist(), spotted.starts.tolist(), spotted.ends.tolist(), strict=True)
    return [(phrases[phrase], text[slice(*original_span(folded, start, end))]) for phrase, start, end in rows]


def same_letter(here, wanted):
    """The rule for one letter of a match, written a second time."""
    run = here & RUNS in (wanted & RUNS, MANY)
    one, other = here & BOTH, wanted & BOTH
    fits = {bool(here & EITHER): one | other == other, bool(wanted & EITHER): one | other == one}
    seen = fits.get(True, one == other) if not here & wanted & EITHER else one | other in (one, other)
    return run and (seen or not (here | wanted) & SEEN)


def oracle(texts, phrases, inside):
    """Every match by `str.find` over the letters, then the rule; no phrase here has equal letters at an inner edge."""
    found = []
    folded, listed = fold_texts(texts), fold_texts(phrases)
    for query in range(len(texts)):
        low, high = folded.starts[query], folded.starts[query + 1]
        text = folded.units[low:high].tolist()
        for number in range(len(phrases)):
            phrase = listed.units[listed.starts[number] : listed.starts[number + 1] - 1].tolist()
            found += [(query, number, int(low) + at) for at in finds(text, phrase, inside[number])]
    return sorted(found, key=lambda row: (row[0], row[2], row[1]))


def finds(text, phrase, inside):
    """Where a phrase stands in a text, both as units."""
    letters, wanted = ("".join(chr(unit & CODE) for unit in units) for units in (text, phrase))
    at = letters.find(wanted)
    while at >= 0:
        here = text[at : at + len(phrase)]
        whole = inside or (text[at] & EDGE and text[at + len(phrase)] & EDGE)
        edges = all(b & EDGE or a & EDGE != HARD for a, b in zip(here[1:], phrase[1:], strict=True))
        tags = all(b & TAG in (0, a & TAG) for a, b in zip(here, phrase, strict=True))
        script = any(a & FOREIGN == b & FOREIGN for a, b in zip(here, phrase, strict=True))
        if whole and edges and tags and script and all(map(same_letter, here, phrase)):
            yield at
        at = letters.find(wanted, at + 1)


words = st.sampled_from(
    ["ash", "lantern", "Brigade", "#AshLantern", "fall", "fa1l", "FAIL", "too", "tooo", "to", "bus", "stop", "a", "b",
     "ab", "aab", "فانوس", "الرّماد", "пепельный", "фонарь", "灰の灯台", "灰の灯", "сор", "cop", "соре", "88", "888",
     "l4ntern", "fa11", "ashlantern", "l-a-n-tern", "@ab"]
)  # fmt: skip
said = st.lists(st.tuples(words, st.sampled_from([" ", "", "-", ". ", "\n"])), max_size=8).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)


@settings(deadline=None, max_examples=150)
@given(texts=st.lists(said, max_size=4), inside=st.lists(st.booleans(), min_size=20, max_size=20))
def test_the_index_finds_what_the_plain_search_finds(texts, inside):
    """Phrases that are the beginning of others, that overlap, in five scripts: not one more, not one less."""
    phrases = [phrase for phrase in PHRASES if phrase not in ("bus stop", "b b")]
    inside = inside[: len(phrases)]
    folded = fold_texts(texts)
    spotted = index_of(phrases, inside).search(folded.units, folded.starts)
    rows = zip(*(column.tolist() for column in spotted[:3]), strict=True)
    assert sorted(rows, key=lambda row: (row[0], row[2], row[1])) == oracle(texts, phrases, inside)


@settings(deadline=None)
@given(
    phrases=st.lists(st.text("ab i", min_size=2, max_size=9).filter(lambda t: len(t.split()) == 1 and "aa" not in t),
                     min_size=1, max_size=12, unique=True),
    text=st.text("ab i-", max_size=40),
)  # fmt: skip
def test_any_list_of_words_agrees_with_the_plain_search(phrases, text):
    """Few letters, so that nearly everything is a beginning of something."""
    phrases = [phrase for phrase in phrases if len(set(phrase.split()[0])) > 1]
    folded = fold_texts([text])
    if phrases:
        index = index_of(phrases)
        spotted = index.search(folded.units, folded.starts)
        rows = list(zip(*(column.tolist() for column in spotted[:3]), strict=True))
        firsts = [row for row in oracle([text], phrases, [False] * len(phrases)) if index.same_as[row[1]] == row[1]]
        assert sorted(rows) == sorted(firsts)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the ASH Lantern!", "ash lantern"),
        ("#AshLantern now", "ash lantern"),
        ("ash-lantern", "Ash Lantern"),
        ("ash_lan.tern", "ash lantern"),
        ("join a s h l a n t e r n", "ash lantern"),
        ("4$h l4ntern", "ash lantern"),
        ("Аsh Lаntеrn", "ash lantern"),
        ("silveeeer", "silver"),
        ("#busstop", "bus stop"),
        ("b.u.s s.t.o.p", "bus stop"),
        ("Khan's tent", "khan"),
        ("l'ami", "ami"),
        ("Varnholt’ta", "varnholt"),
        ("fa11", "fall"),
        ("fa11", "fail"),
        ("港の灯台が光る", "灯台"),
        ("방패가", "방패"),
        ("في فانُـــوسُ الرَّماد", "فانوس الرماد"),
        ("#peace", "#peace"),
        ("#OnePeace", "peace"),
        ("см. фонарь.", "фонарь"),
    ],
)
def test_a_phrase_is_found_in_its_disguise(text, phrase):
    """What a list would miss if it were compared letter by letter."""
    assert [name for name, _ in found_in(text, [phrase])] == [phrase]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the rapist", "therapist"),
        ("lanterns", "lantern"),
        ("an ashlantern", "lantern"),
        ("to", "too"),
        ("too", "to"),
        ("fall", "fail"),
        ("peace", "#peace"),
        ("@peace", "#peace"),
        ("вор", "bop"),
        ("bop", "вор"),
        ("888", "88"),
        ("lantern ash", "ash lantern"),
        ("", "ash"),
    ],
)
def test_another_word_is_not_taken_for_the_phrase(text, phrase):
    """Each match is shown to a person, whose time is short."""
    assert found_in(text, [phrase]) == []


def test_a_phrase_that_may_stand_inside_words_is_found_there():
    """For languages that put words together: the list says it phrase by phrase."""
    phrases = ["latern", "asche"]
    assert found_in("Die Aschelaterne", phrases, [True, False]) == [("latern", "latern")]


def test_all_matches_come_and_the_longest_can_be_kept():
    """An explanation marks each word once; a count wants all."""
    folded = fold_texts(["ash lantern brigade", "lantern brigade"])
    spotted = index_of(PHRASES).search(folded.units, folded.starts)
    assert spotted.phrases.tolist() == [0, 2, 1, 3, 1, 3]
    assert spotted.queries.tolist() == [0, 0, 0, 0, 1, 1]
    assert spotted.longest().phrases.tolist() == [2, 3]


def test_a_phrase_written_twice_is_reported_once():
    """Lists are put together from lists."""
    index = index_of(["ash", "ASH", "tern"])
    folded = fold_texts(["ash tern"])
    assert index.same_as.tolist() == [0, 0, 2]
    assert index.search(folded.units, folded.starts).phrases.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("phrases", "named"),
    [(["ash", "", "🔥", "x"], "1, 2, 3"), (["ash", "ab" * (MAX_UNITS // 2 + 1)], "phrases 1")],
    ids=["too short", "too long"],
)
def test_a_phrase_of_too_few_or_too_many_letters_is_refused_by_its_number(phrases, named):
    """One letter is in every text; all faults of a list are told at once, and none is quoted."""
    with pytest.raises(InputError, match=named) as caught:
        index_of(phrases)
    assert "ash" not in str(caught.value)


def test_too_many_spellings_of_the_same_letters_are_refused():
    """They would all match at one place: a list of them could make a short text endless."""
    parts = [
        "".join(letter + " " * (number >> at & 1) for at, letter in enumerate("abcdefghij")) for number in range(512)
    ]
    with pytest.raises(InputError, match=f"at most {MAX_SAME_LETTERS}"):
        index_of([part.replace(" ", ", ") for part in parts])


@pytest.mark.parametrize("wrong", ["starts", "inside", "type"])
def test_arrays_that_do_not_fit_are_refused(wrong):
    """A kernel would read past their end."""
    folded = fold_texts(["ash", "tern"])
    units = folded.units.astype(np.int64) if wrong == "type" else folded.units
    starts = folded.starts + 1 if wrong == "starts" else folded.starts
    inside = np.zeros(3 if wrong == "inside" else 2, np.bool_)
    with pytest.raises(InputError, match="fit one another"):
        PhraseIndex.build(units, starts, inside=inside)


def test_an_empty_list_finds_nothing():
    """A new node has no phrases yet."""
    folded = fold_texts(["ash"])
    assert index_of([]).search(folded.units, folded.starts).phrases.size == 0


def test_a_hostile_list_does_not_make_a_text_endless():
    """A hundred thousand phrases with one beginning, against a text that is nothing else, takes less than a second."""
    rng = np.random.default_rng(5)
    beginning = "ab cd " * 20
    phrases = [beginning + "".join(map(chr, row)) for row in rng.integers(97, 123, (100_000, 12)).tolist()]
    index, folded = index_of(phrases), fold_texts(["ab cd " * 20_000])
    began = time.process_time()
    spotted = index.search(folded.units, folded.starts)
    assert time.process_time() - began < 1
    assert spotted.phrases.size == 0
