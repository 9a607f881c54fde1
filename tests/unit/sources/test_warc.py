"""Web archives: each record is a material, is passed, or has a reason."""

import base64
import gzip
import hashlib
import io
import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Gap, Media, Passed, Skipped
from antiphon.sources.feed import Feed
from antiphon.sources.opening import decoded, fault_of
from antiphon.sources.pdf import Pdf
from antiphon.sources.warc import Warc

SOURCE = Warc()
EXAMPLE = next(iter(SOURCE.examples())).content
HTML = b"<!DOCTYPE html><html><p>After three weeks in the yard the ferry runs again, the office said.</p></html>"


def record(block, kind="response", url="https://g.example/a", mime="application/http; msgtype=response", **headers):
    """Return a WARC record, as bytes."""
    rows = {"WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": "2026-03-01T10:00:00Z", "Content-Type": mime}
    rows |= {name.replace("_", "-"): value for name, value in headers.items()}
    rows.setdefault("Content-Length", str(len(block)))
    head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def answer(body=HTML, mime="text/html; charset=utf-8", status="200 OK", **headers):
    """Return a server's answer, as bytes."""
    rows = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n{rows}\r\n".encode() + body


def read_real(name, folder="warc"):
    """Return what is in a real archive, decompressed as the engine does it, and what ended it."""
    content = fixture(folder, name).read_bytes()
    stream = decoded(io.BufferedReader(io.BytesIO(content)), name)
    items = read_from(stream, raw=lambda: io.BytesIO(content))
    return items, fault_of(stream)


def read_from(stream, **context):
    """Return all that the source yields for a stream."""
    from antiphon.sources.interface import ReadContext

    return list(SOURCE.read(stream, ReadContext("archive", **context)))


def summary(items):
    """Return reasons, and how many materials, gaps and passed records there are."""
    reasons = [item.reason for item in items if isinstance(item, Skipped)]
    kinds = Counter(type(item).__name__ for item in items)
    return reasons, kinds["Material"], kinds["Passed"], kinds["Gap"]


def test_the_example_is_read_as_promised():
    """The example is what the documentation shows."""
    (found,) = materials(read(SOURCE, EXAMPLE))
    assert SOURCE.recognise(EXAMPLE, "crawl.warc") >= 0.9
    assert (found.source, found.url) == ("web/gazette.brindlebay.example", "https://gazette.brindlebay.example/ferry")
    assert (found.title, found.collected_at) == ("The ferry runs again", "2026-03-01T10:00:00Z")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.warc", ([], 1, 5, 0)),
        ("example.warc.gz", ([], 1, 5, 0)),
        ("example.arc.gz", ([], 1, 1, 0)),
        ("example-resource.warc.gz", ([], 1, 2, 0)),
        ("example-space-in-target-uri.warc.gz", ([], 1, 1, 0)),
        ("example-space-in-url.arc", ([], 1, 1, 1)),
        ("example-digest.warc", (["digest-mismatch"], 0, 3, 0)),
        ("example-trunc.warc", (["digest-mismatch", "warc-broken"], 0, 3, 0)),
        ("example-bad-non-chunked.warc.gz", (["warc-not-chunked"], 1, 5, 0)),
        ("example-bad.warc.gz.bad", (["warc-not-chunked"], 1, 5, 0)),
        ("example-wrong-chunks.warc.gz", (["warc-not-chunked", "digest-mismatch"], 0, 1, 0)),
        ("bad.arc", (["field-invalid", "http-broken", "field-invalid"], 0, 1, 0)),
    ],
)
def test_real_archives_do_what_warcios_own_tests_say(name, expected):
    """As in its test_archiveiterator and test_check_digest_examples; where it gives up, the rest is still read."""
    assert summary(read_real(name)[0]) == expected


@pytest.mark.parametrize(
    ("name", "pages", "images"),
    [("example-collection.warc", 1, 0), ("example-iana.warc", 6, 3), ("example-resource.warc.gz", 1, 0),
     ("example-warcinfo-metadata.warc", 1, 0)],
)  # fmt: skip
def test_real_crawls_give_their_pages_and_images(name, pages, images):
    """The archives that py-wacz is tested with."""
    items, fault = read_real(name, "wacz")
    kinds = Counter(material.kind for material in materials(items))
    assert (kinds["article"], kinds["image"], fault) == (pages, images, None)
    assert not any(isinstance(item, Skipped) for item in items)


def test_a_real_page_is_read_through_its_content_encoding():
    """The archive has it compressed; the reader has its words."""
    (found,) = materials(read_real("example.warc.gz")[0])
    assert (found.title, found.url) == ("Example Domain", "http://example.com/")
    assert "illustrative examples" in found.text


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (answer(status="404 Not Found"), "http 404"), (answer(status="302 Found"), "http 302"),
        (answer(b""), "empty answer"),
        (answer(b"x{}", "text/css"), "text/css"), (answer(b"<a/>", "text/xml"), "text/xml"),
    ],
)  # fmt: skip
def test_what_is_no_public_content_is_passed_and_counted(block, reason):
    """Nothing vanishes: a stylesheet is a line in the ledger."""
    assert read(SOURCE, record(block)) == [Passed(reason)]


@pytest.mark.parametrize("kind", ["request", "metadata", "warcinfo", "revisit"])
def test_the_crawlers_own_records_are_passed(kind):
    """They are about the crawl, not of the web."""
    block = b"GET / HTTP/1.1\r\n\r\n" if kind == "request" else answer() if kind == "revisit" else b"a: b\r\n"
    mime = "application/http; msgtype=request" if kind == "request" else "application/warc-fields"
    assert read(SOURCE, record(block, kind, mime=mime)) == [Passed(f"{kind} record")]


def chunked(data):
    """Return data as a server sends it in chunks."""
    return b"5\r\n" + data[:5] + b"\r\n%x\r\n" % len(data[5:]) + data[5:] + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "block",
    [
        answer(gzip.compress(HTML), Content_Encoding="gzip"),
        answer(zlib.compress(HTML), Content_Encoding="deflate"),
        answer(chunked(HTML), Transfer_Encoding="chunked"),
        answer(chunked(gzip.compress(HTML)), Transfer_Encoding="chunked", Content_Encoding="gzip"),
        answer(HTML, mime="application/octet-stream"),
    ],
    ids=["gzip", "deflate", "chunked", "chunked gzip", "mislabelled"],
)
def test_every_way_of_sending_a_page_gives_the_same_page(block):
    """Crawlers keep what was sent; readers see what was meant."""
    (found,) = materials(read(SOURCE, record(block)))
    assert found.text.startswith("After three weeks")


def test_documents_feeds_images_and_texts_come_out_as_what_they_are():
    """A site is more than its pages."""
    kept = Media(path="i", sha256="0" * 64)
    content = (
        record(answer(next(iter(Pdf().examples())).content, "application/pdf"), url="https://g.example/n.pdf")
        + record(answer(next(iter(Feed().examples())).content, "application/rss+xml"), url="https://g.example/rss")
        + record(answer(b"\x89PNG\r\n\x1a\n", "image/png"), url="https://g.example/i.png")
        + record("Лодка".encode("koi8-r"), "resource", "https://g.example/t.txt", "text/plain; charset=koi8-r")
        + record(b"Low tide at six.", "conversion", "https://g.example/w", "text/plain")
        + record(answer(b'{"type": "Note"}', "application/activity+json"), url="https://g.example/n/1")
    )
    found = materials(read(SOURCE, content, keep_media=lambda stream, path, role: kept))
    assert [m.kind for m in found] == ["document", "article", "article", "image", "document", "article", "document"]
    assert [m.source for m in found[:2]] == ["web/g.example", "feed/gazette.brindlebay.example"]
    assert (found[3].media, found[4].text) == ((kept,), "Лодка")
    assert {m.record for m in found} == set(range(6))


@pytest.mark.parametrize("encode", [base64.b32encode, base64.b16encode], ids=["base 32", "hex"])
def test_a_page_that_was_altered_after_its_capture_is_set_aside(encode):
    """Evidence that differs from its digest is none; the true one is read."""
    block = answer()
    digest = "sha1:" + encode(hashlib.sha1(block, usedforsecurity=False).digest()).decode()
    assert len(materials(read(SOURCE, record(block, WARC_Block_Digest=digest)))) == 1
    (item,) = read(SOURCE, record(block.replace(b"three", b"seven"), WARC_Block_Digest=digest))
    assert (item.reason, item.record) == ("digest-mismatch", 0)


def test_a_payload_digest_over_the_decoded_page_is_as_good():
    """Writers differ on what a payload is when it was sent in chunks; a false alarm would cost the page."""
    digest = "sha1:" + base64.b32encode(hashlib.sha1(HTML, usedforsecurity=False).digest()).decode()
    block = answer(chunked(HTML), Transfer_Encoding="chunked")
    assert len(materials(read(SOURCE, record(block, WARC_Payload_Digest=digest)))) == 1


def test_after_a_broken_record_the_reading_goes_on():
    """One bad record costs one record."""
    good = [
        record(answer(HTML.replace(b"three", word)), url=f"https://g.example/{n}")
        for n, word in enumerate((b"one", b"two"))
    ]
    items = read(SOURCE, good[0] + b"noise that is no record\r\nmore of it\r\n" + good[1])
    assert [m.url for m in materials(items)] == ["https://g.example/0", "https://g.example/1"]
    assert "warc-broken" in summary(items)[0]


def test_a_page_captured_twice_with_other_words_is_two_editions():
    """What was changed after the first capture is often what matters."""
    first, other = record(answer()), record(answer(HTML.replace(b"three", b"four")), WARC_Date="2026-04-01T00:00:00Z")
    found = materials(read(SOURCE, first + first + other))
    assert [m.revision for m in found] == [None, None, "2026-04-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (record(answer(b"x", Content_Encoding="compress-o-matic")), "content-encoding"),
        (record(answer(), Content_Length="many"), "field-invalid"),
        (record(b"no answer at all"), "http-broken"),
        (record(answer(), WARC_Segment_Number="1"), "warc-segmented"),
        (record(answer())[:-60], "truncated"),
    ],
    ids=["encoding", "length", "no http", "segments", "cut"],
)
def test_what_can_not_be_read_says_why(content, reason):
    """The reason names who can do what about it."""
    assert reason in summary(read(SOURCE, content))[0]


def test_a_page_that_the_crawler_cut_is_kept_with_a_gap():
    """The archive itself says that something is missing."""
    items = read(SOURCE, record(answer(), WARC_Truncated="length"))
    assert [type(item) for item in items[:1]] == [Gap]
    assert len(materials(items)) == 1


@given(st.integers(0, len(EXAMPLE)), st.binary(max_size=12))
def test_no_damage_can_stop_a_run(at, noise):
    """Whatever happened to an archive, it ends as materials or as reasons."""
    read(SOURCE, EXAMPLE[:at] + noise + EXAMPLE[at:])
