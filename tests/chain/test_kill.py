"""Killed at any moment and run again: the same result, nothing twice, nothing lost."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from antiphon.storage.lake import Lake

KILLS = 25
QUICK = ("--analyser", "linear")
"""What is cut off here is the writing, not the reading of texts."""
WORDS = [
    "harbour",
    "lantern",
    "rain",
    "market",
    "ferry",
    "bridge",
    "winter",
    "song",
    "bread",
    "river",
    "tower",
    "field",
    "night",
    "morning",
    "gate",
    "letter",
]
TABLES = {
    "materials": "SELECT * FROM materials ORDER BY material_id",
    "findings": "SELECT material_id, reading, flag FROM findings ORDER BY material_id",
    "signals": "SELECT * FROM signals ORDER BY material_id, part, signal_type",
    "skipped": "SELECT * FROM skipped ORDER BY input, record",
    "ledger": "SELECT * FROM ledger ORDER BY input",
    "copies": "SELECT * FROM copies ORDER BY copy_group, material_id",
}


def write_inputs(folder: Path) -> None:
    """Some files of several kinds, with repeated posts and broken lines in them."""
    folder.mkdir()
    rng = random.Random(5)
    for number in range(3):
        with (folder / f"posts{number}.jsonl").open("w") as file:
            for i in range(5_000):
                text = " ".join(rng.choices(WORDS, k=12))
                post = {"id": number * 4_000 + i, "text": text, "author": f"u{i % 90}", "board": "harbour"}
                file.write(json.dumps(post) + "\n" if i % 1_000 else '{"text": "cut\n')
    (folder / "more.json").write_text(json.dumps([{"id": f"m{i}", "text": rng.choice(WORDS)} for i in range(1_000)]))


def command(folder: Path, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "antiphon",
        "analyse",
        str(folder),
        "-o",
        str(out),
        "--case",
        "kill",
        "--json",
        *QUICK,
    ]


def results(out: Path) -> dict[str, list]:
    with Lake(out / "lake") as lake:
        return {name: lake.query(sql).to_pylist() for name, sql in TABLES.items()}


def kill_once(folder: Path, out: Path, wait_s: float, env: dict[str, str]) -> bool:
    """Start a run and kill it and its workers after a while; return whether it was still running."""
    with subprocess.Popen(command(folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env,
                          start_new_session=True) as process:  # fmt: skip
        time.sleep(wait_s)
        alive = process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return alive


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> tuple[Path, dict[str, str], dict[str, list], float]:
    """The result of a run that nobody disturbed, and how long it took."""
    base = tmp_path_factory.mktemp("kill")
    env = os.environ | {"ANTIPHON_HOME": str(base / "home")}
    write_inputs(base / "in")
    subprocess.run(command(base / "in" / "more.json", base / "warm"), check=True, capture_output=True, env=env)
    began = time.monotonic()
    subprocess.run(command(base / "in", base / "calm"), check=True, capture_output=True, env=env)
    return base, env, results(base / "calm"), time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])  # fifty in all; two, so that two cores may take one each
def test_kills_at_random_moments_change_nothing(reference, seed):
    """Each table equals the one of the undisturbed run, row by row, also where runs were killed many times over."""
    base, env, wanted, seconds = reference
    rng = random.Random(seed)
    kills = rounds = 0
    while kills < KILLS:
        out = base / f"out{rounds}"
        rounds += 1
        for _ in range(rng.randint(1, 8)):
            if not kill_once(base / "in", out, rng.uniform(0.2, 0.75) * seconds, env):
                break  # it was done before the kill came
            kills += 1
        done = subprocess.run(command(base / "in", out), check=False, capture_output=True, env=env, text=True)
        assert done.returncode == 0, done.stderr
        assert results(out) == wanted
        shutil.rmtree(out)


def test_the_results_of_the_undisturbed_run_are_whole(reference):
    """The comparison above compares something: nothing twice, and the ledger adds up to what was written."""
    _, _, wanted, _ = reference
    ids = [row["material_id"] for row in wanted["materials"]]
    totals = {name: sum(row[name] for row in wanted["ledger"]) for name in ("found", "kept", "known", "quarantined")}
    assert len(set(ids)) == len(ids) == totals["kept"] == len(wanted["findings"])
    assert totals == {"found": 16_000, "kept": 13_987, "known": 1_998, "quarantined": 15}
