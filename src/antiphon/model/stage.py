"""What a stage is: the only interface that the engines know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

__all__ = ["Stage", "TableStage"]


@runtime_checkable
class Stage(Protocol):
    """A pure function from batch to batches. Picklable before `open`, so that any engine can ship it.

    Any partition of the input gives the same rows, and no rows give no rows.
    """

    name: str
    version: str
    reads: pa.Schema
    writes: pa.Schema

    def open(self) -> None:
        """Load what `run` needs (a model, an index). Called once in every worker, before the first batch."""

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield batches of `writes`, and batches of SKIPPED for the rows that it could not do."""


@runtime_checkable
class TableStage(Protocol):
    """A function over whole tables, written as SQL over DuckDB with Arrow in and out."""

    name: str
    version: str
    writes: Mapping[str, pa.Schema]

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return the tables named in `writes`.

        Args:
            tables: A connection that has the result tables made so far as views under their names
                (`materials`, `signals`, `matches`, `findings`, and what earlier table stages wrote). It is bounded in
                memory and may spill to disk.
        """
