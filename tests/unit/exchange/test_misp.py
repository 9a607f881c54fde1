"""MISP: foreign events come back whole, ours are read by PyMISP."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from invented import ADDRESSES, BANK, NEGATIVE, read, written

from antiphon.exchange import Misp, Refused
from antiphon.exchange._addresses import address_value
from antiphon.model.bank import BankEntry

FORM = Misp()
ENTRY = BankEntry("ash-lantern", "a1", "md5", bytes(16))
ATTRIBUTE = {
    "id": "7",
    "uuid": "5f1c0e56-74e5-4f58-9c39-5b3b6c5a8f02",
    "type": "sha256",
    "category": "Payload delivery",
    "value": "AA" + "00" * 31,
    "to_ids": True,
    "comment": "Poster of the Ash Lantern",
    "timestamp": "1767312000",
    "distribution": "5",
    "deleted": False,
    "first_seen": "2026-01-02T00:00:00.000000+00:00",
    "last_seen": None,
    "Tag": [{"name": "tlp:red", "colour": "#cc0033"}, {"name": "harbour:poster"}],
}
FILE = {
    "uuid": "6f1c0e56-74e5-4f58-9c39-5b3b6c5a8f03",
    "name": "file",
    "meta-category": "file",
    "template_version": "25",
    "template_uuid": "688c46fb-5edb-40a3-8273-1af7923e2215",
    "comment": "as found",
    "Attribute": [
        {
            "uuid": "7f1c0e56-74e5-4f58-9c39-5b3b6c5a8f01",
            "type": "filename",
            "object_relation": "filename",
            "value": "a.png",
        },
        {"uuid": "7f1c0e56-74e5-4f58-9c39-5b3b6c5a8f02", "type": "md5", "object_relation": "md5", "value": "00" * 16},
        {
            "uuid": "7f1c0e56-74e5-4f58-9c39-5b3b6c5a8f03",
            "type": "sha256",
            "object_relation": "sha256",
            "value": "11" * 32,
        },
    ],
}


def event(attributes: list | None = None, objects: list | None = None) -> bytes:
    """An event in the order of MISP's own exports, with the tags behind everything else."""
    return orjson.dumps(
        {
            "Event": {
                "id": "1",
                "info": "Posters",
                "Orgc": {"name": "Harbour Watch"},
                "Attribute": attributes or [],
                "Object": objects or [],
                "Tag": [{"name": "tlp:white"}],
            }
        }
    )


def attributes(data: bytes) -> list[dict]:
    found = orjson.loads(data)["Event"]
    return [*found["Attribute"], *(one for made in found["Object"][1:] for one in made["Attribute"])]


def test_the_fields_of_an_attribute_are_those_of_an_entry():
    """Marking and organisation of the event count where the attribute has none, and stand behind it."""
    marked, plain = read(FORM, event([ATTRIBUTE, {"uuid": FILE["uuid"], "type": "md5", "value": "00" * 16}]))
    assert (marked.entry_id, marked.signal_type, marked.value.hex()) == (ATTRIBUTE["uuid"], "sha256", "aa" + "00" * 31)
    assert (marked.note, marked.source, marked.marking) == ("Poster of the Ash Lantern", "Harbour Watch", "red")
    assert (plain.marking, plain.source) == ("clear", "Harbour Watch")


def test_a_foreign_attribute_comes_back_as_it_was():
    """With its tags, times and spelling."""
    data = written(FORM, BANK, read(FORM, event([ATTRIBUTE])))
    assert attributes(data)[0].items() >= ATTRIBUTE.items()


def test_an_object_comes_back_as_one_object():
    """The name of a file belongs to its hashes; both hashes are entries."""
    made = read(FORM, event(objects=[FILE]))
    assert [entry.signal_type for entry in made] == ["md5", "sha256"]
    (_, back) = orjson.loads(written(FORM, BANK, made))["Event"]["Object"]
    assert {key: value for key, value in back.items() if key != "Attribute"}.items() <= FILE.items()
    by_id = {one["uuid"]: one for one in back["Attribute"]}
    assert all(by_id[one["uuid"]].items() >= one.items() for one in FILE["Attribute"])


def test_what_a_person_changed_wins_over_what_came_in():
    """And survives, though the object that it came in has no place for it."""
    first, second = read(FORM, event(objects=[FILE]))
    changed = [replace(first, status="withdrawn", label="Poster"), replace(second, entity="Ash Lantern", marking="red")]
    assert read(FORM, written(FORM, BANK, changed)) == changed


@pytest.mark.parametrize(
    ("changed", "status"),
    [({}, "active"), ({"to_ids": False}, "held"), ({"to_ids": "0"}, "held"), ({"deleted": "1"}, "withdrawn")],
    ids=["for detection", "not for detection", "not, as text", "deleted"],
)
def test_what_is_not_for_detection_is_held(changed, status):
    """Until somebody confirms it."""
    (entry,) = read(FORM, event([{**ATTRIBUTE, **changed}]))
    assert entry.status == status


def test_nothing_of_a_bank_of_no_case_is_for_detection():
    """Who reads the event without knowing of such banks must not block what is in it."""
    assert [one["to_ids"] for one in attributes(written(FORM, NEGATIVE, [ENTRY])) if one["type"] == "md5"] == [False]


@pytest.mark.parametrize(
    ("kind", "value", "signal_type"),
    [
        ("filename|md5", "a|b.png|" + "00" * 16, "md5"),
        ("url", ADDRESSES[0], "url"),
        ("domain", ADDRESSES[2], "url_domain"),
        ("sha1", "00" * 20, None),
        ("md5", "00" * 15, None),
        ("text", "remark", None),
        ("url", "about:blank", None),
        ("md5", 7, None),
        (None, "00" * 16, None),
    ],
)
def test_only_types_of_signals_are_entries(kind, value, signal_type):
    """All others are refused with their reason."""
    (found,) = read(FORM, event([{**ATTRIBUTE, "type": kind, "value": value}]))
    assert signal_type == (None if isinstance(found, Refused) else found.signal_type)


def test_pdq_is_read_from_any_object_that_calls_it_so():
    """MISP has no type for it, so its relation tells."""
    signal = {"uuid": FILE["uuid"], "type": "text", "object_relation": "PDQ", "value": "11" * 32}
    (entry,) = read(FORM, event(objects=[{**FILE, "name": "media", "Attribute": [signal]}]))
    assert (entry.signal_type, entry.value) == ("pdq", bytes([0x11] * 32))


def test_answers_with_several_events_are_read():
    """A search gives a list of events."""
    one = orjson.loads(event([ATTRIBUTE]))
    two = orjson.loads(event([{**ATTRIBUTE, "uuid": FILE["uuid"]}]).replace(b"Harbour Watch", b"Ferry Desk"))
    assert [entry.source for entry in read(FORM, orjson.dumps({"response": [one, two]}))] == [
        "Harbour Watch",
        "Ferry Desk",
    ]


def test_pymisp_gives_back_what_we_wrote():
    """An independent reader finds the same objects, and loses nothing when it writes them again."""
    pymisp = pytest.importorskip("pymisp", reason="pymisp is not installed")
    address = {"signal_type": "url", "value": address_value("url", ADDRESSES[1]), "more": {"address": ADDRESSES[1]}}
    made = [ENTRY, replace(ENTRY, entry_id="a2", label="Poster", entity="Ash Lantern", status="held", **address)]
    made += [replace(ENTRY, entry_id="a3", signal_type="pdq", value=bytes(32), note="seen", status="withdrawn")]
    made += read(FORM, event([ATTRIBUTE], [FILE]))
    found = pymisp.MISPEvent()
    found.load(orjson.loads(written(FORM, BANK, made)))
    by_id = {entry.entry_id: entry for entry in read(FORM, found.to_json().encode())}
    assert [replace(by_id[entry.entry_id], more={}) for entry in made] == [replace(entry, more={}) for entry in made]
    assert all(by_id[entry.entry_id].more.items() >= entry.more.items() for entry in made[:3])
