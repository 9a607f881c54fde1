"""Bad input: a clear error or a quarantine line, nothing lost, no traceback."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

POST = b'{"id": %d, "text": "Market day in Veyl, number %d", "created_at": "2026-03-01T12:00:00Z"}\n'


def posts(n: int, start: int = 0) -> bytes:
    return b"".join(POST % (i, i) for i in range(start, start + n))


def adds_up(rows: dict) -> bool:
    return all(row["found"] == row["kept"] + row["known"] + row["quarantined"] for row in rows.values())


def test_a_truncated_gzip_gives_what_came_before_the_cut(tmp_path, ledger):
    """And one quarantine line that says truncated."""
    packed = gzip.compress(posts(5_000), 1)
    (tmp_path / "posts.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    rows, skipped = ledger(tmp_path / "posts.jsonl.gz")
    assert rows["posts.jsonl.gz"]["kept"] > 1_000
    assert "truncated" in {row["reason"] for row in skipped}
    assert adds_up(rows)


def test_one_bad_line_costs_one_line(tmp_path, ledger):
    """Broken UTF-8, broken JSON, no object, no content: each with its reason and its raw bytes."""
    bad = [b'{"text": "\xff\xfe"}', b'{"text": "open', b"[1, 2]", b'{"weight": 3}', b'{"text": "x", "date": "never"}']
    (tmp_path / "posts.jsonl").write_bytes(posts(3) + b"\n".join(bad) + b"\n" + posts(2, 3))
    rows, skipped = ledger(tmp_path / "posts.jsonl")
    assert (rows["posts.jsonl"]["kept"], rows["posts.jsonl"]["quarantined"]) == (5, 5)
    assert [row["reason"] for row in skipped] == [
        "utf8-broken", "json-broken", "not-an-object", "no-content", "field-invalid",
    ]  # fmt: skip
    assert [row["raw"] for row in skipped] == bad


def test_a_broken_first_line_hides_nothing(tmp_path, ledger):
    """The format is told by the lines that follow."""
    (tmp_path / "posts.jsonl").write_bytes(b'{"text": "cut\n' + posts(4))
    rows, _ = ledger(tmp_path / "posts.jsonl")
    assert (rows["posts.jsonl"]["kept"], rows["posts.jsonl"]["quarantined"]) == (4, 1)


def test_nan_duplicate_keys_and_missing_fields_are_read(tmp_path, ledger):
    """What real exporters write is no fault."""
    lines = b'{"text": "a", "likes": NaN}\n{"text": "b", "text": "c"}\n{"id": 4, "title": "no more"}\n'
    (tmp_path / "posts.jsonl").write_bytes(lines)
    rows, skipped = ledger(tmp_path / "posts.jsonl")
    assert (rows["posts.jsonl"]["kept"], skipped) == (3, [])


def test_a_line_of_many_megabytes_is_one_quarantine_line(tmp_path, ledger):
    """The lines around it are read; memory stays bounded, which test-slow measures at 2 GB."""
    with (tmp_path / "posts.jsonl").open("wb") as file:
        file.write(posts(2) + b'{"text": "' + b"a" * 40_000_000 + b'"}\n' + posts(2, 2))
    rows, skipped = ledger(tmp_path / "posts.jsonl")
    assert rows["posts.jsonl"]["kept"] == 4
    assert [(row["reason"], row["record"], len(row["raw"])) for row in skipped] == [("record-too-long", 2, 65_536)]


def test_empty_unknown_unreadable_and_circular_inputs_are_each_told(tmp_path, ledger):
    """The folder around them is read to its end."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "posts.jsonl").write_bytes(posts(2))
    (folder / "empty.json").touch()
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 9)
    (folder / "circle").symlink_to("circle")
    (folder / "up").symlink_to(folder, target_is_directory=True)
    rows, skipped = ledger(folder)
    assert {row["input"].split("/")[-1]: row["reason"] for row in skipped} == {
        "empty.json": "empty", "noise.bin": "unrecognised", "circle": "link-broken",
    }  # fmt: skip
    assert rows["folder/posts.jsonl"]["kept"] == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_told(tmp_path, ledger):
    """With the advice to allow reading it."""
    (tmp_path / "closed").mkdir(mode=0o000)
    _, skipped = ledger(tmp_path / "closed")
    assert skipped[0]["reason"] == "no-permission"


def test_nested_bombs_are_refused(tmp_path, ledger):
    """By depth, and by what they would expand to."""
    content, name = posts(1), "posts.jsonl"
    for level in range(7):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        content, name = packed.getvalue(), f"level{level}.zip"
    (tmp_path / "nested.zip").write_bytes(content)
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(bytes(300 * 2**20)))
    _, skipped = ledger(tmp_path / "nested.zip", tmp_path / "bomb.jsonl.gz")
    assert "nested-too-deep" in {row["reason"] for row in skipped}
    assert len({row["input"] for row in skipped}) == 2


def test_the_same_post_twice_is_known_the_second_time(tmp_path, ledger):
    """In one file, and in another format."""
    (tmp_path / "a.jsonl").write_bytes(posts(4) + posts(2))
    (tmp_path / "b.json").write_text(json.dumps([{"id": "3", "text": "Market day in Veyl, number 3"}]))
    rows, _ = ledger(tmp_path / "a.jsonl", tmp_path / "b.json")
    assert [(rows[n]["kept"], rows[n]["known"]) for n in ("a.jsonl", "b.json")] == [(4, 2), (0, 1)]


def test_a_path_that_is_not_there_is_an_error_at_once(tmp_path, antiphon):
    """Exit code 66, and nothing is written."""
    code, _, err = antiphon("analyse", tmp_path / "nowhere", "-o", tmp_path / "out")
    assert code == 66
    assert "no such file" in err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told_and_the_run_goes_on_later(tmp_path, antiphon, ledger):
    """Exit code 74; after space was made the same command finishes the work."""
    (tmp_path / "posts.jsonl").write_bytes(posts(3_000))
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "
        "from antiphon.cli.main import main; main()"
    )
    (tmp_path / "limited.py").write_text(f"if __name__ == '__main__':\n    {script}\n")
    done = run_limited(
        tmp_path / "limited.py", "analyse", tmp_path / "posts.jsonl", "-o", tmp_path / "out", "--analyser", "linear"
    )
    assert (done.returncode, "Traceback" in done.stderr) == (74, False), done.stderr
    assert "disk is full" in done.stderr
    rows, _ = ledger(tmp_path / "posts.jsonl")
    assert rows["posts.jsonl"]["kept"] == 3_000


def run_limited(script: Path, *args: object):
    return subprocess.run([sys.executable, script, *map(str, args)], capture_output=True, text=True, check=False)
