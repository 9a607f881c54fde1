"""The chain end to end, as a stranger runs it: real files, the real command, a key of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.storage.lake import Lake


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node's home for one test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ANTIPHON_HOME", str(folder))
    return folder


@pytest.fixture
def antiphon(home: Path):
    """Run the command; return (exit code, standard output, standard error)."""

    def run(*args: object, **env: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "antiphon", *map(str, args)],
            capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"} | env, check=False, timeout=300,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def ledger(antiphon, tmp_path: Path):
    """Read some paths into one output, by the quick analyser; return the ledger by input and the quarantine."""

    def analyse(*paths: object, expect: int = 0) -> tuple[dict, list]:
        code, out, err = antiphon(
            "analyse", *paths, "-o", tmp_path / "out", "--workers", 2, "--json", "--analyser", "linear"
        )
        assert code == expect, err
        rows = {row["input"]: row for row in json.loads(out)["ledger"]}
        with Lake(tmp_path / "out" / "lake") as lake:
            skipped = lake.query("SELECT * FROM skipped ORDER BY input, record").to_pylist()
        return rows, skipped

    return analyse
