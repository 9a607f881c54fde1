"""Instants: the many ways in which exports write a time, read to UTC microseconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dateutil import parser as dateutil_parser

from antiphon.errors import InputError

__all__ = ["MAX_INSTANT_US", "MIN_INSTANT_US", "instant_us"]

MIN_INSTANT_US = -2_208_988_800_000_000  # 1900-01-01: older dates are the year 0001 of an empty field
MAX_INSTANT_US = 4_102_444_800_000_000  # 2100-01-01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?$")
_WEEKDAY_FIRST = re.compile(r"[A-Za-z]{3,9},? ")
_SCALES = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1))  # below: seconds, milliseconds, microseconds; else nanoseconds


_HOUR_S = 3_600
_ZONES = {
    name: round(hours * _HOUR_S)
    for names, hours in (
        ("UTC GMT WET Z", 0), ("BST WEST CET", 1), ("CEST EET SAST CAT", 2), ("EEST MSK TRT EAT AST", 3), ("GST", 4),
        ("PKT", 5), ("IST", 5.5), ("WIB ICT", 7), ("CST_CHINA HKT SGT", 8), ("JST KST", 9), ("AEST", 10), ("AEDT", 11),
        ("NZST", 12), ("BRT ART", -3), ("EDT", -4), ("EST CDT", -5), ("CST MDT", -6), ("MST PDT", -7), ("PST", -8),
    )
    for name in names.split()
}  # fmt: skip
"""What exports mean by the names of zones. Several names are used twice in the world; the more frequent one counts."""


def instant_us(value: str | float | datetime | None) -> int | None:
    """Return an instant as microseconds since 1970 in UTC, or None for an empty value.

    Reads ISO 8601, RFC 2822 and what social platforms make of them, and epoch numbers in seconds, milli-, micro- or
    nanoseconds (told apart by size). A time without a zone is taken as UTC: no export says the zone that it left out.

    Raises:
        InputError: the value is no time, or lies outside of the years 1900 to 2100.

    Example:
        >>> instant_us("2026-03-01T12:00:00Z") == instant_us(1772366400) == instant_us("1772366400000")
        True
    """
    if value is None or value == "":
        return None
    try:
        micros = _parse(value)
    except (ValueError, OverflowError, TypeError, AttributeError) as fault:
        raise _not_a_time(value) from fault
    if not MIN_INSTANT_US <= micros <= MAX_INSTANT_US:
        raise _not_a_time(value)
    return micros


def _parse(value: str | float | datetime) -> int:
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.match(text) and not (len(text) in (4, 8) and text.isdigit()):
            return _from_number(float(text) if "." in text else int(text))
        return _from_datetime(_parse_text(text))
    if isinstance(value, datetime):
        return _from_datetime(value)
    if isinstance(value, bool):
        raise TypeError("a truth value")
    return _from_number(value)


def _from_number(value: float) -> int:
    if not math.isfinite(value):
        raise ValueError("not finite")
    size = abs(value)
    for limit, factor in _SCALES:
        if size < limit:
            return round(value * factor)
    return round(value / 1_000)


def _from_datetime(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _parse_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if _WEEKDAY_FIRST.match(text):
        try:
            return parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError):
            pass
    # Most of the world writes 03/04/2026 for the third of April; a first number above 12 settles it anyway.
    default = datetime(1, 1, 1, tzinfo=UTC)
    moment: datetime = dateutil_parser.parse(text, dayfirst=not text[:4].isdigit(), default=default, tzinfos=_zone)
    return moment


def _not_a_time(value: object) -> InputError:
    shown = str(value)[:40]
    return InputError(
        f"{shown!r} is not a time between 1900 and 2100", do="Write it as 2026-03-01T12:00:00Z or as epoch seconds."
    )


def _zone(name: str | None, offset_s: int | None) -> int | None:
    """Return a zone's offset in seconds, None where none is given; a name that is not known is not read as UTC."""
    if offset_s is not None or name is None:
        return offset_s
    if name not in _ZONES:
        raise ValueError(f"zone {name} is not known")
    return _ZONES[name]
