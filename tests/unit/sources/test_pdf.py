"""PDF documents: their words, what they declare, and what can't be had."""

import io
from datetime import UTC, datetime

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Gap, Skipped
from antiphon.sources.pdf import Pdf

SOURCE = Pdf()
EXAMPLE = next(iter(SOURCE.examples())).content


def made(*texts, **metadata):
    """Return a document with the example's page so many times, blank where a text is empty."""
    writer = pypdf.PdfWriter()
    page = pypdf.PdfReader(io.BytesIO(EXAMPLE)).pages[0]
    for text in texts:
        writer.add_page(page) if text else writer.add_blank_page(200, 200)
    writer.add_metadata({f"/{name}": value for name, value in metadata.items()})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_example_is_read_as_promised():
    """The example is what the documentation shows."""
    (found,) = materials(read(SOURCE, EXAMPLE))
    assert SOURCE.recognise(EXAMPLE, "notice.pdf") >= 0.9
    assert found.text == "The ferry to the Lantern Isles runs again.\nFares stay as they were."
    assert (found.title, found.lang_declared) == ("Ferry notice", "en")
    assert found.published_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert (found.media[0].role, found.media[0].bytes) == ("self", len(EXAMPLE))


@pytest.mark.parametrize(
    ("name", "words", "fields"),
    [
        ("hello_structure.pdf", ("Hello World", "Goodbye Cruel World...", "I’ll be back shortly!"), {}),
        ("issue-33-lorem-ipsum.pdf", ("Voluptatem", "Magnam"), {}),
        ("la-precinct-bulletin-2014-p1.pdf", ("PRECINCT BULLETINS", "GENERAL ELECTION TO BE HELD 11/04/14"),
         {"title": "905_Precinct_NoOU"}),
        ("mcid_example.pdf", ("Test of figures", "Figure 1: Chart"), {"lang_declared": "fr-CA"}),
        ("nics-background-checks-2015-11.pdf", ("Alabama", "Permit", "Wyoming"), {}),
        ("scotus-transcript-p1.pdf", ("IN THE SUPREME COURT OF THE UNITED STATES", "Subject to Final Review"),
         {"title": "10811.exe"}),
        ("word365_structure.pdf", ("Lorem ipsum dolor", "Liste numérotée", "En-tête 1"), {"lang_declared": "fr"}),
    ],
)  # fmt: skip
def test_real_documents_have_their_words(name, words, fields):
    """The words that pdfplumber's tests and the eye find in them, and what they declare."""
    (found,) = materials(read(SOURCE, fixture("pdf", name).read_bytes()))
    assert [word for word in words if word not in found.text] == []
    assert {field: getattr(found, field) for field in fields} == fields


@pytest.mark.parametrize(("name", "reason"), [("empty.pdf", "empty"), ("password-example.pdf", "pdf-encrypted")])
def test_real_documents_that_can_not_be_read_say_why(name, reason):
    """An empty file and a locked one need different hands."""
    assert [item.reason for item in read(SOURCE, fixture("pdf", name).read_bytes())] == [reason]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(EXAMPLE[:200], "truncated"), (b"<html>", "pdf-broken"), (b"%PDF-1.7\n%%EOF", "pdf-broken"), (b"", "empty")],
    ids=["cut", "no pdf", "hollow", "empty"],
)
def test_broken_documents_say_why(content, reason):
    """Each gets a line in the quarantine, none stops the run."""
    items = read(SOURCE, content)
    assert [item.reason for item in items if isinstance(item, Skipped)] == [reason]
    assert materials(items) == []


@pytest.mark.parametrize("name", ["hello_structure.pdf", "word365_structure.pdf"])
def test_a_real_document_that_was_cut_gives_the_words_that_are_left(name):
    """A transfer that breaks off takes the table of contents, not the pages before it."""
    content = fixture("pdf", name).read_bytes()
    (whole,) = materials(read(SOURCE, content))
    items = read(SOURCE, content[: len(content) * 7 // 10])
    (left,) = materials(items)
    assert set(left.text.split()) <= set(whole.text.split()) | {"\uf0b7"}
    assert items[-1] == Gap("the document is cut: what stood in its last part is missing")


def test_a_real_document_that_lost_its_fonts_is_set_aside():
    """Without them its bytes come out as marks for unknown letters."""
    content = fixture("pdf", "nics-background-checks-2015-11.pdf").read_bytes()
    items = read(SOURCE, content[: len(content) * 7 // 10])
    assert [item.reason for item in items if isinstance(item, Skipped)] == ["truncated"]


def test_a_locked_document_that_was_cut_is_not_read_as_noise():
    """Without the end nothing says how it is locked; its bytes would come out as letters."""
    content = fixture("pdf", "password-example.pdf").read_bytes()
    assert materials(read(SOURCE, content[: len(content) * 9 // 10])) == []


def test_pages_stand_apart_and_blank_ones_are_a_gap():
    """A scanned page has no text; whoever reads the dossier must know that something is there."""
    items = read(SOURCE, made("x", "", "x"))
    (found,) = materials(items)
    assert found.text.count("\n\n") == 1
    assert Gap("1 of 3 pages have no text: empty, or images of text") in items


@pytest.mark.parametrize("day", ["D:00000000", "yesterday", "D:99991399999999Z"])
def test_a_bad_date_costs_the_date(day):
    """A date that no calendar has must not send a whole document to the quarantine."""
    (found,) = materials(read(SOURCE, made("x", CreationDate=day, Title="Tide\x00 table")))
    assert (found.published_at, found.title) == (None, "Tide table")


@given(st.integers(0, len(EXAMPLE)), st.binary(max_size=8))
def test_no_damage_can_stop_a_run(at, noise):
    """Whatever happened to a document, it ends as a material or as a reason."""
    items = read(SOURCE, EXAMPLE[:at] + noise + EXAMPLE[at + len(noise) :])
    assert sum(not isinstance(item, Gap) for item in items) == 1
