"""From paths to tasks: which inputs there are, who reads each, and where an earlier run left off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from antiphon.errors import InputError
from antiphon.model.material import Skipped
from antiphon.node.reading import BlockTask, RefusedTask, StreamTask, Task
from antiphon.sources.interface import HEAD_BYTES, LineBlock, LineSource, Source
from antiphon.sources.jsonio import json_head
from antiphon.sources.lines import line_blocks
from antiphon.sources.opening import Input, Unreadable, fault_of, open_input, walk

__all__ = ["Place", "Planner", "recognise"]

LATE_SOURCES = ("image", "video")
"""Read after the others, for the writer tells an image that is the attachment of a post from one of its own."""

_LEAST = 0.1


@dataclass(frozen=True)
class Place:
    """How far an input was read in earlier runs."""

    edition: tuple[int, int]
    parts: int
    next_record: int
    next_offset: int
    complete: bool


@dataclass
class Planner:
    """Makes the tasks of a run.

    Attributes:
        load: Gives the readers by name; not called where there is nothing to read.
        places: Path → how far it was read before.
        done: Called with each input that needs no reading.
        begun: Called with each input that will be read.
    """

    load: Callable[[], Mapping[str, Source]]
    places: Mapping[str, Place]
    done: Callable[[Input], None] = lambda found: None
    begun: Callable[[Input], None] = lambda found: None
    _late: list[tuple[Input, str]] = field(default_factory=list)

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The readers by name."""
        return self.load()

    def tasks(self, paths: Sequence[Path], leave_out: Path | None = None) -> Iterator[Task]:
        """Yield the tasks for everything under some paths but the folder left out, the late sources last."""
        for found in walk(paths, leave_out):
            if isinstance(found, Unreadable):
                refused = Input(found.name, found.name, 0, 0)
                if self._needed(refused):
                    yield RefusedTask(refused, Skipped(found.reason, found.detail))
            elif self._needed(found):
                yield from self._tasks_of(found)
        for found, source in self._late:
            yield StreamTask(found, source)

    def _needed(self, found: Input) -> bool:
        place = self._place(found)
        if place is not None and place.complete:
            self.done(found)
            return False
        self.begun(found)
        return True

    def _place(self, found: Input) -> Place | None:
        place = self.places.get(found.path)
        return place if place is not None and place.edition == (found.bytes, found.modified_ns) else None

    def _tasks_of(self, found: Input) -> Iterator[Task]:
        try:
            stream = open_input(found.path)
        except (InputError, OSError) as fault:
            yield RefusedTask(found, Skipped("unreadable", f"{found.name}: {getattr(fault, 'what', fault)}"))
            return
        with closing(stream):
            head = _head(stream)
            source = recognise(head, found.name, self.sources)
            if source is None:
                yield RefusedTask(found, _refusal(found, head, stream))
            elif source in LATE_SOURCES:
                self._late.append((found, source))
            elif isinstance(self.sources[source], LineSource) and _by_lines(head):
                yield from self._blocks(found, source, stream, head)
            else:
                place = self._place(found)
                yield StreamTask(found, source, place.parts if place else 0)

    def _blocks(self, found: Input, source: str, stream: BinaryIO, head: bytes) -> Iterator[Task]:
        place = self._place(found) or Place((0, 0), 0, 0, 0, False)
        _skip(stream, head, place.next_offset)
        whole = _Joined(head[place.next_offset :], stream)
        number, record, offset = place.parts, place.next_record, place.next_offset
        for block in line_blocks(whole, record, offset):  # type: ignore[arg-type]
            if isinstance(block, LineBlock):
                record, offset = block.first_record + block.data.count(b"\n"), block.offset + len(block.data)
            else:
                record, offset = (block.record or 0) + 1, (block.offset or 0) + (block.raw_bytes or 0)
            yield BlockTask(found, source, number, block, record, offset, False)
            number += 1
        fault = fault_of(stream)
        end: LineBlock | Skipped = LineBlock(b"", record, offset)
        if fault is not None:
            end = Skipped(
                "truncated" if "truncated" in fault.what else "compression-broken",
                f"{fault.what}; what came before it was read. {fault.do}", record, offset,
            )  # fmt: skip
        yield BlockTask(found, source, number, end, record, offset, True)


def recognise(head: bytes, name: str, sources: Mapping[str, Source]) -> str | None:
    """Return the name of the source that is surest that it can read an input, or None where none is."""
    scores = {key: source.recognise(head, name) for key, source in sources.items()} if head else {}
    best = max(scores, key=lambda key: scores[key], default=None)
    return best if best is not None and scores[best] >= _LEAST else None


class _Joined:
    """A head that was read already, and the stream that follows it."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head + self._stream.read(size - len(head)) if len(head) < size else head


def _head(stream: BinaryIO) -> bytes:
    return stream.read(HEAD_BYTES)


def _skip(stream: BinaryIO, head: bytes, offset: int) -> None:
    """Move a stream whose head was read to an offset."""
    left = offset - len(head)
    if left > 0 and stream.seekable():
        stream.seek(offset)
        return
    while left > 0 and (piece := stream.read(min(left, 2**20))):
        left -= len(piece)


def _by_lines(head: bytes) -> bool:
    """Whether the head shows at least two lines of JSON: one line alone may be a whole document."""
    return json_head(head).shape == "lines" and head.strip().count(b"\n") >= 1


def _refusal(found: Input, head: bytes, stream: BinaryIO) -> Skipped:
    fault = fault_of(stream)
    if fault is not None and not head:
        return Skipped("compression-broken", f"{found.name}: {fault.what}. {fault.do}")
    if not head:
        return Skipped("empty", f"{found.name}: the file is empty; export it again if it should not be.")
    detail = f"{found.name}: no reader knows this format; `antiphon sources` lists those that are read."
    return Skipped("unrecognised", detail, raw=head, raw_bytes=found.bytes)
