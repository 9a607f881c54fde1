"""ThreatExchange and its kin: many shapes in, one out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from invented import BANK, NEGATIVE, read, written

from antiphon.errors import InputError
from antiphon.exchange import Refused, ThreatExchange
from antiphon.model.bank import Bank, BankEntry

FORM = ThreatExchange()
NONE = Bank("", marking="red")
"""A bank like that of entries of which only the file was read."""
ENTRY = BankEntry("ash-lantern", "a1", "pdq", bytes(32))
DESCRIPTOR = {
    "id": "3058061737574159",
    "raw_indicator": "AA" + "00" * 31,
    "type": "HASH_PDQ",
    "status": "MALICIOUS",
    "owner": {"id": "616912251743987", "name": "Harbour Watch", "email": "desk@harbour.example"},
    "tags": ["poster", "media_type_photo"],
    "added_on": "2026-01-02T18:31:15+0000",
    "share_level": "AMBER",
    "description": "Poster of the Ash Lantern",
    "severity": "INFO",
    "confidence": 75,
    "privacy_type": "VISIBLE",
    "first_active": 1767312000,
    "expired_on": "2027-01-02T00:00:00+0000",
    "reactions": [{"key": "HELPFUL", "value": "7"}],
}


def documents(*rows: dict, key: str = "data") -> bytes:
    return orjson.dumps({key: rows, "paging": {"cursors": {"after": "x"}}})


def holds(found: dict, expected: dict) -> bool:
    return {key: found.get(key) for key in expected} == expected


def first(data: bytes) -> dict:
    return orjson.loads(data)["data"][0]


def test_the_fields_of_a_descriptor_are_those_of_an_entry():
    """Owner, share level and validity have a place of their own."""
    (entry,) = read(FORM, documents(DESCRIPTOR))
    assert (entry.entry_id, entry.signal_type, entry.value.hex()) == (DESCRIPTOR["id"], "pdq", "aa" + "00" * 31)
    assert (entry.note, entry.source, entry.marking) == ("Poster of the Ash Lantern", "Harbour Watch", "amber")
    assert (entry.valid_from, entry.valid_until) == (datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC))


def test_a_foreign_descriptor_comes_back_as_it_was():
    """With reactions, severity, tags and the spelling of its times."""
    assert holds(first(written(FORM, NONE, read(FORM, documents(DESCRIPTOR)))), DESCRIPTOR)


def test_what_has_no_field_is_a_tag():
    """Tags survive an upload and a download; foreign tags stay beside them, however they stand."""
    graph = {**DESCRIPTOR, "tags": {"data": [{"id": "1", "text": "poster"}]}}
    made = [replace(read(FORM, documents(graph))[0], label="Poster", entity="Ash Lantern")]
    data = written(FORM, BANK, made)
    assert {"text": "antiphon:entity:Ash Lantern"} in first(data)["tags"]["data"]
    assert read(FORM, data) == made


@pytest.mark.parametrize(
    "data",
    [
        documents(DESCRIPTOR),
        documents(DESCRIPTOR, key="results"),
        orjson.dumps([DESCRIPTOR]),
        orjson.dumps(DESCRIPTOR),
        orjson.dumps(DESCRIPTOR) + b"\n\n" + orjson.dumps({**DESCRIPTOR, "id": "9"}),
        b"\xef\xbb\xbf" + documents(DESCRIPTOR),
    ],
    ids=["answer", "results", "array", "one", "lines", "byte order mark"],
)
def test_every_shape_of_json_is_read(data):
    """Dumps are made by many hands."""
    found = read(FORM, data)
    assert found[0].entry_id == DESCRIPTOR["id"]
    assert FORM.recognise(data, "dump") == 1.0


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"should_delete": True}, "withdrawn"),
        ({"descriptors": {"data": [{"status": "MALICIOUS"}, {"status": "UNKNOWN"}]}}, "active"),
        ({"descriptors": {"data": [{"status": "NON_MALICIOUS"}]}}, "withdrawn"),
        ({"descriptors": {"data": [{"status": "UNKNOWN"}]}}, "held"),
    ],
    ids=["deleted", "one says so", "no case", "not known"],
)
def test_updates_hold_the_opinions_of_several(row, status):
    """One that says it is known material is enough; a tombstone withdraws."""
    update = {
        "id": "7",
        "indicator": "00" * 16,
        "type": "HASH_VIDEO_MD5",
        "last_updated": 1767312000,
        "should_delete": False,
    }
    (entry,) = read(FORM, documents({**update, **row}))
    assert (entry.signal_type, entry.status) == ("md5", status)


def test_the_hash_list_of_tech_against_terrorism_is_read():
    """Its rows name algorithm and digest, and say what was deleted."""
    row = {
        "id": 12,
        "hash_digest": "11" * 32,
        "algorithm": "PDQ",
        "ideology": "invented",
        "file_type": "png",
        "deleted": True,
    }
    (entry,) = read(FORM, documents(row, key="results"))
    assert (entry.entry_id, entry.signal_type, entry.status) == ("12", "pdq", "withdrawn")
    assert holds(first(written(FORM, NONE, [entry])), row)


@pytest.mark.parametrize(
    ("table", "form"),
    [
        ("hash,descriptor_id,tags\n" + "00" * 32 + ",7,poster harbour\n", ThreatExchange("pdq")),
        ("td_raw_indicator,td_indicator_type,td_id,td_status\n" + "00" * 32 + ",HASH_PDQ,7,MALICIOUS\n", FORM),
        ('"indicator","type","id"\r\n"' + "00" * 32 + '","HASH_PDQ","7"\r\n', FORM),
    ],
    ids=["hashes", "download", "quoted"],
)
def test_tables_are_read(table, form):
    """The columns are kept, and come back."""
    (entry,) = read(form, table.encode())
    assert (entry.entry_id, entry.signal_type, entry.value) == ("7", "pdq", bytes(32))
    assert form.recognise(table.encode(), "a.csv") >= 0.8


def test_a_hash_without_a_type_is_not_guessed():
    """64 digits are PDQ or SHA-256: a wrong guess would match nothing, silently."""
    (found,) = read(FORM, b"hash\n" + b"00" * 32 + b"\n")
    assert "say which" in found.reason


def test_vpdq_keeps_the_seconds_of_its_frames():
    """The value has hash and quality of each frame; when it was seen is kept beside it."""
    text = orjson.dumps(["11" * 32 + ",100,0.0", "22" * 32 + ",49,2.5"]).decode()
    row = {"id": "7", "type": "DEBUG_STRING", "tags": ["signal_type:vpdq"], "raw_indicator": text}
    (entry,) = read(FORM, documents(row))
    assert entry.value == bytes([0x11] * 32 + [100] + [0x22] * 32 + [49])
    assert holds(first(written(FORM, NONE, [entry])), row)


@pytest.mark.parametrize(
    "changed",
    [
        {"raw_indicator": "00" * 31},
        {"raw_indicator": "xx" * 32},
        {"raw_indicator": None},
        {"type": "HASH_TMK"},
        {"type": None},
        {"expired_on": "soon"},
        {"description": 7},
        {"type": "RAW_URI", "raw_indicator": "data:,a"},
        {"tags": ["antiphon:more:x"]},
        {"type": "vpdq", "raw_indicator": "[]"},
        {"tags": ["antiphon:value:" + "11" * 32]},
        {"id": "line\nbreak"},
    ],
)
def test_a_descriptor_that_is_no_entry_is_refused(changed):
    """With the row as it stood, and no part of it in the reason."""
    refusal, entry = read(FORM, documents({**DESCRIPTOR, **changed}, {**DESCRIPTOR, "id": "9"}))
    assert isinstance(refusal, Refused)
    assert refusal.raw.startswith(b'{"')
    assert entry.entry_id == "9"


@pytest.mark.parametrize(
    ("bank", "status"), [(BANK, "MALICIOUS"), (NEGATIVE, "NON_MALICIOUS")], ids=lambda one: str(one)[:4]
)
def test_a_bank_of_no_case_says_that_it_is_none(bank, status):
    """Who reads it elsewhere must not take it for known material."""
    assert first(written(FORM, bank, [ENTRY]))["status"] == status


def test_what_we_write_has_what_other_clients_ask_for():
    """python-threatexchange reads `id` and `owner.id` as numbers, and fails without `added_on`."""
    row = first(written(FORM, BANK, [ENTRY]))
    assert int(row["id"]) > 0
    assert int(row["owner"]["id"]) >= 0
    assert {"raw_indicator", "type", "status", "tags", "added_on"} <= set(row)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"name,colour\nx,y\n", b'{"Event":{}}'])
def test_what_holds_no_descriptors_is_another_file(data):
    """An empty answer has `data`, and is an empty list."""
    with pytest.raises(InputError):
        read(FORM, data)
    assert read(FORM, documents()) == []
