"""Feeds: every entry of every dialect, with each field that the schema has a place for."""

import ast
import calendar
import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FIXTURES, fixture, materials, read

from antiphon.model.instants import instant_us
from antiphon.model.material import Gap, Media, Passed, Skipped
from antiphon.sources import feed as module
from antiphon.sources.feed import Feed
from antiphon.sources.markup import html_to_text

SOURCE = Feed()
REAL = sorted(path for path in (FIXTURES / "feed").glob("*/*") if path.suffix in (".xml", ".rss", ".atom", ".json"))
LOST_BEFORE_PARSING = {"rss_empty_document.xml"}


def rss(*items, head="<title>Gazette</title><link>https://gazette.example/</link>"):
    """Return an RSS feed, as bytes."""
    return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


def only(content):
    """Return the one material of a feed."""
    (found,) = materials(read(SOURCE, content))
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content))) == example.materials


def _expectations(content):
    """Yield (entry, path, value) for each equation about an entry in a file's `Expect:` line."""
    text = content.decode("utf-8", "replace")
    found = re.search(r"Expect:\s*(.+?)(?:\r?\n-->|-->|\n)", text)
    if found is None or " or " in found[1]:
        return
    for node in ast.walk(ast.parse(found[1].strip(), mode="eval")):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
            path = _path(node.left)
            try:
                value = ast.literal_eval(node.comparators[0])
            except ValueError:
                continue
            if len(path) > 2 and path[0] == "entries":
                yield path[1], path[2:], value


def _path(node):
    """Return `entries[0]['a'].b` as ("entries", 0, "a", "b"); empty where it is something else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return (*(_path(node.value) or ("?",)), node.slice.value)
    return (*(_path(node.value) or ("?",)), node.attr) if isinstance(node, ast.Attribute) else ()


def _instant(material, value):
    stamps = [instant_us(material.published_at), instant_us(material.revision)]
    return calendar.timegm(value) * 1_000_000 in [stamp and stamp // 1_000_000 * 1_000_000 for stamp in stamps]


def _address(material, value):
    told = (material.url or "", *material.links, *(media.path for media in material.media))
    return not value.startswith("http") or value.rstrip("/") in [address.rstrip("/") for address in told]


def _text(material, value):
    """The text is the entry's, or a fuller one of the same entry."""
    text, wanted = material.text or "", html_to_text(value).strip()
    return text in (wanted, value) or (len(text) > len(wanted) and not text.startswith(wanted[:10]))


CHECKS = {
    ("title",): lambda m, v: (m.title or "") in (v, " ".join(html_to_text(v).split())),
    ("title_detail", "value"): lambda m, v: (m.title or "") in (v, " ".join(html_to_text(v).split())),
    ("summary",): _text,
    ("description",): _text,
    ("summary_detail", "value"): _text,
    ("content", 0, "value"): _text,
    ("id",): lambda m, v: m.native_id == v,
    ("guid",): lambda m, v: m.native_id == v,
    ("link",): _address,
    ("links", 0, "href"): _address,
    ("links", 1, "href"): _address,
    ("published_parsed",): _instant,
    ("updated_parsed",): _instant,
    ("created_parsed",): _instant,
    ("author_detail", "name"): lambda m, v: bool(m.author),
    ("author_detail", "email"): lambda m, v: m.author.endswith("/" + v) or "://" in m.author,
    ("author_detail", "href"): lambda m, v: m.author.endswith("/" + v),
    ("author",): lambda m, v: bool(m.author),
    ("enclosures", 0, "url"): lambda m, v: m.media[0].path == v,
    ("enclosures", 0, "href"): lambda m, v: m.media[0].path == v,
    ("enclosures", 1, "url"): lambda m, v: m.media[1].path == v,
    ("enclosures", 0, "type"): lambda m, v: m.media[0].mime == v,
    ("enclosures", 0, "length"): lambda m, v: m.media[0].bytes == int(v),
    ("media_thumbnail", 0, "url"): lambda m, v: Media(path=v, role="preview") in m.media,
    ("media_content", 0, "url"): lambda m, v: v in [media.path for media in m.media],
    ("media_player", "url"): _address,
}


@pytest.mark.parametrize("path", REAL or [None], ids=lambda path: f"{path.parent.name}/{path.name}" if path else "none")
def test_real_feeds_give_what_feedparsers_own_tests_expect(path):
    """Each equation about an entry and a field of the schema holds for the material, and nothing raises."""
    content = (path or fixture("feed", "here.xml")).read_bytes()
    found = materials(read(SOURCE, content, path.name))
    if path.name not in LOST_BEFORE_PARSING:
        assert SOURCE.recognise(content[:65_536], path.name) >= 0.5
    for number, key, value in _expectations(content):
        if key in CHECKS:
            assert CHECKS[key](found[number], value), (key, value, found[number])


def test_the_expectations_above_are_many():
    """A check that finds nothing to check would be no check: how many equations there are is counted."""
    fixture("feed")
    keys = Counter(key for path in REAL for _, key, _ in _expectations(path.read_bytes()) if key in CHECKS)
    assert sum(keys.values()) >= 60
    assert len(keys) >= 12


def test_a_whole_entry_keeps_every_field():
    """A podcast of a blog uses most of what the schema holds."""
    found = only(
        rss(
            "<item><title>Low &amp;amp; high tide</title><guid>g1</guid><link>https://gazette.example/1</link>"
            "<dc:creator xmlns:dc='http://purl.org/dc/elements/1.1/'>Ada</dc:creator>"
            "<pubDate>Sun, 01 Mar 2026 09:30:00 +0100</pubDate>"
            "<enclosure url='https://gazette.example/1.mp3' type='audio/mpeg' length='77'/>"
            "<description>&lt;p&gt;See &lt;a href='https://tide.example'&gt;tables&lt;/a&gt;&lt;br&gt;now&lt;/p&gt;"
            "&lt;img src='https://gazette.example/i.png'&gt;</description></item>"
        )
    )
    assert (found.source, found.native_id, found.url) == ("feed/gazette.example", "g1", "https://gazette.example/1")
    assert (found.title, found.text) == ("Low & high tide", "See tables\nnow")
    assert (found.author, found.published_at) == ("gazette.example/Ada", "2026-03-01T08:30:00Z")
    assert found.links == ["https://tide.example"]
    assert found.media == [
        Media(path="https://gazette.example/1.mp3", mime="audio/mpeg", bytes=77),
        Media(path="https://gazette.example/i.png"),
    ]


def test_an_edited_entry_is_another_edition():
    """The same id with a later update must not be taken for what was read before."""
    entry = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>tag:a,1</id><title>t</title>"
        "<published>2026-03-01T00:00:00Z</published><updated>{}</updated></entry></feed>"
    )
    assert only(entry.format("2026-03-01T00:00:00Z").encode()).revision is None
    assert only(entry.format("2026-03-02T10:00:00.250Z").encode()).revision == "2026-03-02T10:00:00.250000Z"


def test_answers_and_counters_of_atom_extensions_are_kept():
    """Atom Threading and Media RSS carry what reach and reply_to are for; video sites use them."""
    found = only(
        b"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:thr='http://purl.org/syndication/thread/1.0' "
        b"xmlns:media='http://search.yahoo.com/mrss/'><entry><id>tag:a,2</id><thr:in-reply-to ref='tag:a,1'/>"
        b"<thr:total>3</thr:total><media:group><media:thumbnail url='https://v.example/t.jpg'/><media:community>"
        b"<media:starRating count='11'/><media:statistics views='99'/></media:community></media:group></entry></feed>"
    )
    assert (found.reply_to, found.replies, found.reactions, found.views) == ("tag:a,1", 3, 11, 99)
    assert found.media == [Media(path="https://v.example/t.jpg", role="preview")]


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "utf-16"])
def test_a_declared_encoding_is_honoured(encoding):
    """Half of the world's old feeds are not in UTF-8."""
    content = f'<?xml version="1.0" encoding="{encoding}"?>' + rss("<item><title>Маяк</title></item>").decode()
    encoded = content.encode(encoding)
    assert SOURCE.recognise(encoded, "") >= 0.9
    assert only(encoded).title == "Маяк"


def test_an_undeclared_encoding_is_guessed():
    """A feed that says nothing about its encoding is read as what its letters are likely to be."""
    words = "Маяк на мысе снова светит каждую ночь, и паром ходит по расписанию до самой осени."
    assert only(rss(f"<item><title>{words}</title></item>").decode().encode("windows-1251")).title == words


def test_a_feed_cut_in_an_entry_gives_the_others_and_says_so():
    """Half an entry would be taken for the whole one when the whole feed is read later."""
    whole = rss(
        "<item><guid>a</guid><title>A</title></item>", "<item><guid>b</guid><title>Bread and salt</title></item>"
    )
    items = read(SOURCE, whole[: whole.index(b"and salt")])
    assert [m.native_id for m in materials(items)] == ["a"]
    assert [(item.reason, item.record) for item in items if isinstance(item, Skipped)] == [("truncated", 1)]


def test_a_feed_cut_between_entries_is_a_gap():
    """Nothing is broken, but more may have been there."""
    items = read(SOURCE, rss("<item><title>A</title></item>").removesuffix(b"</channel></rss>"))
    assert len(materials(items)) == 1
    assert [type(item) for item in items[1:]] == [Gap]


def test_what_holds_no_feed_at_all_is_set_aside():
    """Nothing, or white space, is not an empty feed."""
    assert [item.reason for item in read(SOURCE, b"  \n")] == ["feed-broken"]


def test_a_feed_without_entries_is_passed():
    """An empty feed is no fault."""
    assert read(SOURCE, rss()) == [Passed("feed without entries")]


@pytest.mark.parametrize("entity", ['x SYSTEM "file:///etc/hostname"', 'x SYSTEM "http://127.0.0.1:9/"'])
def test_no_entity_leads_out_of_the_feed(entity):
    """A hostile feed must not read files or call out."""
    content = f"<!DOCTYPE rss [<!ENTITY {entity}>]>" + rss("<item><title>[&amp;x;&x;]</title></item>").decode()
    assert only(content.encode()).title in ("[&x;]", "[&x;&x;]")


def test_entities_that_multiply_stay_small():
    """The billion laughs: ten entities of ten would be a gigabyte."""
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    content = f'<!DOCTYPE rss [<!ENTITY e0 "ha">{laughs}]>' + rss("<item><title>&e9;</title></item>").decode()
    assert len(only(content.encode()).title or "") < 100


def test_a_large_feed_is_read_in_batches_with_the_same_result(monkeypatch):
    """Memory stays constant because entries come out in batches; that must change nothing about them."""
    items = [
        f"<item><guid>{n}</guid><title>T{n}</title><link>https://g.example/?a=1&amp;b={n}</link></item>"
        for n in range(450)
    ]
    whole = materials(read(SOURCE, rss(*items)))
    monkeypatch.setattr(module, "WHOLE_BYTES", 4096)
    assert materials(read(SOURCE, rss(*items))) == whole
    cut = read(SOURCE, rss(*items)[:-50])
    assert len(materials(cut)) == 449
    assert cut[-1].reason == "truncated"


def test_json_feed_entries_keep_every_field():
    """JSON Feed 1.1 with what its specification allows in an item."""
    item = {
        "id": 7, "url": "https://notes.example/7", "external_url": "https://else.example/", "title": "Tide",
        "content_html": "<p>At <b>six</b></p><img src='https://notes.example/i.png'>", "image": "https://notes.example/p.png",
        "date_published": "2026-03-01T06:00:00Z", "date_modified": "2026-03-02T06:00:00Z", "language": "en",
        "authors": [{"name": "Ada", "url": "https://notes.example/ada"}],
        "attachments": [{"url": "https://notes.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}],
    }  # fmt: skip
    found = only(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}).encode())
    assert (found.native_id, found.revision, found.text) == ("7", "2026-03-02T06:00:00Z", "At six")
    assert (found.author, found.links) == ("notes.example/https://notes.example/ada", ["https://else.example/"])
    assert [media.role for media in found.media] == ["attachment", "preview", "attachment"]


@pytest.mark.parametrize(
    ("item", "field"), [({"id": "1", "title": 5}, "title"), ("text", "object"), ({"content_html": []}, "")]
)
def test_a_wrong_item_of_a_json_feed_costs_only_itself(item, field):
    """One bad item costs one item, and the line in the quarantine names its field."""
    content = {"version": "https://jsonfeed.org/version/1", "items": [item, {"id": "2", "content_text": "Bread"}]}
    items = read(SOURCE, json.dumps(content).encode())
    assert [m.native_id for m in materials(items) if m.text] == ["2"]
    assert not field or (items[0].reason, field in items[0].detail) == ("field-invalid", True)


@given(st.binary(max_size=300))
def test_nothing_that_looks_like_a_feed_can_stop_a_run(noise):
    """Whatever stands in a feed, it comes out as materials or as reasons."""
    read(SOURCE, b"<rss version='2.0'><channel><item><title>" + noise + b"</title></item></channel></rss>")
    read(SOURCE, b'{"version": "https://jsonfeed.org/version/1", "items": [' + noise + b"]}")
