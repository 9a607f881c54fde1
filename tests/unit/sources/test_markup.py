"""Markup: the text of a fragment as its reader sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.sources.markup import html_to_text, read_markup

TEXTS = {
    "paragraphs": ("<p>one</p><p>two</p>", "one\n\ntwo"),
    "a line break": ("one<br>two<br/>three", "one\ntwo\nthree"),
    "two line breaks": ("one<br><br>two", "one\n\ntwo"),
    "a list": ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
    "entities": ("<b>salt &amp; bread &lt;3</b>", "salt & bread <3"),
    "entities without a tag": ("salt &amp; bread", "salt & bread"),
    "no markup keeps its lines": ("a < b\n  c", "a < b\n  c"),
    "white space of the source": ("<p>one\n   two</p>\n\n<p>three</p>", "one two\n\nthree"),
    "inline marks join words": ("<p>ha<b>rb</b>our</p>", "harbour"),
    "the whole of a shortened link": (
        '<a href="https://a.example/x"><span class="invisible">https://</span><span>a.example/x</span></a>',
        "https://a.example/x",
    ),
    "custom emoji": ('<p>fog <img alt=":tide:" src="t.png"> ahead</p>', "fog :tide: ahead"),
    "scripts and styles": ("<style>p{}</style><p>seen</p><script>x()</script>", "seen"),
    "preformatted": ("<pre>a\n  b</pre>", "a\n  b"),
    "a null": ("<p>a\x00b</p>", "ab"),
    "comments": ("<p>a<!-- b -->c</p>", "ac"),
    "nothing": ("<p></p>", ""),
    "an own entity is not expanded": ('<!DOCTYPE x [<!ENTITY e "zzz">]><p>a</p>', "]>\n\na"),
}


@pytest.mark.parametrize(("html", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_text_is_what_the_reader_sees(html, text):
    """Words, line breaks and entities as a browser shows them."""
    assert html_to_text(html) == text


def test_links_are_those_of_the_author():
    """Mentions and hashtags point to accounts and lists of the platform, not to what is shared."""
    html = (
        '<a href="https://q.example/@a" class="u-url mention">@a</a>'
        '<a href="https://q.example/tags/b" rel="tag">#b</a>'
        '<a href="https://n.example/1">n</a> <a href="javascript:x()">x</a> <a href="https://n.example/1">again</a>'
    )
    assert read_markup(html).links == ("https://n.example/1",)


def test_markup_too_deep_for_the_parser_loses_no_text():
    """Nesting hides nothing: where the parser gives up, the tags are stripped instead."""
    assert html_to_text("<div>" * 5_000 + "below" + "</div>" * 5_000 + "<p>after</p>") == "below\nafter"


@given(st.text(max_size=200))
def test_any_text_comes_back_once_escaped(text):
    """What an author typed, a server escapes; reading it gives what was typed, white space as HTML has it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    read = html_to_text(f"<p>{escaped}</p>")
    plain = "".join(char for char in text if char >= " " or char in "\t\n\r\f")
    assert read.split() == plain.split()


@given(st.text(alphabet="<>/pbr&;a \"'=\n!-", max_size=80))
def test_any_markup_is_read(html):
    """Broken markup is the rule, not the exception."""
    assert "\x01" not in html_to_text(html)
