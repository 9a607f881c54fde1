"""The texts and phrases of all banks, ready to be found in other texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.fingerprints._texts import read_texts
from antiphon.fingerprints.folding import fold_texts, original_span
from antiphon.matching._search import buckets_of, near_texts
from antiphon.matching.excerpts import ExcerptIndex
from antiphon.matching.phrases import PhraseIndex
from antiphon.matching.stage import MAX_TEXT_DISTANCE
from antiphon.storage.banks import BankStore

__all__ = ["TEXT_DISTANCE", "WORD_TYPES", "Near", "Words"]

WORD_TYPES = ("text", "phrase", "text_near")
TEXT_DISTANCE = 50
"""A text's distance is 100 less its score in percent: 50 is where matches begin."""
_SHOWN = 200


class Near(NamedTuple):
    """A row of the register that query `query` is near; `span` and `alignment` say which part of the query it is."""

    query: int
    row: int
    distance: int
    alignment: str | None = None
    span: tuple[int, int] | None = None


class Words:
    """The words of the banks as they stood at one moment.

    Args:
        texts: (row, text) of all entries that are texts.
        phrases: The same of phrases.
        near: (row, minima) of those that are near-copy signals.
    """

    def __init__(
        self, texts: list[tuple[int, bytes]], phrases: list[tuple[int, bytes]], near: list[tuple[int, bytes]]
    ) -> None:
        read = read_texts(_said(texts))
        self._text_rows = [row for row, _ in texts]
        self._excerpts = ExcerptIndex.build(read.skeleton, read.starts) if texts else None
        folded = fold_texts(_said(phrases))
        self._phrases = PhraseIndex.build(folded.units, folded.starts) if phrases else None
        self._rows_of_phrase: dict[int, list[int]] = {}
        same = self._phrases.same_as.tolist() if self._phrases else []
        for (row, _), first in zip(phrases, same, strict=True):
            self._rows_of_phrase.setdefault(first, []).append(row)
        self._near_rows, self._near = [row for row, _ in near], _minima([value for _, value in near])
        self._buckets = buckets_of(self._near)

    @classmethod
    def of(cls, store: BankStore) -> Words:
        """Return the words of all banks, those not enabled too: what is found there is left out later."""
        return cls(*(list(_entries(store, kind)) for kind in WORD_TYPES))

    def near_copies(self, values: list[bytes]) -> Iterator[Near]:
        """Yield the near copies by their minima."""
        found = near_texts(_minima(values), self._near, self._buckets, MAX_TEXT_DISTANCE)
        for query, entry, distance in zip(*(column.tolist() for column in found), strict=True):
            yield Near(query, self._near_rows[entry], distance)

    def repeated(self, texts: list[str], largest: int = TEXT_DISTANCE) -> Iterator[Near]:
        """Yield the entries that texts repeat, whole or in part, up to a distance."""
        if self._excerpts is None:
            return
        read = read_texts(texts)
        found = self._excerpts.search(read.skeleton, read.starts, 1 - largest / 100)
        for at, (query, entry) in enumerate(zip(found.queries.tolist(), found.entries.tolist(), strict=True)):
            span = int(found.query_start[at]), int(found.query_end[at])
            codes = read.skeleton[read.starts[query] :][slice(*span)]
            words = codes.astype("<u4").tobytes().decode("utf-32-le")[:_SHOWN]
            alignment = f"{int(found.aligned[at])} characters agree: {words}"
            yield Near(query, self._text_rows[entry], 100 - round(100 * float(found.score[at])), alignment, span)

    def spotted(self, texts: list[str]) -> Iterator[Near]:
        """Yield the phrases that stand in texts, one that lies in another too."""
        if self._phrases is None:
            return
        folded = fold_texts(texts)
        spotted = self._phrases.search(folded.units, folded.starts)
        for query, phrase, start, end in zip(*(column.tolist() for column in spotted), strict=True):
            span = original_span(folded, start, end)
            alignment = f"characters {span[0]} to {span[1]}: {texts[query][slice(*span)][:_SHOWN]}"
            for row in self._rows_of_phrase[phrase]:
                yield Near(query, row, 0, alignment, span)


def _entries(store: BankStore, signal_type: str) -> Iterator[tuple[int, bytes]]:
    for batch in store.entries_of(signal_type, disabled_too=True):
        yield from zip(batch.column("rowid").to_pylist(), batch.column("value").to_pylist(), strict=True)


def _said(entries: list[tuple[int, bytes]]) -> list[str]:
    return [value.decode("utf-8", "replace") for _, value in entries]


def _minima(values: list[bytes]) -> npt.NDArray[np.uint32]:
    return np.frombuffer(b"".join(values), dtype="<u4").reshape(-1, 32)
