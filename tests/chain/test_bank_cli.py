"""`antiphon bank` as a stranger runs it: answers, exit codes, no traceback, what comes back from a file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import click
import pytest
from PIL import Image

from antiphon.cli import main
from antiphon.cli.bank import bank

MD5 = "00112233445566778899aabbccddeeff"
LIST = (
    "entry_id,signal_type,value,label\n"
    f"e1,md5,{MD5},card\n"
    f"e2,md5,{MD5[:-1]},cut off\n"
    "e3,phrase,light the ash lantern,slogan\n"
)


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run `antiphon bank ...` as a reviewer; return (exit code, standard output, standard error)."""
    monkeypatch.setitem(main.cli.commands, "bank", bank)
    monkeypatch.setenv("ANTIPHON_REVIEWER", "reviewer-7")
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["antiphon", "bank", *map(str, args)])
        with pytest.raises(SystemExit) as done:
            main.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        return int(done.value.code or 0), out, err

    return run


@pytest.fixture
def harbour(cli, tmp_path: Path):
    """A bank with two entries, and the list that they came from."""
    (tmp_path / "list.csv").write_text(LIST)
    assert cli("create", "harbour", "--description", "cards of an invented group")[0] == 0
    assert cli("import", "harbour", tmp_path / "list.csv")[0] == 0
    return cli


@pytest.mark.parametrize("name", sorted(bank.commands))
def test_every_command_and_option_has_help(name):
    """A command that nobody understands is not used."""
    command = bank.commands[name]
    assert command.help
    assert "\\b" not in command.help  # written so, the examples would be wrapped into one
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_an_import_tells_what_became_of_each_line(cli, tmp_path):
    """The totals add up, a bad line has its place and reason and no value, the good ones go in, again adds nothing."""
    (tmp_path / "list.csv").write_text(LIST)
    cli("create", "harbour")
    code, _, err = cli("import", "harbour", tmp_path / "list.csv", "--refused", tmp_path / "refused.jsonl")
    assert code == 0
    assert "3 read = 2 added + 0 known + 0 changed + 1 refused" in err
    assert "list.csv, line 3: the md5 value is no hex number" in err
    assert json.loads((tmp_path / "refused.jsonl").read_text())["where"] == "line 3"
    assert json.loads(cli("import", "harbour", tmp_path / "list.csv", "--json")[1])["known"] == 2


def test_banks_are_listed_for_people_and_machines(harbour):
    """With the number of their entries."""
    (row,) = json.loads(harbour("list", "--json")[1])
    assert (row["name"], row["entries"], row["enabled"], row["marking"]) == ("harbour", 2, True, "amber")
    assert "harbour" in harbour("list")[2]
    assert json.loads(harbour("show", "harbour", "--json")[1])["counts"][0]["status"] == "active"


def test_an_entry_is_shown_with_its_history_and_opinions(harbour):
    """What an explanation needs: who put it there, why, and who holds it to be wrong."""
    harbour("confirm", "harbour", "e1", "--reason", "seen on the quay")
    harbour("deconfirm", "harbour", "e1", "--by", "reviewer-8", "--reason", "a newspaper's photograph")
    found = json.loads(harbour("show", "harbour", "e1", "--json")[1])
    assert (found["value"], found["disputed"], len(found["opinions"])) == (MD5, True, 2)
    assert [change["what"] for change in found["history"]] == ["added", "confirmed", "deconfirmed"]
    assert "disputed" in harbour("show", "harbour", "e1")[2]


def test_states_and_settings_change_by_command(harbour):
    """Each act says what it did, and stands in the log with who and why."""
    for args in (
        ("hold", "harbour", "e1", "--reason", "a flood"), ("release", "harbour", "e1"),
        ("withdraw", "harbour", "e1", "e3", "--reason", "retracted"),
        ("reinstate", "harbour", "e3", "--reason", "slip"),
        ("disable", "harbour"), ("enable", "harbour"), ("shadow", "harbour", "on"),
        ("threshold", "harbour", "pdq", "24"),
    ):  # fmt: skip
        code, _, err = harbour(*args)
        assert code == 0, err
    log = json.loads(harbour("log", "--bank", "harbour", "--json")[1])
    whats = [change["what"] for change in log]
    assert whats[2:] == ["held", "released", "withdrawn", "withdrawn", "reinstated"] + ["bank_changed"] * 4
    assert {change["by"] for change in log} == {"reviewer-7"}
    assert json.loads(harbour("show", "harbour", "--json")[1])["thresholds"] == {"pdq": 24}


def test_the_log_is_one_line_a_change_for_people(harbour):
    """Who, what, which and why; a list of a million is one line, not a hundred."""
    harbour("hold", "harbour", "e1", "--reason", "a flood")
    _, out, _ = harbour("log")
    lines = out.splitlines()
    assert len(lines) == 3
    assert "rows 1-2  (import of list.csv)" in lines[1]
    assert "reviewer-7  held  harbour  entry e1  (a flood)" in lines[2]


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
def test_what_is_exported_can_be_imported_whole(harbour, tmp_path, name):
    """Into another bank, with every field and state; so banks can be given on."""
    harbour("add", "harbour", "--phrase", 'the "quay",\nat night', "--note", "=1+1", "--valid-until", "2030-01-01")
    harbour("withdraw", "harbour", "e1", "--reason", "retracted")
    assert harbour("export", "harbour", tmp_path / name)[0] == 0
    harbour("create", "copy")
    assert "3 added" in harbour("import", "copy", tmp_path / name)[2]
    harbour("export", "copy", tmp_path / f"again-{name}")
    again = (tmp_path / f"again-{name}").read_text()
    assert (tmp_path / name).read_text().replace("harbour", "copy") == again  # the forms name the bank
    assert "withdrawn" in (tmp_path / name).read_text()


def test_a_plain_list_goes_in_and_out(harbour, tmp_path):
    """One value a line; its type is said, because lengths leave a doubt."""
    (tmp_path / "list.txt").write_text(f"# invented\n{MD5}\n{MD5[::-1]}\n")
    assert "2 refused" in harbour("import", "harbour", tmp_path / "list.txt")[2]
    assert "2 added" in harbour("import", "harbour", tmp_path / "list.txt", "--type", "md5")[2]
    harbour("export", "harbour", tmp_path / "out.txt", "--type", "md5")
    lines = [line for line in (tmp_path / "out.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == [f"md5 {value}" for value in (MD5, MD5, MD5[::-1])]


def test_a_file_is_added_by_its_signals_and_not_kept(harbour, tmp_path):
    """The bank holds what finds it again, and nothing of the picture."""
    Image.effect_mandelbrot((200, 150), (-2, -1.5, 1, 1.5), 40).convert("RGB").save(tmp_path / "card.png")
    assert harbour("add", "harbour", "--file", tmp_path / "card.png", "--label", "drawn")[0] == 0
    counts = json.loads(harbour("show", "harbour", "--json")[1])["counts"]
    assert {"pdq", "sha256"} <= {row["signal_type"] for row in counts}
    assert "there already" in harbour("add", "harbour", "--file", tmp_path / "card.png")[2]


def test_addresses_are_added_as_what_is_compared(harbour):
    """Two spellings of one address are one entry, and a host that nobody registered is none."""
    assert harbour("add", "harbour", "--url", "https://Quay.example/card?utm_source=x")[0] == 0
    code, _, err = harbour("add", "harbour", "--url", "https://quay.example/card")
    assert (code, "taken" in err) == (65, True)
    assert harbour("add", "harbour", "--domain", "quay.example")[0] == 0
    assert harbour("add", "harbour", "--domain", "co.uk")[0] == 65


def test_a_bank_is_deleted_only_when_that_is_meant(harbour):
    """It asks; a script says --yes; the log has the reason."""
    assert harbour("delete", "harbour", "--reason", "the licence ended")[0] != 0
    assert harbour("delete", "harbour", "--reason", "the licence ended", "--yes")[0] == 0
    assert json.loads(harbour("list", "--json")[1]) == []
    assert json.loads(harbour("log", "--json")[1])[-1]["reason"] == "the licence ended"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("show", "nowhere"), 66, "bank nowhere"),
        (("show", "harbour", "e9"), 66, "entry e9"),
        (("import", "harbour", "no-such-file.csv"), 66, "no-such-file.csv"),
        (("import", "harbour", "list.csv", "--format", "nose"), 66, "Choose one of: csv, jsonl"),
        (("add", "harbour", "--type", "md5", "--value", "xy"), 65, "hex"),
        (("add", "harbour", "--type", "md5"), 2, "Give one of"),
        (("create", "harbour"), 65, "of that name"),
        (("disable", "harbour", "--by", "Mira Holt"), 65, "pseudonym"),
        (("hold", "harbour", "e1"), 2, "--reason"),
        (("withdraw", "harbour", "e1", "--reason", " "), 65, "reason is missing"),
        (("export", "harbour", "out.nose"), 65, "--format"),
        (("export", "harbour", "no-such-folder/out.csv"), 74, "can't be written"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_slip_is_told_with_what_to_do(harbour, tmp_path, monkeypatch, args, code, said):
    """Exit codes as everywhere."""
    monkeypatch.chdir(tmp_path)
    found, _, err = harbour(*args)
    assert (found, said in err) == (code, True), err


def test_without_a_name_nothing_is_done(harbour, monkeypatch):
    """Every act has somebody who answers for it."""
    monkeypatch.delenv("ANTIPHON_REVIEWER")
    code, _, err = harbour("disable", "harbour")
    assert code == 2
    assert "--by" in err
