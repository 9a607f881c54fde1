"""What the command line shows while it works, and when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from antiphon import node

__all__ = ["console", "ledger_table", "progress_shown", "rows_table"]

console = Console(stderr=True)
_LEDGER_ROWS = 40
_PHASES = {
    "match": "matching against banks",
    "group_copies": "grouping copies",
    "tell_narratives": "grouping narratives",
    "trace_spread": "tracing the spread",
    "find_coordination": "testing for coordination",
}


@contextmanager
def progress_shown(paths: Sequence[Path], *, quiet: bool) -> Iterator[node.Progress]:
    """Show records, rate and time left on a terminal; say nothing where the output is for a machine."""
    if quiet or not sys.stderr.isatty():
        yield node.Progress()
        return
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[records]:,} records, {task.fields[rate]:,.0f}/s"), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(), console=console,
    )  # fmt: skip
    with bar:
        yield _Shown(bar, paths).progress()


class _Shown:
    """Adds up what was read against the sizes of the files."""

    def __init__(self, bar: Progress, paths: Sequence[Path]) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=max(1, _size(paths)), records=0, rate=0.0)
        self._records = 0
        self._seen: dict[str, int] = {}

    def progress(self) -> node.Progress:
        return node.Progress(part=self._part, done=lambda found: self._advance(found.bytes), phase=self._phase)

    def _part(self, part: node.Part) -> None:
        self._records += part.found
        before = self._seen.get(part.input.path, 0)
        now = part.input.bytes if part.last else min(max(before, part.next_offset), part.input.bytes)
        if part.last:
            self._seen.pop(part.input.path, None)
        else:
            self._seen[part.input.path] = now
        self._advance(now - before)

    def _advance(self, size: int) -> None:
        elapsed = self._bar.tasks[self._task].elapsed or 1e-9
        self._bar.update(self._task, advance=size, records=self._records, rate=self._records / elapsed)

    def _phase(self, name: str) -> None:
        if name in _PHASES:
            self._bar.update(self._task, description=_PHASES[name])


def ledger_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Return the completeness ledger as a table, its totals last; the largest inputs where there are many."""
    table = Table(title="What was read", title_justify="left", caption=_caption(rows), caption_justify="left")
    for name in ("input", "reader"):
        table.add_column(name, overflow="fold")
    for name in ("found", "kept", "known", "quarantined", "other"):
        table.add_column(name, justify="right")
    shown = sorted(rows, key=lambda row: -_number(row["found"]))[:_LEDGER_ROWS]
    for row in sorted(shown, key=lambda row: str(row["input"])):
        counts = [f"{_number(row[name]):,}" for name in ("found", "kept", "known", "quarantined", "other")]
        table.add_row(str(row["input"]), str(row["reader"] or "none"), *counts)
    totals = [f"{sum(_number(r[n]) for r in rows):,}" for n in ("found", "kept", "known", "quarantined", "other")]
    table.add_section()
    table.add_row(f"all {len(rows):,} inputs", "", *totals)
    return table


def rows_table(title: str, rows: Sequence[Mapping[str, object]]) -> Table:
    """Return any rows of the same keys as a table."""
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(str(name), overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    return table


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _caption(rows: Sequence[Mapping[str, object]]) -> str:
    gaps = sum(len(row["gaps"]) for row in rows if isinstance(row["gaps"], list))
    more = f" The {_LEDGER_ROWS} largest inputs are shown." if len(rows) > _LEDGER_ROWS else ""
    return f"found = kept + known + quarantined; other things are no public content. {gaps:,} gaps reported.{more}"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _size(paths: Sequence[Path]) -> int:
    total = 0
    for path in paths:
        if path.is_file():
            total += path.stat().st_size
        elif path.is_dir():
            total += sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return total
