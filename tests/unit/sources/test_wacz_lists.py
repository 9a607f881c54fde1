"""Page lists and logs of crawls, as they lie in an unpacked WACZ."""

import pytest
from reading import fixture, materials, read

from antiphon.model.material import Passed, Skipped
from antiphon.sources.wacz_lists import WaczLists

SOURCE = WaczLists()


def test_the_example_is_read_as_promised():
    """A page with its text is the page; one without is a reference."""
    (example,) = SOURCE.examples()
    found = materials(read(SOURCE, example.content))
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert [(m.title, m.revision, bool(m.text)) for m in found] == [("Ferry", None, True), ("Market", "listed", False)]


@pytest.mark.parametrize(
    ("name", "pages", "skipped"), [("pages.jsonl", 1, 0), ("extraPages.jsonl", 3, 0), ("invalid.jsonl", 1, 1)]
)
def test_real_page_lists_give_every_page(name, pages, skipped):
    """The lists that py-wacz is tested with; the broken line of the last is set aside."""
    content = fixture("wacz", name).read_bytes()
    items = read(SOURCE, content)
    assert SOURCE.recognise(content, name) >= 0.5
    assert (len(materials(items)), sum(isinstance(item, Skipped) for item in items)) == (pages, skipped)


def test_a_real_log_is_no_public_content():
    """What a crawler writes about itself is counted and passed."""
    content = fixture("wacz", "wr-crawl.log").read_bytes()
    assert SOURCE.recognise(content, "input") >= 0.9
    assert set(read(SOURCE, content)) == {Passed("line of a crawl's log")}


@pytest.mark.parametrize(("field", "value"), [("url", 5), ("title", []), ("text", {})])
def test_a_wrong_field_is_named(field, value):
    """The line in the quarantine names the field."""
    row = {"url": "'https://g.example/'", field: value}
    line = str(row).replace("'", '"').replace('""', '"').encode()
    (item,) = read(SOURCE, line)
    assert (item.reason, field in item.detail) == ("field-invalid", True)
