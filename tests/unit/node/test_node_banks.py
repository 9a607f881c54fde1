"""The banks of a node: the clock, the reasons, files in and out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from antiphon.errors import ConfigError, InputError, MissingError
from antiphon.model.bank import REGISTER_FILE, Bank, BankEntry
from antiphon.node.banks import (
    Banks,
    ImportOptions,
    address_entry,
    formats,
    open_banks,
    text_entry,
)
from antiphon.node.settings import REGISTER_VARIABLE, has_register, initialise

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLANK = BankEntry("harbour", "", "", b"")
MD5 = "00112233445566778899aabbccddeeff"
ROWS = f"entry_id,signal_type,value,label,source\ne1,md5,{MD5},card,\ne2,md5,{MD5[::-1]},,Quay Watch\n"


@pytest.fixture
def banks(tmp_path: Path):
    """A node with one empty bank, at noon."""
    with open_banks(tmp_path / "home", clock=lambda: NOON) as opened:
        opened.create(Bank("harbour"), "reviewer-7")
        yield opened


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of two entries."""
    path = tmp_path / "list.csv"
    path.write_text(ROWS)
    return path


def test_the_register_lies_in_the_nodes_home(banks, tmp_path):
    """Beside the key, so that one folder is the whole node."""
    assert (tmp_path / "home" / REGISTER_FILE).exists()


def test_another_register_can_be_named(tmp_path, monkeypatch):
    """A team shares one database; a wrong address is told, not passed over in favour of the file."""
    monkeypatch.setenv(REGISTER_VARIABLE, "nonsense")
    settings, _ = initialise(tmp_path)
    assert (settings.home, settings.register) == (tmp_path, "nonsense")
    with pytest.raises(ConfigError, match="database URL"):
        open_banks(settings.register)


def test_a_register_of_ones_own_is_not_the_teams(tmp_path, monkeypatch):
    """The demo's bank must not end in the team's database."""
    monkeypatch.setenv(REGISTER_VARIABLE, "postgresql+psycopg://nowhere.example/antiphon")
    with open_banks(tmp_path) as own:
        own.create(Bank("demo"), "demo")
    assert has_register(tmp_path)


def test_acts_have_the_time_of_the_clock_and_the_name(banks):
    """And the reason, trimmed."""
    banks.disable("harbour", "reviewer-8", "  too many false matches ")
    change = banks.log()[-1]
    assert (change.at, change.by, change.reason) == (NOON, "reviewer-8", "too many false matches")


@pytest.mark.parametrize("act", ["hold", "withdraw", "reinstate", "delete", "opinion"])
def test_what_takes_something_away_needs_a_reason(banks: Banks, act):
    """Those who read the log later must be able to judge it."""
    acts = {
        "hold": lambda: banks.hold("harbour", ["e1"], "reviewer-7", " "),
        "withdraw": lambda: banks.withdraw("harbour", ["e1"], "reviewer-7", ""),
        "reinstate": lambda: banks.reinstate("harbour", ["e1"], "reviewer-7", ""),
        "delete": lambda: banks.delete("harbour", "reviewer-7", ""),
        "opinion": lambda: banks.give_opinion("harbour", "e1", "confirmed", "reviewer-7", ""),
    }
    with pytest.raises(InputError, match="reason is missing"):
        acts[act]()


def test_a_list_is_told_by_its_beginning_and_completed(banks, listed):
    """What the list says of an entry stays; what it leaves out is filled in."""
    done = banks.import_file("harbour", listed, "reviewer-7", "", ImportOptions(label="cards", source="the archive"))
    assert (done.read, done.added) == (2, 2)
    first, second = (banks.entry("harbour", name).entry for name in ("e1", "e2"))
    assert (first.label, first.source) == ("card", "the archive")
    assert (second.label, second.source) == ("cards", "Quay Watch")
    assert banks.log()[-1].reason == "import of list.csv"


def test_progress_tells_how_much_of_the_file_was_read(banks, listed):
    """So that the time left can be told."""
    told = []
    banks.import_file(
        "harbour", listed, "reviewer-7", progress=lambda done, position: told.append((done.read, position))
    )
    assert told == [(2, len(ROWS))]


def test_a_file_that_is_no_list_is_refused(banks, tmp_path):
    """Not taken for a list of odd values."""
    (tmp_path / "page.html").write_text("<html>")
    with pytest.raises(InputError, match="no list"):
        banks.import_file("harbour", tmp_path / "page.html", "reviewer-7")
    with pytest.raises(MissingError, match="nose"):
        banks.import_file("harbour", tmp_path / "page.html", "reviewer-7", "", ImportOptions(format="nose"))


def test_an_export_that_fails_leaves_the_old_file(banks, listed, tmp_path, monkeypatch):
    """And nothing half-written beside it."""
    banks.import_file("harbour", listed, "reviewer-7")
    out = tmp_path / "out.csv"
    out.write_text("the old one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("antiphon.storage.banks.entry_of", full)
    with pytest.raises(Exception, match="can't be written"):
        banks.export_file("harbour", out)
    assert out.read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "list.csv", "out.csv"]


def test_only_what_was_asked_for_is_exported(banks, listed, tmp_path):
    """By state and by signal type."""
    banks.import_file("harbour", listed, "reviewer-7")
    banks.withdraw("harbour", ["e1"], "reviewer-7", "retracted")
    out = tmp_path / "out.jsonl"
    assert banks.export_file("harbour", out, statuses=["active"]) == 1
    assert banks.export_file("harbour", out, signal_type="pdq") == 0
    assert banks.export_file("harbour", out) == 2


@pytest.mark.parametrize("name", ["csv", "jsonl", "list"])
def test_our_own_forms_need_no_plug_in(name):
    """An installation that lost its entry points can still give its banks on."""
    assert formats()[name].name == name


@pytest.mark.parametrize(("ending", "form"), [("csv", "csv"), ("jsonl", "jsonl"), ("txt", "list")])
def test_an_ending_means_the_form_that_holds_every_field(banks, listed, tmp_path, ending, form):
    """Other forms share these endings, and would give a bank on in another shape than was expected."""
    banks.import_file("harbour", listed, "reviewer-7")
    for path, name in ((tmp_path / f"told.{ending}", None), (tmp_path / "said", form)):
        banks.export_file("harbour", path, name)
    assert (tmp_path / f"told.{ending}").read_bytes() == (tmp_path / "said").read_bytes()


def test_words_get_an_id_that_does_not_show_them():
    """Ids stand in logs and in the log."""
    made = text_entry(BLANK, "light the ash lantern", "phrase")
    assert (made.signal_type, made.value) == ("phrase", b"light the ash lantern")
    assert "lantern" not in made.entry_id
    assert made.entry_id == text_entry(BLANK, "light the ash lantern", "phrase").entry_id


def test_an_address_is_kept_to_be_given_on():
    """Its digest alone could not be written into a list that others read."""
    made = address_entry(BLANK, "quay.example/card", "url")
    assert (len(made.value), made.more) == (16, {"address": "quay.example/card"})
    with pytest.raises(InputError, match="not registered"):
        address_entry(BLANK, "https://co.uk", "url_domain")


def test_every_signal_of_a_file_becomes_an_entry(banks, tmp_path):
    """Its digest at least, whatever it is; the same file again is known."""
    (tmp_path / "card.bin").write_bytes(os.urandom(100))
    added = banks.add_file(BLANK, tmp_path / "card.bin", "reviewer-7")
    assert "sha256" in {entry.signal_type for entry in added}
    assert banks.add_file(BLANK, tmp_path / "card.bin", "reviewer-7") == []
