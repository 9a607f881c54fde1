"""What a worker does: read some of an input, run the stages over it, and account for every record.

Tasks are made in `planning`. The same task gives the same parts, whoever runs it and however often: that is what lets a
run be killed and go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from antiphon import plugins
from antiphon.errors import AntiphonError
from antiphon.model.material import (
    Columns,
    Item,
    Material,
    Origin,
    Passed,
    Skipped,
    materials_batch,
    skipped_batch,
)
from antiphon.model.pseudonym import Pseudonyms
from antiphon.model.schemas import SKIPPED
from antiphon.model.stage import Stage
from antiphon.node.media import MediaStore, sibling_opener, siblings_lister
from antiphon.sources.interface import LineBlock, LineSource, ReadContext, Source
from antiphon.sources.opening import Input, fault_of, open_input, open_raw

__all__ = ["SOURCES", "BlockTask", "Part", "ReadChain", "RefusedTask", "StreamTask", "Task"]

SOURCES = "antiphon.sources"
_ROWS = 2_000
_CHARS = 4_000_000


@dataclass(frozen=True)
class StreamTask:
    """Read an input from its beginning; of the parts before `first_part` only the records are counted off."""

    input: Input
    source: str
    first_part: int = 0


@dataclass(frozen=True)
class BlockTask:
    """Read some lines of an input, or enter one that is too long. An empty block ends the input."""

    input: Input
    source: str
    part: int
    block: LineBlock | Skipped
    next_record: int
    next_offset: int
    last: bool


@dataclass(frozen=True)
class RefusedTask:
    """Enter an input in the quarantine as a whole."""

    input: Input
    skipped: Skipped


Task = StreamTask | BlockTask | RefusedTask


@dataclass
class Part:
    """What came of a part of an input: tables of new rows, no material twice, and the account of its records."""

    input: Input
    part: int
    reader: str | None
    tables: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    found: int = 0
    repeated: int = 0
    quarantined: int = 0
    other: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set, repr=False)
    next_record: int = 0
    next_offset: int = 0
    last: bool = False


@dataclass
class ReadChain:
    """Reader and row stages, one after the other.

    Attributes:
        stages: Output table → stage. A stage reads MATERIALS, or the output of the stage before it that has its schema.
        key: The case-space's key for pseudonyms.
        media_root: Where images are kept.
        mapping: Field → column, for tables and JSON records.
        public_basis: Why closed channels count as public, where a person has said so.
    """

    stages: Mapping[str, Stage]
    key: bytes = field(repr=False)
    media_root: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    public_basis: str | None = None

    def open(self) -> None:
        """Load what the stages need; a reader is loaded when its first input comes."""
        self._pseudonyms = Pseudonyms(self.key)
        self._media = MediaStore(self.media_root)
        pa.set_cpu_count(1)
        for stage in self.stages.values():
            stage.open()

    def run(self, task: Task) -> Iterator[Part]:
        """Yield the parts of a task."""
        if isinstance(task, RefusedTask):
            yield self._refused(task)
        elif isinstance(task, BlockTask):
            yield self._block(task)
        else:
            yield from self._stream(task)

    def _refused(self, task: RefusedTask) -> Part:
        part = Part(task.input, 0, None, found=1, quarantined=1, last=True)
        part.tables["skipped"] = [skipped_batch([task.skipped], task.input.name, "sources")]
        return part

    def _block(self, task: BlockTask) -> Part:
        source = _source(task.source)
        part = Part(task.input, task.part, source.name, next_record=task.next_record, next_offset=task.next_offset)
        part.last = task.last
        if isinstance(task.block, Skipped):
            items: Iterator[Item] = iter([task.block])
        elif isinstance(source, LineSource):
            items = _guarded(source.read_block(task.block, self._context(task.input)), source.name)
        for bundle in _bundles(items):
            self._fill(part, bundle, source)
        part.ids.clear()  # they served to tell repeated materials, and are not sent
        return part

    def _stream(self, task: StreamTask) -> Iterator[Part]:
        source = _source(task.source)
        number = -1
        with closing(open_input(task.input.path)) as stream:
            items = _guarded(source.read(stream, self._context(task.input)), source.name)
            for number, bundle in enumerate(_bundles(_and_fault(items, stream))):
                if number >= task.first_part:  # the ones before were done in an earlier run
                    part = Part(task.input, number, source.name)
                    self._fill(part, bundle, source)
                    part.ids.clear()
                    yield part
        end = Part(task.input, number + 1, source.name, last=True)
        if number < 0:
            end.gaps.append(f"recognised as {source.name}, but nothing was found in it")
        yield end

    def _context(self, input_: Input) -> ReadContext:
        return ReadContext(
            input=input_.name, mapping=self.mapping, public_basis=self.public_basis,
            sibling=sibling_opener(input_.path), siblings=siblings_lister(input_.path), keep_media=self._media.keep,
            raw=partial(open_raw, input_.path),
        )  # fmt: skip

    def _fill(self, part: Part, bundle: _Bundle, source: Source) -> None:
        """Account for some items, and run the stages over those that are materials."""
        part.other.update(bundle.other)
        part.gaps += bundle.gaps
        if bundle.skipped:
            self._quarantine(part, bundle.skipped, source)
        for columns in bundle.columns:
            self._materials(part, columns, source)
        if bundle.materials:
            self._materials(part, bundle.materials, source)

    def _quarantine(self, part: Part, skipped: Sequence[Skipped], source: Source) -> None:
        part.found += len(skipped)
        part.quarantined += len(skipped)
        _add(part, "skipped", skipped_batch(skipped, part.input.name, f"sources/{source.name}"))

    def _materials(self, part: Part, items: Columns | Sequence[Material], source: Source) -> None:
        origin = Origin(part.input.name, source.name, source.version)
        batch, skipped = materials_batch(items, origin, self._pseudonyms)
        part.found += batch.num_rows
        if skipped:
            self._quarantine(part, skipped, source)
        batch = _once(part, batch)
        if batch.num_rows:
            _add(part, "materials", batch)
            for table, stage in self.stages.items():
                for out in stage.run(batch):
                    _add(part, "skipped" if out.schema.equals(SKIPPED) else table, out)


@dataclass
class _Bundle:
    """Some items of an input, by what they are."""

    materials: list[Material] = field(default_factory=list)
    columns: list[Columns] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    rows: int = 0
    chars: int = 0

    def add(self, item: Item) -> None:
        self.rows += 1
        if isinstance(item, Material):
            self.materials.append(item)
            self.chars += len(item.text or "")
        elif isinstance(item, Columns):
            self.columns.append(item)
            self.rows += len(item)
        elif isinstance(item, Skipped):
            self.skipped.append(item)
            self.chars += len(item.raw or b"")
        elif isinstance(item, Passed):
            self.other[item.what] += item.count
        else:
            self.gaps.append(item.what)


def _source(name: str) -> Source:
    source: Source = plugins.load_named(SOURCES, name, Source)
    return source


def _once(part: Part, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows whose material did not come earlier in the part; the others are counted as repeated."""
    ids = batch.column("material_id").to_pylist()
    before = len(part.ids)
    if len(set(ids)) == len(ids) and part.ids.isdisjoint(ids):
        part.ids.update(ids)
        return batch
    fresh = []
    for material in ids:
        fresh.append(material not in part.ids)
        part.ids.add(material)
    part.repeated += len(ids) - (len(part.ids) - before)
    return batch.filter(pa.array(fresh))


def _add(part: Part, table: str, batch: pa.RecordBatch) -> None:
    part.tables.setdefault(table, []).append(batch)


def _guarded(items: Iterable[Item], reader: str) -> Iterator[Item]:
    """Yield what a reader gives; what it raises costs the rest of its input, and is told without the input's text."""
    try:
        yield from items
    except AntiphonError as fault:
        yield Skipped("reader-failed", f"{fault.what}. {fault.do}")
    except Exception as fault:  # noqa: BLE001 - a plug-in may raise anything; one of the three doors that catch it
        where = fault.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f" at {Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else ""
        yield Skipped("reader-failed", f"reader {reader} raised {type(fault).__name__}{line}; report it with this line")


def _and_fault(items: Iterator[Item], stream: object) -> Iterator[Item]:
    """Yield the items, and at the end what cut the stream short."""
    yield from items
    fault = fault_of(stream)
    if fault is not None:
        reason = "truncated" if "truncated" in fault.what else "bomb" if "bomb" in fault.what else "compression-broken"
        yield Skipped(reason, f"{fault.what}; what came before it was read. {fault.do}")


def _bundles(items: Iterable[Item]) -> Iterator[_Bundle]:
    """Yield the items in bundles bounded in rows and characters, in the order of the input."""
    bundle = _Bundle()
    for item in items:
        bundle.add(item)
        if bundle.rows >= _ROWS or bundle.chars >= _CHARS:
            yield bundle
            bundle = _Bundle()
    if bundle.rows or bundle.other or bundle.gaps:
        yield bundle
