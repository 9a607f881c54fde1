"""Material text as the page shows it."""

from dossier_sample import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dossier.text import Span, passage, plain, usable_spans

spans = st.lists(
    st.builds(
        Span, st.integers(-5, 400), st.integers(-5, 400), st.sampled_from(["incites", "reports"]), st.just("why")
    ),
    max_size=8,
)


def shown(segments):
    return "".join(segment.text for segment in segments if segment.kind in {"plain", "act", "context"})


@given(text=st.text(max_size=300), found=spans)
def test_a_short_text_is_shown_whole(text, found):
    """Whatever spans an analyser wrote, no character of a short text is lost or doubled."""
    segments = passage(text, usable_spans(text, found), limit=400)
    kept = "".join("\u202e" if s.text == "right-to-left override" else s.text for s in segments if s.kind != "gap")
    assert len(kept.replace("left-to-right override", "\u202d")) == len(text)


@given(text=st.text("ab \n", min_size=200, max_size=900), found=spans)
def test_shown_and_left_out_make_the_whole(text, found):
    """The page says how much it leaves out, so the numbers must add up."""
    segments = passage(text, usable_spans(text, found), limit=100)
    left_out = sum(int(s.text.split()[0].replace(",", "")) for s in segments if s.kind == "gap")
    assert len(shown(segments)) + left_out == len(text)


@given(text=st.text("ab ", min_size=2_000, max_size=4_000), found=spans)
def test_an_excerpt_is_bounded(text, found):
    """A page of 150 materials must not grow with their texts."""
    segments = passage(text, usable_spans(text, found), limit=400)
    assert len(shown(segments)) <= 400 + 400


@given(text=st.text(min_size=1, max_size=200), found=spans)
def test_each_marked_character_lies_in_a_span(text, found):
    """A mark on other words would tell a reviewer a wrong reason."""
    usable = usable_spans(text, found)
    marked = {n for segment in passage(text, usable, limit=400) for n in segment.notes}
    assert marked <= set(range(1, len(usable) + 1))
    assert all(0 <= span.start < span.end <= len(text) for span in usable)


def test_marks_cover_the_words_of_the_span():
    """Offsets count characters, not bytes: the words before are Arabic and an emoji."""
    text = "قال 🔥 must burn now"
    start = text.index("must")
    segments = passage(text, [Span(start, start + 9, "incites", "why")], limit=400)
    assert [(s.kind, s.text, s.ends) for s in segments if s.notes] == [("act", "must burn", (1,))]


def test_overlapping_spans_keep_both_numbers():
    """Words can be a call and a quotation at once; the page names both."""
    segments = passage("abcdef", [Span(0, 4, "incites", ""), Span(2, 6, "reports", "")], limit=400)
    assert [(s.kind, s.text, s.notes) for s in segments] == [
        ("act", "ab", (1,)),
        ("act", "cd", (1, 2)),
        ("context", "ef", (2,)),
    ]


def test_an_excerpt_shows_the_words_around_a_late_span():
    """What led to a flag must be read, though it stands at the end of a long text."""
    text = "quiet words " * 500 + "burn the toll house " + "quiet words " * 500
    start = text.index("burn")
    segments = passage(text, [Span(start, start + 4, "incites", "why")], limit=400)
    assert ("act", "burn") in [(s.kind, s.text) for s in segments]
    assert [s.kind for s in segments].count("gap") == 2


def test_a_text_cut_in_reading_counts_its_rest():
    """A text of a megabyte is read in part; the page still says how long it is."""
    segments = passage("a" * 1_000, [], limit=400, total_chars=1_000_000)
    assert segments[-1].text == f"{1_000_000 - len(shown(segments)):,} characters not shown"


def test_an_override_is_named_and_not_obeyed():
    """A right-to-left override makes words read backwards; a reviewer sees that it is there."""
    segments = passage("pay \u202eevil", [], limit=400)
    assert [(s.kind, s.text) for s in segments] == [
        ("plain", "pay "),
        ("control", "right-to-left override"),
        ("plain", "evil"),
    ]


@given(st.text() | st.just(HOSTILE), st.integers(2, 60))
def test_a_line_is_bounded_and_has_no_controls(text, limit):
    """Titles, addresses and names of sources stand in tables: one line, and none that breaks HTML."""
    line = plain(text, limit)
    assert len(line) <= limit
    assert not any(ord(char) < 32 or char in "\u202d\u202e" for char in line)
