"""What an exchange is: it knows a form in which others hand on lists of known material, and writes it too.

An exchange is one class and one line under `antiphon.exchanges` in `pyproject.toml`. It never opens a path and never
asks a network: it gets a stream of bytes and yields entries, and what can't be one is a `Refused` with the place and
the reason. What is written can be read again without a loss: a field for which the form has no place goes into the
form's own means of extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, Protocol, runtime_checkable

from antiphon.model.bank import Bank, BankEntry

__all__ = ["HEAD_BYTES", "MAX_RECORD_BYTES", "RAW_BYTES", "Exchange", "Refused"]

HEAD_BYTES = 65_536
"""How much of a file an exchange sees to recognise it."""

MAX_RECORD_BYTES = 4 * 2**20
"""A row longer than this is refused unread. The longest value, 1 MiB, has twice as many digits."""

RAW_BYTES = 2_000
"""How much of a refused row is kept."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that can't be an entry.

    Attributes:
        where: Its place: `line 3`, or `byte 1200` with what it is.
        reason: Why; holds no part of the row.
        raw: The beginning of the row as it stood in the file, for whoever looks into it.
    """

    where: str
    reason: str
    raw: bytes = b""


@runtime_checkable
class Exchange(Protocol):
    """Reads and writes one form of lists. Instances hold no state, so one serves every file."""

    name: ClassVar[str]
    """`[a-z0-9_]+`; by this the form is chosen, and under this an entry's `more` keeps what only this form knows."""
    title: ClassVar[str]
    """What it reads and writes, for people."""
    suffixes: ClassVar[tuple[str, ...]]

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that it can read this, 0 to 1; from the content, the name only tips the scales.

        Args:
            head: The first `HEAD_BYTES` of the file.
            name: Name of the file.
        """

    def read(self, stream: BinaryIO) -> Iterator[BankEntry | Refused]:
        """Yield the entries of a list, in the file's order and in bounded memory.

        An entry's `bank` is what the file says of it, or empty.

        Raises:
            InputError: the file is not of this form at all. Whatever is wrong with a row is a `Refused`.
        """

    def read_bank(self, stream: BinaryIO) -> Bank | None:
        """Return what the file says of the bank as a whole, or None; reads the beginning only."""

    def write(self, bank: Bank, entries: Iterable[BankEntry], stream: BinaryIO) -> None:
        """Write a bank with its entries; the same entries give the same bytes.

        Raises:
            InputError: one of the entries is none (see `antiphon.model.bank.entry_fault`).
        """
