"""Lines that all look alike are read without an object for each: the materials must be the same as line by line."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.model.material import Columns, Item, Origin, Skipped, materials_batch
from antiphon.model.pseudonym import Pseudonyms
from antiphon.sources.interface import LineBlock, ReadContext
from antiphon.sources.jsonl import JsonLines
from antiphon.sources.uniform import Lines, uniform_columns

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("see https://veyl.example/a, today")
VALUES = {
    "id": st.integers(-(2**63), 2**63 - 1) | TEXTS,
    "text": TEXTS,
    "title": TEXTS | st.none(),
    "url": st.just("https://plaza.example/1") | st.none(),
    "created_at": st.sampled_from(["2026-03-01T08:00:00Z", "2026-03-01 08:00", "yesterday", 1772352000, None]),
    "author": TEXTS | st.integers(0, 10**12) | st.none(),
    "platform": st.sampled_from(["plaza", "twitter", "", None]),
    "board": st.sampled_from(["Lantern Board", "plaza", None]),
    "likes": st.integers(-(2**65), 2**65) | st.none() | st.just("1.2K") | st.floats(0, 9),
    "reply_to": TEXTS | st.none(),
    "type": st.sampled_from(["post", "retweet", None, 3]),
    "links": st.just(["https://veyl.example"]) | st.just("https://veyl.example") | st.none(),
    "score_of_export": st.floats(0, 1) | st.integers(0, 1),
}


@st.composite
def _files(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of a few keys, each key of one kind of value most of the time."""
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6, unique=True))
    few = {key: draw(st.lists(VALUES[key], min_size=1, max_size=2)) for key in keys}
    rows = draw(st.integers(1, 5))
    return [
        {key: draw(st.sampled_from(values)) for key, values in few.items() if draw(st.integers(0, 9))}
        for _ in range(rows)
    ]


def _read(data: bytes) -> tuple[list[dict[str, Any]], list[Skipped]]:
    rows: list[dict[str, Any]] = []
    skipped: list[Skipped] = []
    for item in JsonLines().read_block(LineBlock(data, 3, 100), ReadContext("posts.jsonl")):
        _enter(item, rows, skipped)
    return rows, sorted(skipped, key=lambda found: found.record or 0)


def _enter(item: Item, rows: list[dict[str, Any]], skipped: list[Skipped]) -> None:
    if isinstance(item, Columns):
        batch, faulty = materials_batch(item, Origin("posts.jsonl", "jsonl", "1"), Pseudonyms(bytes(32)))
        batch.validate(full=True)
        rows += batch.to_pylist()
        skipped += faulty
    elif isinstance(item, Skipped):
        skipped.append(item)


@given(_files())
def test_a_uniform_block_gives_what_its_lines_give_one_by_one(records: list[dict[str, Any]]) -> None:
    lines = []
    for record in records:
        try:
            lines.append(orjson.dumps(record))
        except TypeError:  # a whole number beyond 64 bits
            lines.append(str(record).replace("'", '"').replace("None", "null").encode())
    data = b"\n".join(lines)
    # A space after the last record sends the block the long way, and changes nothing else.
    assert _read(data + b"\n") == _same(_read(data + b" \n"))


def _same(read: tuple[list[dict[str, Any]], list[Skipped]]) -> tuple[list[dict[str, Any]], list[Skipped]]:
    rows, skipped = read
    trimmed = [Skipped(s.reason, s.detail, s.record, s.offset, (s.raw or b"").rstrip(), s.raw_bytes) for s in skipped]
    return rows, trimmed


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"a":1,"a":2}'],
        [b'{"a":"x"}', b'{"a":"\\ud83d"}'],
        [b'{"a":"x"}', b'{"a":"\xff"}'],
        [b'{"a":"x\ty"}'],
        [b'{"a":1}{"a":2}', b'{"a":2}'],
        [b'{"a":1}{"a":2}', b" ", b'{"a":2}'],
        [b'{"a":"x"}', b'{"b":"y"}' * 40],
        [b'{"a":1}', b'{"a":9223372036854775808}'],
        [b'{"a":[1]}'],
        [b"[1]"],
        [b""],
    ],
)
def test_what_deviates_is_left_to_the_reader_of_single_lines(lines: list[bytes]) -> None:
    assert uniform_columns(Lines(b"\n".join(lines) + b"\n")) is None


def test_keys_that_some_lines_lack_are_null_in_them() -> None:
    lines = [b'{"a":"x","n":null}', b'{"a":"\\ud83d\\ude00","s":2}', b'{"s":1.5}']
    columns = uniform_columns(Lines(b"\n".join(lines) + b"\n"))
    assert columns is not None
    assert {key: column.to_pylist() for key, column in columns.items()} == {
        "a": ["x", "\U0001f600", None], "n": [None, None, None], "s": [None, 2.0, 1.5],
    }  # fmt: skip
    assert columns["n"].type == pa.null()
