"""STIX 2.1: foreign bundles come back whole, ours pass the validator."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from invented import ADDRESSES, BANK, NEGATIVE, read, written

from antiphon.exchange import Refused, Stix
from antiphon.exchange._addresses import address_value
from antiphon.exchange._patterns import Comparison, comparisons
from antiphon.exchange.stix import TLP2_IDS
from antiphon.model.bank import BankEntry

FORM = Stix()
ENTRY = BankEntry("ash-lantern", "a1", "md5", bytes(16))
MAKER = {
    "type": "identity",
    "spec_version": "2.1",
    "id": "identity--3f1c0e56-74e5-4f58-9c39-5b3b6c5a8f01",
    "created": "2026-01-02T00:00:00.000Z",
    "modified": "2026-01-02T00:00:00.000Z",
    "name": "Harbour Watch",
    "identity_class": "organization",
    "sectors": ["non-profit"],
}
TERMS = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--8f1c0e56-74e5-4f58-9c39-5b3b6c5a8f09",
    "created": "2026-01-02T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Ask first"},
}
INDICATOR = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--5f1c0e56-74e5-4f58-9c39-5b3b6c5a8f02",
    "created_by_ref": MAKER["id"],
    "created": "2026-01-02T00:00:00.000Z",
    "modified": "2026-02-02T00:00:00.000Z",
    "name": "Poster of the Ash Lantern",
    "indicator_types": ["malicious-activity"],
    "labels": ["poster"],
    "pattern": "[file:hashes.'SHA-256' = 'AA" + "00" * 31 + "']",
    "pattern_type": "stix",
    "pattern_version": "2.1",
    "valid_from": "2026-01-02T00:00:00Z",
    "valid_until": "2027-01-02T00:00:00Z",
    "confidence": 85,
    "lang": "en",
    "external_references": [{"source_name": "gazette", "url": "https://gazette.example/7"}],
    "object_marking_refs": [TLP2_IDS["amber"], TERMS["id"]],
}


def bundle(*objects: dict) -> bytes:
    return orjson.dumps({"type": "bundle", "id": "bundle--5f1c0e56-74e5-4f58-9c39-5b3b6c5a8f03", "objects": objects})


def objects(data: bytes) -> dict:
    return {one["id"]: one for one in orjson.loads(data)["objects"]}


def indicator(**changed: object) -> dict:
    return {**INDICATOR, **changed}


def test_the_fields_of_an_indicator_are_those_of_an_entry():
    """Name, maker, marking and validity have a place of their own; the maker may stand behind the indicator."""
    (entry,) = read(FORM, bundle(INDICATOR, TERMS, MAKER))
    assert (entry.entry_id, entry.signal_type, entry.value.hex()) == (INDICATOR["id"], "sha256", "aa" + "00" * 31)
    assert (entry.label, entry.source, entry.marking) == ("Poster of the Ash Lantern", "Harbour Watch", "amber")
    assert (entry.valid_from, entry.valid_until) == (datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC))


def test_a_foreign_indicator_comes_back_as_it_was():
    """With labels, references, other markings, and the spelling of its hash and times."""
    back = objects(written(FORM, BANK, read(FORM, bundle(MAKER, TERMS, INDICATOR))))
    assert back[INDICATOR["id"]].items() >= INDICATOR.items()
    assert (back[MAKER["id"]], back[TERMS["id"]]) == (MAKER, TERMS)


def test_what_a_person_changed_wins_over_what_came_in():
    """The row as it stood is only put back where it still says the same."""
    (entry,) = read(FORM, bundle(MAKER, INDICATOR))
    changed = replace(entry, label="Poster", status="withdrawn", valid_until=None)
    data = written(FORM, BANK, [changed])
    assert read(FORM, data) == [changed]
    back = objects(data)[INDICATOR["id"]]
    assert (back["name"], back["revoked"], back["labels"]) == ("Poster", True, ["poster"])


def test_an_indicator_of_several_things_is_one_entry_each():
    """Each hash finds the file by itself; a kind that no bank holds is kept in the pattern."""
    pattern = f"[file:hashes.MD5 = '{'00' * 16}' OR file:hashes.'SHA-1' = '00'] OR [file:hashes.PDQ='{'11' * 32}']"
    made = read(FORM, bundle(indicator(pattern=pattern)))
    assert [entry.signal_type for entry in made] == ["md5", "pdq"]
    assert len({entry.entry_id for entry in made}) == 2
    assert all(entry.more["stix"]["whole"]["pattern"] == pattern for entry in made)
    assert read(FORM, written(FORM, BANK, made)) == [replace(entry) for entry in made]


@pytest.mark.parametrize(
    "pattern",
    [
        "[file:name = 'poster.png']",
        "[file:hashes.MD5 LIKE '00%']",
        "[file:hashes.MD5 = '00'] AND [url:value = 'a']",
        "[file:hashes.MD5 != '00']",
        "[url:value = 'a' AND file:hashes.MD5 = '00']",
        "[",
        "",
        "[]",
        "[url:value = 'a",
        "[file:hashes.MD5 = '00'] FOLLOWEDBY [file:hashes.MD5 = '11']",
        "[file:hashes.MD5 = '00'] OR",
        "[(file:hashes.MD5 = '00')]",
        "[file:hashes.MD5 = '00'] REPEATS 5 TIMES",
        "[file:hashes.MD5 = '" + "00" * 15 + "']",
        "[file:hashes.'SHA-1' = '00']",
        "[url:value = 'javascript:1']",
        "[domain-name:value = 'a.b.gazette.example']",
    ],
)
def test_a_pattern_that_is_no_signal_is_refused(pattern):
    """Half of a rule would match what its maker did not mean."""
    data = bundle(indicator(pattern=pattern))
    (found,) = read(FORM, data)
    assert isinstance(found, Refused)
    assert found.where == f"byte {data.index(b'{', 1)}"


def test_quotes_in_an_address_are_read_as_they_are_written():
    """STIX patterns escape quotes and backslashes."""
    assert comparisons("[url:value = 'http://ferry.example/a\\'b\\\\c']") == [Comparison("url", ADDRESSES[1])]


def test_nothing_is_kept_of_a_person():
    """Content, not people: an identity of the class individual is refused, and named nowhere."""
    person = {**MAKER, "identity_class": "individual", "name": "Maren Oldfield"}
    refusal, entry = read(FORM, bundle(person, INDICATOR))
    assert isinstance(refusal, Refused)
    assert b"Oldfield" not in refusal.raw
    assert "Oldfield" not in repr(entry)


def test_other_objects_are_refused_one_by_one():
    """So that the totals of an import add up."""
    sighting = {"type": "sighting", "id": "sighting--5f1c0e56-74e5-4f58-9c39-5b3b6c5a8f04"}
    assert [type(one) for one in read(FORM, bundle(MAKER, sighting, INDICATOR))] == [Refused, BankEntry]


def test_an_extension_cannot_change_the_value():
    """Whoever reads the pattern and whoever reads the extension must mean the same file."""
    made = objects(written(FORM, BANK, [ENTRY]))
    native = next(one for one in made.values() if one["type"] == "indicator")
    next(iter(native["extensions"].values()))["value"] = "11" * 16
    (found,) = read(FORM, bundle(native))
    assert "another value" in found.reason


def _every_kind() -> list[BankEntry]:
    url, domain = (address_value(*one) or b"" for one in (("url", ADDRESSES[1]), ("url_domain", ADDRESSES[2])))
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    return [
        ENTRY,
        replace(ENTRY, entry_id="a2", signal_type="pdq", value=bytes(32), label="Poster", note="seen", status="held"),
        replace(ENTRY, entry_id="a3", signal_type="url", value=url, more={"address": ADDRESSES[1]}, marking="red"),
        replace(ENTRY, entry_id="a4", signal_type="url_domain", value=domain, more={"address": ADDRESSES[2]}),
        replace(ENTRY, entry_id="a5", signal_type="phrase", value=b"ash lantern", source="Ferry Desk"),
        replace(ENTRY, entry_id="a6", signal_type="sha256", value=bytes(32), valid_from=since, valid_until=until),
        replace(ENTRY, entry_id="a7", signal_type="vpdq", value=bytes(33), status="withdrawn", more={"Odd key!": None}),
    ]


@pytest.mark.parametrize("bank", [BANK, NEGATIVE], ids=lambda bank: bank.name)
def test_a_bundle_passes_the_validator_of_oasis(bank):
    """All MUSTs of STIX 2.1 hold; SHOULDs may not, as for ids that are the same in each export."""
    validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed")
    options = validator.ValidationOptions(version="2.1")
    found = validator.validate_string(written(FORM, bank, _every_kind()).decode(), options)
    assert found.is_valid
    assert {str(one).split("{")[1][:3] for one in found.warnings} <= {"103", "245", "303"}


def test_another_reader_sees_what_we_meant():
    """The library of OASIS takes the bundle without custom content, and the same hash from it."""
    stix2 = pytest.importorskip("stix2", reason="stix2 is not installed")
    found = stix2.parse(written(FORM, BANK, _every_kind()).decode(), allow_custom=False)
    indicators = [one for one in found.objects if one.type == "indicator"]
    assert indicators[0].pattern == f"[file:hashes.MD5 = '{'00' * 16}']"
    assert indicators[2].object_marking_refs == [TLP2_IDS["red"]]
    assert (indicators[5].valid_until, indicators[6].revoked) == (datetime(2027, 1, 1, tzinfo=UTC), True)


def test_a_pipe_is_read_without_going_back():
    """What came before an indicator is known then, what comes behind is not."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    before, behind = (list(FORM.read(Pipe(bundle(*made)))) for made in ((MAKER, INDICATOR), (INDICATOR, MAKER)))
    assert (before[0].source, behind[0].source) == ("Harbour Watch", None)
    assert behind[0].more["stix"]["created_by_ref"] == MAKER["id"]
