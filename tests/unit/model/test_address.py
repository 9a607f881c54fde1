"""The form in which addresses are compared: a sentence of RFC 3986 each, and what people do to addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.model.address import canonical_url, comparable_url, host_of


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://a.example/%7euser", "https://a.example/~user"),
        ("https://a.example/%c3%bc", "https://a.example/ü"),
        ("https://a.example/a%2fb", "https://a.example/a%2Fb"),
        ("https://a.example/a/./b/../c", "https://a.example/a/c"),
        ("https://a.example/a/%2e%2e/c", "https://a.example/c"),
        ("https://a.example/../c", "https://a.example/c"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://Ａ．ｅｘａｍｐｌｅ/b", "https://a.example/b"),
        ("https://a。example/b", "https://a.example/b"),
        ("https://a.example./b", "https://a.example/b"),
        ("https://%61.example/b", "https://a.example/b"),
        ("https://user:word@a.example/b", "https://a.example/b"),
        ("http://a.example:80/b", "https://a.example:443/b"),
        ("https:\\\\a.example\\b", "https://a.example/b"),
        ("https:/a.example/b", "https://a.example/b"),
        ("ht\ntps://a.exa\tmple/b", "https://a.example/b"),
        ("//a.example/b", "https://a.example/b"),
        ("a.example/b", "https://a.example/b"),
        ("https://a.example/?utm_source=x&b=1&fbclid=2", "https://a.example/?b=1"),
        ("https://a.example/?utm%5Fsource=x&b=1", "https://a.example/?b=1"),
        ("https://a.example/b#top", "https://a.example/b"),
        ("http://2130706433/", "https://127.0.0.1"),
        ("http://0x7f.1/", "https://127.0.0.1"),
        ("http://0177.0.0.01/", "https://127.0.0.1"),
        ("http://[2001:DB8:0::1]/", "https://[2001:db8::1]"),
    ],
)
def test_spellings_of_one_page_are_one(one, two):
    """RFC 3986 section 6.2.2, UTS 46 and the WHATWG standard each let one page be written in many ways."""
    assert comparable_url(one) == comparable_url(two) is not None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
        ("https://a.example/?a=1&b=2", "https://a.example/?b=2&a=1"),
        ("https://a.example/A", "https://a.example/a"),
        ("https://a.example:8443/", "https://a.example/"),
        ("https://web.example/#@one", "https://web.example/#@two"),
        ("https://web.example/#!/one", "https://web.example/"),
        ("https://a.example/?si=x&v=1", "https://a.example/?v=2"),
        ("https://straße.example/", "https://strasse.example/"),
    ],
    ids=["slash", "order", "case", "port", "name in a fragment", "page in a fragment", "query", "sharp s"],
)
def test_two_pages_stay_two(one, two):
    """An entry of a bank must not match a page that nobody looked at."""
    assert comparable_url(one) != comparable_url(two)


@pytest.mark.parametrize(
    "text",
    ["", "word", "two words", "javascript:alert(1)", "data:,a", "mailto:a@b.example", "tg://resolve?domain=a",
     "ftp://a.example/", "https://", "https://x:99999/", "https://a..example/", "https://[::1", "https://1.2.3.999/",
     "https://08.1/", "e.g.",
     "3.14", "https://exa mple/", "https://a.example/" + "b" * 9_000],
)  # fmt: skip
def test_what_is_no_address_of_a_page_has_no_comparable_form(text):
    """Neither an error nor a guess."""
    assert comparable_url(text) is None
    assert host_of(text) is None


address_like = st.lists(
    st.sampled_from(["http://", "https:", "//", "a", "Ü", "。", ".", "..", "/", "\\", "%2e", "%2F", "%zz", "%", "?",
                     "#", "&", "=", ":", "@", "8", "0x", "utm_source=1", "[", "]", "::1", "example", " ", "ß", "🔥",
                     "\u200d", "!"]),
    max_size=14,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(max_size=40), address_like, address_like.map(lambda rest: f"https://a.example/{rest}")))
def test_the_comparable_form_is_stable_and_never_an_exception(text):
    """Given back, it stays as it is, so values of two years are compared."""
    once = comparable_url(text)
    assert once is None or comparable_url(once) == once


@given(st.text("abc/?&=", max_size=12))
def test_plain_addresses_are_compared_by_their_canonical_form(rest):
    """Where nothing is encoded or dotted, the two forms agree."""
    url = f"http://Gazette.Example/{rest}"
    assert comparable_url(url) == canonical_url(url)
