"""Running again: nothing twice, only what is new, and other banks without reading anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon import node
from antiphon.errors import ConfigError

TEXTS = ["The ferry to Veyl is late again today", "Rain until Thursday, says the harbour office",
         "The choir of Brask sings at the market on Sunday"]  # fmt: skip


def write(path: Path, texts: list[str], start: int = 0) -> Path:
    lines = [json.dumps({"id": start + i, "text": text, "author": "anna"}) for i, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def run(tmp_path, home):
    """Analyse in this process; return the analysis and how many parts were read."""
    settings, _ = node.initialise()

    def analyse(*paths: Path, **options) -> tuple[node.Analysis, int]:
        parts: list[node.Part] = []
        asked = node.Options(paths, tmp_path / "out", 1, analyser="linear", **options)
        return node.analyse(asked, settings, node.Progress(part=parts.append)), len(parts)

    return analyse


def rows(analysis: node.Analysis, sql: str) -> list:
    return [tuple(row.values()) for row in analysis.query(sql).to_pylist()]


def test_a_second_run_reads_nothing_and_changes_nothing(tmp_path, run):
    """Input, banks and versions are as they were."""
    posts = write(tmp_path / "posts.jsonl", TEXTS)
    first, _ = run(posts)
    second, parts = run(posts)
    assert (first.changed, second.changed, parts) == (True, False, 0)


def test_a_new_file_is_added_to_what_is_there(tmp_path, run):
    """Only its own records are read."""
    posts = write(tmp_path / "posts.jsonl", TEXTS)
    run(posts)
    analysis, _ = run(posts, write(tmp_path / "more.jsonl", TEXTS, start=2))
    assert rows(analysis, "SELECT input, kept, known FROM ledger ORDER BY input") == [
        ("more.jsonl", 2, 1), ("posts.jsonl", 3, 0),
    ]  # fmt: skip


def test_a_file_that_grew_is_read_anew_and_keeps_only_what_is_new(tmp_path, run):
    """Logs and exports grow."""
    posts = write(tmp_path / "posts.jsonl", TEXTS[:2])
    run(posts)
    write(posts, TEXTS)
    analysis, _ = run(posts)
    assert rows(analysis, "SELECT found, kept, known FROM ledger") == [(3, 1, 2)]
    assert rows(analysis, "SELECT count(*) FROM findings") == [(3,)]


def test_another_bank_matches_without_reading(tmp_path, run):
    """Matching runs over the signals in the lake."""
    posts = write(tmp_path / "posts.jsonl", TEXTS)
    run(posts)
    bank = tmp_path / "bank.csv"
    bank.write_text(f'entry_id,signal_type,value,label\nb1,text,"{TEXTS[1]}",known\n')
    analysis, parts = run(posts, banks=(bank,))
    assert (parts, rows(analysis, "SELECT DISTINCT entry_id FROM matches")) == (0, [("b1",)])


def test_a_key_is_never_in_a_result(tmp_path, home, run):
    """Nor the account that a pseudonym stands for."""
    analysis, _ = run(write(tmp_path / "posts.jsonl", TEXTS))
    key = (home / "node.key").read_bytes()
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert key not in path.read_bytes()
            assert key.hex().encode() not in path.read_bytes()
    assert rows(analysis, "SELECT DISTINCT author LIKE 'a_%' FROM materials") == [(True,)]


def test_two_case_spaces_never_share_a_folder(tmp_path, run):
    """Their pseudonyms must not meet."""
    posts = write(tmp_path / "posts.jsonl", TEXTS)
    run(posts, case_space="harbour")
    with pytest.raises(ConfigError, match="case-space 'harbour'"):
        run(posts, case_space="valley")


def test_an_attachment_is_no_material_of_its_own(tmp_path, run):
    """The picture of a post is read with the post; a loose one is a material."""
    from PIL import Image

    folder = tmp_path / "export"
    (folder / "photos").mkdir(parents=True)
    Image.new("RGB", (90, 60), "navy").save(folder / "photos" / "a.png")
    Image.new("RGB", (90, 60), "olive").save(folder / "photos" / "loose.png")
    message = {
        "id": 1,
        "type": "message",
        "date_unixtime": "1772366400",
        "text": "The new ferry",
        "photo": "photos/a.png",
    }
    export = {"name": "Harbour News", "type": "public_channel", "id": 7, "messages": [message]}
    (folder / "result.json").write_text(json.dumps(export))
    analysis, _ = run(folder)
    assert rows(analysis, "SELECT kind, media[1].role FROM materials ORDER BY kind") == [
        ("image", "self"), ("post", "attachment"),
    ]  # fmt: skip
    assert rows(analysis, "SELECT other_detail FROM ledger WHERE input LIKE '%/a.png'") == [('{"file of a post": 1}',)]
