"""Plain lists, CSV and JSON lines."""

from __future__ import annotations

import pytest
from invented import BANK, read, written

from antiphon.errors import InputError
from antiphon.exchange import EntryLines, EntryTable, PlainList, Refused
from antiphon.exchange.interface import MAX_RECORD_BYTES
from antiphon.exchange.listfile import COLUMNS
from antiphon.model.bank import BankEntry


def test_a_list_is_one_value_a_line():
    """With comments, blank lines, both ways to name a type, and line ends of any system."""
    data = "\ufeff# Posters\r\n\r\npdq " + "AA" * 32 + "\r\nphrase: Ash  Lantern\n"
    first, second = read(PlainList(), data.encode())
    assert (first.signal_type, first.entry_id, first.value) == ("pdq", "aa" * 32, bytes([0xAA] * 32))
    assert (second.signal_type, second.value) == ("phrase", b"Ash Lantern")
    assert "Lantern" not in second.entry_id


def test_a_length_that_leaves_a_doubt_is_refused_until_the_type_is_said():
    """64 digits are PDQ or SHA-256; 256 can only be one thing."""
    data = b"00" * 32 + b"\n" + b"11" * 128 + b"\n"
    doubtful, told = read(PlainList(), data)
    assert isinstance(doubtful, Refused)
    assert told.signal_type == "text_near"
    assert [getattr(one, "signal_type", None) for one in read(PlainList("pdq"), data)] == ["pdq", None]


def test_other_programs_still_read_our_list():
    """What a line has no place for stands in comments."""
    made = BankEntry("ash-lantern", "a1", "pdq", bytes(32), label="Poster", more={"seen": 7})
    lines = written(PlainList(), BANK, [made]).decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["pdq " + "00" * 32]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"pdq " + b"00" * 31, "31 bytes"),
        (b"pdq zz", "hex"),
        (b"ash lantern", "no signal type"),
        (b"pdq \xff", "UTF-8"),
        (b"x" * (MAX_RECORD_BYTES + 1), "over"),
        (b"#+ {\npdq " + b"00" * 32, "JSON"),
    ],
    ids=["short", "no hex", "words", "encoding", "endless", "broken comment"],
)
def test_a_bad_line_costs_itself_only(line, reason):
    """And says where it stands, without a word of it in the reason."""
    refusal, entry = read(PlainList(), line + b"\nmd5 " + b"00" * 16 + b"\n")
    assert reason in refusal.reason
    assert refusal.where in ("line 1", "line 2")
    assert isinstance(entry, BankEntry)


def test_foreign_columns_of_a_table_are_kept():
    """Nobody's column is lost, and the order of the columns is free."""
    data = b"colour,value,entry_id,signal_type\nblue," + b"00" * 16 + b",7,md5\n"
    assert read(EntryTable(), data) == [BankEntry("", "7", "md5", bytes(16), more={"colour": "blue"})]


@pytest.mark.parametrize(
    "row",
    [
        b"a1,md5",
        b"a1,md5,00,1,2",
        b'a1,"md5,' + b"00" * 16,
        b"a1,md5,\xff",
        b"a1,md4," + b"00" * 16,
        b'a"1,md5,"00"x',
        b",md5,00",
    ],
)
def test_a_bad_row_is_refused(row):
    """Too few cells, too many, quotes out of place, no text, no type, no id."""
    (found, *_) = read(EntryTable(), b"entry_id,signal_type,value\n" + row + b"\n")
    assert isinstance(found, Refused)
    assert found.where == "line 2"


def test_a_table_without_the_columns_is_another_file():
    """It says which are missing."""
    with pytest.raises(InputError, match="signal_type, value"):
        read(EntryTable(), b"entry_id,name\n")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"entry_id":1,"signal_type":"md5","value":7}',
        b'{"entry_id":"a","signal_type":["md5"],"value":""}',
        b'{"entry_id":"a","signal_type":"md5","value":"' + b"00" * 16 + b'","more":[1]}',
        b'{"a":' + b"[" * 5000,
    ],
)
def test_a_bad_json_line_is_refused(line):
    """The line behind it is read."""
    good = b'{"entry_id":12,"signal_type":"md5","value":"' + b"00" * 16 + b'"}\n'
    entry, refusal, _ = read(EntryLines(), good + line + b"\n" + good.replace(b"12", b"13"))
    assert entry.entry_id == "12"
    assert refusal.where == "line 2"


def test_every_field_has_a_column():
    """A field added to entries must not be forgotten here."""
    assert set(COLUMNS) == set(BankEntry.__dataclass_fields__)


def test_a_value_may_begin_with_a_colon():
    """It is not the one that stands between type and value."""
    entry = BankEntry(BANK.name, "e", "phrase", b":0 lantern")
    assert read(PlainList(), written(PlainList(), BANK, [entry])) == [entry]
