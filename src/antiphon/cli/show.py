"""What the command line shows while it works, and when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from antiphon import node

__all__ = ["bar_shown", "console", "json_option", "ledger_table", "progress_shown", "rows_table"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")

console = Console(stderr=True)
_LEDGER_ROWS = 40
_PHASES = {
    "match": "matching against banks",
    "group_copies": "grouping copies",
    "tell_narratives": "grouping narratives",
    "trace_spread": "tracing the spread",
    "find_coordination": "testing for coordination",
}


class Bar:
    """A bar on the terminal: how much is done, how many things that were, how fast, and the time left."""

    def __init__(self, bar: Progress, doing: str, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task(doing, total=max(1, total), counted=0, rate=0.0)

    def show(self, done: int, counted: int, total: int | None = None) -> None:
        """Show how far it is, and of how much, where that was not known before."""
        rate = counted / (self._bar.tasks[self._task].elapsed or 1e-9)
        self._bar.update(self._task, completed=done, counted=counted, rate=rate, total=total)

    def tell(self, doing: str) -> None:
        """Say what is done now."""
        self._bar.update(self._task, description=doing)


@contextmanager
def bar_shown(doing: str, things: str, total: int = 1, *, quiet: bool) -> Iterator[Bar | None]:
    """Show a bar on a terminal; None where the output is for a machine.

    Args:
        doing: What is done, such as `importing`.
        things: What is counted, such as `entries`.
        total: How much there is to do.
        quiet: Show none.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    counted = TextColumn(f"{{task.fields[counted]:,}} {things}, {{task.fields[rate]:,.0f}}/s")
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), counted,
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=console,
    ) as bar:  # fmt: skip
        yield Bar(bar, doing, total)


@contextmanager
def progress_shown(paths: Sequence[Path], *, quiet: bool) -> Iterator[node.Progress]:
    """Show records, rate and time left on a terminal; say nothing where the output is for a machine."""
    with bar_shown("reading", "records", _size(paths), quiet=quiet) as bar:
        yield node.Progress() if bar is None else _Shown(bar).progress()


class _Shown:
    """Adds up what was read against the sizes of the files."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._bytes, self._records = bar, 0, 0
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
        self._bytes += size
        self._bar.show(self._bytes, self._records)

    def _phase(self, name: str) -> None:
        if name in _PHASES:
            self._bar.tell(_PHASES[name])


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
