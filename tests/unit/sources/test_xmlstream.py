"""XML in pieces: mended, bounded, and honest about where it ends."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from antiphon.sources.xmlstream import MendedXml, Rejoined, XmlFault, local_name, stream_elements


def texts(content, names=("url",)):
    """Return the text of each element of some names, and the fault at the end."""
    found = list(stream_elements(io.BytesIO(content), frozenset(names)))
    fault = found.pop() if found and isinstance(found[-1], XmlFault) else None
    return len(found), fault


class Dripping:
    """A stream that gives so many bytes at a time."""

    def __init__(self, content, size):
        self._stream, self._size = io.BytesIO(content), size

    def read(self, size=-1):
        """Return the next few bytes."""
        return self._stream.read(self._size)


def mended(content, size=1 << 20):
    """Return all that a mended stream gives."""
    return b"".join(iter(MendedXml(Dripping(content, size)).read, b""))


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        (b"a?x=1&b=2", b"a?x=1&amp;b=2"),
        (b"a &amp; b &#38; &#x26;", b"a &amp; b &#38; &#x26;"),
        (b"caf&eacute;&nbsp;", b"caf&#233;&#160;"),
        (b"<![CDATA[a & b]]>&", b"<![CDATA[a & b]]>&amp;"),
        (b"a\x00b\x0bc", b"abc"),
        (b"&unknown;", b"&amp;unknown;"),
    ],
)
def test_the_usual_faults_are_mended(given_text, wanted):
    """What a recovering parser would swallow changes an address into another one."""
    assert mended(given_text) == wanted


@given(
    st.lists(st.sampled_from(["&", "&amp;", "&eacute;", "<![CDATA[", "]]>", "<a>", "x", "&#1", ";"]), max_size=25),
    st.integers(1, 9),
)
def test_pieces_change_nothing(parts, size):
    """However a network cuts a document, it is mended in the same way."""
    content = "".join(parts).encode()
    assert mended(content, size) == mended(content)


def test_a_cut_element_is_not_given_as_a_whole_one():
    """The parser closes what it has read half; a reader must not take that for the publisher's words."""
    assert texts(b"<s><url>a</url><url>b")[0] == 1
    count, fault = texts(b"<s><url>a</url><url>b</url>")
    assert count == 2
    assert fault.cut


def test_messages_quote_nothing_of_the_document():
    """What stands in a log must not spread what it reports on."""
    _, fault = texts(b"<s><url>a</url></wrong-secret-name></s>")
    assert "secret" not in fault.detail


@pytest.mark.parametrize("entity", ['e SYSTEM "file:///etc/hostname"', 'e "boo"'])
def test_no_entity_of_a_document_is_resolved(entity):
    """Neither a file nor a bomb comes in through an entity."""
    document = f"<!DOCTYPE s [<!ENTITY {entity}>]><s><url>[&amp;e;]&e;</url></s>".encode()
    (element,) = (e for e in stream_elements(io.BytesIO(document), frozenset(["url"])) if not isinstance(e, XmlFault))
    assert "".join(element.itertext()) in ("[&e;]&e;", "[&e;]")


def test_names_come_without_namespace():
    """Feeds and sitemaps write the same element under many prefixes."""
    assert local_name(etree.fromstring("<a:URL xmlns:a='urn:x'/>")) == "url"
    assert local_name(etree.Comment("x")) == ""


@given(st.binary(max_size=50), st.integers(0, 50), st.integers(1, 60))
def test_a_rejoined_stream_is_the_stream(content, cut, size):
    """What was read ahead to recognise a format is read again, once and in order."""
    rejoined = Rejoined(content[:cut], io.BytesIO(content[cut:]))
    assert b"".join(iter(lambda: rejoined.read(size), b"")) == content
