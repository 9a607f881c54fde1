"""What the parts of a reading become: rows of the lake, each material once, and a ledger whose sums add up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import StorageError
from antiphon.model.schemas import FINDINGS, MATERIALS, SIGNALS, SKIPPED
from antiphon.node.known import KnownIds
from antiphon.node.planning import LATE_SOURCES
from antiphon.node.reading import Part
from antiphon.storage.lake import Lake
from antiphon.storage.ledger import PARTS

__all__ = ["Writer"]

_SCHEMAS = {"materials": MATERIALS, "signals": SIGNALS, "findings": FINDINGS, "skipped": SKIPPED}
_COMMIT_ROWS = 40_000
_COMMIT_BYTES = 48 * 2**20
_COMMIT_SECONDS = 5.0


@dataclass
class Writer:
    """Takes parts in the order of the inputs and commits them in groups, on a thread of its own; close it at the end.

    Attributes:
        lake: An open lake.
        known: The ids of its materials.
        attached: Paths of files that are attachments of materials.
        clock: Seconds, for committing now and then whatever the size.
    """

    lake: Lake
    known: KnownIds
    attached: set[str]
    clock: Callable[[], float] = time.monotonic
    _tables: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    _parts: list[dict[str, object]] = field(default_factory=list)
    _rows: int = 0
    _bytes: int = 0
    _since: float = 0.0
    _committer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _under_way: Future[None] | None = None

    def take(self, part: Part) -> None:
        """Take one part; commit when enough has come together."""
        if not self._parts:
            self._since = self.clock()
        kept, known = self._take_materials(part)
        self._add("skipped", part.tables.get("skipped", []))
        if part.found != kept + known + part.quarantined:
            raise StorageError(
                f"found {part.found}, but kept {kept}, known {known} and quarantined {part.quarantined}",
                where=f"{part.input.name}, part {part.part}", do="This is a fault of the program; please report it.",
            )  # fmt: skip
        self._parts.append(_row(part, kept, known))
        late = self.clock() - self._since > _COMMIT_SECONDS
        if self._rows >= _COMMIT_ROWS or self._bytes >= _COMMIT_BYTES or late:
            self._commit()

    def flush(self) -> None:
        """Commit what has come together, and wait until all is committed."""
        self._commit()
        self._settle()

    def close(self) -> None:
        """Wait until the commit under way has ended, however it does; what was not flushed is left out."""
        self._committer.shutdown(wait=True)

    def _commit(self) -> None:
        """Begin a commit once the one before has ended: meanwhile the next parts are taken."""
        if not self._parts:
            return
        self._settle()
        self._under_way = self._committer.submit(self._write, self._tables, self._parts)
        self._tables, self._parts, self._rows, self._bytes = {}, [], 0, 0

    def _settle(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def _write(self, batches: dict[str, list[pa.RecordBatch]], parts: list[dict[str, object]]) -> None:
        tables = {name: pa.Table.from_batches(some, _SCHEMAS[name]) for name, some in batches.items()}
        batches.clear()
        self.lake.commit(tables, pa.Table.from_pylist(parts, schema=PARTS))
        tables.clear()
        pa.default_memory_pool().release_unused()  # what one commit needed is not needed until the next

    def _take_materials(self, part: Part) -> tuple[int, int]:
        """Add the rows of materials that are new, and what the stages made of them; return how many were new, known."""
        batches = part.tables.get("materials", [])
        if batches and part.reader in LATE_SOURCES and part.input.path in self.attached:
            part.found -= sum(batch.num_rows for batch in batches)
            part.other["file of a post"] += 1
            return 0, 0
        kept, known, gone = 0, part.repeated, []
        for batch in batches:
            ids = batch.column("material_id")
            fresh = self.known.add_new(ids)
            kept += int(fresh.sum())
            known += len(fresh) - int(fresh.sum())
            gone.append(ids.filter(pa.array(~fresh)))
            new = batch if fresh.all() else batch.filter(pa.array(fresh))
            self._add("materials", [new])
            self._attach(part, new)
        dropped = pa.concat_arrays(gone) if gone else pa.array([], pa.string())
        for table in ("signals", "findings"):
            self._add(table, [_without(batch, dropped) for batch in part.tables.get(table, [])])
        return kept, known

    def _attach(self, part: Part, batch: pa.RecordBatch) -> None:
        media = batch.column("media").flatten()
        if len(media):
            folder = part.input.path.rpartition("/")[0]
            self.attached.update(f"{folder}/{path}" for path in media.field("path").to_pylist() if path)

    def _add(self, table: str, batches: list[pa.RecordBatch]) -> None:
        for batch in batches:
            if batch.num_rows:
                self._tables.setdefault(table, []).append(batch)
                self._rows += batch.num_rows if table == "materials" else 0
                self._bytes += batch.get_total_buffer_size()


def _without(batch: pa.RecordBatch, gone: pa.Array) -> pa.RecordBatch:
    """Return the rows of materials that are not gone."""
    return batch.filter(pc.invert(pc.is_in(batch.column("material_id"), value_set=gone))) if len(gone) else batch


def _row(part: Part, kept: int, known: int) -> dict[str, object]:
    return {
        "input": part.input.name,
        "path": part.input.path,
        "bytes": part.input.bytes,
        "modified_ns": part.input.modified_ns,
        "part": part.part,
        "reader": part.reader,
        "found": part.found,
        "kept": kept,
        "known": known,
        "quarantined": part.quarantined,
        "other": json.dumps(part.other, ensure_ascii=False),
        "gaps": part.gaps,
        "next_record": part.next_record,
        "next_offset": part.next_offset,
        "last": part.last,
    }
