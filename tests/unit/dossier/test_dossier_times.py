"""Time in buckets."""

from datetime import UTC, datetime, timedelta

from dossier_sample import START, MemorySource, finding, material
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dossier.gather.reader import Reader, instant
from antiphon.dossier.gather.times import buckets_of, gather_timeline

moments = st.integers(0, 18_000 * 86_400).map(
    lambda seconds: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def timeline(*published):
    rows = [material(str(n), published_at=at) for n, at in enumerate(published)]
    reader = Reader(MemorySource({"materials": rows, "findings": [finding(row["material_id"]) for row in rows]}))
    return gather_timeline(reader, buckets_of(reader))


@settings(max_examples=25, deadline=None)
@given(st.lists(moments, min_size=1, max_size=30))
def test_each_dated_material_is_in_a_bar_or_counted_as_outside(published):
    """A chart may leave out, but never without saying so."""
    found = timeline(*published)
    assert sum(n for _, _, n in found.rows) + found.outside == len(published)


@settings(max_examples=25, deadline=None)
@given(st.lists(moments, min_size=1, max_size=30))
def test_there_are_at_most_120_buckets(published):
    """More would be thinner than a pixel on a telephone."""
    found = timeline(*published)
    assert len({at for at, _, _ in found.rows}) <= 120
    assert (found.last_at - found.first_at) <= timedelta(seconds=found.bucket_s) * 120


def test_one_wrong_date_does_not_press_the_rest_together():
    """Platforms date broken posts 1970."""
    found = timeline(datetime(1970, 1, 1, tzinfo=UTC), *(START + timedelta(hours=n) for n in range(300)))
    assert (found.outside, found.bucket_s <= 86_400) == (1, True)


def test_weeks_begin_on_monday():
    """A bar of a week is read as a week of the calendar."""
    found = timeline(START, START + timedelta(days=500))
    assert found.bucket_words == "week"
    assert {at.isoweekday() for at, _, _ in found.rows} == {1}


def test_without_dates_there_is_no_timeline():
    """Some archives carry no time at all."""
    assert timeline(None, None).rows == ()


def test_an_instant_beyond_the_calendar_is_none():
    """A broken record may claim the year 300000."""
    assert instant(9_999_999_999_999_999_999) is None
