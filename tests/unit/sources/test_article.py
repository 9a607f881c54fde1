"""Web pages: the article and what the page says of itself, without the menus."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Media, Skipped
from antiphon.sources.article import Article
from antiphon.sources.webpage import decode_text, read_page

SOURCE = Article()
BODY = "<p>After three weeks in the yard the ferry between Brindle Bay and the Lantern Isles runs again on Monday.</p>"
PAGES = (
    "de.creativecommons.org.endlich.html", "en.wikipedia.org.tsne.html", "creativecommons.org.html",
    "creativecommons.at.faircoin.html", "wikimediafoundation.org.turkey.html", "blog.python.org.html",
)  # fmt: skip


def page(head="", body=BODY):
    """Return a web page, as bytes."""
    return f"<!DOCTYPE html><html lang='en'><head>{head}</head><body><article>{body}</article></body></html>".encode()


def only(content, **context):
    """Return the one material of a page."""
    (found,) = materials(read(SOURCE, content, **context))
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content))) == example.materials


@pytest.mark.parametrize("name", PAGES)
def test_real_pages_have_the_article_and_not_the_rest(name):
    """Trafilatura's annotators say which words belong to the article and which do not."""
    expected = json.loads(fixture("html_article", "expected.json").read_bytes())[name]
    content = fixture("html_article", name).read_bytes()
    found = only(content)
    assert SOURCE.recognise(content[:65_536], name) >= 0.9
    assert [words for words in expected["with"] if words not in found.text] == []
    assert [words for words in expected["without"] if words in found.text] == []
    assert found.title == expected.get("title", found.title)


@pytest.mark.parametrize(
    ("name", "url", "day", "author"),
    [
        ("wikimediafoundation.org.turkey.html", "https://wikimediafoundation.org/news/2020/01/15/", "2020-01-15",
         "Wikimedia Foundation"),
        ("de.creativecommons.org.endlich.html", "https://de.creativecommons.org/index.php/2014/03/20/", "2014-03-20",
         "Autor john"),
        ("blog.python.org.html", "http://blog.python.org/2016/12/", "2016-12-23", "Ned Deily"),
    ],
)  # fmt: skip
def test_real_pages_say_where_when_and_by_whom(name, url, day, author):
    """Address, date and author as the pages declare them."""
    found = only(fixture("html_article", name).read_bytes())
    assert found.url.startswith(url)
    assert found.published_at.startswith(day)
    assert found.author.endswith("/" + author)


def test_a_page_that_gives_no_date_gets_none():
    """The page has another page's date in a link; a guessed date would put it into the wrong week of a spread."""
    assert only(fixture("html_article", "creativecommons.org.html").read_bytes()).published_at is None


def test_a_date_in_a_zone_that_no_one_knows_does_not_stop_the_page():
    """The libraries warn of it, and where warnings are errors that would cost the page."""
    found = only(page("<meta property='article:published_time' content='2026-03-01T09:30:00 QQT'>"))
    assert found.text.startswith("After three weeks")


def test_declarations_are_read_with_hours_editions_and_counters():
    """JSON-LD says more than an extractor of texts keeps."""
    data = {
        "@graph": [
            {"@type": "WebPage", "datePublished": "2020-01-01"},
            {
                "@type": ["NewsArticle"], "datePublished": "2026-03-01T09:30:00+01:00",
                "dateModified": "2026-03-02T10:00:00+01:00", "commentCount": 4,
                "interactionStatistic": [
                    {"interactionType": "https://schema.org/LikeAction", "userInteractionCount": 9},
                ],
            },
        ]
    }  # fmt: skip
    found = only(page(f"<script type='application/ld+json'>{json.dumps(data)}</script>"))
    assert (found.published_at, found.revision) == ("2026-03-01T09:30:00+01:00", "2026-03-02T10:00:00+01:00")
    assert (found.reactions, found.replies) == (9, 4)


def test_links_of_the_article_and_not_of_the_menu():
    """A site's menu is on each of its pages and says nothing about this one."""
    linked = BODY.replace("the yard", "<a href='/yard'>the yard</a>")
    content = page("<link rel='canonical' href='https://g.example/a/b'>", linked).replace(
        b"<body>", b"<body><nav><a href='/sport'>Sport</a></nav>"
    )
    assert only(content).links == ("https://g.example/yard",)


def test_an_image_saved_beside_the_page_is_read():
    """Browsers save a page's files into a folder beside it."""
    kept = Media(path="a_files/i.png", sha256="0" * 64)
    found = only(
        page(body=BODY + "<img src='a_files/i.png'><img src='https://g.example/j.png'>"),
        sibling=lambda name: io.BytesIO(b"x") if name == "a_files/i.png" else None,
        keep_media=lambda stream, path, role: kept,
    )
    assert found.media == [kept, Media(path="https://g.example/j.png")]


def test_a_saved_page_names_its_address():
    """Browsers and SingleFile leave the address in a comment."""
    saved = b"<!-- saved from url=(0022)https://g.example/tide -->" + page()
    single = (
        b"<!DOCTYPE html> <html><!--\n Page saved with SingleFile \n url: https://g.example/tide \n"
        b" saved date: Sun Mar 01 2026 10:00:00 GMT+0000 (UTC)\n--><body>" + BODY.encode()
    )
    assert only(saved).url == only(single).url == "https://g.example/tide"
    assert only(single).collected_at == "Sun Mar 01 2026 10:00:00 GMT+0000"


def test_a_page_that_is_no_article_still_has_its_words():
    """An index or a short notice is public content too."""
    assert "Closed today" in only(b"<html><body><ul><li>Closed today</li></ul></body></html>").text


def test_a_messenger_export_as_html_is_turned_away_with_advice():
    """Its times have no zone and its replies no ids; and it may be a private chat, of which nothing is kept."""
    content = (
        b"<!DOCTYPE html><html><body><div class='page_wrap'><div class='page_body chat_page'></div></div></body></html>"
    )
    (item,) = read(SOURCE, content)
    assert (item.reason, item.keep_raw) == ("telegram-html", False)
    assert "JSON" in item.detail


def test_a_page_without_anything_is_set_aside():
    """No text and no title is no material."""
    (item,) = read(SOURCE, b"<html><body><script>x()</script></body></html>")
    assert isinstance(item, Skipped)
    assert item.reason == "no-content"


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("<meta charset='windows-1251'>Маяк".encode("cp1251"), None, "<meta charset='windows-1251'>Маяк"),
        ("Маяк".encode("koi8-r"), "koi8-r", "Маяк"),
        ("caf\u00e9 \u2019".encode("cp1252"), "iso-8859-1", "caf\u00e9 \u2019"),
        ("\ufeffМаяк".encode("utf-16"), None, "Маяк"),
        ("Маяк".encode(), "nonsense", "Маяк"),
    ],
)
def test_bytes_are_read_in_the_encoding_that_a_browser_would_take(content, charset, text):
    """By mark, by server, by page, by sense."""
    assert decode_text(content, charset) == text


@pytest.mark.parametrize(
    "content",
    [
        b"<div>" * 20_000 + b"x",
        b"<html>\x00<b\x00ody>\x00x",
        b"<html><body>" + b"\xff\xfe\xfd" * 50,
        b"<!DOCTYPE html>",
    ],
    ids=["deep", "null bytes", "no text of any encoding", "empty"],
)
def test_hostile_pages_end_as_materials_or_reasons(content):
    """Whatever was saved as a page, the run goes on."""
    assert all(isinstance(item, Skipped) or item for item in read(SOURCE, content))


@given(st.text(alphabet="<>/abp ='\"&;!-\n\u0130\u202e", max_size=200))
def test_no_markup_can_stop_a_run(markup):
    """Reading a page never raises, and gives text."""
    assert isinstance(read_page(b"<html><body>" + markup.encode()).text, str)


@pytest.mark.parametrize("content", [b"", b"plain words", b'{"a": 1}', b"<?xml version='1.0'?><rss/>", b"%PDF-1.4"])
def test_other_formats_are_not_taken_for_pages(content):
    """Each format belongs to its own reader."""
    assert SOURCE.recognise(content, "input") == 0
