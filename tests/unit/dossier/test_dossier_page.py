"""The page as a file: whole, safe, and without authors."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from dossier_sample import HOSTILE, MemorySource, about, finding, material, rows, source
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dossier import Caps
from antiphon.dossier.gather import gather
from antiphon.dossier.render import render, script_json
from antiphon.dossier.text import plain
from antiphon.dossier.words import LABELS, LANGUAGES
from antiphon.model.schemas import CONTEXTS, SPEECH_ACTS


class Page(HTMLParser):
    """Elements, ids and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._raw = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}

    def handle_endtag(self, tag):
        """Note the end of a script or style."""
        self._raw = self._raw and tag not in {"script", "style"}

    def handle_data(self, data):
        """Note words that a reader sees."""
        if not self._raw:
            self.words.append(data)

    def all(self, tag):
        """Return the attributes of each element of a kind."""
        return [attrs for name, attrs in self.elements if name == tag]


def page_of(tables, **fields):
    return render(gather(MemorySource(tables), Caps()), about(**fields), {})


@pytest.fixture(scope="module")
def text():
    return render(gather(source(300), Caps()), about(), {})


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_policy_allows_what_the_page_holds_and_no_more(text, page):
    """Scripts and styles run by their hash; nothing is loaded and nothing is sent."""
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    bodies = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    assert len(hashes) == 3
    assert sorted(re.findall(r"sha256-([^']+)", policy)) == sorted(hashes)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_nothing_is_loaded_and_nothing_is_linked_to(page):
    """An address in a material is text: a reader must not open it by accident."""
    assert all(img["src"].startswith("data:") for img in page.all("img"))
    assert all(link["href"].startswith("#") for link in page.all("a"))
    assert not page.all("link") + page.all("iframe") + page.all("object")


def test_no_element_has_a_style_or_a_handler_of_its_own(page):
    """The policy would block both."""
    names = {name for _, attrs in page.elements for name in attrs}
    assert not {name for name in names if name.startswith("on") or name == "style"}


def test_links_inside_the_page_lead_somewhere(page):
    """Each section of the list of contents exists, and no id is given twice."""
    ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)


def test_no_author_is_on_the_page(text):
    """Pseudonyms tie materials together by person; a dossier is about content (R-77)."""
    assert "pseudonym-3f2a" not in text


def test_the_page_says_that_nothing_is_a_verdict(page):
    """The one sentence that no reader may miss."""
    assert "No result on this page is a verdict." in " ".join(page.words)


@pytest.mark.parametrize("field", ["text", "title", "url", "source"])
def test_a_hostile_string_stays_text(field):
    """Material is a stranger's: no field of it becomes an element, a template or a null byte."""
    hostile = page_of({"materials": [material("a", **{field: HOSTILE})], "findings": [finding("a")]})
    harmless = page_of({"materials": [material("a", **{field: "words"})], "findings": [finding("a")]})
    for tag in ("script", "img"):
        assert len(Page(hostile).all(tag)) == len(Page(harmless).all(tag))
    assert "<img src=x" not in hostile
    assert "\x00" not in hostile
    assert "\u202e" not in hostile
    assert "{{ 7*7 }}" in "".join(Page(hostile).words)


strange_text = st.text(st.sampled_from("<>&\"'/=!-{}%#\x00\x1b\u202e\u2028\r\n scriptم"), min_size=1, max_size=60)


@settings(max_examples=15, deadline=None)
@given(text=strange_text, title=strange_text, source=strange_text)
def test_no_string_changes_the_elements_of_the_page(text, title, source):
    """Whatever a stranger writes, the page has the elements that it has for harmless words, and no raw control."""
    strange = {"text": text, "title": title, "source": source, "published_at": None}
    harmless = {"text": "words" if text else "", "title": "words" if plain(title) else "", "published_at": None}
    pages = [page_of({"materials": [material("a", **m)], "findings": [finding("a")]}) for m in (strange, harmless)]
    tags = [[tag for tag, _ in Page(page).elements if tag != "span"] for page in pages]
    assert tags[0] == tags[1]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202d\u202e]", pages[0])


def test_a_hostile_source_stays_text_in_the_charts():
    """Names of sources go into the charts' data, inside a script element."""
    tables = rows(60)[0]
    for row in tables["spread"]:
        row["from_source"] = "</script><b>x"
    hostile = page_of(tables)
    assert "</script><b>x" not in hostile
    assert "\\u003c/script\\u003e\\u003cb\\u003ex" in hostile


def test_script_json_has_nothing_that_ends_a_script():
    """Line separators end a string in old script engines."""
    assert not set(script_json({"a": "<!--&\u2028\u2029>"})) & set("<>&\u2028\u2029")


def test_a_long_text_is_cut_with_a_note():
    """A megabyte of text is one line of the page."""
    page = page_of({"materials": [material("a", "word " * 200_000)], "findings": [finding("a")]})
    assert "characters not shown" in page
    assert len(page) < 1_300_000


@pytest.mark.parametrize(("lang", "tag"), [("ar", "ar"), ("zzz", None), ("und", None)])
def test_a_text_carries_its_language_and_direction(lang, tag):
    """A screen reader speaks it right, and Arabic begins at the right; a wrong code is worse than none."""
    page = Page(page_of({"materials": [material("a", "سلام")], "findings": [finding("a", lang=lang)]}))
    quote = page.all("blockquote")[0]
    assert (quote["dir"], quote.get("lang")) == ("auto", tag)


def test_words_that_led_to_a_flag_are_marked_with_their_reason():
    """A reviewer sees why before judging."""
    spans = [{"start": 4, "end": 8, "label": "incites", "reason": "an order"}]
    page = page_of({"materials": [material("a", "now burn it")], "findings": [finding("a", spans=spans)]})
    assert '<mark class="act">burn</mark><sup class="act">1</sup>' in page
    assert "an order" in page


def test_an_empty_run_makes_a_page():
    """Nothing read is a result too, and needs no chart library."""
    page = page_of({})
    assert "No material was read by an analyser." in page
    assert len(page) < 60_000


def test_notes_and_scores_of_a_demonstration_are_shown():
    """What is known of how good it is stands in the page."""
    page = page_of({}, demo_score=[{"planted": "copies", "found": 1_234}], limits=("No <video> is read.",))
    assert "1,234" in page
    assert "No &lt;video&gt; is read." in page


def test_every_label_has_plain_words():
    """A label of the schema that the page doesn't know would stand there raw."""
    assert set(LABELS) == {*SPEECH_ACTS, *CONTEXTS}
    assert all(len(code) == 2 and code.islower() and name for code, name in LANGUAGES.items())


def test_the_same_run_gives_the_same_page(text):
    """Two dossiers of one run can be compared byte by byte."""
    assert render(gather(source(300), Caps()), about(), {}) == text
