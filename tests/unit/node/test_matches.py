"""What a lake's materials match, again and again: the same for the same, and what is withdrawn is gone."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from antiphon import node
from antiphon.cli.main import cli
from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import address_entry, text_entry
from antiphon.storage.lake import Lake

WHO = "k.vell"
LEAFLET = "Every lamp on Varnholt pier shall burn again when the ninth tide turns, and the bells will answer us."
POSTS = [
    {"id": 1, "text": LEAFLET, "date": "2026-03-01T08:00:00Z"},
    {"id": 2, "text": f"They sent me this: {LEAFLET[6:80]} What is it?", "date": "2026-03-01T09:00:00Z"},
    {"id": 3, "text": "The ferry is late, says the b.l.u.e L4ntern", "date": "2026-03-02T08:00:00Z"},
    {"id": 4, "text": "read https://tides.example/song?utm_source=x now", "date": "2026-03-02T09:00:00Z"},
    {"id": 5, "text": "Rain until Thursday, says the harbour office.", "date": "2026-03-03T08:00:00Z"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with a bank of a leaflet, a name and an address."""
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "home"))
    settings, _ = node.initialise()
    with node.open_banks(settings.home) as banks:
        banks.create(Bank("tide"), WHO)
        blank = BankEntry("tide", "", "text", b"", label="leaflet", note="report 7")
        banks.add(text_entry(blank, LEAFLET, "text"), WHO)
        banks.add(text_entry(blank, "blue lantern", "phrase"), WHO)
        banks.add(address_entry(blank, "HTTP://tides.example:80/song", "url"), WHO)
    return settings.home


@pytest.fixture
def out(home: Path, tmp_path: Path) -> Path:
    """What was read and matched."""
    posts = tmp_path / "posts.jsonl"
    posts.write_bytes(b"\n".join(map(orjson.dumps, POSTS)))
    node.analyse(
        node.Options((posts,), tmp_path / "out", 1, register=home, analyser="linear"), node.load_settings(home)
    )
    return tmp_path / "out"


def again(out: Path, home: Path) -> node.Rematch:
    """Match once more."""
    with node.open_look_up(home) as look_up:
        return node.match_again(out, look_up)


def matched(out: Path) -> set[tuple[str, str, str]]:
    """(native id, signal type, effect) of all matches."""
    with Lake(out / "lake").connect() as tables:
        rows = tables.sql("SELECT native_id, signal_type, effect FROM matches JOIN materials USING (material_id)")
        return set(rows.fetchall())


def test_texts_phrases_and_addresses_are_matched(out):
    """Whole, in part, in disguise, with another tracking parameter."""
    assert matched(out) == {
        ("1", "text", "known"), ("2", "text", "known"), ("3", "phrase", "known"), ("4", "url", "known"),
    }  # fmt: skip


def test_matching_again_changes_nothing_where_nothing_changed(out, home):
    """Idempotent."""
    found = again(out, home)
    assert (found.new, found.gone, found.counts) == (0, 0, {"known": 4})


def test_a_new_entry_meets_what_was_read_before(out, home):
    """Retro-matching."""
    with node.open_banks(home) as banks:
        banks.add(text_entry(BankEntry("tide", "", "phrase", b""), "harbour office", "phrase"), WHO)
    assert again(out, home).new == 1
    assert ("5", "phrase", "known") in matched(out)


def test_a_withdrawn_entry_says_what_to_look_at_again(out, home):
    """What it led to is reopened."""
    with node.open_banks(home) as banks:
        [entry] = [e for e in banks.store.entries("tide") if e.signal_type == "text"]
        banks.withdraw("tide", [entry.entry_id], WHO, "a poem, not a leaflet")
    found = CliRunner().invoke(cli, ["match", "again", str(out), "--json"])
    told = orjson.loads(found.output)
    assert (told["new"], told["gone"], len(told["look_again"])) == (0, 2, 2)


def test_a_negative_bank_holds_back_and_shadow_leads_to_nothing(out, home):
    """Decided once; and tried first."""
    with node.open_banks(home) as banks:
        banks.create(Bank("cleared", purpose="negative"), WHO)
        banks.add(text_entry(BankEntry("cleared", "", "phrase", b""), "blue lantern", "phrase"), WHO)
    again(out, home)
    assert {row for row in matched(out) if row[1] == "phrase"} == {
        ("3", "phrase", "negative"), ("3", "phrase", "held_back"),
    }  # fmt: skip
    with node.open_banks(home) as banks:
        banks.shadow("tide", True, WHO)
    assert again(out, home).counts == {"shadow": 4, "negative": 1}


def test_an_explanation_says_which_words_and_why(out):
    """A person must be able to check it."""
    with Lake(out / "lake").connect() as tables:
        [(material,)] = tables.sql("SELECT material_id FROM materials WHERE native_id = '2'").fetchall()
    told = CliRunner().invoke(cli, ["match", "explain", str(out), material]).output
    assert "on varnholt pier shall burn again when the ninth tide" in told
    assert "in the bank because: report 7" in told


def test_an_explanation_tells_what_people_did_with_the_entry(out, home):
    """Who put it there, and who thinks it wrong: a match is worth what its entry is worth."""
    with node.open_banks(home) as banks:
        [entry] = [e for e in banks.store.entries("tide") if e.signal_type == "phrase"]
        banks.give_opinion("tide", entry.entry_id, "deconfirmed", "m.orr", "a pub has that name")
    with Lake(out / "lake").connect() as tables:
        [(material,)] = tables.sql("SELECT material_id FROM materials WHERE native_id = '3'").fetchall()
    told = CliRunner().invoke(cli, ["match", "explain", str(out), material]).output
    assert f"added by {WHO}" in told
    assert "deconfirmed by m.orr" in told
    assert "a pub has that name" in told


def test_a_flood_is_held_back_until_somebody_releases_it(home, tmp_path):
    """One bad entry must not fill the queue; and a person's word stands."""
    usual = [{"id": f"u{n}", "text": f"blue lantern {n}", "date": f"2026-03-0{n}T08:00:00Z"} for n in range(1, 7)]
    flood = [{"id": f"f{n}", "text": f"blue lantern {n}", "date": "2026-03-08T08:00:00Z"} for n in range(250)]
    posts = tmp_path / "flood.jsonl"
    posts.write_bytes(b"\n".join(map(orjson.dumps, usual + flood)))
    node.analyse(
        node.Options((posts,), tmp_path / "out", 1, register=home, analyser="linear"), node.load_settings(home)
    )
    [held] = again(tmp_path / "out", home).floods
    assert (held.materials, str(held.day), round(held.usual, 2)) == (250, "2026-03-08", 0.86)
    assert matched(tmp_path / "out") == set()
    with node.open_banks(home) as banks:
        banks.release("tide", [held.entry_id], WHO, "the lantern festival")
    assert again(tmp_path / "out", home).floods == []
    assert len(matched(tmp_path / "out")) == 256


def test_a_look_up_at_the_command_line_says_what_is_known(home):
    """The first thing a stranger tries."""
    found = CliRunner().invoke(cli, ["match", "text", "hear the B-l-u-e Lantern!"])
    assert "known material: look at it" in found.output
    assert "Nothing near it is known here." in CliRunner().invoke(cli, ["match", "text", "a quiet day"]).output
