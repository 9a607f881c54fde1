"""The dossier in a browser: as a reader meets it, with and without a script, a mouse, a wide screen, or paper.

The browser and the pages stand here and not in a conftest, of which the doctest collector takes only one.
"""

import shutil
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from antiphon.dossier import write_dossier

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "dossier"))

from dossier_sample import HOSTILE, MemorySource, about, finding, material, source

pytestmark = pytest.mark.browser

PICTURE = ".picture >> nth=0"


@pytest.fixture(scope="module")
def browser():
    """A Chromium of this machine; without one, these tests are skipped.

    Closed after this module: Playwright keeps an event loop running, in which no other test could start one.
    """
    path = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def dossier(tmp_path_factory):
    """The page of the invented run."""
    score = [{"planted": "copies", "there": 60, "found": 58}]
    return write_dossier(source(240), tmp_path_factory.mktemp("run"), about(demo_score=score))[0]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """A page whose every string tries to break it, with a megabyte of one word."""
    tables = {
        "materials": [
            material("a", HOSTILE, title=HOSTILE, url=f"javascript:{HOSTILE}", source=HOSTILE),
            material("b", "x" * 1_000_000, source="y" * 300),
        ],
        "findings": [finding("a", reason=HOSTILE), finding("b")],
        "spread": [{"from_source": HOSTILE, "to_source": "b", "copies": 2, "median_delay_s": 1.0}],
    }
    folder = tmp_path_factory.mktemp("hostile")
    return write_dossier(MemorySource(tables), folder, about(title=HOSTILE, limits=(HOSTILE,)))[0]


@pytest.fixture
def visit(browser):
    """Open a page in a fresh context; returns the page, whose `said` lists what the console and the network heard."""
    contexts = []

    def opened(path, charts=True, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        page.on("request", lambda request: page.said.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        if charts:
            page.wait_for_function("document.querySelectorAll('.chart:not(.on)').length === 0")
        return page

    yield opened
    for context in contexts:
        context.close()


def loaded(message):
    return not message.startswith("data:")


def test_the_page_opens_in_silence(visit, dossier):
    """No error, no warning, nothing that the policy had to stop, no request beyond the file."""
    page = visit(dossier)
    page.locator("#chart-network svg").hover()
    assert [message for message in page.said if loaded(message)] == []
    assert page.locator(".chart.on").count() == 4


@pytest.mark.parametrize(
    "options",
    [{}, {"width": 390}, {"color_scheme": "dark"}, {"java_script_enabled": True, "forced_colors": "active"}],
    ids=["desktop", "phone", "dark", "forced colours"],
)
def test_axe_finds_nothing(visit, dossier, options):
    """The page meets the checks of axe-core, charts and filter included."""
    results = Axe().run(visit(dossier, **options))
    assert [(found["id"], found["nodes"][0]["html"]) for found in results.response["violations"]] == []
    assert len(results.response["passes"]) > 20


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(visit, dossier, width):
    """A page that moves sideways can't be read on a telephone."""
    assert visit(dossier, width=width).evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_material_breaks_nothing(visit, hostile):
    """Markup, overrides, templates and a megabyte of one word stay text, and lie inside the page."""
    page = visit(hostile, width=390)
    assert page.evaluate("window.hacked") is None
    assert [message for message in page.said if loaded(message)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_script_all_is_there(visit, dossier):
    """A reader who allows no script sees every material and every chart, and no control that would do nothing."""
    page = visit(dossier, charts=False, java_script_enabled=False)
    assert page.locator("#review-cards > .card:visible").count() == page.locator("#review-cards > .card").count() > 10
    assert page.locator(".still img:visible").count() == 4
    assert page.locator("button:visible, select:visible, .live:visible").count() == 0


def test_the_filter_keeps_what_fits(visit, dossier):
    """A reviewer of Arabic sees Arabic."""
    page = visit(dossier)
    page.select_option("#filter [data-by=lang]", "ar")
    shown = page.locator("#review-cards > .card:visible")
    assert {card.get_attribute("data-lang") for card in shown.all()} == {"ar"}
    assert (
        page.locator("#filtered").inner_text()
        == f"{shown.count()} of {page.locator('#review-cards > .card').count()} shown"
    )


def test_the_search_folds_accents_and_clears(visit, dossier):
    """Words are found as people type them, and one button brings all back."""
    page = visit(dossier)
    page.fill("#words", "KUL feneri")
    texts = page.locator("#review-cards > .card:visible .text").all_inner_texts()
    assert texts
    assert all("Kül Feneri" in text for text in texts)
    page.click("#filter [type=reset]")
    page.wait_for_function("document.querySelectorAll('#review-cards > .card[hidden]').length === 0")


def test_a_picture_shows_only_when_asked_for(visit, dossier):
    """A deliberate act for each picture, by keyboard too, and undone by the same key."""
    page = visit(dossier)
    assert page.locator(".picture .clear").count() == 0
    button = page.locator(PICTURE).locator("button")
    button.focus()
    page.keyboard.press("Enter")
    assert (button.get_attribute("aria-pressed"), page.locator(".picture .clear").count()) == ("true", 1)
    page.keyboard.press("Enter")
    assert (button.get_attribute("aria-pressed"), page.locator(".picture .clear").count()) == ("false", 0)


def test_no_picture_is_printed(visit, dossier):
    """Paper lies about: what was shown on the screen must not come out of a printer."""
    page = visit(dossier)
    page.locator(PICTURE).locator("button").click()
    page.emulate_media(media="print")
    assert page.locator(".picture img:visible").count() == 0


def test_charts_print_as_still_pictures(visit, dossier):
    """What a hand has moved in a chart does not change the paper."""
    page = visit(dossier)
    page.emulate_media(media="print")
    assert (page.locator(".still img:visible").count(), page.locator(".live:visible").count()) == (4, 0)


def test_the_first_tab_skips_to_the_summary(visit, dossier):
    """Nobody has to walk through the list of sections."""
    page = visit(dossier)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the summary"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_arrow_keys_read_a_chart_in_utc(visit, dossier):
    """The values of a chart are reached without a mouse, and a reader's time zone doesn't move them."""
    page = visit(dossier, timezone_id="America/Los_Angeles")
    page.locator("[data-chart=timeline]").focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#chart-timeline output").inner_text()
    assert said.startswith("1 of ")
    assert ", 00:00 UTC, " in said


def test_a_stretch_of_time_can_be_chosen(visit, dossier):
    """Dragging over the overview shows those days alone, with days on the axis instead of weeks."""
    page = visit(dossier)
    chart = page.locator("[data-chart=timeline] svg")
    chart.scroll_into_view_if_needed()
    whole, box = chart.text_content(), chart.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + box["height"] - 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + box["height"] - 60, steps=4)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('[data-chart=timeline] svg').textContent !== before", arg=whole
    )
    assert ("Tue 14" in whole, "Tue 14" in chart.text_content()) == (False, True)


@pytest.mark.parametrize("name", ["timeline", "paths", "matrix", "network"])
def test_every_chart_can_be_read_by_keyboard(visit, dossier, name):
    """No chart is for the mouse alone, and its summary is the picture's other text."""
    page = visit(dossier)
    page.locator(f"[data-chart={name}]").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator(f"#chart-{name} output").inner_text().startswith("1 of ")
    assert len(page.locator(f"#chart-{name} .still img").get_attribute("alt")) > 40


def test_arabic_runs_from_the_right(visit, dossier):
    """In the page's own left-to-right layout, a text keeps its own direction."""
    page = visit(dossier)
    quote = page.locator("blockquote[lang=ar]").first
    assert quote.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("blockquote[lang=de]").first.evaluate("e => getComputedStyle(e).direction") == "ltr"
