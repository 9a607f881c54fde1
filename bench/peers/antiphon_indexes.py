"""Serves our own index to the benchmark.

python bench/peers/antiphon_indexes.py FOLDER memory
python bench/peers/antiphon_indexes.py FOLDER mapped INDEX
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from contest import LIMIT_BITS, Contestant, Pairs, Values, serve

from antiphon.matching.hamming import HammingIndex, Near


class InMemory(Contestant):
    """Builds the index and keeps it in memory."""

    index: HammingIndex

    def build(self, entries: Values) -> None:
        """Index the entries as a bank does, with an order of the bits drawn anew."""
        self.index = HammingIndex.build(entries, LIMIT_BITS)

    def search(self, queries: Any) -> Near:  # noqa: ANN401 - as the base class
        """Return all entries near each query."""
        return self.index.search(queries)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry."""
        return np.stack([found.queries, found.entries], axis=1)

    def own_bytes(self) -> int:
        """Return the memory of all its arrays."""
        return self.index.nbytes

    def save(self, folder: Path) -> None:
        """Write it to disk."""
        self.index.save(folder)


class Mapped(InMemory):
    """Opens an index that was saved; its memory is the file's, shared by all processes that open it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, entries: Values) -> None:
        """Open it."""
        self.index = HammingIndex.open(self.folder)


def main() -> None:
    """Serve the one that was asked for."""
    folder, kind, *saved = sys.argv[1:]
    serve(lambda: Mapped(Path(saved[0])) if kind == "mapped" else InMemory(), Path(folder))


if __name__ == "__main__":
    main()
