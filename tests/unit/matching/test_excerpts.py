"""Excerpts against the same definition in plain Python, and what winnowing promises."""

import math
from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.errors import InputError, MissingError
from antiphon.matching import _align, _winnow
from antiphon.matching import excerpts as ours
from antiphon.matching.excerpts import ExcerptIndex

PIER = "the lamps of the northern pier were lit again on the first evening of the long frost"
BOAT = "nobody in the valley remembers who painted the ferry green before the spring flood"
RAIN = "we sat under the tin roof counting drops until the kettle sang over the small stove"
SIGNS = "北の桟橋の灯りは長い霜の最初の夜にもう一度ともされたと港の人々は静かに語った"

letters = st.text("ab ", min_size=0, max_size=70)
phrases = st.lists(st.sampled_from([*PIER.split(), *BOAT.split()[:6], SIGNS[:9], SIGNS[5:]]), max_size=12).map(" ".join)
texts = st.lists(st.one_of(phrases, st.sampled_from([PIER, BOAT, RAIN, SIGNS, PIER[20:60] + RAIN])), max_size=5)
slow = partial(settings, deadline=None)  # the first call compiles a kernel


@slow(max_examples=60)
@given(queries=texts, entries=texts)
@example(queries=[PIER[10:70], RAIN + " " + PIER[10:70]], entries=[PIER, BOAT, PIER])
def test_the_index_finds_what_plain_reckoning_finds(queries, entries):
    """The kernels skip and bound much; on small inputs they must skip nothing that the definition has."""
    found = ExcerptIndex.build(*laid_out(entries)).search(*laid_out(queries), least_score=0.1)
    plain = plain_matches(queries, entries, 0.1)
    assert rows(found) == [row[:-1] for row in plain]
    assert found.score.tolist() == pytest.approx([row[-1] for row in plain], abs=1e-6)
    assert found.bounded.size == 0


@slow(max_examples=200)
@given(before=letters, shared=letters, after=letters, left=letters, right=letters)
def test_a_shared_run_with_a_window_of_grams_shares_a_chosen_gram(before, shared, after, left, right):
    """Winnowing's promise: a run of 23 letters or more is never missed, whatever stands about it."""
    shared += "the ferry leaves at nine"[: max(0, _winnow.GRAM + _winnow.WINDOW - 1 - len(shared))]
    one, other = chosen(before + shared + after), chosen(left + shared + right)
    assert set(one) & set(other)


@slow(max_examples=200)
@given(text=st.text("ab水火 ", max_size=60))
def test_the_kernel_chooses_the_grams_that_plain_reckoning_chooses(text):
    """The same places, hashes and ends, also of texts too short for a window or for a gram."""
    room = _winnow.new_chosen(60)
    for array in room:
        array[:] = 7  # what an earlier text left there must not be read
    count = _winnow.choose(laid_out([text])[0], room)
    kernel = zip(room.offsets[:count].tolist(), room.ends[:count].tolist(), strict=True)
    assert list(kernel) == chosen_spans(text)
    assert room.hashes[:count].tolist() == [every_hash(text)[at] for at in chosen_places(text)]


@slow(max_examples=100)
@given(text=st.text("ab水火 ", max_size=60))
def test_the_chosen_grams_are_the_least_of_their_windows(text):
    """Each window holds one chosen gram, and each chosen gram is the least of some window."""
    hashes, picked = every_hash(text), chosen_places(text)
    windows = [range(at, at + _winnow.WINDOW) for at in range(len(hashes) - _winnow.WINDOW + 1)] or [range(len(hashes))]
    assert all(any(place in window for place in picked) for window in windows if hashes)
    assert all(
        any(place in window and hashes[place] == min(hashes[at] for at in window) for window in windows)
        for place in picked
    )


@pytest.mark.parametrize(
    ("query", "entry"),
    [
        (f"{RAIN} {PIER[:60]} {BOAT}", PIER),
        (PIER[12:66], f"{BOAT} {PIER} {RAIN}"),
        (PIER.replace("northern", "western").replace("evening", "night"), PIER),
        (f"お知らせ {SIGNS[:24]} またね", SIGNS),
    ],
    ids=["an entry's excerpt in other text", "a piece of an entry", "an edited copy", "an excerpt of word signs"],
)
def test_repeats_are_found(query, entry):
    """The four ways in which a text repeats another."""
    found = ExcerptIndex.build(*laid_out([BOAT[:30], entry])).search(*laid_out([query]))
    assert (found.queries.tolist(), found.entries.tolist()) == ([0], [1])
    assert found.score[0] >= ours.LEAST_SCORE


def test_a_match_says_where_it_lies_in_both():
    """A reviewer is shown the words, so places must cut out the same ones."""
    query, entry = f"{RAIN} {PIER[10:70]} {BOAT}", f"{BOAT[:20]} {PIER}"
    found = ExcerptIndex.build(*laid_out([entry])).search(*laid_out([query]))
    here = query[found.query_start[0] : found.query_end[0]]
    assert here.strip() == entry[found.entry_start[0] : found.entry_end[0]].strip() == PIER[10:70].strip()
    assert found.share_of_query[0] == pytest.approx(found.aligned[0] / len(query))
    assert found.share_of_entry[0] == pytest.approx(found.aligned[0] / len(entry))


def test_what_many_entries_hold_is_no_match():
    """A common phrase says nothing of where a text comes from; the same words in one entry do."""
    query = f"{RAIN} {PIER[:50]}"
    crowd = [f"{number * 7919} {PIER[:50]} {number * 104729} {BOAT[number % 40 :]}" for number in range(100)]
    assert ExcerptIndex.build(*laid_out(crowd)).search(*laid_out([query])).entries.size == 0
    assert ExcerptIndex.build(*laid_out(crowd[:1])).search(*laid_out([query])).entries.tolist() == [0]


def test_a_copy_of_a_text_of_many_copies_is_a_match():
    """To flood a bank with copies must not make a text unfindable."""
    found = ExcerptIndex.build(*laid_out([PIER] * 200)).search(*laid_out([PIER, f"{PIER} at last"]))
    assert Counter(found.queries.tolist()) == {0: 200, 1: 200}


def test_a_bounded_query_is_named():
    """A hostile list of equal entries ends a query's work early, and the result says so."""
    entries = [PIER] * (2 * ours.MAX_POSTINGS)
    found = ExcerptIndex.build(*laid_out(entries)).search(*laid_out([BOAT, PIER]))
    assert found.bounded.tolist() == [1]
    assert 0 < found.entries.size <= ours.MAX_POSTINGS


def test_the_steps_of_one_query_are_bounded():
    """Two texts of one letter share quadratically many pieces; the work stays in bounds, and is named."""
    text = "ab" * 20_000
    found = ExcerptIndex.build(*laid_out([text, text + "c"])).search(*laid_out([text]))
    assert found.bounded.tolist() == [0]


@slow(max_examples=30)
@given(queries=texts, entries=texts, cut=st.integers(0, 6))
def test_any_partition_of_the_queries_gives_the_same_rows(queries, entries, cut):
    """What lets an engine split a batch where it likes."""
    index = ExcerptIndex.build(*laid_out(entries))
    whole = rows(index.search(*laid_out(queries)))
    first, second = (rows(index.search(*laid_out(part))) for part in (queries[:cut], queries[cut:]))
    assert whole == first + [(row[0] + min(cut, len(queries)), *row[1:]) for row in second]


def test_an_index_opened_from_its_files_finds_the_same(tmp_path):
    """Processes share the files; none may be changed by a search."""
    built = ExcerptIndex.build(*laid_out([PIER, BOAT, SIGNS]))
    built.save(tmp_path / "index")
    opened = ExcerptIndex.open(tmp_path / "index")
    queries = laid_out([PIER[5:70], BOAT, SIGNS[3:]])
    assert all(np.array_equal(a, b) for a, b in zip(built.search(*queries), opened.search(*queries), strict=True))
    assert len(opened) == 3


def test_a_missing_file_is_named(tmp_path):
    """The operator must know which file to bring back."""
    ExcerptIndex.build(*laid_out([PIER])).save(tmp_path)
    (tmp_path / "hashes.npy").unlink()
    with pytest.raises(MissingError, match=r"hashes\.npy"):
        ExcerptIndex.open(tmp_path)


@pytest.mark.parametrize("starts", [[], [0, 3], [1, 5], [0, 4, 2, 5]], ids=["none", "short", "late", "falling"])
def test_starts_that_do_not_lay_out_the_codes_are_refused(starts):
    """A kernel given such would read beyond the texts."""
    with pytest.raises(InputError, match="do not lay out 5 characters"):
        ExcerptIndex.build(np.zeros(5, np.uint32), np.array(starts, dtype=np.int64))


# The definition in plain Python: nothing is skipped, nothing is bounded.


def plain_matches(queries, entries, least):
    """Every match with its score, by looking at every pair."""
    postings = Counter(gram for entry in entries for gram in chosen(entry))
    pairs = [(q, e) for q in range(len(queries)) for e in range(len(entries))]
    found = ((q, e, plain_pair(queries[q], entries[e], postings, len(entries))) for q, e in pairs)
    return [(q, e, *match) for q, e, match in found if match and match[-1] >= least]


def plain_pair(query, entry, postings, count):
    """Places, characters aligned and score of one pair, or None where it is no candidate."""
    held, grams = Counter(chosen(entry)), [gram for gram in chosen(query) if postings[gram]]
    ranked = [gram for _, _, gram in sorted((postings[gram], at, gram) for at, gram in enumerate(grams))]
    looked = [gram for at, gram in enumerate(ranked) if at < ours.ALWAYS or postings[gram] < ours.COMMON]
    alike = 2 * min(len(query), len(entry)) >= max(len(query), len(entry))
    near = alike and 2 * sum(held[gram] for gram in looked) >= len(looked)
    weight = sum(held[gram] * plain_weight(postings[gram]) for gram in looked)
    links = plain_chain(plain_runs(query, entry))
    if not looked or not any(held[gram] for gram in looked) or not (near or weight >= ours.LEAST_WEIGHT) or not links:
        return None
    aligned = sum(kept for _, _, _, kept in links)
    share = aligned / max(len(query), len(entry))
    whole = share / ours.WHOLE_HALF / 2 if share < ours.WHOLE_HALF else 1 - (1 - share) / (1 - ours.WHOLE_HALF) / 2
    own = plain_own(query, links, held, postings) * max(0.5, math.log2(count) / math.log2(ours.KNOWING))
    (first_q, first_e, *_), (last_q, last_e, length, _) = links[0], links[-1]
    score = max(own / (own + ours.OWN_HALF), whole)
    return first_q, last_q + length, first_e, last_e + length, aligned, score


def plain_runs(query, entry):
    """Every longest shared run, by comparing every two suffixes."""
    found = []
    for e in range(len(entry)):
        for q in range(len(query)):
            if q and e and query[q - 1] == entry[e - 1]:
                continue
            pairs = zip(query[q:], entry[e:], strict=False)
            length = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(query) - q, len(entry) - e))
            found += [(q, e, length)] if length >= _align.MIN_RUN else []
    return found


def plain_chain(runs):
    """The best chain as (place in query, in entry, length, what stays), from its first run to its last."""
    best = []
    for q, e, length in runs:
        chains = [(2 * length, [(q, e, length, length)])]
        for worth, chain in best:
            left_q, left_e, left_length, _ = chain[-1]
            gaps = (q - left_q - left_length, e - left_e - left_length)
            stays = length + min(0, *gaps)
            if q > left_q and e > left_e and stays > 0:
                chains.append((worth + 2 * stays - max(0, *gaps), [*chain, (q, e, length, stays)]))
        best.append(max(chains, key=lambda scored: scored[0]))
    return max(best, key=lambda scored: scored[0])[1] if best else []


def plain_own(query, links, held, postings):
    """The characters of a chain that few others hold."""
    counted = weighed = own = 0
    for q, _, length, kept in links:
        inside = [
            gram
            for gram, (begin, end) in zip(chosen(query), chosen_spans(query), strict=True)
            if q + length - kept <= begin and end <= q + length and postings[gram]
        ]
        weights = [plain_weight(postings[gram]) for gram in inside if held[gram] or postings[gram] >= ours.COMMON]
        letters = sum(map(plain_letters, query[q + length - kept : q + length]))
        worth = max(0, letters - ours.RUN_COST)
        counted += worth
        if weights:
            weighed += worth
            own += worth * sum(weights) / len(weights)
    return own * counted / weighed if weighed else 0.0


def plain_weight(postings):
    """1 for one posting, 0 from the common number on."""
    return 1 - min(1.0, math.log2(postings) / math.log2(ours.COMMON))


def plain_letters(character):
    """A sign that writes a syllable or a word is two letters."""
    return 2 if ord(character) >= 0x3040 else 1


def every_span(text):
    """Where each gram begins and ends: the fewest characters that weigh enough."""
    weights = [plain_letters(character) for character in text]
    ends = [
        next((e for e in range(s, len(text) + 1) if sum(weights[s:e]) >= _winnow.GRAM), None) for s in range(len(text))
    ]
    return [(start, end) for start, end in enumerate(ends) if end is not None]


def every_hash(text):
    """The order of grams: a polynomial over 2**64, mixed."""
    hashes = []
    for start, end in every_span(text):
        rolled = 0
        for letter in text[start:end]:
            rolled = (rolled * 0x9E3779B97F4A7C15 + ord(letter) + 1) % 2**64
        hashes.append((rolled ^ (rolled >> 29)) * 0xBF58476D1CE4E5B9 % 2**64 >> 32)
    return hashes


def chosen_places(text):
    """The places of the chosen grams: of each window the least, the one chosen before where it is among the least."""
    hashes, places = every_hash(text), []
    for last in range(max(0, min(_winnow.WINDOW, len(hashes)) - 1), len(hashes)):
        window = range(max(0, last - _winnow.WINDOW + 1), last + 1)
        least = min(hashes[at] for at in window)
        if not places or places[-1] not in window or hashes[places[-1]] > least:
            places.append(max(at for at in window if hashes[at] == least))
    return places


def chosen_spans(text):
    """Where the chosen grams begin and end."""
    spans = every_span(text)
    return [spans[at] for at in chosen_places(text)]


def chosen(text):
    """The chosen grams as texts."""
    return [text[begin:end] for begin, end in chosen_spans(text)]


def rows(found):
    """What was found, without scores and shares."""
    columns = (found.queries, found.entries, found.query_start, found.query_end, found.entry_start, found.entry_end)
    return list(zip(*(column.tolist() for column in (*columns, found.aligned)), strict=True))


def laid_out(texts):
    """Texts as codes and starts; what makes skeletons of them is another room's concern."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    return codes, np.cumsum([0, *map(len, texts)])
