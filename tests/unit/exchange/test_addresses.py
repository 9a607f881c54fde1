"""Addresses and domains of lists have the values that materials are compared by."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import ADDRESSES

from antiphon.exchange._addresses import address_value
from antiphon.fingerprints.url import url_signals

OTHERS = (
    "http://192.0.2.7/a",
    "data:,a",
    "",
    "https://a.b.co.uk/x",
    "https://co.uk/",
    "\ud800",
    "[::1",
    "überfahrt.example",
)


@pytest.mark.parametrize("address", ADDRESSES + OTHERS)
def test_an_address_has_the_value_of_its_signal_type(address):
    """What a list says must be what a material is compared by."""
    expected = url_signals(address).get("url") if address != "\ud800" else None
    assert address_value("url", address) == expected


@settings(deadline=None)
@given(name=st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}\.(example|co\.uk|com|blogspot\.com)", fullmatch=True))
def test_a_domain_has_the_value_of_the_addresses_under_it_or_none(name):
    """A host below a registered domain would never match, so it is no entry."""
    value = address_value("url_domain", name)
    assert value in (None, url_signals(f"https://{name}/a").get("url_domain"))
    assert value is None or value == url_signals(f"https://deep.{name}/").get("url_domain")
