"""JSON cut into records without being read into memory."""

from __future__ import annotations

import io

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import json

from antiphon.exchange._walk import lines, pieces
from antiphon.exchange.interface import MAX_RECORD_BYTES


class Dribble(io.BytesIO):
    """A stream that gives as little as it wants at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        """Return less than was asked for."""
        return super().read(self._size)


def rows(data: bytes, size: int = 1 << 16) -> list:
    return list(pieces(Dribble(data, size), lambda path: path in ((), ("rows",))))


@settings(deadline=None)
@given(values=st.lists(json, max_size=4), indent=st.booleans(), size=st.integers(1, 50))
def test_the_records_are_those_that_a_parser_finds(values, indent, size):
    """However the bytes arrive, and wherever the brackets stand in texts."""
    data = orjson.dumps({"before": 1, "rows": values, "after": [2]}, option=orjson.OPT_INDENT_2 if indent else None)
    found = [piece for piece in rows(data, size) if piece.path == ("rows", "[]")]
    assert [orjson.loads(piece.raw) for piece in found] == values
    assert all(data[piece.offset :].startswith(piece.raw) for piece in found)


def test_a_broken_record_costs_itself_only():
    """A parser would lose what follows; here the brackets are counted first."""
    found = rows(b'{"rows":[{"a":1},{"a":nonsense},{"a":3}]}')
    assert [piece.raw for piece in found if piece.path == ("rows", "[]")] == [b'{"a":1}', b'{"a":nonsense}', b'{"a":3}']


@pytest.mark.parametrize(
    ("huge", "fault"),
    [
        (b'"' + b"x" * (MAX_RECORD_BYTES * 3) + b'"', "bytes"),
        (b'{"a":"' + b"\\\\x" * MAX_RECORD_BYTES + b'"}', "bytes"),
        (b"[" + b'{"a":"}"},' * (MAX_RECORD_BYTES // 5) + b"1]", "bytes"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
    ],
    ids=["a text", "a text inside", "many parts", "brackets"],
)
def test_a_record_over_the_limits_is_passed_by(huge, fault):
    """The records before and behind it are found, and it is not held."""
    before, found, behind = [p for p in rows(b'{"rows":[1,' + huge + b",2]}") if p.path == ("rows", "[]")]
    assert (before.raw, behind.raw) == (b"1", b"2")
    assert fault in found.fault
    assert len(found.raw) < 3 * MAX_RECORD_BYTES


@pytest.mark.parametrize(
    "data", [b'{"rows":[1,{"a":', b'{"rows":[1,"ab', b'{"rows":[1', b'{"rows":[1,}', b'{"rows":[1]}]']
)
def test_where_the_rest_cannot_be_told_apart_the_last_piece_says_so(data):
    """The place of the cut is the first byte of what is not whole."""
    found = rows(data)
    assert found[-1].fault
    assert [piece.raw for piece in found if piece.path == ("rows", "[]")][:1] == [b"1"] or data.endswith(b"[1")


def test_a_line_without_end_is_passed_by():
    """The lines behind it keep their numbers."""
    data = b"\xef\xbb\xbfa\n" + b"x" * (2 * MAX_RECORD_BYTES + 7) + b"\nb\n"
    assert list(lines(io.BytesIO(data))) == [(1, b"a\n"), (2, None), (3, b"b\n")]
