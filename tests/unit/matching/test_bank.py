"""Bank files: what they may hold, and how faults are told."""

import json

import pytest

from antiphon.errors import ConfigError, InputError, MissingError
from antiphon.matching import read_bank

PDQ = "f8" * 32
DIGEST = "0a" * 32


def two_signals(text):
    """Stands for the fingerprints room, whose signals are bytes to this one."""
    return {"text_exact": text.encode().ljust(16)[:16], "text_near": bytes(128)} if len(text) > 12 else {}


def written(tmp_path, name, *lines):
    """A bank file of some lines."""
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(bank):
    """What a bank holds, as one comparable thing."""
    return {
        (kind, entry_id, value.hex())
        for kind, entries in bank.entries.items()
        for entry_id, value in zip(entries.ids, entries.values, strict=True)
    }


def test_the_three_forms_say_the_same(tmp_path):
    """Curators use what they have."""
    csv = written(
        tmp_path, "a.csv", "entry_id,signal_type,value,label", f"line-1,pdq,{PDQ},", f"line-2,sha256,{DIGEST},x"
    )
    entries = [("line-1", "pdq", PDQ), ("line-2", "sha256", DIGEST)]
    lines = [json.dumps(dict(zip(("entry_id", "signal_type", "value"), row, strict=True))) for row in entries]
    banks = [csv, written(tmp_path, "b.jsonl", *lines), written(tmp_path, "c.txt", f"pdq {PDQ}", f"sha256:{DIGEST}")]
    assert len({frozenset(rows_of(read_bank(path))) for path in banks}) == 1
    assert read_bank(csv).labels == {"line-2": "x"}


def test_a_text_becomes_its_two_signals_and_is_forgotten(tmp_path):
    """A bank must not carry the words any further."""
    path = written(tmp_path, "words.txt", "# known slogans", "text: the lantern never sleeps")
    bank = read_bank(path, text_signals=two_signals)
    assert {kind for kind, *_ in rows_of(bank)} == {"text_exact", "text_near"}
    assert "lantern" not in repr(bank.labels) + repr(bank.name)


def test_texts_without_anything_that_fingerprints_them_are_a_setting_amiss(tmp_path):
    """Leaving them out in silence would look like nothing was found."""
    with pytest.raises(ConfigError, match="text_signals"):
        read_bank(written(tmp_path, "words.txt", "text the lantern never sleeps"))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (f",pdq,{PDQ}", "entry_id"),
        ("e,pdq,", "value"),
        ("e,pdq,f8f8", "value"),
        (f"e,pdq,{'zz' * 32}", "value"),
        (f"e,md5,{PDQ}", "signal_type"),
        ("e,text,hi", "value"),
        (f"taken,pdq,{PDQ}", "entry_id"),
    ],
    ids=["no id", "no value", "too short", "no hex", "unknown type", "text too short", "id twice"],
)
def test_a_fault_names_file_line_and_column(tmp_path, row, column):
    """So that it is found in a file of a million lines."""
    path = written(tmp_path, "b.csv", "entry_id,signal_type,value", f"taken,pdq,{PDQ}", row)
    with pytest.raises(ExceptionGroup) as caught:
        read_bank(path, text_signals=two_signals)
    (fault,) = caught.value.exceptions
    assert isinstance(fault, InputError)
    assert fault.where == f"{path}, line 3, column {column}"


def test_all_faults_are_told_at_once_and_no_value_with_them(tmp_path):
    """Nobody mends a file one error at a time, and messages carry no material."""
    path = written(tmp_path, "b.jsonl", "not json", '{"entry_id": "e", "signal_type": "text", "value": "secret"}')
    with pytest.raises(ExceptionGroup) as caught:
        read_bank(path, text_signals=two_signals)
    assert len(caught.value.exceptions) == 2
    assert "secret" not in " ".join(map(str, caught.value.exceptions))


def test_at_most_a_hundred_faults_are_kept(tmp_path):
    """A file of the wrong kind has as many faults as lines."""
    path = written(tmp_path, "b.txt", *["nonsense"] * 150)
    with pytest.raises(ExceptionGroup, match="100 faults and 50 more") as caught:
        read_bank(path)
    assert len(caught.value.exceptions) == 100


@pytest.mark.parametrize(
    ("name", "line"), [("b.csv", "id,value"), ("b.bin", ""), ("b.csv", "")], ids=["header", "ending", "empty"]
)
def test_a_file_that_is_no_bank_is_refused(tmp_path, name, line):
    """The fault says what a bank looks like."""
    with pytest.raises(ExceptionGroup):
        read_bank(written(tmp_path, name, line))


def test_a_missing_file_is_missing(tmp_path):
    """Another kind of mistake, another exit code."""
    with pytest.raises(MissingError):
        read_bank(tmp_path / "none.csv")
