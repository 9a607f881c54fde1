"""WACZ: the archives in it, after its digests were checked."""

import hashlib
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Gap, Passed, Skipped
from antiphon.sources.wacz import Wacz
from antiphon.sources.wacz_signature import check_signature
from antiphon.sources.warc import Warc

SOURCE = Wacz()
EXAMPLE = next(iter(SOURCE.examples())).content
WARC = next(iter(Warc().examples())).content
URL = "https://gazette.brindlebay.example/ferry"


def made(files, table=True, listed=None, **digest):
    """Return a WACZ of some files, with a table that lists them or what is given."""
    rows = [{"path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"} for name, data in files.items()]
    rows += listed or []
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, data in files.items():
            container.writestr(name, data)
        if table:
            container.writestr("datapackage.json", json.dumps({"profile": "data-package", "resources": rows}))
        if digest:
            container.writestr("datapackage-digest.json", json.dumps(digest))
    return out.getvalue()


def pages(*rows):
    """Return a page list, as bytes."""
    return b"\n".join(json.dumps(row).encode() for row in ({"format": "json-pages-1.0", "id": "pages"}, *rows))


def reasons(items):
    """Return the reasons of what was set aside."""
    return [item.reason for item in items if isinstance(item, Skipped)]


def test_the_example_is_read_as_promised():
    """The example is what the documentation shows."""
    (found,) = materials(read(SOURCE, EXAMPLE))
    assert SOURCE.recognise(EXAMPLE, "crawl.wacz") >= 0.9
    assert (found.url, found.record) == (URL, 0)


@pytest.mark.parametrize(
    ("name", "count", "why"),
    [
        ("valid_example_1.wacz", 1, []),
        ("valid_example_2.wacz", 1, []),
        ("valid_signed_example_1.wacz", 1, []),
        ("invalid_example_1.wacz", 0, ["wacz-missing", "wacz-invalid"]),
        ("invalid_signed_example_1.wacz", 1, ["signature-untrusted"]),
    ],
)
def test_real_collections_are_as_valid_as_py_wacz_says(name, count, why):
    """Its tests validate the first three and refuse the others."""
    content = fixture("wacz", name).read_bytes()
    items = read(SOURCE, content, name)
    assert SOURCE.recognise(content[:65_536], "input") >= 0.6
    assert (len(materials(items)), reasons(items)) == (count, why)


def test_a_real_signature_that_holds_is_counted():
    """One by a site, whose certificate leads to a public authority."""
    assert Passed("signature") in read(SOURCE, fixture("wacz", "valid_signed_example_1.wacz").read_bytes())
    assert Passed("signature") not in read(SOURCE, fixture("wacz", "valid_example_2.wacz").read_bytes())


def test_an_archive_that_differs_from_its_digest_is_set_aside_whole():
    """What was exchanged after the capture proves nothing."""
    altered = [{"path": "archive/a.warc", "hash": "sha256:" + "0" * 64}]
    items = read(SOURCE, made({"archive/a.warc": WARC}, listed=altered))
    assert (reasons(items), materials(items)) == (["digest-mismatch"], [])


def test_a_table_that_was_altered_after_it_was_signed_is_told():
    """The digests can only be trusted as far as the table can."""
    items = read(SOURCE, made({"archive/a.warc": WARC}, path="datapackage.json", hash="sha256:" + "0" * 64))
    assert reasons(items) == ["digest-mismatch"]
    assert len(materials(items)) == 1


def test_a_listed_page_that_is_missing_is_read_from_the_list_or_a_gap():
    """The list often has a page's text, and else at least its address."""
    listed = pages(
        {"url": "https://g.example/t", "title": "Tide", "text": "Low at six.", "ts": "2026-03-01T00:00:00Z"},
        {"url": "https://g.example/u"},
        {"url": URL, "title": "not used"},
    )
    items = read(SOURCE, made({"archive/a.warc": WARC, "pages/pages.jsonl": listed}))
    assert [(m.record, m.title) for m in materials(items)] == [(0, "The ferry runs again"), (1, "Tide")]
    assert Gap("page listed but not in the archive: https://g.example/u") in items


def test_a_page_without_title_takes_the_lists():
    """The browser that made the list saw the title that a script set."""
    bare = WARC.replace(b"<title>The ferry runs again</title>", b" " * len("<title>The ferry runs again</title>"))
    listed = pages({"url": URL, "title": "Ferry"})
    (found,) = materials(read(SOURCE, made({"archive/a.warc": bare, "pages/pages.jsonl": listed})))
    assert found.title == "Ferry"


def test_records_of_several_archives_have_numbers_of_their_own():
    """Input and record together name a place; two pages can't have the same."""
    other = WARC.replace(b"bay.example/ferry", b"bay.example/quays")
    found = materials(read(SOURCE, made({"archive/a.warc": WARC, "archive/b.warc": other})))
    assert [m.record for m in found] == [0, 1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (EXAMPLE[:700], "wacz-broken"),
        (made({"archive/a.warc": WARC}, table=False), "wacz-invalid"),
        (made({"pages/pages.jsonl": pages()}), "wacz-invalid"),
        (made({"archive/a.warc": WARC, "pages/pages.jsonl": b'{"format": 1}\n{url": 1}\n'}), "json-broken"),
        (made({"archive/a.warc.gz": b"\x1f\x8b\x08" + b"\x00" * 40}), "compression-broken"),
    ],
    ids=["cut", "no table", "no archive", "page list", "gzip"],
)
def test_what_is_wrong_has_its_reason(content, reason):
    """The reason names who can do what about it."""
    assert reason in reasons(read(SOURCE, content))


def test_a_stream_that_can_not_seek_is_read_as_well():
    """A collection may lie in another container."""
    stream = io.BytesIO(EXAMPLE)
    stream.seekable = lambda: False
    from antiphon.sources.interface import ReadContext

    assert len(materials(list(SOURCE.read(stream, ReadContext("in.zip!/crawl.wacz"))))) == 1


def test_other_zips_are_not_taken_for_collections():
    """A zip of posts is a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        container.writestr("posts.jsonl", "{}")
    assert SOURCE.recognise(out.getvalue(), "posts.zip") == 0


@given(st.integers(0, len(EXAMPLE)), st.binary(max_size=12))
def test_no_damage_can_stop_a_run(at, noise):
    """Whatever happened to a collection, it ends as materials or as reasons."""
    assert read(SOURCE, EXAMPLE[:at] + noise + EXAMPLE[at + len(noise) :])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hash": "sha256:" + "0" * 64}, "signature-broken"),
        ({"signature": "no base 64!"}, "signature-broken"),
        ({"created": "2030-01-01T00:00:00Z"}, "signature-untrusted"),
        ({"domain": "another.example"}, "signature-untrusted"),
    ],
    ids=["another table", "no signature", "out of date", "another site"],
)
def test_a_signature_holds_for_one_table_one_site_and_one_time(changes, reason):
    """Whoever copies a real signature onto another collection must not get away with it."""
    with zipfile.ZipFile(fixture("wacz", "valid_signed_example_1.wacz")) as container:
        signed = json.loads(container.read("datapackage-digest.json"))["signedData"]
    assert check_signature(signed) == Passed("signature")
    assert check_signature(signed | changes).reason == reason


def test_a_signature_by_a_bare_key_is_only_noted():
    """It names no one, so it proves nothing about who made the collection."""
    assert isinstance(check_signature({"hash": "sha256:0", "publicKey": "AAAA", "signature": "AAAA"}), Passed)
