"""What the JSON readers share: records one by one, fields with their faults."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.model.material import Skipped
from antiphon.sources.interface import HEAD_BYTES, MAX_RECORD_BYTES
from antiphon.sources.records import (
    attempt,
    count_in,
    id_in,
    json_values,
    list_in,
    object_in,
    raw_of,
    require_one,
    rewound,
    text_in,
)


def values(content):
    """Return what is read of some bytes."""
    return list(json_values(io.BytesIO(content)))


@given(st.binary(max_size=300), st.integers(1, 200))
def test_a_rewound_stream_gives_every_byte_again(content, size):
    """Looking at a head must not eat it."""
    head, stream = rewound(io.BytesIO(content), size)
    assert head == content[:size]
    assert stream.read() == content


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers(-9, 9)), min_size=1, max_size=6))
def test_an_array_and_lines_give_the_same_records(records):
    """Exporters choose; the reader must not care."""
    lines = "\n".join(map(json.dumps, records)).encode()
    expected = list(enumerate(records))
    assert values(json.dumps(records).encode()) == expected
    assert values(lines) == expected


def test_a_line_longer_than_the_head_is_still_a_line():
    """Pages of an API are longer than what is seen to recognise them."""
    line = json.dumps({"a": "x" * HEAD_BYTES}).encode()
    assert [number for number, _ in values(line + b"\n" + line)] == [0, 1]


def test_a_line_beyond_the_limit_is_told_and_the_next_is_read():
    """One monstrous record must not fill the memory, nor hide what follows."""
    content = b'{"a": 1}\n{"a": "' + b"x" * MAX_RECORD_BYTES + b'"}\n{"a": 2}\n'
    first, long, last = values(content)
    assert (first[1], last) == ({"a": 1}, (2, {"a": 2}))
    assert (long.reason, long.record, long.raw_bytes) == ("record-too-long", 1, MAX_RECORD_BYTES + 10)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text_in, "", None), (text_in, "a", "a"), (text_in, 5, InputError), (id_in, 5, "5"), (id_in, 5.0, "5"),
        (id_in, True, InputError), (count_in, "-3", -3), (count_in, 2.0, 2), (count_in, "2k", InputError),
        (count_in, None, None), (object_in, [], {}), (object_in, "x", InputError), (list_in, None, []),
        (list_in, {"a": 1}, InputError),
    ],
)  # fmt: skip
def test_fields_are_read_as_exporters_vary_them(read, value, expected):
    """Ids as numbers and counters as text are read; anything else names its field."""
    if expected is InputError:
        with pytest.raises(InputError, match="field here: got "):
            read({"here": value}, "here")
    else:
        assert read({"here": value}, "here") == expected


def test_a_record_without_anything_is_not_one():
    """An empty object would become a material that says nothing."""
    with pytest.raises(InputError, match="field id: missing, and no text either"):
        require_one({"id": None, "text": ""}, "id", "text")


def test_an_unexpected_fault_costs_one_record_and_tells_no_text():
    """The fault's own words may hold what was in the record."""

    def make(record):
        raise KeyError(record["text"])

    (skipped,) = attempt(make, {"text": "secret"}, 7)
    assert isinstance(skipped, Skipped)
    assert (skipped.reason, skipped.record) == ("unreadable", 7)
    assert "KeyError" in skipped.detail
    assert "secret" not in skipped.detail


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"a": 2**70}, {"a": [1.5]}], ids=["surrogate", "huge", "plain"])
def test_any_record_can_go_to_the_quarantine(value):
    """What no strict JSON can hold is still kept."""
    assert json.loads(raw_of(value)) == value
