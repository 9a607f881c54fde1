"""Words in pictures: what stands written in an image, so that text and phrases are found there too.

Needs the extra `ocr` (RapidOCR: PP-OCRv4 models of about 16 MB inside the package, Latin and Chinese script, nothing is
fetched). Without it no picture has words, and nothing else changes. Other scripts (Arabic, Cyrillic, ...) are not read:
they come out as no words, or as a few wrong letters.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import math
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import InputError
from antiphon.fingerprints._decode import read_pixels

__all__ = [
    "MIN_CONFIDENCE",
    "MIN_SIDE",
    "Line",
    "PictureWords",
    "is_installed",
    "load_reader",
    "read_words",
    "reader_version",
]

WHERE = "words in pictures"

MIN_SIDE = 32
"""A picture that is less high or wide has no line of words that can be read."""

READ_PIXELS = 1_250_000
"""A larger picture is made smaller first: what is read bounds the time and the memory, at about 500 bytes a pixel."""

SMALL_SIDE = 640
"""A picture that is smaller is read at twice its size."""

MIN_CONFIDENCE = 0.6
"""Lines of less are left out, and single letters: textures look like one now and then."""

SPACE_FACTOR = 30
"""How much likelier a space is than the recogniser says, which learned from Chinese lines that have none.

Measured on 160 lines of Latin script: 67 of them came out word for word without it, 136 with it; from 20 to 50 is much
the same."""

_BLANK = 0
_PACKAGE = "rapidocr_onnxruntime"
_at_once = threading.Lock()


class Line(NamedTuple):
    """A line of words, and 0-1 how sure the reader is of it."""

    text: str
    confidence: float


class PictureWords(NamedTuple):
    """What stands in a picture, from its top to its bottom, and 0-1 how sure the reader is of it on the whole."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """The mean of the lines' confidence, a long line weighing more."""
        letters = sum(len(line.text) for line in self.lines)
        return sum(line.confidence * len(line.text) for line in self.lines) / letters


def is_installed() -> bool:
    """Return whether words in pictures can be read here."""
    return importlib.util.find_spec(_PACKAGE) is not None


def reader_version() -> str | None:
    """Return name and version of the reader, None where there is none: another one may read other words."""
    return f"rapidocr-{importlib.metadata.version(_PACKAGE)}" if is_installed() else None


def load_reader() -> None:
    """Load the reader where there is one, which takes a second; the first picture need not wait for it then."""
    if is_installed():
        _engine()


def read_words(content: bytes) -> PictureWords | None:
    """Return the words in an image file; None where there are none, or where no reader is installed.

    Four or five pictures a second on one core. One picture at a time in a process, on one thread.

    Raises:
        InputError: It is no image of a known format, is damaged, or claims more pixels than are decoded.
    """
    if not is_installed():
        return None
    pixels = read_pixels(content, where=WHERE)
    if min(pixels.shape) < MIN_SIDE:
        return None
    with _at_once:
        try:
            found, _ = _engine()(_prepared(pixels))
        # What a model stumbles on must not stop a run: the picture is told and the others are read.
        except Exception as cause:
            raise InputError(
                f"its words could not be read ({type(cause).__name__})", where=WHERE, do="Report it with the format."
            ) from cause
    lines = tuple(Line(text, float(confidence)) for _, text, confidence in found or ())
    sure = tuple(line for line in lines if line.confidence >= MIN_CONFIDENCE and len(line.text) > 1)
    return PictureWords(sure) if sure else None


class _Decode:
    """What stands in the recogniser's probabilities; takes the place of the library's own, which loses spaces.

    Args:
        letters: What each column of the probabilities stands for: first the blank between two letters, last the space.
    """

    def __init__(self, letters: Sequence[str]) -> None:
        self._letters, self._space = letters, len(letters) - 1

    def __call__(self, lines: npt.NDArray[np.float32], *_: object, **__: object) -> list[tuple[str, float]]:
        """Return text and confidence of each line, shape (lines, steps, letters)."""
        return [self._line(line) for line in lines]

    def _line(self, line: npt.NDArray[np.float32]) -> tuple[str, float]:
        best = line.argmax(axis=1)
        gap = (best == _BLANK) & (line[:, self._space] * SPACE_FACTOR > line[:, _BLANK])
        best[gap] = self._space
        changes = np.flatnonzero((best != _BLANK) & (np.diff(best, prepend=_BLANK) != 0))
        written = changes[best[changes] != self._space]
        confidence = float(line[written, best[written]].mean()) if written.size else 0.0
        return "".join(self._letters[letter] for letter in best[changes]).strip(), confidence


@cache
def _engine() -> Any:  # noqa: ANN401 - the library has no types
    """The models, loaded once in a process, and told to leave the other cores to the other workers."""
    importlib.import_module("cv2").setNumThreads(1)
    engine = importlib.import_module(_PACKAGE).RapidOCR(
        intra_op_num_threads=1, inter_op_num_threads=1, text_score=MIN_CONFIDENCE, det_limit_type="max"
    )  # read at the size that it is given
    recogniser = engine.text_rec
    recogniser.postprocess_op = _Decode(recogniser.postprocess_op.character)
    return engine


def _prepared(pixels: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The picture at the size at which it is read, blue before red as the models want it."""
    from PIL import Image

    height, width = pixels.shape
    image = Image.frombuffer("RGBX", (width, height), np.ascontiguousarray(pixels), "raw", "RGBX", 0, 1).convert("RGB")
    scale = 2.0 if max(image.size) < SMALL_SIDE else min(1.0, math.sqrt(READ_PIXELS / (width * height)))
    if scale != 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.LANCZOS, reducing_gap=3)
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
