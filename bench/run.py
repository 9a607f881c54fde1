"""Measures speed and memory, each against its peer in the same run, and writes bench/results.json.

    python bench/run.py                 everything (about a quarter of an hour on 2 cores)
    python bench/run.py --posts 100000  smaller, for a look

Machines are shared and noisy: read the ratios. Every figure is of whole processes, their start included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from antiphon.demo.posts import write_jsonl

HERE = Path(__file__).parent
PANDAS = "import sys, pandas as pd; pd.read_json(sys.argv[1], lines=True).to_parquet(sys.argv[2])"


@dataclass(frozen=True)
class Run:
    """One command: seconds of the wall, and the most memory that it and its children held together."""

    seconds: float
    rss_mb: float
    pss_mb: float


def timed(command: list[str], env: dict[str, str]) -> float:
    """Run a command to its end and return the seconds of the wall. Nobody watches: to look at memory costs time."""
    began = time.monotonic()
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def watched(command: list[str], env: dict[str, str]) -> Run:
    """Run a command to its end and watch its memory twice a second."""
    began = time.monotonic()
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        most_rss = most_pss = 0.0
        while process.poll() is None:
            rss, pss = _memory(process.pid)
            most_rss, most_pss = max(most_rss, rss), max(most_pss, pss)
            time.sleep(0.5)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    return Run(time.monotonic() - began, most_rss / 2**20, most_pss / 2**20)


def _memory(pid: int) -> tuple[int, int]:
    """Return resident and proportional memory of a process and its children, bytes; shared pages count in each RSS."""
    rss = pss = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0
    for process in family:
        try:
            memory = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        rss, pss = rss + memory.rss, pss + memory.pss
    return rss, pss


def bench_reading(
    folder: Path, posts: Path, ours_env: dict[str, str], peer_env: dict[str, str], rounds: int
) -> dict[str, object]:
    """JSON lines to materials in the lake, beside pandas' read_json and to_parquet, in turns."""
    out = folder / "read"
    mine = [sys.executable, str(HERE / "read_only.py"), str(posts), str(out)]
    other = [sys.executable, "-c", PANDAS, str(posts), str(folder / "pandas.parquet")]
    ours, peer = [], []
    for _ in range(rounds):
        shutil.rmtree(out, ignore_errors=True)
        ours.append(timed(mine, ours_env))
        peer.append(timed(other, peer_env))
    shutil.rmtree(out)
    size_mb = posts.stat().st_size / 1e6
    return {
        "megabytes": round(size_mb, 1),
        "mb_per_s": round(size_mb / min(ours), 1),
        "pandas_mb_per_s": round(size_mb / min(peer), 1),
        "ratio_to_pandas": round(min(peer) / min(ours), 2),
        "seconds": [round(seconds, 2) for seconds in ours],
        "pandas_seconds": [round(seconds, 2) for seconds in peer],
        "rss_mb": round(watched(mine, ours_env).rss_mb),
        "pandas_rss_mb": round(watched(other, peer_env).rss_mb),
    }


def bench_chain(folder: Path, posts: Path, count: int, env: dict[str, str]) -> dict[str, object]:
    """The whole chain with the first look as its analyser (bench/analysis.py has the cascade), then once more."""
    out = folder / f"chain{count}"
    command = [sys.executable, "-m", "antiphon", "analyse", str(posts), "-o", str(out), "--workers", "2", "--json"]
    command += ["--analyser", "linear"]
    first = watched(command, env)
    second = timed(command, env)
    shutil.rmtree(out)
    return {
        "posts": count,
        "seconds": round(first.seconds, 1),
        "posts_per_s": round(count / first.seconds),
        "rss_mb": round(first.rss_mb),
        "pss_mb": round(first.pss_mb),
        "second_run_seconds": round(second, 2),
        "second_run_ratio": round(first.seconds / second, 1),
    }


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = os.environ | {"ANTIPHON_HOME": str(folder / "home")}
        ours = env | {"PYTHONPATH": str(HERE / "installed_only")}
        results: dict[str, object] = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}}
        large, small = folder / "large.jsonl", folder / "small.jsonl"
        write_jsonl(large, asked.posts, seed=1)
        write_jsonl(small, asked.posts // 10, seed=2)
        results["reading"] = bench_reading(folder, large, ours, env, asked.rounds)
        print(json.dumps(results["reading"], indent=1))
        results["chain"] = [
            bench_chain(folder, small, asked.posts // 10, ours), bench_chain(folder, large, asked.posts, ours),
        ]  # fmt: skip
        print(json.dumps(results["chain"], indent=1))
    asked.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
