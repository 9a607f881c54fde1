"""Every source that is installed, ours or yours, keeps the same promises."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon import plugins
from antiphon.errors import AntiphonError
from antiphon.model.material import Columns, Material, Media, Origin, Passed, Skipped, materials_batch
from antiphon.model.pseudonym import Pseudonyms
from antiphon.node.planning import recognise
from antiphon.sources.interface import LineBlock, LineSource, ReadContext, Source

SOURCES = plugins.load("antiphon.sources", Source)
EXAMPLES = [(name, example) for name, source in SOURCES.items() for example in source.examples()]
IDS = [f"{name}:{example.name}" for name, example in EXAMPLES]


def keep(stream, path: str, role: str) -> Media:
    """Stands for the media store: digests nothing, keeps nothing."""
    content = stream.read()
    return Media(path=path, sha256="0" * 64, mime="image/png", bytes=len(content), role=role)


def read(name: str, content: bytes, input_name: str) -> list:
    """Read bytes as the engine would, with nothing beside them."""
    context = ReadContext(input_name, keep_media=keep, raw=lambda: io.BytesIO(content))
    return list(SOURCES[name].read(io.BufferedReader(io.BytesIO(content)), context))


def plain(items: list) -> list:
    """Return the items with columns as lists, which compare by what they hold."""
    return [
        ({key: list(column) for key, column in item.values.items()}, list(item.raws))
        if isinstance(item, Columns)
        else item
        for item in items
    ]


def materials(items: list) -> int:
    """Return how many rows the items become."""
    rows = [item for item in items if isinstance(item, Material)]
    batches = [rows, *(item for item in items if isinstance(item, Columns))]
    return sum(materials_batch(b, Origin("i", "r", "1"), Pseudonyms(bytes(32)))[0].num_rows for b in batches)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_says_what_it_is(name):
    """Name, version and title stand in provenance, ledger and help; the name is the entry point's."""
    source = SOURCES[name]
    assert source.name == name
    assert source.version
    assert source.title
    assert list(source.examples())


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=IDS)
def test_an_example_is_recognised_by_its_own_source(name, example):
    """By content: the name of the input says nothing here."""
    assert recognise(example.content[:65_536], "input", SOURCES) == name


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=IDS)
def test_an_example_gives_the_materials_that_it_says(name, example):
    """Exactly so many, whole and valid."""
    assert materials(read(name, example.content, example.name)) == example.materials


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=IDS)
def test_reading_twice_gives_the_same(name, example):
    """What lets a run be killed and go on."""
    first, second = (plain(read(name, example.content, example.name)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=IDS)
def test_lines_and_the_whole_are_one(name, example):
    """A source that reads blocks of lines reads the same as from a stream."""
    source = SOURCES[name]
    if not isinstance(source, LineSource) or not example.content.startswith(b"{") or b"}\n{" not in example.content:
        return  # not a format of lines
    blocks = list(source.read_block(LineBlock(example.content, 0, 0), ReadContext("i")))
    assert materials(blocks) == example.materials


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=IDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_example_never_breaks_the_reader(name, example, data):
    """Cut, flipped, doubled, with junk inside: items come out or nothing, no exception, and nothing hangs."""
    content = bytearray(example.content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        match data.draw(st.sampled_from(["cut", "flip", "insert", "double"])):
            case "cut":
                del content[at:]
            case "flip" if content:
                content[at] ^= data.draw(st.integers(1, 255))
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=9))
            case _:
                content[at:at] = content[at : at + 40]
    try:
        items = read(name, bytes(content), "input")
    except AntiphonError:
        return  # told in our own words: the engine enters it in the quarantine
    materials(items)
    assert all(item.reason and item.detail for item in items if isinstance(item, Skipped))
    assert all(item.count > 0 for item in items if isinstance(item, Passed))
