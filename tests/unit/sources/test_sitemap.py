"""Sitemaps: a reference for each page, and nothing that is not there."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read, read_file

from antiphon.model.material import Gap, Media, Passed, Skipped, material_id
from antiphon.sources.article import Article
from antiphon.sources.sitemap import Sitemap

SOURCE = Sitemap()
NAMES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(body):
    """Return a sitemap, as bytes."""
    return f"<urlset {NAMES}>{body}</urlset>".encode()


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.8
    assert len(materials(read(SOURCE, example.content))) == example.materials


@pytest.mark.parametrize(
    ("name", "pages", "gaps"),
    [
        ("sitemap.xml", 84, 0), ("sitemap2.xml", 0, 2), ("sitemap-hreflang.xml", 3, 1), ("google-image.xml", 2, 0),
        ("google-news.xml", 2, 0), ("hreflang.xml", 2, 0), ("plaintext.txt", 2, 0), ("simple-index.xml", 0, 2),
        ("simple-urlset.xml", 2, 0), ("robots.txt", 0, 4),
    ],
)  # fmt: skip
def test_real_sitemaps_give_every_page_that_they_list(name, pages, gaps):
    """Counted by hand in the files; trafilatura's own tests have the same for its four."""
    path = fixture("sitemap", name)
    items = read_file(SOURCE, path)
    assert SOURCE.recognise(path.read_bytes()[:65_536], name) >= 0.5
    assert (len(materials(items)), sum(isinstance(item, Gap) for item in items)) == (pages, gaps)
    assert not any(isinstance(item, Skipped) for item in items)


def test_a_real_compressed_sitemap_is_the_same():
    """The engine undoes the compression; what is inside is one of the others."""
    assert len(materials(read(SOURCE, gzip.decompress(fixture("sitemap", "sitemap.xml.gz").read_bytes())))) == 84


def test_real_extensions_come_out_whole():
    """News, images and languages of a page have their places in the schema."""
    news = materials(read_file(SOURCE, fixture("sitemap", "google-news.xml")))
    images = materials(read_file(SOURCE, fixture("sitemap", "google-image.xml")))
    german = materials(read_file(SOURCE, fixture("sitemap", "sitemap-hreflang.xml")))[1]
    assert [(m.title, m.published_at) for m in news] == [
        ("News Article One", "2024-01-01"),
        ("News Article Two", "2024-01-02"),
    ]
    assert images[0].media == [Media(path="https://example.com/image.jpg"), Media(path="https://example.com/photo.jpg")]
    assert (german.lang_declared, len(german.links)) == ("de", 2)


def test_a_listed_page_never_stands_in_for_the_page():
    """Both have the same address; the list read first must not make the page itself `known already`."""
    page = b"<html><head><link rel='canonical' href='https://g.example/a'></head><body><p>Bread</p></body></html>"
    (listed,) = materials(read(SOURCE, urlset("<url><loc>https://g.example/a</loc></url>")))
    (whole,) = materials(read(Article(), page))
    assert listed.url == whole.url
    assert material_id(listed) != material_id(whole)


def test_a_bare_ampersand_does_not_change_an_address():
    """The commonest fault of sitemaps written by hand."""
    (found,) = materials(read(SOURCE, urlset("<url><loc> https://g.example/?a=1&b=2 </loc></url>")))
    assert found.url == "https://g.example/?a=1&b=2"


def test_a_video_has_its_files_and_views():
    """Video sitemaps list the film, its picture and how often it was seen."""
    video = (
        "<url><loc>https://g.example/v</loc><video:video xmlns:video='http://www.google.com/schemas/sitemap-video/1.1'>"
        "<video:title>Tide</video:title><video:thumbnail_loc>https://g.example/t.jpg</video:thumbnail_loc>"
        "<video:content_loc>https://g.example/v.mp4</video:content_loc><video:view_count>12</video:view_count>"
        "</video:video></url>"
    )
    (found,) = materials(read(SOURCE, urlset(video)))
    assert (found.title, found.views) == ("Tide", 12)
    assert [(m.path, m.role) for m in found.media] == [
        ("https://g.example/v.mp4", "attachment"),
        ("https://g.example/t.jpg", "preview"),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<url></url>", "field-missing"),
        ("<url><loc>/a</loc></url>", "field-invalid"),
        ("<url><loc>ftp://a/b</loc></url>", "field-invalid"),
    ],
)
def test_a_page_without_a_web_address_is_set_aside(body, reason):
    """The line in the quarantine names the field; the other pages come out."""
    items = read(SOURCE, urlset(body + "<url><loc>https://g.example/a</loc></url>"))
    assert (items[0].reason, "loc" in items[0].detail) == (reason, True)
    assert len(materials(items)) == 1


def test_a_cut_sitemap_gives_what_it_has_and_says_so():
    """A transfer that broke off must not look complete."""
    items = read(SOURCE, urlset("<url><loc>https://g.example/a</loc></url><url><loc>https://g.example/b</loc>")[:-20])
    assert [m.url for m in materials(items)] == ["https://g.example/a"]
    assert items[-1].reason == "truncated"


def test_a_sitemap_beside_the_index_is_no_gap(tmp_path):
    """Of an index, only what is not there is missing."""
    (tmp_path / "one.xml").write_bytes(gzip.compress(urlset("<url><loc>https://g.example/a</loc></url>")))
    (tmp_path / "two.xml").write_bytes(urlset("<url><loc>https://another.example/a</loc></url>"))
    index = tmp_path / "index.xml"
    rows = "".join(f"<sitemap><loc>https://g.example/{name}.xml</loc></sitemap>" for name in ("one", "two"))
    index.write_bytes(f"<sitemapindex {NAMES}>{rows}</sitemapindex>".encode())
    assert read_file(SOURCE, index) == [
        Passed("sitemap that is in the input"),
        Gap("sitemap not in the input: https://g.example/two.xml"),
    ]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=20))
def test_each_line_of_a_text_is_counted(lines):
    """Whatever stands in a list of addresses, no line vanishes."""
    text = "\n".join(lines)
    wanted = sum(bool(line.strip()) for line in text.replace("\r", "\n").split("\n"))
    assert len(read(SOURCE, b"x\n" + text.encode())) == wanted + 1
