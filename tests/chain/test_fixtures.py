"""Real files that none of us wrote: each comes out, or says why not; the ledger adds up on every one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon import plugins
from antiphon.errors import AntiphonError
from antiphon.model.material import Columns, Material, Origin, Skipped, materials_batch
from antiphon.model.pseudonym import Pseudonyms
from antiphon.node.planning import recognise
from antiphon.sources.interface import ReadContext, Source
from antiphon.sources.opening import Input, open_input, walk

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
FORMATS = (
    "activitypub", "bluesky", "captions", "feed", "html_article", "mastodon", "pdf", "pdq", "sitemap",
    "telegram_export", "twitter_archive", "wacz", "warc", "youtube_infojson",
)  # fmt: skip
SOURCES = plugins.load("antiphon.sources", Source)
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not on this machine")


def files() -> list[Input]:
    """Return every file of the formats, containers entered."""
    folders = [FIXTURES / name for name in FORMATS if (FIXTURES / name).is_dir()]
    return [found for found in walk(folders) if isinstance(found, Input)]


def test_the_ledger_adds_up_on_every_fixture(ledger):
    """Found = kept + known + quarantined for each input, each read to its end, each quarantine line with its reason."""
    rows, skipped = ledger(*(FIXTURES / name for name in FORMATS))
    wrong = [name for name, row in rows.items() if row["found"] != row["kept"] + row["known"] + row["quarantined"]]
    assert (wrong, [name for name, row in rows.items() if not row["complete"]]) == ([], [])
    assert len(skipped) == sum(row["quarantined"] for row in rows.values())
    assert len(rows) == len(files())
    assert {row["reason"] for row in skipped}.isdisjoint({"reader-failed", "worker-died"})


def test_no_reader_fails_on_a_fixture_that_is_not_its_own():
    """A wrong guess of the format costs a quarantine line, not a crash."""
    for found in files()[::7]:
        with open_input(found.path) as stream:
            content = stream.read(200_000)
        for source in SOURCES.values():
            try:
                list(source.read(io.BufferedReader(io.BytesIO(content)), context(content)))
            except AntiphonError:
                continue  # told in our own words


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_fixture_never_breaks_a_reader(data):
    """Cut anywhere, bytes changed, pieces doubled: items or a reason, never another exception."""
    inputs = files()
    found = inputs[data.draw(st.integers(0, len(inputs) - 1))]
    with open_input(found.path) as stream:
        content = bytearray(stream.read(60_000))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(["cut", "change", "insert", "double"])):
            case "cut":
                del content[at:]
            case "change":
                content[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case "insert":
                content[at:at] = data.draw(st.binary(max_size=12))
            case _:
                content[at:at] = content[at : at + 200]
    source = recognise(bytes(content), found.name, SOURCES)
    if source is not None:
        check(source, bytes(content))


def check(source: str, content: bytes) -> None:
    """Read some bytes and make rows of what came out."""
    try:
        items = list(SOURCES[source].read(io.BufferedReader(io.BytesIO(content)), context(content)))
    except AntiphonError:
        return  # told in our own words
    origin, pseudonyms = Origin("i", source, "1"), Pseudonyms(bytes(32))
    materials_batch([item for item in items if isinstance(item, Material)], origin, pseudonyms)
    for columns in (item for item in items if isinstance(item, Columns)):
        materials_batch(columns, origin, pseudonyms)
    assert all(item.reason and item.detail for item in items if isinstance(item, Skipped))


def context(content: bytes) -> ReadContext:
    return ReadContext("input", raw=lambda: io.BytesIO(content))
