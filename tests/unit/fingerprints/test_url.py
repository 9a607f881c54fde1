"""Which addresses are the same page and the same domain, and which have no signal."""

import hashlib
import socket

import pytest

from antiphon.errors import InputError
from antiphon.fingerprints import SignalType
from antiphon.fingerprints.url import Url, UrlDomain, url_signals
from antiphon.model.address import registrable_domain


@pytest.mark.parametrize("kind", [Url(), UrlDomain()], ids=lambda kind: kind.name)
def test_it_has_the_interface_and_its_examples_have_signals(kind):
    """The node asks for nothing else."""
    assert isinstance(kind, SignalType)
    assert all(len(kind.fingerprint(content).value) == kind.value_bytes for content in kind.examples())


def test_the_value_is_the_digest_of_the_comparable_form():
    """Anyone can make it again without this program."""
    expected = hashlib.blake2b(b"https://gazette.example/a?x=1", digest_size=16).digest()
    assert Url().fingerprint(b"HTTP://Gazette.Example:80/a/?x=1#top").value == expected


def test_two_spellings_of_a_page_are_equal_and_two_pages_are_not():
    """An exact type knows no nearness."""
    one, same, other = (
        Url().fingerprint(url).value for url in (b"http://a.example/b/../c", b"a.example/c", b"a.example/d")
    )
    assert Url().oracle(one, [same, other]) == [0, 1]


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://news.gazette.example/a", "gazette.example"),
        ("https://a.b.co.uk/", "b.co.uk"),
        ("https://co.uk/", None),
        ("https://one.blogspot.com/a", "one.blogspot.com"),
        ("https://bücher.пример.рф/", "xn--e1afmkfd.xn--p1ai"),
        ("https://deep.hidden.onion/", "hidden.onion"),
        ("https://a.b.unknownsuffix/", "b.unknownsuffix"),
        ("https://localhost:8000/", None),
        ("https://192.0.2.7/", None),
        ("https://[2001:db8::1]/", None),
        ("mailto:keeper@gazette.example", None),
        ("no address", None),
    ],
)
def test_the_domain_is_the_one_that_somebody_registered(url, domain):
    """The Public Suffix List decides, its private part too; where it knows nothing, its own default rule."""
    assert registrable_domain(url) == domain


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://gazette.example/a", ["url", "url_domain"]),
        ("https://192.0.2.7/a", ["url"]),
        ("javascript:alert(1)", []),
        ("data:text/plain,a", []),
        ("", []),
        ("see https://gazette.example/a", []),
    ],
)
def test_an_address_has_the_signals_that_can_be_compared(url, names):
    """Nothing is said where nothing can be compared."""
    assert sorted(url_signals(url)) == names


def test_the_stage_may_hand_over_any_text():
    """A signal type for texts sees every post: most are no address and have no signal, and none is an error."""
    assert Url().fingerprint(b"The ferry to Varnholt leaves at nine.") is None
    with pytest.raises(InputError):
        Url().fingerprint(b"\xff")


def test_nothing_is_fetched(monkeypatch):
    """Who looks at an address must not be seen by it, nor by the list's home."""

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert registrable_domain("https://never.seen-before.example/") == "seen-before.example"
