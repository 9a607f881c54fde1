"""What an analyser is: a stage from materials to findings that shows by examples what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

__all__ = ["Analyser", "Example"]


class Example(NamedTuple):
    """An invented text and how an analyser reads it."""

    text: str
    reading: str


@runtime_checkable
class Analyser(Protocol):
    """A stage that reads MATERIALS and writes one row of FINDINGS for each, in the same order.

    It says how the words read and names the words that led there; it never says what should be done. Any partition of
    the input gives the same rows, and the same input the same bytes. It abstains where it does not know. Found by the
    entry point `antiphon.analysers`; picklable before `open`.
    """

    name: str
    version: str
    reads: pa.Schema
    writes: pa.Schema

    def open(self) -> None:
        """Load the model. Called once in every worker, before the first batch."""

    def run(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the findings of a batch of materials, and batches of SKIPPED for rows that could not be read."""

    def examples(self) -> tuple[Example, ...]:
        """Return harmless invented texts with the reading that this analyser gives them, for tests and the manual."""
