"""Records of JSON documents: the same ones out of every wrapping."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.model.material import Skipped
from antiphon.sources import jsonrecords
from antiphon.sources.interface import LineBlock
from antiphon.sources.jsonrecords import Record, count_field, guarded, id_field, json_records, line_records, text_field

ROWS = [{"n": 1}, {"n": 2, "inner": [{"a": []}]}, {"n": 3}]
WRAPPINGS = {
    "lines": "\n".join(map(json.dumps, ROWS)),
    "lines with a byte order mark": "\ufeff" + "\n".join(map(json.dumps, ROWS)),
    "an array": json.dumps(ROWS),
    "an indented array": json.dumps(ROWS, indent=2),
    "a list of an object": json.dumps({"rows": ROWS, "cursor": "x"}),
    "indented objects one after another": "\n".join(json.dumps(row, indent=1) for row in ROWS),
}


def values(text: str) -> list[object]:
    return [r if isinstance(r, Skipped) else r.value for r in json_records(io.BytesIO(text.encode()), {"rows"})]


@pytest.mark.parametrize("text", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_every_wrapping_gives_the_same_records(text):
    """A tool's choice of wrapping must not change what is read."""
    assert [value for value in values(text) if value != {"cursor": "x"}] == ROWS


@pytest.mark.parametrize("text", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_large_documents_are_streamed_to_the_same_records(text, monkeypatch):
    """Beyond the size that is held at once, another parser takes over, to the same end."""
    monkeypatch.setattr(jsonrecords, "_MAX_WHOLE_BYTES", 16)
    assert values(text) == [value for value in values(text) if not isinstance(value, Skipped)]
    assert [value for value in values(text) if value != {"cursor": "x"}] == ROWS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"n": 1}, {"n": 2}', "json-truncated"),
        ('{"rows": [{"n": 1}, {"n": 2}, ', "json-truncated"),
        ('[{"n": 1}, {"n": 2} oops]', "json-broken"),
        ('{"n": 1}\n{"n": \n{"n": 2}', "json-broken"),
    ],
)
def test_what_stands_before_a_break_is_kept(text, reason):
    """A truncated download still holds what was downloaded, and the quarantine says that it broke."""
    found = values(text)
    assert [value for value in found if isinstance(value, dict)] == [{"n": 1}, {"n": 2}]
    assert [value.reason for value in found if isinstance(value, Skipped)] == [reason]


def test_broken_utf8_is_said_without_quoting_the_input():
    """A message may not spread the material, not even its broken bytes."""
    found = list(json_records(io.BytesIO(b'[\n{"n": "secret words \xff\xff"}]'), set()))
    assert found[0].reason == "utf8-broken"
    assert "secret" not in found[0].detail


def test_a_line_that_is_too_long_costs_itself(monkeypatch):
    """One endless line may not take the memory, nor the lines after it."""
    monkeypatch.setattr(jsonrecords, "MAX_RECORD_BYTES", 64)
    text = json.dumps({"n": 1}) + "\n" + json.dumps({"n": "x" * 500}) + "\n" + json.dumps({"n": 3}) + "\n"
    found = list(json_records(io.BytesIO(text.encode()), set()))
    assert [r.reason if isinstance(r, Skipped) else r.value["n"] for r in found] == [1, "record-too-long", 3]
    assert (found[1].offset, found[2].offset) == (9, 9 + 509 + 1)


def test_blocks_of_lines_give_what_the_whole_gives():
    """An engine that reads blocks on many cores gets the same records with the same places."""
    data = "\n".join(map(json.dumps, ROWS)).encode()
    cut = data.index(b"\n") + 1
    halves = [LineBlock(data[:cut], 0, 0), LineBlock(data[cut:], 1, cut)]
    assert [r for half in halves for r in line_records(half, set())] == list(json_records(io.BytesIO(data), set()))


def test_a_record_that_fails_is_one_skipped():
    """Whatever is odd about a record costs that record, and its text stays out of the message."""

    def read(record):
        raise KeyError("secret words")

    (found,) = guarded(Record(4, "", {"a": 1}), read)
    assert (found.reason, found.record, found.raw) == ("unreadable", 4, b'{"a":1}')
    assert "secret" not in found.detail


def test_fields_of_a_wrong_type_are_named():
    """The quarantine says which field to correct."""
    with pytest.raises(InputError, match="field text: got int, expected text"):
        text_field({"text": 4}, "text")
    with pytest.raises(InputError, match="field likes: got str, expected a whole number"):
        count_field({"likes": "many"}, "likes")


def test_ids_may_be_numbers():
    """Exporters write the same id as a number or as text."""
    assert id_field({"id": 12}, "id") == id_field({"id": "12"}, "id") == "12"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_skipped(data):
    """Bad input never ends a run."""
    for found in json_records(io.BytesIO(data), {"rows"}):
        assert isinstance(found, Record | Skipped)
