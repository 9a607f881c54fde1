"""The fine-tuned encoder: what it says of a text, and of each piece of it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.analysis.heads import HEADS, TAGS
from antiphon.analysis.pieces import Pieces
from antiphon.analysis.pretrained import Pretrained, open_pretrained
from antiphon.errors import ConfigError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = [
    "ENCODER_NAME", "LONGEST", "UNTRAINED", "Answer", "Encoder", "check_encoder", "in_whole_numbers", "open_encoder",
    "open_model", "untrained_names",
]  # fmt: skip

ENCODER_NAME = "encoder-1"
LONGEST = 160
"""Pieces that are read at once; longer texts are read passage by passage."""

UNTRAINED = 6
"""Lower layers that stay as they were pretrained. The file leaves them out: they come from the installed package."""

_PARTS = {"qkv": ("q", "k", "v"), "out": ("ao",), "rise": ("fi",), "fall": ("fo",)}
"""Matrices of a layer, and what they are made of in the pretrained file."""

MODEL_FOLDER = Path(__file__).parent / "model_data"

Floats = npt.NDArray[np.float32]


class Answer(NamedTuple):
    """What the encoder says: raw answers of all heads, shape (sum of HEADS,), and of each piece, shape (pieces, 4)."""

    heads: Floats
    tags: Floats


class Encoder:
    """The ONNX file of the trained layers above the word table of the pretrained encoder.

    A text is read by itself: what it gets does not hang on its neighbours in a batch.
    """

    def __init__(self, session: InferenceSession, source: Pretrained, facts: dict[str, Any]) -> None:
        self._session = session
        self._source = source
        self.facts = facts

    def read(self, pieces: Pieces) -> Answer:
        """Return what the encoder says of a text, its first `LONGEST` pieces."""
        source = self._source
        numbers = np.concatenate([[source.bos], pieces.numbers[:LONGEST], [source.eos]]).astype(np.int64)
        heads, tags = self._session.run(None, {"words": source.rows(numbers)[None]})
        return Answer(heads[0], tags[0, 1:-1])


@cache
def open_encoder() -> Encoder:
    """Return the encoder that came with the package, opened once for a process, on one core.

    Raises:
        ConfigError: the pretrained package is not installed, or a file is missing, cut off or not the one described.
    """
    source = open_pretrained()
    facts = _read_facts()
    content = _read_model(facts)
    return open_model(content, source, facts)


def check_encoder() -> None:
    """Check the files of the encoder without loading it.

    Raises:
        ConfigError: as `open_encoder`.
    """
    _read_model(_read_facts())


def open_model(content: bytes, source: Pretrained, facts: dict[str, Any]) -> Encoder:
    """Return the encoder of an ONNX file's bytes, on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    lower = _untrained(source)
    options.add_external_initializers(
        list(lower), [onnxruntime.OrtValue.ortvalue_from_numpy(values) for values in lower.values()]
    )
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return Encoder(session, source, facts)


def in_whole_numbers(weight: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return a matrix, shape (out, in), as whole numbers, shape (in, out), and what one step is worth for each out."""
    scales = np.maximum(np.abs(weight).max(axis=1), 1e-8) / 127
    return np.ascontiguousarray(np.round(weight / scales[:, None]).astype(np.int8).T), scales.astype(np.float32)


def untrained_names() -> list[str]:
    """Return the names of the weights that the file leaves out."""
    return [f"l{layer}.{part}.{kind}" for layer in range(UNTRAINED) for part in _PARTS for kind in "ws"]


def _untrained(source: Pretrained) -> dict[str, npt.NDArray[np.generic]]:
    """Return the weights that the file leaves out, made of the pretrained ones as the exporter would have made them."""
    found: dict[str, npt.NDArray[np.generic]] = {}
    for layer in range(UNTRAINED):
        for part, names in _PARTS.items():
            width = source.shape.inner if part == "fall" else source.shape.width
            weight = np.concatenate([source.tensor(f"l{layer}.{name}.w") for name in names]).reshape(-1, width)
            found[f"l{layer}.{part}.w"], found[f"l{layer}.{part}.s"] = in_whole_numbers(weight)
    return found


def _read_facts() -> dict[str, Any]:
    path = MODEL_FOLDER / f"{ENCODER_NAME}.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise _fault(path, f"can't be read: {type(fault).__name__}") from fault
    if facts.get("heads") != HEADS or facts.get("tags") != list(TAGS):
        raise _fault(path, "answers other questions than this version asks")
    return facts


def _read_model(facts: dict[str, Any]) -> bytes:
    path = MODEL_FOLDER / f"{ENCODER_NAME}.onnx"
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise _fault(path, f"can't be read: {type(fault).__name__}") from fault
    if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
        raise _fault(path, f"is not the file that {ENCODER_NAME}.json describes, or is cut off ({len(content)} bytes)")
    return content


def _fault(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"the encoder {what}", where=str(path), do="Install antiphon again, or make it with `make train`."
    )
