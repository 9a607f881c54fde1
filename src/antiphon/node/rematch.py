"""Bringing the matches of a lake up to what the banks know, by looking up only what may have changed.

A run has rounds. A round takes the matches from one state (up to which number of the banks' log, which commit of the
lake and which instant they are complete) to the next. It looks up units (`asked`) in small steps; each leaves a file of
what differs: the rows that a unit had, and those that it has now. At the end of a round, or where a run is stopped, the
table `matches` is replaced once: the units that differ are taken out, and their new rows put in. Doing that again gives
the same, so a run may be killed at any moment: steps that are done are not done again, and nothing is seen half.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb
import pyarrow as pa

from antiphon import __version__, plugins
from antiphon.fingerprints.interface import SignalType
from antiphon.model.schemas import MATCHES
from antiphon.node.asked import COMES_FROM, Pass, matched, passes_of, units_in
from antiphon.node.changed import Changed, Span, Touched, changed_between, touched_by
from antiphon.node.lookup import LookUp
from antiphon.node.signals import SIGNALS_GROUP
from antiphon.storage.lake import Lake

__all__ = ["Rematching", "State", "Step"]

STEP_ROWS = 20_000
"""About so many units are looked up in a step, or those of one commit."""

_STATE_NOTE = "matched.json"
_WORK_NOTE = "rematch.json"
_FOLDER = "rematch"
_COLUMNS = ", ".join(MATCHES.names)
_OWN = "bank IN (SELECT name FROM own_banks)"

Mode = Literal["all", "changed", "none"]


class Step(NamedTuple):
    """How far a round is: what is done now, and how many units of how many are done."""

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class State:
    """Up to where matches are complete.

    Attributes:
        seq: Number of the banks' log.
        at: Instant by which validity was told.
        commits: Number of the first commit of the lake that is not looked up.
        register: What tells this register from another.
        made_by: The program and its signal types.
    """

    seq: int
    at: str
    commits: int
    register: str
    made_by: str

    @classmethod
    def now(cls, look_up: LookUp, lake: Lake) -> State:
        """Return the state that matching all now would reach."""
        store, at = look_up.banks.store, look_up.banks.clock().isoformat()
        first = [f"{change.at.isoformat()} {change.bank}" for change in store.changes_since(0, limit=1)]
        types = plugins.load(SIGNALS_GROUP, SignalType).values()
        made_by = " ".join([__version__, *sorted(f"{kind.name}/{kind.version}/{kind.max_distance}" for kind in types)])
        return cls(store.last_seq(), at, lake.version(), "".join(first), made_by)

    @property
    def instant(self) -> datetime:
        """When it was."""
        return datetime.fromisoformat(self.at)

    def leads_to(self, later: State) -> bool:
        """Whether what was done since can be told from the log."""
        same = (self.register, self.made_by) == (later.register, later.made_by)
        return same and self.seq <= later.seq and self.commits <= later.commits


class _Chunk(NamedTuple):
    """One step: the units of a pass in some commits, all of them or those that a change can touch."""

    one: Pass
    first: int
    end: int
    mode: Mode
    rows: int

    @property
    def commits(self) -> str:
        return f"commit >= {self.first} AND commit < {self.end}"


@dataclass
class _Work:
    """What is under way; kept as a note, so that it goes on after a kill."""

    token: str
    full: bool
    base: int
    round: int = 0
    before: State | None = None
    to: State | None = None
    modes: dict[str, Mode] = field(default_factory=dict)
    done: int = 0

    @classmethod
    def of(cls, note: dict[str, Any]) -> _Work:
        states = {name: State(**note[name]) if note[name] else None for name in ("before", "to")}
        return cls(**{**note, **states})


@dataclass
class Rematching:
    """Matches a lake again, what may have changed alone.

    Attributes:
        lake: An open lake.
        look_up: The banks.
        progress: Told after each step.
        budget_s: Stop after so many seconds, but not before one step is done; None: when all is done.
        clock: Seconds.
    """

    lake: Lake
    look_up: LookUp
    progress: Callable[[Step], None] = lambda step: None
    budget_s: float | None = None
    clock: Callable[[], float] = time.monotonic
    _work: _Work | None = None
    _began: float = field(init=False)
    _stepped: bool = False

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def token(self) -> str:
        """What tells this run from others; a run that goes on keeps it."""
        return self._work.token if self._work else ""

    def run(self, *, full: bool = False) -> bool:
        """Look up what is to be looked up, and return whether that is done: False where the budget was too small.

        Args:
            full: Look up everything, whatever was done before.
        """
        work = self._work or self._resumed(full) or self._begun(full)
        self._work = work
        if work.to is not None:  # a round that was begun before
            if not self._round(work, work.to):
                return False
            full = False
        to = self._plan(work, full)
        return to is None or self._round(work, to)

    def differing(self) -> str | None:
        """Return as SQL what this run found to differ in all its rounds, or None where nothing does.

        Rows of MATCHES with `pass`, and `gone`: those that units had, and those that they have now.
        """
        work = self._work
        found = [path for number in range(work.round + 1) for path in self._files(work, number)] if work else []
        return _read(found) if found else None

    def state(self) -> State | None:
        """Return up to where `matches` is complete, or None where that is not known."""
        written, about = self.lake.written("matches")
        note = self.lake.noted(_STATE_NOTE)
        if about.get("token"):
            found = note["state"] if note.get("write") == written else about["state"]
        else:
            found = note["state"] if note.get("write") == written or self._was_handed(written, note) else None
        return State(**found) if found else None

    def hand_over(self) -> Iterator[pa.Table]:
        """Yield the matches with banks of the register, for a table `matches` that is now written with others too.

        Once that is written, and holds as many of them, it is known to be as complete as now.
        """
        state, number = self.state(), 0
        with closing(self._tables()) as tables:
            for batch in tables.sql(f"SELECT {_COLUMNS} FROM matches WHERE {_OWN}").to_arrow_reader(STEP_ROWS):
                number += batch.num_rows
                yield pa.Table.from_batches([batch.cast(MATCHES)])
        if state is not None:
            self._keep_state(state, handed=number)

    def finish(self) -> None:
        """Forget how a complete run came about."""
        self.lake.forget(_WORK_NOTE)
        shutil.rmtree(self.lake.folder / _FOLDER, ignore_errors=True)
        self._work = None

    # --- what is under way

    def _resumed(self, full: bool) -> _Work | None:
        """Return what a killed or stopped run has left, where it still fits the table and what is asked."""
        note = self.lake.noted(_WORK_NOTE)
        if not note:
            return None
        work = _Work.of(note)
        written, about = self.lake.written("matches")
        fits = written == work.base or about.get("token") == work.token
        current = work.to is None or work.to.leads_to(State.now(self.look_up, self.lake))
        there = (self.lake.folder / _FOLDER).is_dir()
        return work if there and fits and current and (work.full or not full) else None

    def _begun(self, full: bool) -> _Work:
        shutil.rmtree(self.lake.folder / _FOLDER, ignore_errors=True)
        (self.lake.folder / _FOLDER).mkdir()
        return _Work(secrets.token_hex(8), full, self.lake.written("matches")[0])

    def _keep(self, work: _Work) -> None:
        self.lake.note(_WORK_NOTE, asdict(work))

    def _keep_state(self, state: State, handed: int | None = None) -> None:
        note = {"state": asdict(state), "write": self.lake.written("matches")[0], "handed": handed}
        self.lake.note(_STATE_NOTE, note)

    def _was_handed(self, written: int, note: dict[str, Any]) -> bool:
        """Return whether the table was written since with all the matches that were handed over."""
        if note.get("handed") is None or written <= note["write"]:
            return False
        with closing(self._tables()) as tables:
            return tables.sql(f"SELECT count(*) FROM matches WHERE {_OWN}").fetchall() == [(note["handed"],)]

    def _plan(self, work: _Work, full: bool) -> State | None:
        """Begin a round and return where it leads to, or None where there is nothing to do."""
        self.look_up.follow()
        before, to = None if full else self.state(), State.now(self.look_up, self.lake)
        if before is not None and not before.leads_to(to):
            before = None
        with closing(self._tables()) as tables:
            changed = _changed(self.look_up, before, to)
            _note_old_units(tables, changed)
            modes = {one.name: _mode(tables, one, changed) for one in passes_of(tables)}
            work.before, work.modes, work.done = before, modes, 0
            work.base = self.lake.written("matches")[0]
            if not any(_chunks(tables, work.before, to, work.modes)):
                self._keep_state(to)
                return None
        work.to = to
        self._keep(work)
        return to

    def _round(self, work: _Work, to: State) -> bool:
        """Do the steps of a round that are not done; return whether all are."""
        with closing(self._tables()) as tables:
            changed = _changed(self.look_up, work.before, to)
            _note_old_units(tables, changed)
            chunks = list(_chunks(tables, work.before, to, work.modes))
            limit = self.look_up.largest("pdq")
            touched = {one.name: touched_by(changed.entries, one, limit) for one in {chunk.one for chunk in chunks}}
            while work.done < len(chunks) and not (self._stepped and self._is_spent()):
                chunk = chunks[work.done]
                self._look_up(tables, chunk, touched[chunk.one.name], to)
                work.done, self._stepped = work.done + 1, True
                self._keep(work)
                self._tell("matching", chunks, work.done)
            complete = work.done == len(chunks)
            self._publish(tables, work, to if complete else work.before)
        self._tell("written", chunks, work.done)
        if complete:
            self._keep_state(to)
            work.round, work.to, work.done = work.round + 1, None, 0
            self._keep(work)
        return complete

    def _tell(self, what: str, chunks: list[_Chunk], done: int) -> None:
        rows = [chunk.rows for chunk in chunks]
        self.progress(Step(what, sum(rows[:done]), sum(rows)))

    def _is_spent(self) -> bool:
        return self.budget_s is not None and self.clock() - self._began >= self.budget_s

    # --- one step

    def _look_up(self, tables: duckdb.DuckDBPyConnection, chunk: _Chunk, touched: Touched | None, to: State) -> None:
        """Look up the units of the next step and write what differs to a file, whole or not at all."""
        fresh, units = [MATCHES.empty_table()], set[tuple[str, str]]()
        if chunk.mode == "changed":
            for some in _touched_units(tables, chunk, touched, units):
                fresh.append(matched(self.look_up, some, to.instant))
        elif any(map(self.look_up.banks.store.has, chunk.one.types)):
            for some in units_in(tables, chunk.one, f"SELECT * FROM ({chunk.one.units}) WHERE {chunk.commits}"):
                fresh.append(matched(self.look_up, some, to.instant))
        _write_difference(tables, chunk, pa.concat_tables(fresh), units, self._file())

    def _file(self) -> Path:
        work = self._work
        number = f"{work.round:04}-{work.done:06}" if work else "0"
        return self.lake.folder / _FOLDER / f"{number}.parquet"

    def _files(self, work: _Work, round: int) -> list[Path]:
        """Return the files of a round's steps that are done and found a difference."""
        folder = self.lake.folder / _FOLDER
        paths = sorted(folder.glob(f"{round:04}-*.parquet"))
        return [path for path in paths if round < work.round or int(path.stem.partition("-")[2]) < work.done]

    def _publish(self, tables: duckdb.DuckDBPyConnection, work: _Work, state: State | None) -> None:
        """Put what differs into the table at once, together with up to where it is complete then."""
        files = self._files(work, work.round)
        if not files:
            return
        tables.execute(f"CREATE OR REPLACE TEMP VIEW differing AS FROM {_read(files)}")
        kept = f"SELECT *, {COMES_FROM} AS pass FROM matches"
        rows = tables.sql(
            f"""SELECT {_COLUMNS} FROM ({kept}) WHERE NOT {_OWN}
                UNION ALL SELECT {_COLUMNS} FROM (FROM ({kept}) WHERE {_OWN})
                                                 ANTI JOIN differing USING (pass, material_id, part)
                UNION ALL SELECT {_COLUMNS} FROM differing WHERE NOT gone"""
        ).to_arrow_reader(STEP_ROWS)
        cast = pa.RecordBatchReader.from_batches(MATCHES, (batch.cast(MATCHES) for batch in rows))
        self.lake.replace("matches", cast, {"token": work.token, "state": asdict(state) if state else None})

    def _tables(self) -> duckdb.DuckDBPyConnection:
        """Return the lake's tables, and `own_banks`: the names of all banks that the register ever had.

        What matches a bank that it never had comes from a bank file, and stays.
        """
        tables = self.lake.connect()
        names = pa.table({"name": pa.array(sorted(self.look_up.banks.store.names_ever()), pa.string())})
        tables.register("own_banks", names)
        return tables


def _changed(look_up: LookUp, before: State | None, to: State) -> Changed:
    if before is None:
        return Changed(everything=True)
    return changed_between(look_up.banks.store, Span(before.seq, to.seq, before.instant, to.instant))


def _note_old_units(tables: duckdb.DuckDBPyConnection, changed: Changed) -> None:
    """Make the table of the units that matched what was changed."""
    names, banks = sorted(changed.names), sorted(changed.banks)
    columns = [pa.array([name[at] for name in names], pa.string()) for at in (0, 1)]
    tables.register("changed_names", pa.table(columns, names=["bank", "entry_id"]))
    tables.register("changed_banks", pa.table({"bank": pa.array(banks, pa.string())}))
    tables.execute(
        f"""CREATE TEMP TABLE old_units AS
            SELECT DISTINCT {COMES_FROM} AS pass, material_id, part FROM matches
            WHERE {_OWN} AND (bank IN (SELECT bank FROM changed_banks)
                              OR (bank, entry_id) IN (SELECT (bank, entry_id) FROM changed_names))"""
    )


def _mode(tables: duckdb.DuckDBPyConnection, one: Pass, changed: Changed) -> Mode:
    """Return which of the units that were looked up before are to be looked up again."""
    if changed.redoes(one):
        return "all"
    old = tables.execute("SELECT 1 FROM old_units WHERE pass = ? LIMIT 1", [one.name]).fetchall()
    return "changed" if old or any(kind in changed.entries for kind in one.types) else "none"


def _chunks(
    tables: duckdb.DuckDBPyConnection, before: State | None, to: State, modes: dict[str, Mode]
) -> Iterator[_Chunk]:
    """Yield the steps of a round, always the same: commits never change."""
    known = before.commits if before else 0
    for name, mode in sorted(modes.items()):
        one = Pass.named(name)
        if mode != "none":
            yield from _ranges(tables, one, 0, known, mode)
        yield from _ranges(tables, one, known, to.commits, "all")


def _ranges(tables: duckdb.DuckDBPyConnection, one: Pass, first: int, end: int, mode: Mode) -> Iterator[_Chunk]:
    rows = 0
    counted = (
        f"SELECT commit, count(*) FROM {one.table} WHERE {one.where} AND commit >= {first} AND commit < {end} "
        "GROUP BY 1 ORDER BY 1"
    )
    for commit, number in tables.sql(counted).fetchall() if first < end else ():
        rows += number
        if rows >= STEP_ROWS:
            yield _Chunk(one, first, commit + 1, mode, rows)
            first, rows = commit + 1, 0
    if first < end:
        yield _Chunk(one, first, end, mode, rows)


def _touched_units(
    tables: duckdb.DuckDBPyConnection, chunk: _Chunk, touched: Touched | None, units: set[tuple[str, str]]
) -> Iterator[list[Any]]:
    """Yield what to look up of the units that matched, or lie near, what was changed, and add these to `units`."""
    of_step = f"SELECT material_id FROM numbered_materials WHERE {chunk.commits}"
    old = f"SELECT material_id, part FROM old_units WHERE pass = '{chunk.one.name}'"
    units.update(tables.sql(f"FROM ({old}) WHERE material_id IN ({of_step})").fetchall())
    near = "" if touched else f" AND (material_id, part) IN (SELECT (material_id, part) FROM ({old}))"
    for asked in units_in(tables, chunk.one, f"SELECT * FROM ({chunk.one.units}) WHERE {chunk.commits}{near}"):
        if touched:
            units.update((asked[at].material_id, asked[at].part) for at in touched(asked))
        if some := [one for one in asked if (one.material_id, one.part) in units]:
            yield some


def _write_difference(
    tables: duckdb.DuckDBPyConnection, chunk: _Chunk, fresh: pa.Table, units: set[tuple[str, str]], file: Path
) -> None:
    """Write the rows that a step's units had and have, of those units whose rows differ; no file where none does."""
    which = f"material_id IN (SELECT material_id FROM numbered_materials WHERE {chunk.commits})"
    if chunk.mode == "changed":
        columns = [pa.array([unit[at] for unit in units], pa.string()) for at in (0, 1)]
        tables.register("touched", pa.table(columns, names=["material_id", "part"]))
        which = "(material_id, part) IN (SELECT (material_id, part) FROM touched)"
    tables.register("fresh", fresh)
    tables.execute(
        f"""CREATE OR REPLACE TEMP TABLE rows_then_and_now AS
            SELECT {_COLUMNS}, FALSE AS gone FROM fresh
            UNION ALL SELECT {_COLUMNS}, TRUE FROM matches
            WHERE {COMES_FROM} = '{chunk.one.name}' AND {_OWN} AND {which}"""
    )
    differ = f"SELECT {_COLUMNS}, sum(if(gone, -1, 1)) AS n FROM rows_then_and_now GROUP BY ALL HAVING n <> 0"
    rows = f"SELECT '{chunk.one.name}' AS pass, * FROM rows_then_and_now SEMI JOIN ({differ}) USING (material_id, part)"
    if tables.sql(f"FROM ({rows}) LIMIT 1").fetchall():
        fresh_file = file.with_suffix(".part")
        tables.execute(f"COPY ({rows}) TO {_quoted(fresh_file)} (FORMAT parquet)")
        fresh_file.replace(file)


def _read(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(map(_quoted, files))}])"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
