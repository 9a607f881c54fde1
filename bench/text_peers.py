"""Measures the excerpt index beside MinHash peers: speed, memory, recall, false matches. Prints JSON.

    python bench/text_peers.py                          200,000 texts of each material
    python bench/text_peers.py --texts 1000000          the whole of it
    python bench/text_peers.py --peers 20000            beside datasketch and rensa, where they can be imported

Two invented materials. `posts` are the demo's, made of a closed set of sentences: unrelated ones share whole sentences,
more than any real ones do, and an excerpt of one is held by many. `woven` texts chain words as the demo's sentences do
and jump elsewhere at three words of ten: phrases are common, sentences are a text's own. How much unrelated texts share
is counted for both and printed beside the results; no matcher that goes by the words alone can part an excerpt from it.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from random import Random
from typing import Any, NamedTuple

import numpy as np
import orjson

from antiphon.demo.phrases import LANGS, phrasebook
from antiphon.demo.posts import json_posts
from antiphon.fingerprints._texts import read_texts
from antiphon.matching.excerpts import LEAST_SCORE, ExcerptIndex, Excerpts

LANG_SHARES = (34, 12, 9, 10, 9, 8, 7, 6, 5)
JUMP = 0.3
LENGTHS = (6, 8, 10, 12, 16, 20)
EDITS = (0.0, 0.05, 0.1, 0.2, 0.3)
THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
NEAR_THE_SAME = 0.8
Text = tuple[str, str]


class Asked(NamedTuple):
    """Queries, the entry each was made from (-1 for none) and its language."""

    texts: list[str]
    sources: np.ndarray
    langs: np.ndarray


def posts(count: int, seed: int) -> Iterator[Text]:
    """Yield language and text of the demo's posts."""
    for line in json_posts(count, seed):
        post = orjson.loads(line)
        yield post["lang"], post["text"]


def woven(count: int, seed: int) -> Iterator[Text]:
    """Yield language and text of word chains, 16 to 40 words long."""
    looms = [loom(lang) for lang in LANGS]
    rng = Random(f"woven {seed}")
    for _ in range(count):
        at = rng.choices(range(len(LANGS)), LANG_SHARES)[0]
        yield LANGS[at], weave(*looms[at], rng.random)


def loom(lang: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return which words follow a word in a language's sentences, and all words as often as they stand there."""
    rng, book = Random(f"loom {lang}"), phrasebook(lang)
    kinds, follow, words = list(book.kinds), {}, []
    for _ in range(6000):
        said = book.say(rng.choice(kinds), rng.random).split()
        words += said
        for left, right in itertools.pairwise(said):
            follow.setdefault(left, []).append(right)
    return follow, words


def weave(follow: dict[str, list[str]], words: list[str], rand: Callable[[], float]) -> str:
    """Return one text."""
    out = [words[int(rand() * len(words))]]
    for _ in range(15 + int(rand() * 25)):
        after = (follow.get(out[-1]) if rand() > JUMP else None) or words
        out.append(after[int(rand() * len(after))])
    return " ".join(out)


def words_of(bank: Sequence[Text]) -> list[list[str]]:
    """Return the words of every text's skeleton."""
    texts = read_texts(text for _, text in bank)
    codes = texts.skeleton.tobytes()
    bounds = (4 * texts.starts).tolist()
    return [codes[a:b].decode("utf-32-le").split(" ") for a, b in itertools.pairwise(bounds)]


def excerpts(bank: Sequence[Text], words: list[list[str]], hosts: list[str], length: int, count: int) -> Asked:
    """Make queries that hold `length` words in a row of an entry, inside another text (or alone where no host is)."""
    rng = Random(f"excerpts {length}")
    texts, sources = [], []
    while len(texts) < count:
        source = rng.randrange(len(bank))
        if len(words[source]) < length:
            continue
        at = rng.randrange(len(words[source]) - length + 1)
        host = rng.choice(hosts).split() if hosts else []
        place = rng.randrange(len(host) + 1)
        texts.append(" ".join(host[:place] + words[source][at : at + length] + host[place:]))
        sources.append(source)
    return asked(bank, texts, sources)


def edited(bank: Sequence[Text], words: list[list[str]], hosts: list[str], rate: float, count: int) -> Asked:
    """Make copies in which a share of the words is dropped, replaced, or has another word put behind it."""
    rng = Random(f"edited {rate}")
    sources = [rng.randrange(len(bank)) for _ in range(count)]
    texts = []
    for source in sources:
        others = rng.choice(hosts).split()
        changed = ([[], [rng.choice(others)], [word, rng.choice(others)]] for word in words[source])
        kept = zip(words[source], changed, strict=True)
        parts = [rng.choice(ways) if rng.random() < rate else [word] for word, ways in kept]
        texts.append(" ".join(itertools.chain.from_iterable(parts)))
    return asked(bank, texts, sources)


def asked(bank: Sequence[Text], texts: list[str], sources: list[int]) -> Asked:
    """Return queries with the languages of their sources."""
    return Asked(texts, np.array(sources), np.array([bank[source][0] for source in sources]))


def search(index: ExcerptIndex, texts: list[str]) -> tuple[Excerpts, float]:
    """Return what is found at the least threshold, and the seconds that took."""
    read = read_texts(texts)
    began = time.perf_counter()
    found = index.search(read.skeleton, read.starts, THRESHOLDS[0])
    return found, time.perf_counter() - began


def recall(found: Excerpts, of: Asked, least: float) -> np.ndarray:
    """Return which queries found their source."""
    good = (found.score >= least) & (found.entries == of.sources[found.queries])
    return np.isin(np.arange(len(of.texts)), found.queries[good])


def report_recall(index: ExcerptIndex, of: Asked) -> dict[str, object]:
    """Search, and say how many found their source at each threshold and in each language."""
    found, seconds = search(index, of.texts)
    hits = recall(found, of, LEAST_SCORE)
    return {
        "recall": {str(least): round(float(recall(found, of, least).mean()), 4) for least in THRESHOLDS},
        "by_lang": {lang: round(float(hits[of.langs == lang].mean()), 3) for lang in LANGS if (of.langs == lang).any()},
        "queries_per_s": round(len(of.texts) / seconds),
    }


def report_false(index: ExcerptIndex, bank: Sequence[Text], unrelated: list[Text]) -> dict[str, object]:
    """Say how many unrelated texts match: in all, and leaving out those near the same as their match as a whole."""
    found, seconds = search(index, [text for _, text in unrelated])
    known = zip(found.queries.tolist(), found.entries.tolist(), strict=True)
    near = np.array([same_words(unrelated[query][1], bank[entry][1]) for query, entry in known], dtype=bool)
    langs = np.array([lang for lang, _ in unrelated])
    rates, left = {}, {}
    for least in THRESHOLDS:
        good = found.score >= least
        rates[str(least)] = round(len(set(found.queries[good].tolist())) / len(unrelated), 4)
        left[str(least)] = round(len(set(found.queries[good & ~near].tolist())) / len(unrelated), 4)
    wrong = np.isin(np.arange(len(unrelated)), found.queries[(found.score >= LEAST_SCORE) & ~near])
    return {
        "false": rates,
        "false_without_near_the_same": left,
        "by_lang": {lang: round(float(wrong[langs == lang].mean()), 4) for lang in LANGS},
        "bounded": int(found.bounded.size),
        "queries_per_s": round(len(unrelated) / seconds),
    }


def same_words(left: str, right: str) -> bool:
    """Whether two texts are near the same as a whole, by the standard library's measure on words."""
    return SequenceMatcher(None, left.lower().split(), right.lower().split(), autojunk=False).ratio() >= NEAR_THE_SAME


def hardness(words: list[list[str]], unrelated: list[list[str]]) -> dict[str, object]:
    """Say how much is shared by chance: unrelated texts with a run of words of the bank; excerpts of one entry only."""
    out: dict[str, object] = {}
    rng = Random("hardness")
    for length in (6, 8, 12, 16):
        drawn = [runs[rng.randrange(len(runs))] for runs in (list(word_runs(w, length)) for w in words[::97]) if runs]
        wanted = {run: 0 for run in itertools.chain(drawn, *(word_runs(w, length) for w in unrelated))}
        for entry in words:
            for run in set(word_runs(entry, length)):
                if run in wanted:
                    wanted[run] += 1
        shared = [any(wanted[run] for run in word_runs(w, length)) for w in unrelated]
        out[f"unrelated_sharing_{length}_words"] = round(float(np.mean(shared)), 4)
        out[f"excerpts_of_{length}_words_in_one_entry_only"] = round(
            float(np.mean([wanted[run] == 1 for run in drawn])), 4
        )
    return out


def word_runs(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    """Yield every run of so many words."""
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def measure(make: Callable[[int, int], Iterator[Text]], count: int, queries: int, seed: int) -> dict[str, object]:
    """Build the bank of one material and ask it everything."""
    bank = list(make(count, seed))
    known = set(read_texts(text for _, text in bank).normal)
    others = [other for other in make(3 * queries, seed + 1) if read_texts([other[1]]).normal[0] not in known]
    unrelated, hosts = others[:queries], [text for _, text in others[queries:]]
    texts = read_texts(text for _, text in bank)
    warm = ExcerptIndex.build(texts.skeleton[: texts.starts[100]], texts.starts[:101])
    search(warm, hosts[:10])
    began = time.perf_counter()
    index = ExcerptIndex.build(texts.skeleton, texts.starts)
    seconds = time.perf_counter() - began
    size = sum(array.nbytes for part in (index.texts, index.postings) for array in part)
    words = words_of(bank)
    return {
        "texts": count,
        "build_texts_per_s": round(count / seconds),
        "bytes_per_text": round(size / count),
        "hardness": hardness(words, words_of(unrelated[:1000])),
        "unrelated": report_false(index, bank, unrelated),
        "excerpt_inside_other_text": {
            length: report_recall(index, excerpts(bank, words, hosts, length, queries)) for length in LENGTHS
        },
        "excerpt_alone": {
            length: report_recall(index, excerpts(bank, words, [], length, queries)) for length in (8, 12, 20)
        },
        "edited_copy": {rate: report_recall(index, edited(bank, words, hosts, rate, queries)) for rate in EDITS},
    }


def peer_signature(name: str) -> tuple[Callable[[str], Any], Any]:
    """Return how a peer makes a signature of 128 minima over runs of three words, and its index for similarity 0.5."""
    module = importlib.import_module(name)

    def shingles(text: str) -> list[str]:
        words = words_of([("", text)])[0]  # of the same skeleton, so that a comma is no difference for them either
        return [" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))]

    if name == "datasketch":

        def sign(text: str) -> Any:  # noqa: ANN401  # the peer's own type
            signature = module.MinHash(num_perm=128)
            signature.update_batch([shingle.encode() for shingle in shingles(text)])
            return signature

        return sign, module.MinHashLSH(threshold=0.5, num_perm=128)

    def sign_rensa(text: str) -> Any:  # noqa: ANN401  # the peer's own type
        signature = module.RMinHash(num_perm=128, seed=1)
        signature.update(shingles(text))
        return signature

    return sign_rensa, module.RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)


def measure_peer(name: str, bank: list[Text], sets: dict[str, Asked]) -> dict[str, object]:
    """Build a peer's index of the same bank and ask it the same."""
    try:
        sign, index = peer_signature(name)
    except ImportError:
        return {"skipped": "not installed"}
    began = time.perf_counter()
    for number, (_, text) in enumerate(bank):
        index.insert(number, sign(text))
    out: dict[str, object] = {"build_texts_per_s": round(len(bank) / (time.perf_counter() - began))}
    for kind, of in sets.items():
        began = time.perf_counter()
        found = [index.query(sign(text)) for text in of.texts]
        seconds = time.perf_counter() - began
        good = [bool(hits) if source < 0 else source in hits for hits, source in zip(found, of.sources, strict=True)]
        out[kind] = {"matched": round(float(np.mean(good)), 4), "queries_per_s": round(len(of.texts) / seconds)}
    return out


def measure_ours(bank: list[Text], sets: dict[str, Asked]) -> dict[str, object]:
    """Ask the excerpt index what the peers are asked; reading the texts is in its time, as shingling is in theirs."""
    began = time.perf_counter()
    texts = read_texts(text for _, text in bank)
    index = ExcerptIndex.build(texts.skeleton, texts.starts)
    out: dict[str, object] = {"build_texts_per_s": round(len(bank) / (time.perf_counter() - began))}
    for kind, of in sets.items():
        began = time.perf_counter()
        read = read_texts(of.texts)
        found = index.search(read.skeleton, read.starts)
        seconds = time.perf_counter() - began
        good = (
            recall(found, of, LEAST_SCORE) if of.sources[0] >= 0 else np.isin(np.arange(len(of.texts)), found.queries)
        )
        out[kind] = {"matched": round(float(good.mean()), 4), "queries_per_s": round(len(of.texts) / seconds)}
    return out


def beside_peers(make: Callable[[int, int], Iterator[Text]], count: int, queries: int, seed: int) -> dict[str, object]:
    """Ask all the same of the same bank."""
    bank = list(make(count, seed))
    others = list(make(2 * queries, seed + 1))
    unrelated, hosts = others[:queries], [text for _, text in others[queries:]]
    words = words_of(bank)
    none = np.full(queries, -1)
    sets = {"unrelated": Asked([text for _, text in unrelated], none, np.array([lang for lang, _ in unrelated]))}
    sets |= {f"excerpt_{length}": excerpts(bank, words, hosts, length, queries) for length in (8, 12, 20)}
    sets |= {f"edited_{rate}": edited(bank, words, hosts, rate, queries) for rate in (0.1, 0.3)}
    peers = {name: measure_peer(name, bank, sets) for name in ("datasketch", "rensa")}
    return {"texts": count, "excerpt_index": measure_ours(bank, sets), **peers}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=3_000)
    parser.add_argument("--peers", type=int, default=0, help="compare with peers on a bank of so many texts instead")
    parser.add_argument("--material", choices=("posts", "woven"))
    parser.add_argument("--seed", type=int, default=1, help="1 is what the thresholds were chosen with")
    given = parser.parse_args()
    materials = {"woven": woven, "posts": posts}
    wanted = [given.material] if given.material else list(materials)
    run, count = (beside_peers, given.peers) if given.peers else (measure, given.texts)
    print(json.dumps({name: run(materials[name], count, given.queries, given.seed) for name in wanted}, indent=1))


if __name__ == "__main__":
    main()
