import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.demo.intervals import wilson
from antiphon.errors import InputError


@given(of=st.integers(1, 10_000), share=st.floats(0, 1))
def test_the_share_lies_within_its_interval(of, share):
    """An interval that leaves out what was seen would be no interval of it."""
    found = round(share * of)
    low, high = wilson(found, of)
    assert 0 <= low <= found / of <= high <= 1


@given(found=st.integers(0, 50))
def test_more_of_the_same_is_surer(found):
    """Ten times as many with the same share: a narrower interval."""
    few, many = wilson(found, 50), wilson(found * 10, 500)
    assert many[1] - many[0] < few[1] - few[0]


def test_a_known_value():
    """Ten of a hundred: 0.0552 to 0.1744, as published tables have it."""
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)


def test_nothing_to_find_tells_nothing():
    """0 of 0 is not 0 per cent."""
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_than_all_is_refused():
    """A count above its whole is a mistake of the caller."""
    with pytest.raises(InputError, match="5 of 4"):
        wilson(5, 4)
