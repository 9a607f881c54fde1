"""Measures the search for phrases against its peers on the same folded text, in turns, and prints JSON.

    python bench/phrase_peers.py                       52 MB of posts, 50,000 phrases (about five minutes)
    python bench/phrase_peers.py --megabytes 5         smaller, for a look

The peers (pyahocorasick, ahocorasick_rs, hyperscan where there is a wheel) run in a virtual environment of their own,
made under the temporary folder. They get batches of folded texts joined by lines, each word set apart by one space, and
phrases with a space at either end, so that they too find whole words only; overlapping matches are asked for. They are
kind measurements: no peer folds, and none says in which post a match stands. Megabytes are those of the original posts
in UTF-8, seconds are CPU time of one thread, the best of the rounds. Machines are shared and noisy: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
import pyarrow as pa

from antiphon.demo.posts import json_posts
from antiphon.fingerprints.folding import fold_column, fold_texts, folded_text
from antiphon.matching.phrases import PhraseIndex

PEERS = ("pyahocorasick", "ahocorasick_rs", "hyperscan")
SYLLABLES = (
    "ka", "lo", "mi", "ren", "tal", "vor", "bri", "dun", "sha", "el", "or", "nim", "pes", "ta", "gu", "ri", "fa", "ko",
    "zan", "الر", "فا", "نو", "س", "пе", "фо", "на", "рь",
)  # fmt: skip
BATCH = 5_000

PEER = r"""
import sys, time
name, folder = sys.argv[1:]
read = lambda file: open(f"{folder}/{file}", encoding="utf-8").read()
phrases, batches = read("phrases").split("\n"), read("texts").split("\x00")
began = time.process_time()
if name == "pyahocorasick":
    import ahocorasick
    index = ahocorasick.Automaton()
    for number, phrase in enumerate(phrases):
        index.add_word(phrase, number)
    index.make_automaton()
    search = lambda text: sum(1 for _ in index.iter(text))
elif name == "ahocorasick_rs":
    import ahocorasick_rs
    index = ahocorasick_rs.AhoCorasick(phrases, matchkind=ahocorasick_rs.MatchKind.Standard)
    search = lambda text: len(index.find_matches_as_indexes(text, overlapping=True))
else:
    import hyperscan
    index = hyperscan.Database()
    index.compile(expressions=[phrase.encode() for phrase in phrases], ids=list(range(len(phrases))), literal=True)
    batches = [text.encode() for text in batches]
    def search(text):
        found = []
        index.scan(text, match_event_handler=lambda number, start, end, flags, context: found.append((number, end)))
        return len(found)
built = time.process_time()
matches = sum(search(text) for text in batches)
print(built - began, time.process_time() - built, matches)
"""


def posts_of(megabytes: float, seed: int) -> list[str]:
    """Return invented posts that are this many megabytes of UTF-8."""
    posts, size = [], 0
    for line in json_posts(10**9, seed):
        posts.append(orjson.loads(line)["text"])
        size += len(posts[-1].encode())
        if size >= megabytes * 1e6:
            return posts
    raise AssertionError("a stream of a milliard posts has an end before that")


def phrases_of(posts: Sequence[str], count: int, known: float, rng: random.Random) -> list[str]:
    """Return invented names, slogans and hashtags; the share `known` of them are words cut out of the posts."""
    phrases: dict[str, None] = {}
    while len(phrases) < count:
        words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(rng.randint(1, 4))]
        if rng.random() < known:
            said = rng.choice(posts).split()
            at = rng.randrange(max(1, len(said) - 4))
            words = said[at : at + rng.randint(3, 5)]
        phrase = "#" + "".join(words) if rng.random() < 0.1 else " ".join(words)
        if 4 <= fold_texts([phrase]).units.size <= 100:
            phrases[phrase] = None
    return list(phrases)


def ours(batches: Sequence[pa.Array], index: PhraseIndex) -> tuple[float, float, int]:
    """Return seconds of folding and of searching, and how many matches there are."""
    folding = searching = 0.0
    matches = 0
    for batch in batches:
        began = time.process_time()
        folded = fold_column(batch)
        between = time.process_time()
        matches += len(index.search(folded.units, folded.starts).queries)
        searching += time.process_time() - between
        folding += between - began
    return folding, searching, matches


def peers_environment(folder: Path) -> tuple[Path, list[str]]:
    """Make an environment for the peers, and return its interpreter and the peers for which there is a wheel."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    install = [uv, "pip", "install", "-q", "--only-binary", ":all:", "--python", python]
    return python, [peer for peer in PEERS if subprocess.run([*install, peer], check=False).returncode == 0]


def write_for_peers(folder: Path, batches: Sequence[pa.Array], phrases: Sequence[str]) -> None:
    """Write the folded texts and phrases as peers read them."""
    texts = ("\n".join(f" {text} " for text in folded_text(fold_column(batch))) for batch in batches)
    (folder / "texts").write_text("\x00".join(texts), encoding="utf-8")
    readable = dict.fromkeys(f" {text} " for text in folded_text(fold_texts(phrases)))
    (folder / "phrases").write_text("\n".join(readable), encoding="utf-8")


def measure(posts: Sequence[str], phrases: Sequence[str], rounds: int, python: Path, peers: Sequence[str]) -> dict:
    """Return the speeds of ours and of each peer, taken in turns."""
    column = pa.array(posts, pa.large_string())
    batches = [column[at : at + BATCH] for at in range(0, len(column), BATCH)]
    folded = fold_texts(phrases)
    began = time.process_time()
    index = PhraseIndex.build(folded.units, folded.starts)
    build_s = {"antiphon": time.process_time() - began}
    runs: dict[str, list[tuple[float, ...]]] = {"antiphon": [], **{peer: [] for peer in peers}}
    with tempfile.TemporaryDirectory() as name:
        write_for_peers(Path(name), batches, phrases)
        for _ in range(rounds):
            runs["antiphon"].append(ours(batches, index))
            for peer in peers:
                out = subprocess.run(
                    [python, "-c", PEER, peer, name], capture_output=True, text=True, check=True
                ).stdout
                built, searched, matches = map(float, out.split())
                build_s[peer] = min(built, build_s.get(peer, built))
                runs[peer].append((0.0, searched, matches))
    return summary(sum(len(post.encode()) for post in posts) / 1e6, runs, build_s)


def summary(megabytes: float, runs: dict[str, list[tuple[float, ...]]], build_s: dict[str, float]) -> dict:
    """Return megabytes a second and ratios."""
    best = {name: min(of, key=lambda run: run[0] + run[1]) for name, of in runs.items()}
    match = {name: megabytes / run[1] for name, run in best.items()}
    both = megabytes / (best["antiphon"][0] + best["antiphon"][1])
    peers = [name for name in match if name != "antiphon"]
    return {
        "antiphon_fold_mb_s": round(megabytes / best["antiphon"][0], 1),
        "antiphon_fold_and_match_mb_s": round(both, 1),
        "match_mb_s": {name: round(speed, 1) for name, speed in match.items()},
        "matches": {name: int(run[2]) for name, run in best.items()},
        "build_s": {name: round(seconds, 2) for name, seconds in build_s.items()},
        "match_alone_is_so_many_times": {name: round(match["antiphon"] / match[name], 2) for name in peers},
        "folding_included_is_so_many_times": {name: round(both / match[name], 2) for name in peers},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=52)
    parser.add_argument("--phrases", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "antiphon-phrase-peers")
    options = parser.parse_args()
    python, peers = peers_environment(options.peers)
    rng = random.Random(7)
    posts = posts_of(options.megabytes, seed=7)
    result = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(),
              "megabytes": options.megabytes, "posts": len(posts), "phrases": options.phrases}  # fmt: skip
    for name, known in (("sparse", 0.0), ("dense", 0.1)):
        phrases = phrases_of(posts, options.phrases, known, rng)
        result[name] = measure(posts, phrases, options.rounds, python, peers)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
