"""What takes long: the sizes at which bounded memory shows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow
GIB = 2**30
POST = b'{"id": %d, "text": "Market day in Veyl, number %d"}\n'


def peak_memory(command: list[str]) -> tuple[int, int]:
    """Run a command; return its exit code and the most resident memory that it and its children had, bytes."""
    most = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                most = max(most, sum(p.memory_info().rss for p in family))
            except psutil.NoSuchProcess:
                continue  # one of them ended while we looked
            time.sleep(0.05)
    return process.returncode, most


def command(path: Path, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "antiphon",
        "analyse",
        str(path),
        "-o",
        str(out),
        "--workers",
        "2",
        "--json",
        "--analyser",
        "linear",
    ]


def test_a_line_of_two_gigabytes_costs_one_line_and_no_memory(tmp_path, ledger):
    """The posts before and after it are read, within 1.5 GB for all processes together."""
    path = tmp_path / "posts.jsonl"
    with path.open("wb") as file:
        file.write(POST % (1, 1) + b'{"text": "')
        for _ in range(2 * 1024):
            file.write(b"a" * 2**20)
        file.write(b'"}\n' + POST % (2, 2))
    code, memory = peak_memory(command(path, tmp_path / "out"))
    path_size = path.stat().st_size
    rows, skipped = ledger(path)
    os.truncate(path, 0)
    assert (code, path_size > 2 * GIB, memory < 1.5e9) == (0, True, True)
    assert rows["posts.jsonl"]["kept"] == 2
    assert [(row["reason"], row["raw_bytes"] > 2 * GIB) for row in skipped] == [("record-too-long", True)]


def test_an_array_with_an_endless_text_is_told(tmp_path, ledger):
    """A JSON document can't be read past it, but it does not fill the memory."""
    path = tmp_path / "posts.json"
    with path.open("wb") as file:
        file.write(b'[{"text": "Rain in Veyl"},\n{"text": "')
        for _ in range(512):
            file.write(b"a" * 2**20)
        file.write(b'"}]')
    code, memory = peak_memory(command(path, tmp_path / "out"))
    rows, skipped = ledger(path)
    os.truncate(path, 0)
    assert (code, memory < 1.5e9) == (0, True)
    assert (rows["posts.json"]["kept"], [row["reason"] for row in skipped]) == (1, ["json-broken"])
