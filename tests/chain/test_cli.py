"""The command line: answers, exit codes, no traceback."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from antiphon.cli.serve import _Page

POST = '{"id": 1, "text": "The ferry to Veyl is late again today", "created_at": "2026-03-01"}\n'


def test_help_teaches(antiphon):
    """What to begin with, and the exit codes."""
    code, out, _ = antiphon("--help")
    assert code == 0
    assert "antiphon demo" in out
    assert "Exit codes" in out


def test_a_wrong_command_is_told(antiphon):
    """Exit code 2, as everywhere."""
    assert antiphon("analize")[0] == 2


def test_init_makes_the_key_once(antiphon):
    """And says where."""
    assert "Made a new key" in antiphon("init")[1]
    assert "There is a key already" in antiphon("init")[1]


def test_doctor_finds_a_whole_installation_whole(antiphon):
    """And says of a missing key what to do."""
    code, out, _ = antiphon("doctor", "--json")
    assert (code, [c["name"] for c in json.loads(out) if not c["ok"]]) == (1, ["node key"])
    antiphon("init")
    assert antiphon("doctor")[0] == 0


def test_sources_are_listed_for_people_and_machines(antiphon):
    """Each with its name and what it reads."""
    _, out, _ = antiphon("sources", "--json")
    names = {row["name"] for row in json.loads(out)}
    assert {"jsonl", "csv", "mastodon", "bluesky", "telegram", "x_archive", "reddit", "feed", "warc", "pdf"} <= names
    assert all(name in antiphon("sources")[1] for name in names)


def test_analyse_writes_the_dossier_and_the_tables(tmp_path, antiphon):
    """Page, data, and each table in three forms."""
    (tmp_path / "posts.jsonl").write_text(POST)
    code, _, err = antiphon("analyse", tmp_path / "posts.jsonl", "-o", tmp_path / "out")
    assert code == 0, err
    assert "all 1 inputs" in err
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert {"dossier.html", "dossier.json", "materials.parquet", "csv/findings.csv", "json/ledger.json"} <= names


def test_a_mapping_names_the_columns(tmp_path, antiphon):
    """Where they are called otherwise."""
    (tmp_path / "posts.jsonl").write_text('{"when": "2026-03-01", "utterance": "The ferry is late"}\n')
    (tmp_path / "map.json").write_text('{"text": "utterance", "published_at": "when"}')
    args = ("analyse", tmp_path / "posts.jsonl", "-o", tmp_path / "out", "--json")
    assert json.loads(antiphon(*args, "--mapping", tmp_path / "map.json")[1])["ledger"][0]["kept"] == 1


def test_a_wrong_bank_names_its_line(tmp_path, antiphon):
    """Exit code 65, before the results are touched."""
    (tmp_path / "posts.jsonl").write_text(POST)
    (tmp_path / "bank.csv").write_text("entry_id,signal_type,value\nb1,pdq,nothex\n")
    args = ("analyse", tmp_path / "posts.jsonl", "-o", tmp_path / "out", "--bank", tmp_path / "bank.csv")
    code, _, err = antiphon(*args)
    assert code == 65
    assert "bank.csv" in err


def test_a_small_demo_finds_its_planted_truth(tmp_path, antiphon):
    """Every readable record is read, every broken one is in the quarantine, no innocent burst is called coordinated."""
    code, out, err = antiphon("demo", "--out", tmp_path / "demo", "--posts", 2_000, "--json")
    assert code == 0, err
    score = {(row["name"], row["group"]): row for row in json.loads(out)["score"]}
    assert score["planted records read", "all"]["share"] == 1
    assert score["broken records in quarantine", "all"]["share"] == 1
    assert [score["innocent pairs called coordinated", burst]["found"] for burst in ("final", "storm")] == [0, 0]


@pytest.fixture
def address(tmp_path):
    (tmp_path / "dossier.html").write_text("<p>page")
    (tmp_path / "secret.txt").write_text("secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Page, tmp_path / "dossier.html")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_page_is_served_and_nothing_beside_it(address):
    """The lake lies in the same folder."""
    with urllib.request.urlopen(f"{address}/") as answer:
        assert answer.read() == b"<p>page"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/secret.txt")
