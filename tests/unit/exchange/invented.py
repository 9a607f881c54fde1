"""Invented entries of every kind, and the forms that must hold them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from hypothesis import strategies as st

from antiphon.exchange import EntryLines, EntryTable, Misp, PlainList, Stix, ThreatExchange
from antiphon.exchange._addresses import address_value
from antiphon.model.bank import MARKINGS, SIGNAL_BYTES, STATUSES, Bank, BankEntry

FORMS = (PlainList(), EntryLines(), EntryTable(), ThreatExchange(), Misp(), Stix())
BANK = Bank("ash-lantern", source="Harbour Watch", marking="green", licence="CC-BY-4.0", thresholds={"pdq": 24})
NEGATIVE = Bank("no-case", purpose="negative", marking="clear", description="Decided once: no case")
ADDRESSES = ("https://gazette.example/harbour?id=7", "http://ferry.example/a'b\\c", "gazette.example", "ferry.co.uk")

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
solid = words.filter(lambda text: bool(text.strip()))
instants = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ids = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20).filter(str.isprintable)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def _values(kind: str) -> st.SearchStrategy[bytes]:
    if kind in ("text", "phrase"):
        return solid.map(str.encode)
    size = SIGNAL_BYTES[kind]
    frame = st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 100)).map(
        lambda one: one[0] + bytes([one[1]])
    )
    return st.binary(min_size=size, max_size=size) if size else st.lists(frame, min_size=1, max_size=3).map(b"".join)


@st.composite
def entries(draw: st.DrawFn, bank: Bank = BANK) -> BankEntry:
    """Draw any entry that `entry_fault` finds nothing wrong with."""
    kind = draw(st.sampled_from(sorted(SIGNAL_BYTES)))
    value, more = draw(_values(kind)), draw(st.dictionaries(words, json, max_size=2))
    if kind in ("url", "url_domain") and draw(st.booleans()):
        more["address"] = draw(st.sampled_from(ADDRESSES))
        value = address_value(kind, more["address"]) or value
    if draw(st.booleans()):
        more[draw(st.sampled_from(FORMS)).name] = draw(st.dictionaries(words, json, max_size=2))
    since, until = sorted((draw(instants), draw(instants)))
    return BankEntry(
        bank=draw(st.sampled_from((bank.name, "another"))), entry_id=draw(ids), signal_type=kind, value=value,
        label=draw(st.none() | words), entity=draw(st.none() | words), note=draw(st.none() | words),
        source=draw(st.none() | words | st.just(bank.source)), marking=draw(st.none() | st.sampled_from(MARKINGS)),
        valid_from=draw(st.none() | st.just(since)),
        valid_until=until if until > since and draw(st.booleans()) else None,
        status=draw(st.sampled_from(STATUSES)), more=more,
    )  # fmt: skip


def several(bank: Bank) -> st.SearchStrategy[list[BankEntry]]:
    """Return lists of entries with ids of their own."""
    return st.lists(entries(bank), max_size=4, unique_by=lambda entry: entry.entry_id)


def written(form, bank: Bank, made: list[BankEntry]) -> bytes:
    """Return the file that a form makes of a bank."""
    out = io.BytesIO()
    form.write(bank, made, out)
    return out.getvalue()


def read(form, data: bytes) -> list:
    """Return what a form reads."""
    return list(form.read(io.BytesIO(data)))
