"""The lake: Delta tables of machine results, written in numbered commits, read with DuckDB.

A commit writes several tables. The table `parts` is written last and is the truth: a row of any table counts once its
commit stands in `parts`. Opening the lake removes what an interrupted commit left, so that a run can be killed at any
moment and go on.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import deltalake
import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from antiphon.errors import StorageError
from antiphon.model.schemas import RESULT_TABLES, SKIPPED
from antiphon.storage.ledger import PARTS, ledger_of

__all__ = ["Lake", "Tables"]

_APPENDED = ("materials", "signals", "findings", "read_skipped")
_COMMIT = pa.field("commit", pa.int64())
_ABOUT = "antiphon"
_RECENT = 20  # a table's last acts: its last writing is among them, for a vacuum of two follows each
_UNIQUE = deltalake.ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
# Statistics of long texts cost more than writing them and serve no query of ours; those of `commit` let the recovery
# pass over all files but the last.
_WRITING = deltalake.WriterProperties(
    compression="ZSTD",
    compression_level=1,
    default_column_properties=deltalake.ColumnProperties(statistics_enabled="NONE"),
    column_properties={
        "commit": deltalake.ColumnProperties(statistics_enabled="CHUNK"),
        **dict.fromkeys(("material_id", "native_id", "url", "text", "value"), _UNIQUE),
    },
)
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_SIGNS = ("No space left", "File too large", "os error 28", "os error 27", "Disk quota")


class Tables:
    """The result tables as they stood at one moment, to be asked many times.

    Args:
        connection: What `Lake.connect` gave.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str) -> pa.Table:
        """Return what a query gives."""
        return self._connection.sql(sql).to_arrow_table()

    def copy_to(self, sql: str, path: Path, format: str) -> int:
        """Stream the rows of a query to a file (`parquet`, `csv` or `json` lines) and return how many there are.

        Raises:
            StorageError: the file could not be written; the one that was there before stays.
        """
        fresh = path.with_name(path.name + ".part")
        option = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER", "json": "FORMAT json"}
        with _told(path):
            done = self._connection.execute(f"COPY ({sql}) TO '{_quoted(fresh)}' ({option[format]})").fetchone()
            fresh.replace(path)
        return int(done[0]) if done else 0


class Lake:
    """The tables under one folder. One process writes at a time; a second one is told so.

    Args:
        folder: Where the tables are.
        memory_mb: How much memory DuckDB may take before it spills to disk.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 400) -> None:
        self.folder, self._memory_mb = folder, memory_mb
        self._lock: IO[str] | None = None
        self._open: dict[str, deltalake.DeltaTable] = {}

    def __enter__(self) -> Lake:
        self._make()
        self._lock = _locked(self.folder / "lock")
        self._next_commit = self._recover()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def commit(self, tables: Mapping[str, pa.Table], parts: pa.Table) -> None:
        """Write some tables and the parts that they come from, all or nothing.

        Raises:
            StorageError: the disk is full or fails; nothing of this commit counts then.
        """
        number = self._next_commit
        for name, table in tables.items():
            if table.num_rows:
                self._append("read_skipped" if name == "skipped" else name, table, number)
        self._append("parts", parts, number)
        self._next_commit += 1

    def replace(
        self, name: str, table: pa.Table | pa.RecordBatchReader, about: Mapping[str, Any] | None = None
    ) -> None:
        """Put a whole table in the place of the one there was, atomically.

        Args:
            name: Which.
            table: Its rows.
            about: What `written` then says of it: it is there exactly when the rows are.
        """
        told = deltalake.CommitProperties(custom_metadata={_ABOUT: json.dumps(about)}) if about is not None else None
        with _told(self.folder / name):
            deltalake.write_deltalake(
                str(self.folder / name), table, mode="overwrite", schema_mode="overwrite", writer_properties=_WRITING,
                commit_properties=told,
            )  # fmt: skip
            deltalake.DeltaTable(str(self.folder / name)).vacuum(
                retention_hours=0, dry_run=False, enforce_retention_duration=False
            )

    def written(self, name: str) -> tuple[int, dict[str, Any]]:
        """Return the number of the last writing of a table, -1 for none, and what was told about it."""
        path = self.folder / name
        if (path / "_delta_log").is_dir():
            for act in deltalake.DeltaTable(str(path)).history(_RECENT):
                if act.get("operation") == "WRITE":
                    return int(act["version"]), dict(json.loads(act.get(_ABOUT, "{}")))
        return -1, {}

    def version(self) -> int:
        """Return how many commits the lake has seen: the same number, the same content."""
        return self._next_commit

    def tables(self) -> list[str]:
        """Return the names of the tables there are."""
        return [path.name for path in sorted(self.folder.iterdir()) if (path / "_delta_log").is_dir()]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with a view for each result table, bounded in memory; a missing one is empty.

        `numbered_materials` and `numbered_signals` have the number of the commit too.
        """
        connection = duckdb.connect()
        spill = self.folder / "spill"
        connection.execute(f"SET memory_limit='{self._memory_mb}MB'; SET threads=2; SET preserve_insertion_order=false")
        connection.execute(f"SET temp_directory='{_quoted(spill)}'; SET TimeZone='UTC'")
        own = {"parts": PARTS.append(_COMMIT), "read_skipped": SKIPPED, "stage_skipped": SKIPPED}
        for name, schema in (RESULT_TABLES | own).items():
            if name not in ("ledger", "skipped"):
                self._view(connection, name, schema)
        for name in ("materials", "signals"):
            self._view(connection, name, RESULT_TABLES[name].append(_COMMIT), view=f"numbered_{name}")
        connection.execute("CREATE VIEW skipped AS FROM read_skipped UNION ALL FROM stage_skipped")
        connection.register("ledger", ledger_of(connection.sql("SELECT * FROM parts").to_arrow_table()))
        return connection

    def query(self, sql: str) -> pa.Table:
        """Return what a query over the result tables gives."""
        with self.connect() as connection:
            return connection.sql(sql).to_arrow_table()

    def ids(self) -> Iterator[pa.Array]:
        """Yield the ids of all materials, batch by batch."""
        with self.connect() as connection:
            for batch in connection.sql("SELECT material_id FROM materials").to_arrow_reader(100_000):
                yield batch.column(0)

    def forget(self, name: str) -> None:
        """Remove a note."""
        with _told(self.folder / name):
            (self.folder / name).unlink(missing_ok=True)

    def note(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a small JSON note beside the tables, replaced whole."""
        with _told(self.folder / name):
            fresh = self.folder / f"{name}.tmp"
            fresh.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")
            fresh.replace(self.folder / name)

    def noted(self, name: str) -> dict[str, Any]:
        """Return a note, or an empty one."""
        path = self.folder / name
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _view(
        self, connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, view: str | None = None
    ) -> None:
        path, view = self.folder / name, view or name
        files = deltalake.DeltaTable(str(path)).file_uris() if (path / "_delta_log").is_dir() else []
        if files:
            listed = ", ".join(f"'{_quoted(uri)}'" for uri in files)
            columns = ", ".join(f'"{field.name}"' for field in schema)
            connection.execute(f'CREATE VIEW "{view}" AS SELECT {columns} FROM read_parquet([{listed}])')
        else:
            connection.register(f"_{view}", schema.empty_table())
            connection.execute(f'CREATE VIEW "{view}" AS SELECT * FROM "_{view}"')

    def _append(self, name: str, table: pa.Table, number: int) -> None:
        numbered = table.append_column(_COMMIT, pa.array([number], pa.int64()).take(pa.array([0] * table.num_rows)))
        with _told(self.folder / name):
            deltalake.write_deltalake(self._writable(name), numbered, mode="append", writer_properties=_WRITING)

    def _writable(self, name: str) -> deltalake.DeltaTable | str:
        """Return a table opened once for all commits of this run, or its path where it has to be made."""
        path = self.folder / name
        if name not in self._open and (path / "_delta_log").is_dir():
            self._open[name] = deltalake.DeltaTable(str(path))
        return self._open.get(name, str(path))

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise StorageError(
                f"the folder can't be made: {fault.strerror}",
                where=str(self.folder),
                do="Choose a folder you may write.",
            ) from fault

    def _recover(self) -> int:
        """Drop what an interrupted commit left, and return the number of the next one."""
        shutil.rmtree(self.folder / "spill", ignore_errors=True)
        with _told(self.folder):
            last = self._last_commit()
            for name in _APPENDED:
                if (self.folder / name / "_delta_log").is_dir():
                    table = deltalake.DeltaTable(str(self.folder / name))
                    if table.version() > last:
                        table.delete(f'"commit" > {last}')
            return last + 1

    def _last_commit(self) -> int:
        path = self.folder / "parts"
        if not (path / "_delta_log").is_dir():
            return -1
        files = deltalake.DeltaTable(str(path)).file_uris()
        listed = ", ".join(f"'{_quoted(uri)}'" for uri in files)
        found = duckdb.connect().execute(f'SELECT max("commit") FROM read_parquet([{listed}])').fetchone()
        return int(found[0]) if found and found[0] is not None else -1


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what a disk or a table library raises into a StorageError that says what to do."""
    try:
        yield
    except (OSError, DeltaError, duckdb.IOException) as fault:
        full = getattr(fault, "errno", None) in _NO_SPACE or any(sign in str(fault) for sign in _FULL_SIGNS)
        what = "the disk is full" if full else f"writing failed: {str(fault).splitlines()[0][:200]}"
        do = "Free some space" if full else "Check the disk and the permissions"
        raise StorageError(
            what, where=str(path), do=f"{do}, then run the same command again: what was committed stays."
        ) from fault


def _locked(path: Path) -> IO[str]:
    """Return an open, locked file; the lock goes with the process, however it ends."""
    with _told(path):
        file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise StorageError(
            f"another run (process {owner}) is writing here", where=str(path.parent),
            do="Wait until it ends, or choose another output folder.",
        ) from fault  # fmt: skip
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _quoted(path: object) -> str:
    return str(path).replace("'", "''")
