"""Serves one index of a peer to the benchmark; runs in the peers' own environment.

    python bench/peers/pdq_indexes.py FOLDER faiss_multi_hash 11 23 2

Each library is asked in the way that is quickest for it and leaves nothing out: batches where it takes batches, numbers
of entries and not their values, one thread. faiss' range search means "less than", so it is asked for one bit more.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from contest import LIMIT_BITS, Contestant, Pairs, Values, serve

NEIGHBOURS = 16
"""How many neighbours a k-NN search is asked for; a query with more entries within the limit would miss some."""


class Faiss(Contestant):
    """One of faiss' binary indexes, by the name of its class and the numbers that make it."""

    def __init__(self, kind: str, *numbers: int) -> None:
        self.faiss = importlib.import_module("faiss")
        self.faiss.omp_set_num_threads(1)
        self.kind = getattr(self.faiss, kind)
        self.numbers = numbers

    def build(self, entries: Values) -> None:
        """Add all at once. The last of several numbers is how many bits of a key may differ."""
        self.index = self.kind(256, *self.numbers[:-1])
        if self.numbers:
            self.index.nflip = self.numbers[-1]
        self.index.add(entries)

    def search(self, queries: Any) -> Any:  # noqa: ANN401 - as the base class
        """Return bounds, distances and numbers."""
        return self.index.range_search(queries, LIMIT_BITS + 1)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry."""
        bounds, _, entries = found
        queries = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds.astype(np.int64)))
        return np.stack([queries, entries], axis=1).astype(np.int64)


class ThreatExchange(Contestant):
    """An index of python-threatexchange. The batches go to the object inside, which is quicker than one by one."""

    def __init__(self, kind: str) -> None:
        importlib.import_module("faiss").omp_set_num_threads(1)
        modules = {"flat": "pdq_index", "second": "pdq_index2"}
        package = "threatexchange.signal_type.pdq"
        if kind == "default":
            self.kind = importlib.import_module(f"{package}.signal").PdqSignal.get_index_cls()
        else:
            name = {"flat": "PDQFlatIndex", "second": "PDQIndex2"}[kind]
            self.kind = getattr(importlib.import_module(f"{package}.{modules[kind]}"), name)
        self.one_by_one = kind == "second"
        self.by_query = kind != "flat"  # the flat one's own `query` always asks for 52 bits

    def build(self, entries: Values) -> None:
        """Hand over pairs of hex and number, as its users do."""
        self.index = self.kind(entries=((row.tobytes().hex(), number) for number, row in enumerate(entries)))

    def prepare(self, queries: Values) -> list[str]:
        """Return hex, which is what its users have."""
        return [row.tobytes().hex() for row in queries]

    def search(self, queries: Any) -> Any:  # noqa: ANN401 - as the base class
        """Return a list of numbers for each query."""
        if self.one_by_one:
            return [[match.metadata for match in self.index.query(query)] for query in queries]
        return self.index.index.search(queries, LIMIT_BITS, return_as_ids=True)

    def search_one(self, query: Any) -> Any:  # noqa: ANN401 - as the base class
        """Ask as its users do."""
        return self.index.query(query[0]) if self.by_query else self.search(query)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry."""
        return _rows(found)


class Usearch(Contestant):
    """The exhaustive k-NN search of usearch, cut at the limit: it has no search for a range.

    Asked through an index, which is twice as quick as its function `search`, with the least graph it can have: an
    exhaustive search does not look at that.
    """

    def __init__(self) -> None:
        self.usearch = importlib.import_module("usearch.index")

    def build(self, entries: Values) -> None:
        """Add all at once."""
        kinds = {"metric": self.usearch.MetricKind.Hamming, "dtype": self.usearch.ScalarKind.B1}
        self.index = self.usearch.Index(ndim=256, connectivity=2, expansion_add=1, **kinds)
        self.index.add(np.arange(len(entries)), entries, threads=1)

    def search(self, queries: Any) -> Any:  # noqa: ANN401 - as the base class
        """Return the nearest entries."""
        return self.index.search(queries, NEIGHBOURS, exact=True, threads=1)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry within the limit."""
        rows, columns = np.nonzero(np.asarray(found.distances) <= LIMIT_BITS)
        return np.stack([rows, np.asarray(found.keys)[rows, columns].astype(np.int64)], axis=1)


class PynearMultiIndex(Contestant):
    """pynear's multi-index hashing: the nearest of the candidates within a radius, cut at the limit."""

    def __init__(self, tables: int) -> None:
        self.pynear = importlib.import_module("pynear")
        self.tables = tables

    def build(self, entries: Values) -> None:
        """Hand over all at once."""
        self.index = self.pynear.MIHBinaryIndex(m=self.tables)
        self.index.set(entries)

    def search(self, queries: Any) -> Any:  # noqa: ANN401 - as the base class
        """Return arrays of numbers and distances, the free places filled up."""
        return self.index.searchKNN_arrays(queries, NEIGHBOURS, LIMIT_BITS)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry within the limit."""
        entries, distances = (np.asarray(part) for part in found)
        rows, columns = np.nonzero((distances <= LIMIT_BITS) & (entries >= 0))
        return np.stack([rows, entries[rows, columns].astype(np.int64)], axis=1)


class PynearTree(Contestant):
    """pynear's BK-tree, its index for a range."""

    def __init__(self) -> None:
        self.pynear = importlib.import_module("pynear")

    def build(self, entries: Values) -> None:
        """Hand over all at once."""
        self.index = self.pynear.BKTreeBinaryIndex256()
        self.index.set(entries)

    def search(self, queries: Any) -> Any:  # noqa: ANN401 - as the base class
        """Return lists of numbers, of distances and of values."""
        return self.index.find_threshold(queries, LIMIT_BITS)

    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - as the base class
        """Return rows of query and entry."""
        return _rows(found[0])


def _rows(found: Sequence[Sequence[int]]) -> Pairs:
    rows = [(query, entry) for query, entries in enumerate(found) for entry in entries]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


MAKE: dict[str, Callable[..., Contestant]] = {
    "faiss_flat": lambda: Faiss("IndexBinaryFlat"),
    "faiss_hash": lambda *numbers: Faiss("IndexBinaryHash", *numbers),
    "faiss_multi_hash": lambda *numbers: Faiss("IndexBinaryMultiHash", *numbers),
    "threatexchange_default": lambda: ThreatExchange("default"),
    "threatexchange_flat": lambda: ThreatExchange("flat"),
    "threatexchange_second": lambda: ThreatExchange("second"),
    "usearch_exact": Usearch,
    "pynear_multi_index": PynearMultiIndex,
    "pynear_bk_tree": PynearTree,
}


def main() -> None:
    """Serve the one that was asked for."""
    folder, name, *numbers = sys.argv[1:]
    serve(lambda: MAKE[name](*map(int, numbers)), Path(folder))


if __name__ == "__main__":
    main()
