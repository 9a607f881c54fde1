"""What a source is: it recognises a format by its content and reads it record by record.

A source is one module and one line under `antiphon.sources` in `pyproject.toml`. It never opens a path: it gets a
stream of decompressed bytes and a `ReadContext`, and yields `Material`, `Skipped`, `Passed` and `Gap`. Whatever it
raises costs the rest of its input and goes to the quarantine; what it yields before is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar, Protocol, runtime_checkable

from antiphon.model.material import Item, Media

__all__ = ["HEAD_BYTES", "MAX_RECORD_BYTES", "Example", "LineBlock", "LineSource", "ReadContext", "Source"]

HEAD_BYTES = 65_536
"""How much of an input a source sees to recognise it."""

MAX_RECORD_BYTES = 16 * 2**20
"""A record longer than this goes to the quarantine unread."""


@dataclass(frozen=True)
class Example:
    """A small invented input of a source, and how many materials are in it; tests and the docs read it."""

    name: str
    content: bytes
    materials: int


@dataclass
class ReadContext:
    """What a reader may know and do beside its stream. All file access goes through here, so readers stay pure.

    Attributes:
        input: Name of the input; `!/` enters a container.
        mapping: Material field → column or key, where a mapping file was given.
        public_basis: Why a closed channel's export counts as public, where a person has said so (R-03).
    """

    input: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    public_basis: str | None = None
    sibling: Callable[[str], BinaryIO | None] = lambda relative: None
    """Opens a file by its path relative to the input's folder or place in the container; None if it is not there."""
    siblings: Callable[[], Iterable[str]] = lambda: ()
    """Names of the files in the input's folder (or the same place in the container), without folders."""
    keep_media: Callable[[BinaryIO, str, str], Media] | None = None
    """Digests a file's stream, keeps a copy of images, and returns its `Media`: (stream, path, role)."""
    raw: Callable[[], BinaryIO] | None = None
    """Opens the input again as its bytes lie on disk, before decompression."""

    def media(self, relative: str, role: str = "attachment", mime: str | None = None) -> Media:
        """Return the media for a file that lies beside the input, read if it is there, else only named."""
        stream = self.sibling(relative)
        if stream is None or self.keep_media is None:
            return Media(path=relative, role=role, mime=mime)
        with stream:
            return self.keep_media(stream, relative, role)


@runtime_checkable
class Source(Protocol):
    """Reads one format. Instances hold no state, so one is shared by every input."""

    name: ClassVar[str]
    """`[a-z0-9_]+`; stands in the provenance and in the ledger: never reused."""
    version: ClassVar[str]
    title: ClassVar[str]
    """What it reads, for people: one line of `antiphon sources`."""

    def recognise(self, head: bytes, name: str) -> float:
        """Return how sure it is that it can read this, 0 to 1; from the content, the name only tips the scales.

        Args:
            head: The first `HEAD_BYTES` of the decompressed input.
            name: Name of the input.
        """

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield what is in the stream, in constant memory; a record that can't be read is a `Skipped`, not a raise."""

    def examples(self) -> Iterable[Example]:
        """Return small invented inputs that it can read."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Some whole lines of an input."""

    data: bytes
    first_record: int
    offset: int

    def lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (record, offset, line without its end) for each line that is not blank."""
        offset = self.offset
        for record, line in enumerate(self.data.split(b"\n"), self.first_record):
            stripped = line.strip()
            if stripped:
                yield record, offset, stripped
            offset += len(line) + 1


@runtime_checkable
class LineSource(Source, Protocol):
    """A source whose every line is a record, so that one input can be read by all cores."""

    def read_block(self, block: LineBlock, context: ReadContext) -> Iterator[Item]:
        """Yield what is in some lines."""
