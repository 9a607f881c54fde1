"""Blocks of whole lines: no byte lost, no line cut, whatever its length."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.model.material import Skipped
from antiphon.sources import lines
from antiphon.sources.interface import LineBlock
from antiphon.sources.lines import line_blocks

content = st.lists(st.binary(max_size=60).filter(lambda b: b"\n" not in b), max_size=40).map(b"\n".join)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of 50 bytes and lines of 100 show what megabytes would."""
    monkeypatch.setattr(lines, "BLOCK_BYTES", 50)
    monkeypatch.setattr(lines, "MAX_RECORD_BYTES", 100)


def blocks(raw: bytes) -> list[LineBlock | Skipped]:
    return list(line_blocks(io.BytesIO(raw)))


def test_blocks_join_to_the_whole():
    """And each but the last ends with a line."""

    @given(content)
    def holds(raw):
        got = blocks(raw)
        assert b"".join(block.data for block in got) == raw
        assert all(block.data.endswith(b"\n") for block in got[:-1])

    holds()


def test_numbers_and_offsets_are_those_of_the_whole():
    """A line is found again by its offset, and counted as an editor counts."""

    @given(content)
    def holds(raw):
        found = [item for block in blocks(raw) for item in block.lines()]
        wanted, offset = [], 0
        for number, line in enumerate(raw.split(b"\n")):
            if line.strip():
                wanted.append((number, offset, line.strip()))
            offset += len(line) + 1
        assert found == wanted

    holds()


def test_a_line_that_is_too_long_is_skipped_over():
    """Its size is told, the lines around it are whole."""
    first, skipped, last = blocks(b"a\n" + b"b" * 400 + b"\nc\n")
    assert (first.data, last.data) == (b"a\n", b"c\n")
    assert (skipped.reason, skipped.record, skipped.offset, skipped.raw_bytes) == ("record-too-long", 1, 2, 401)
    assert (last.first_record, last.offset) == (2, 403)


def test_a_long_line_at_the_end_is_skipped_too():
    """Without an end of line."""
    assert [type(item) for item in blocks(b"b" * 400)] == [Skipped]
