"""Instants: every style in, UTC microseconds out."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.model.instants import instant_us

moments = st.datetimes(datetime(1950, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moments, zones)
def test_iso_8601_reads_back_in_every_zone(moment, zone):
    """The zone changes the writing, not the instant."""
    assert instant_us(moment.astimezone(zone).isoformat()) == instant_us(moment)


@given(st.integers(1_000_000_000, 4_000_000_000))
def test_seconds_milli_micro_and_nanoseconds_are_told_apart(seconds):
    """By size: no export says which it means."""
    wanted = seconds * 1_000_000
    assert [instant_us(seconds * scale) for scale in (1, 1_000, 1_000_000, 1_000_000_000)] == [wanted] * 4


def test_a_zone_may_be_named():
    """CrowdTangle writes CET, others EST."""
    assert instant_us("2026-03-01 13:00:00 CET") == instant_us("2026-03-01T12:00:00Z")


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_is_no_instant(value):
    """Missing is not wrong."""
    assert instant_us(value) is None


@pytest.mark.parametrize("value", ["soon", "0001-01-01T00:00:00Z", "2026-13-45", float("inf"), True, "9" * 400, [1]])
def test_what_is_no_time_is_refused_with_advice(value):
    """The message shows what was got, at most 40 characters of it."""
    with pytest.raises(InputError, match="is not a time"):
        instant_us(value)


@given(st.text(max_size=60))
def test_any_text_is_an_instant_or_an_input_error(text):
    """No other exception, whatever an export writes."""
    with contextlib.suppress(InputError):
        assert isinstance(instant_us(text), int | None)
