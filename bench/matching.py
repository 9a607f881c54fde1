"""Measures our matching beside its peers in one run, and writes bench/matching.json.

    python bench/matching.py                        one million PDQ values, the skewed bank, and the other comparisons
    python bench/matching.py --entries 10000000     ten million PDQ values alone, beside the peers that bear it
    python bench/matching.py --only --large         thirty million, ours alone (15 GiB of memory)

The peers are those of requirements/bench.txt, in an environment of their own (`make bench-matching` makes it). Values
are random, 256 bits; every second query is an entry with 0 to 40 bits changed, the others are near nothing. Each peer
has its turns with ours, round by round, one process each on one core; what counts is CPU time, and of it the ratio:
machines are shared and noisy. What a peer finds is held against a brute force that looks at every entry. Ours stands
there twice: built in memory, and opened from disk, where "build" means to open.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).parent
LIMIT_BITS, MOST_FLIPS = 31, 40
QUERIES, AT_ONCE = 200_000, 1000
ROUND_S, SINGLES_S, ANSWERS_S = 1.0, 1.0, 1.0
NEAR_BLACK, NEAR_BLACK_FLIPS, NEAR_BLACK_QUERIES = 50_000, 20, 40
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
# numpy asks for large pages for our arrays; a library in C++ has to be given them, and is up to a fifth quicker.
LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

Values = npt.NDArray[np.uint8]
Figures = dict[str, Any]


class Peer(NamedTuple):
    """A peer and its setting; how it searches; the most entries it is given; whether it is asked by default.

    `complete` says whether it should find all there is.
    """

    name: str
    search: str = "range"
    most_entries: int = 3_000_000
    default: bool = True
    complete: bool = True


K_NN = "16 nearest, cut"
FEW, MANY, LARGE = 3_000_000, 20_000_000, 30_000_000
PEERS = (
    Peer("faiss_flat", most_entries=MANY),
    # Complete where hashes x (flips + 1) is more than the limit: the best number of hashes for each number of flips.
    Peer("faiss_multi_hash 11 23 2", most_entries=MANY),
    Peer("faiss_multi_hash 11 20 2", default=False),
    Peer("faiss_multi_hash 16 16 1", most_entries=MANY),
    Peer("faiss_multi_hash 8 28 3", default=False),
    # One hash is complete only where all its bits may flip, and then it looks at every entry.
    Peer("faiss_hash 8 8"),
    Peer("faiss_hash 16 3", default=False, complete=False),
    Peer("threatexchange_default", most_entries=MANY),
    Peer("threatexchange_flat"),
    Peer("threatexchange_second"),
    Peer("usearch_exact", K_NN),
    Peer("pynear_multi_index 16", K_NN, most_entries=MANY),
    Peer("pynear_multi_index 8", K_NN, default=False),
    Peer("pynear_bk_tree", default=False),
)
MAPPED = Peer("antiphon_mapped", most_entries=10**9)
SKEWED = ("faiss_flat", "faiss_multi_hash 11 23 2")


class Material(NamedTuple):
    """Files of entries and queries, and what there is to find: pairs of query and entry, each as one number."""

    folder: Path
    entries: int
    first: int
    near: npt.NDArray[np.int64]
    planted: npt.NDArray[np.int64]


class ContestantError(Exception):
    """A contestant could not start, or ended; the benchmark goes on without it and says why."""


class Worker:
    """One contestant in a process of its own, asked over its standard input."""

    def __init__(self, python: str, script: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [python, str(HERE / "peers" / script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD | LARGE_PAGES,
        )  # fmt: skip
        self._read()

    def ask(self, do: str, **request: object) -> Figures:
        """Return the figures of one request."""
        if self.process.stdin:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
        return self._read()

    def _read(self) -> Figures:
        line = self.process.stdout.readline() if self.process.stdout else ""
        figures: Figures = json.loads(line) if line else {"fault": f"ended with status {self.process.wait()}"}
        if "fault" in figures:
            raise ContestantError(figures["fault"])
        return figures

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.communicate()


def ours(material: Material, *arguments: str) -> Worker:
    """Start one of our own."""
    return Worker(sys.executable, "antiphon_indexes.py", str(material.folder), *(arguments or ("memory",)))


def attempted(act: Callable[[], Figures]) -> Figures:
    """Return the figures, or the fault there was."""
    try:
        return act()
    except (ContestantError, OSError) as fault:
        return {"fault": str(fault)}


def theirs(python: Path, material: Material, peer: str) -> Worker:
    """Start a peer."""
    return Worker(str(python), "pdq_indexes.py", str(material.folder), *peer.split())


def make_material(folder: Path, entries: Values, first: int, rng: np.random.Generator) -> Material:
    """Write the files and look for all that is near the first queries, entry by entry."""
    sources = rng.integers(0, len(entries), QUERIES)
    flips = rng.integers(0, MOST_FLIPS + 1, QUERIES)
    queries = entries[sources] ^ masks(rng, flips)
    queries[1::2] = rng.integers(0, 256, (QUERIES // 2, 32), dtype=np.uint8)
    folder.mkdir()
    np.save(folder / "entries.npy", entries)
    np.save(folder / "queries.npy", queries)
    planted = np.arange(QUERIES)[(flips <= LIMIT_BITS) & (np.arange(QUERIES) % 2 == 0)]
    near = brute_force(entries, queries[:first])
    return Material(folder, len(entries), first, near, planted * len(entries) + sources[planted])


def masks(rng: np.random.Generator, flips: npt.NDArray[np.int64]) -> Values:
    """Return values in which so many bits are set, anywhere."""
    parts = [
        np.packbits(rng.permuted(np.arange(256) < part[:, None], axis=1), axis=1)
        for part in np.array_split(flips, 1 + len(flips) // 10_000)
    ]
    return np.concatenate(parts)


def brute_force(entries: Values, queries: Values) -> npt.NDArray[np.int64]:
    """Return all pairs within the limit, each as query x entries + entry; every entry is looked at."""
    found = []
    for begin in range(0, len(entries), 250_000):
        columns = np.ascontiguousarray(entries[begin : begin + 250_000].view(np.uint64).T)
        for number, query in enumerate(queries.view(np.uint64)):
            apart = np.zeros(columns.shape[1], dtype=np.uint16)
            for column, word in zip(columns, query, strict=True):
                apart += np.bitwise_count(column ^ word)
            found.append(number * len(entries) + begin + np.flatnonzero(apart <= LIMIT_BITS))
    return np.sort(np.concatenate(found))


def contest(mine: Worker, other: Worker, material: Material, rounds: int) -> Figures:
    """Return the figures of one contestant, its turns taken beside ours."""
    build, pace = other.ask("build"), other.ask("pace")
    at_once = max(1, min(AT_ONCE, int(pace["queries_per_cpu_s"] * ROUND_S)))
    turns = [
        (mine.ask("round", seconds=ROUND_S, at_once=AT_ONCE), other.ask("round", seconds=ROUND_S, at_once=at_once))
        for _ in range(rounds)
    ]
    ratios = [left["queries_per_cpu_s"] / right["queries_per_cpu_s"] for left, right in turns]
    row = middle([right for _, right in turns]) | {
        "ours_beside_it": middle([left for left, _ in turns])["queries_per_cpu_s"],
        "ours_is_so_many_times": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "queries_at_once": at_once,
    }
    return row | described(other, build, material, pace["queries_per_cpu_s"])


def middle(turns: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: significant(statistics.median(turn[name] for turn in turns)) for name in turns[0]}


def significant(figure: float) -> float:
    """Return a figure without the digits that mean nothing."""
    return float(f"{figure:.4g}")


def described(worker: Worker, build: Figures, material: Material, pace: float) -> Figures:
    """Return what is measured of a contestant alone: building, memory, single queries, and what it finds."""
    sizes = {name: build[name] and round(build[name] / material.entries, 1) for name in ("own_bytes", "grown_bytes")}
    singles = middle([worker.ask("singles", seconds=SINGLES_S / 3) for _ in range(3)])
    return {
        "build_s": significant(build["wall_s"]),
        "build_cpu_s": significant(build["cpu_s"]),
        "bytes_per_entry": sizes["own_bytes"],
        "heap_bytes_per_entry": sizes["grown_bytes"],
        "singles": singles,
        **checked(worker, material, count=max(20, min(20_000, int(pace * ANSWERS_S)))),
    }


def checked(worker: Worker, material: Material, count: int) -> Figures:
    """Hold what a contestant finds against the brute force, and against what was planted where that is more."""
    found = answers(worker, material, count=count)
    first = min(count, material.first)
    near = material.near[material.near < first * material.entries]
    planted = material.planted[material.planted < count * material.entries]
    mine = found[found < first * material.entries]
    return {
        "queries_beside_brute_force": first,
        "recall": share(near, mine),
        "false_pairs": int(np.setdiff1d(mine, near).size),
        "queries_beside_planted": count,
        "recall_of_planted": share(planted, found),
    }


def answers(worker: Worker, material: Material, **request: object) -> npt.NDArray[np.int64]:
    """Return all that a contestant finds, pairs as one number each."""
    file = material.folder / "answers.npy"
    worker.ask("answers", file=str(file), **request)
    rows = np.load(file)
    file.unlink()
    pairs: npt.NDArray[np.int64] = np.sort(rows[:, 0] * material.entries + rows[:, 1])
    return pairs


def share(wanted: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> float:
    """Return the share of the wanted that is found, rounded down: 1.0 means all."""
    return float(np.floor(1e4 * np.isin(wanted, found).mean()) / 1e4) if wanted.size else 1.0


def bench_pdq(material: Material, python: Path, rounds: int, every: bool) -> Figures:
    """Return the figures of all contestants on one bank."""
    rows: dict[str, Figures] = {}
    with ours(material) as mine:
        build, pace = mine.ask("build"), mine.ask("pace")
        saved = mine.ask("save", folder=str(material.folder / "index"))
        with ours(material, "mapped", str(material.folder / "index")) as mapped:
            rows[MAPPED.name] = contest(mine, mapped, material, rounds)
        for peer in PEERS:
            rows[peer.name] = attempted(partial(against, peer, mine, material, python, rounds, every))
            print(peer.name, rows[peer.name].get("ours_is_so_many_times", rows[peer.name]), file=sys.stderr)
        turns = [mine.ask("round", seconds=ROUND_S, at_once=AT_ONCE) for _ in range(rounds)]
        own = middle(turns) | {"queries_at_once": AT_ONCE, "save_s": significant(saved["wall_s"])}
        own |= described(mine, build, material, pace["queries_per_cpu_s"])
    return {
        "entries": material.entries,
        "limit_bits": LIMIT_BITS,
        "rounds": rounds,
        "contestants": {"antiphon": own, **rows},
        "best": best(rows),
    }


def against(peer: Peer, mine: Worker, material: Material, python: Path, rounds: int, every: bool) -> Figures:
    """Return the figures of a peer, if this bank is not too large for it."""
    if material.entries > peer.most_entries:
        raise ContestantError(f"not asked at more than {peer.most_entries:,} entries")
    if not (peer.default or every):
        raise ContestantError("asked with --every-setting only")
    with theirs(python, material, peer.name) as other:
        about = {"search": peer.search, "should_be_complete": peer.complete}
        return about | contest(mine, other, material, rounds)


def best(rows: dict[str, Figures]) -> Figures:
    """Return the quickest peer among those that missed nothing: of all, and of those that search a range."""
    whole = [
        peer for peer in PEERS
        if peer.complete and all(rows[peer.name].get(name) == 1 for name in ("recall", "recall_of_planted"))
    ]  # fmt: skip
    out = {}
    for kind, able in (("range", [peer for peer in whole if peer.search == "range"]), ("any", whole)):
        if able:
            name = max((peer.name for peer in able), key=lambda name: rows[name]["queries_per_cpu_s"])
            out[kind] = {"peer": name, "ours_is_so_many_times": rows[name]["ours_is_so_many_times"]}
    return out


def bench_skew(plain: Material, folder: Path, python: Path, rounds: int, rng: np.random.Generator) -> Figures:
    """Return what many entries near black do to the search for others, and how they themselves are found."""
    entries = np.load(plain.folder / "entries.npy")
    black = masks(rng, rng.integers(0, NEAR_BLACK_FLIPS + 1, NEAR_BLACK + NEAR_BLACK_QUERIES))
    entries = np.concatenate([entries, black[:NEAR_BLACK]])
    queries = np.load(plain.folder / "queries.npy")
    folder.mkdir()
    np.save(folder / "entries.npy", entries)
    np.save(folder / "queries.npy", queries)
    np.save(folder / "black.npy", black[NEAR_BLACK:])
    wanted = [brute_force(entries, asked) for asked in (queries[: plain.first], black[NEAR_BLACK:])]
    skewed = Material(folder, len(entries), plain.first, wanted[0], wanted[0][:0])
    rows = {}
    for name in ("antiphon", *SKEWED):
        start = ours if name == "antiphon" else partial(theirs, python, peer=name)
        rows[name] = attempted(partial(before_and_after, start, plain, skewed, wanted[1], rounds))
    return {
        "entries": plain.entries,
        "near_black": NEAR_BLACK,
        "near_black_pairs_a_query": round(wanted[1].size / NEAR_BLACK_QUERIES),
        "contestants": rows,
    }


def before_and_after(
    start: Callable[[Material], Worker],
    plain: Material,
    skewed: Material,
    black: npt.NDArray[np.int64],
    rounds: int,
) -> Figures:
    """Return the speed without and with the crowd, in turns, the time of a query in it, and whether all is found."""
    with start(plain) as before, start(skewed) as after:
        turns = in_turns(before, after, rounds)
        return crowded(after, skewed, black) | {
            "before": middle([turn[0] for turn in turns]),
            "after": middle([turn[1] for turn in turns]),
            "speed_kept": round(
                statistics.median(b["queries_per_cpu_s"] / a["queries_per_cpu_s"] for a, b in turns), 3
            ),
        }


def in_turns(before: Worker, after: Worker, rounds: int) -> list[tuple[Figures, Figures]]:
    """Build both, and return the speed of each in each round."""
    at_once = []
    for worker in (before, after):
        worker.ask("build")
        at_once.append(max(1, min(AT_ONCE, int(worker.ask("pace")["queries_per_cpu_s"] * ROUND_S))))
    return [
        (
            before.ask("round", seconds=ROUND_S, at_once=at_once[0]),
            after.ask("round", seconds=ROUND_S, at_once=at_once[1]),
        )
        for _ in range(rounds)
    ]


def crowded(after: Worker, skewed: Material, black: npt.NDArray[np.int64]) -> Figures:
    """Return how long a query in the crowd takes, and whether all is found, in the crowd and elsewhere."""
    file = str(skewed.folder / "black.npy")
    crowd = after.ask("time_file", queries=file)
    found = answers(after, skewed, count=NEAR_BLACK_QUERIES, queries=file)
    ordinary = answers(after, skewed, count=skewed.first)
    return {
        "near_black_ms_a_query": significant(1000 * crowd["cpu_s"] / NEAR_BLACK_QUERIES),
        "recall": share(skewed.near, ordinary),
        "recall_of_near_black": share(black, found),
        "false_pairs": int(np.setdiff1d(found, black).size + np.setdiff1d(ordinary, skewed.near).size),
    }


def bench_scripts(python: Path) -> Figures:
    """Return what the other comparisons print, each in a process of its own, on sizes for a look."""
    inside = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    beside = (
        "import runpy, sys; sys.path.append(sys.argv[1]); del sys.argv[:2]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    commands: dict[str, list[str]] = {
        "images": [str(HERE / "pdq_peers.py"), "--rounds", "3", "--threatexchange", str(python)],
        "phrases": [str(HERE / "phrase_peers.py"), "--megabytes", "10", "--peers", str(python.parents[1])],
        # datasketch and rensa are imported by the script itself: their environment stands behind ours on the path.
        "texts": ["-c", beside, inside, str(HERE / "text_peers.py"), "--peers", "5000", "--queries", "500"],
    }
    return {name: printed_json([sys.executable, *command]) for name, command in commands.items()}


def printed_json(command: list[str]) -> Figures:
    """Return the JSON that a command prints, or how it failed."""
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | ONE_THREAD)
    if run.returncode:
        return {"fault": (run.stderr.strip().splitlines() or [f"ended with status {run.returncode}"])[-1]}
    figures: Figures = json.loads(run.stdout)
    return figures


def machine() -> Figures:
    """Return what was measured on."""
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def peers_of(python: Path) -> Figures:
    """Return the versions of the peers that are installed, and what could not be installed."""
    names = [
        line.split(">")[0] for line in (HERE.parent / "requirements" / "bench.in").read_text().split() if line[0] != "#"
    ]
    code = (
        "import importlib.metadata as m, json, sys\n"
        "here = {d.name.lower().replace('-', '_'): d.version for d in m.distributions()}\n"
        "print(json.dumps({name: here.get(name.lower().replace('-', '_')) for name in sys.argv[1:]}))"
    )
    versions = printed_json([str(python), "-c", code, *names])
    return {"versions": versions, "not_installed": [name for name, version in versions.items() if version is None]}


def name_of(entries: int) -> str:
    """Return the name of a section of the results: pdq_1m."""
    return f"pdq_{entries // 10**6}m" if entries % 10**6 == 0 else f"pdq_{entries}"


def table(section: Figures) -> str:
    """Return the figures of one bank as plain text."""
    lines = [f"{'':26}{'q/CPU-s':>10}{'ours is':>9}{'p50 ms':>9}{'p99 ms':>9}{'B/entry':>9}{'build s':>9}{'recall':>9}"]
    for name, row in section["contestants"].items():
        if "fault" in row:
            lines.append(f"{name:26}{row['fault']}")
            continue
        size = row["bytes_per_entry"] or row["heap_bytes_per_entry"] or 0
        singles, times = row["singles"], row.get("ours_is_so_many_times", 1)
        recall = min(row["recall"], row["recall_of_planted"])
        missing = "  misses some" if recall < 1 and row.get("should_be_complete", True) else ""
        lines.append(
            f"{name:26}{row['queries_per_cpu_s']:>10.6g}{times:>8.4g}x{singles['p50_ms']:>9.3g}{singles['p99_ms']:>9.3g}"
            f"{size:>9.4g}{row['build_cpu_s']:>9.3g}{recall:>9.4f}{missing}"
        )
    lines += [f"{name} of the peers that miss nothing: {found}" for name, found in section["best"].items()]
    return "\n".join([f"{section['entries']:,} entries, all within {section['limit_bits']} bits", *lines])


def measure(asked: argparse.Namespace, keep: Callable[[Figures], None]) -> None:
    """Measure what was asked for, and keep each section as soon as it is there."""
    sizes = [asked.entries] if {"pdq", "skew"} & set(asked.only) else []
    for entries in [*sizes, *([LARGE] if asked.large else [])]:
        rng = np.random.default_rng(7)
        with tempfile.TemporaryDirectory() as name:
            values = rng.integers(0, 256, (entries, 32), dtype=np.uint8)
            material = make_material(Path(name) / "plain", values, 400 if entries <= FEW else 100, rng)
            del values
            if "pdq" in asked.only or entries == LARGE:
                section = bench_pdq(material, asked.peers, asked.rounds, asked.every_setting)
                keep({name_of(entries): section})
                print(table(section), flush=True)
            if "skew" in asked.only and entries <= FEW:
                skew = bench_skew(material, Path(name) / "skewed", asked.peers, asked.rounds, rng)
                keep({f"{name_of(entries)}_skewed": skew})
                print(json.dumps(skew, indent=1), flush=True)
    if "scripts" in asked.only and asked.entries <= FEW:
        scripts = bench_scripts(asked.peers)
        keep(scripts)
        print(json.dumps(scripts, indent=1))


def keep_in(file: Path, found: Figures, sections: Figures) -> None:
    """Write sections beside those of other sizes that were measured on the same machine."""
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    results = (before if before.get("machine") == found["machine"] else {}) | found | sections
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument(
        "--every-setting", action="store_true", help="settings of the peers that are not their best too"
    )
    parser.add_argument("--large", action="store_true", help="30 million entries too, ours alone, at the end")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=("pdq", "skew", "scripts"), default=["pdq", "skew", "scripts"])
    parser.add_argument("--peers", type=Path, default=HERE.parent / ".venv-bench" / "bin" / "python")
    parser.add_argument("--out", type=Path, default=HERE / "matching.json")
    asked = parser.parse_args()
    measure(asked, partial(keep_in, asked.out, {"machine": machine(), "peers": peers_of(asked.peers)}))


if __name__ == "__main__":
    main()
