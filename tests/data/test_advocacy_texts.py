"""The invented training texts: well formed, without duplicates, and apart from every test suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
CHECK = ROOT / "scripts" / "check_texts.py"
GOOD = {"lang": "en", "speech_act": "none", "context": "everyday", "directness": None, "kind": "everyday"}

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the test suites lie beside the repository, in ../shared")


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run the check as `make test` and writers do."""
    return subprocess.run(
        [sys.executable, CHECK, SHARED, *files], capture_output=True, text=True, encoding="utf-8", check=False
    )


def lines(folder: Path, *rows: dict[str, object]) -> Path:
    """Write rows to a file of training texts."""
    path = folder / "en.jsonl"
    path.write_text("".join(json.dumps({**GOOD, **row}) + "\n" for row in rows), encoding="utf-8")
    return path


def test_no_training_text_has_a_fault_or_repeats_a_test_suite() -> None:
    """A model that learnt from the suites would make their figures worthless."""
    done = check()
    assert done.returncode == 0, done.stdout


def test_a_text_that_repeats_a_suite_is_refused(tmp_path: Path) -> None:
    """The check must be able to fail: a case of a suite, under another name, is named by its line only."""
    suite = (SHARED / "advocacycheck" / "cases.csv").read_text(encoding="utf-8").splitlines()
    case = next(line.rsplit(",", 1)[-1].strip('"') for line in suite[1:] if ",en," in line and len(line) > 150)
    done = check(lines(tmp_path, {"text": "Lunch is at noon."}, {"text": f"Well, {case}"}))
    assert done.returncode == 1
    assert "en.jsonl:2: shares 6 words" in done.stdout
    assert case not in done.stdout


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"text": "Bring a ⟪chair"}, "a mark does not close"),
        ({"text": "Bring a chair", "speech_act": "solicits"}, "the context is `endorses`"),
        ({"text": "He wrote ⟪bring a chair⟫"}, "quoted_act go together"),
        ({"text": "Lunch is at  noon!"}, "the same words as line 1"),
        ({"text": "Bring a chair", "pair": "en-p1"}, "has one member"),
    ],
)
def test_each_fault_is_told_with_its_line(tmp_path: Path, row: dict[str, object], fault: str) -> None:
    """A wrong mark would teach the model a wrong span, and nobody would see it."""
    assert fault in check(lines(tmp_path, {"text": "Lunch is at noon."}, row)).stdout
