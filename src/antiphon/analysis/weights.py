"""The trained weights of the linear analyser, as they lie in the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError
from antiphon.model.schemas import CONTEXTS, SPEECH_ACTS

__all__ = ["HEADS", "MODEL_FOLDER", "MODEL_NAME", "Weights", "read_weights"]

HEADS = ("flag", "matters", "direct", "any_act", *SPEECH_ACTS, *CONTEXTS)
"""What the model answers, in the order of its columns. `matters` tells advocacy from ordinary posts, whatever protected
speech about advocacy looks like: by it the cascade chooses what is read closely."""

MODEL_NAME = "linear-1"
MODEL_FOLDER = Path(__file__).parent / "model_data"


class Weights(NamedTuple):
    """A trained model: whole-number weights, what they are worth, and what makes probabilities of their sums."""

    weights: npt.NDArray[np.int8]
    units: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    strengths: npt.NDArray[np.float32]
    lines: npt.NDArray[np.float32]
    stack: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.float32]
    languages: frozenset[str]
    calibration_id: str
    first_look_at: float


@cache
def read_weights() -> Weights:
    """Return the weights that came with the package.

    Raises:
        ConfigError: the files are missing, or belong to another version of the code.
    """
    folder = files(__package__).joinpath("model_data")
    try:
        facts = json.loads(folder.joinpath(f"{MODEL_NAME}.json").read_text(encoding="utf-8"))
        with as_file(folder.joinpath(f"{MODEL_NAME}.npz")) as path, np.load(path) as arrays:
            loaded = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError) as fault:
        raise ConfigError(
            f"the weights {MODEL_NAME} can't be read: {type(fault).__name__}",
            where="antiphon.analysis.model_data",
            do="Install antiphon again, or make them with scripts/train_linear.py.",
        ) from fault
    if tuple(facts["heads"]) != HEADS:
        raise ConfigError(
            f"the weights answer {len(facts['heads'])} questions, expected the {len(HEADS)} of this version",
            where=f"antiphon.analysis.model_data, {MODEL_NAME}",
            do="Make them again with scripts/train_linear.py.",
        )
    return Weights(
        **loaded,
        languages=frozenset(facts["languages"]),
        calibration_id=facts["calibration_id"],
        first_look_at=facts["first_look"]["at"],
    )
