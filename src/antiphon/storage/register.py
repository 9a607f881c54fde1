"""The register: what people do, in a relational database. SQLite inside the node's home, or PostgreSQL for a team.

Each act is one short transaction, and writers come one after another: the numbers in the log of changes are then in the
order in which they became visible, so that who follows the log misses nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from antiphon.errors import ConfigError, StorageError
from antiphon.model.bank import REGISTER_FILE

__all__ = ["REVISION", "Register", "bank_changes", "bank_entries", "bank_opinions", "banks", "metadata"]

REVISION = "0001"
"""The newest step in `migrations/versions`, which is what this program reads and writes."""

BUSY_S = 30
_WRITES = "antiphon_writes"
_ADVISORY_LOCK = 0x416E7469  # any number that no other program on the server uses
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_S * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # what was told as done outlasts a loss of power
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # only INTEGER is SQLite's own row number

banks = sa.Table(
    "banks",
    metadata,
    sa.Column("bank_id", _Id, primary_key=True),
    sa.Column("name", sa.Text, unique=True),  # null: deleted, while its entries are still being removed
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("licence", sa.Text),
    sa.Column("marking", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("shadow", sa.Boolean, nullable=False),
    sa.Column("thresholds", sa.Text, nullable=False),  # JSON object
    sqlite_autoincrement=True,  # the number of a bank that was deleted is not given again
)

bank_entries = sa.Table(
    "bank_entries",
    metadata,
    sa.Column("rowid", _Id, primary_key=True, autoincrement=False),
    sa.Column("bank_id", _Id, sa.ForeignKey("banks.bank_id"), nullable=False),
    sa.Column("entry_id", sa.Text, nullable=False),
    sa.Column("signal_type", sa.Text, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("value_hash", sa.BigInteger, nullable=False),  # an index over long values would be larger than they are
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("entity", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("marking", sa.Text),
    sa.Column("valid_from", sa.BigInteger),  # microseconds since 1970 in UTC
    sa.Column("valid_until", sa.BigInteger),
    sa.Column("more", sa.Text),  # JSON object
    sa.UniqueConstraint("bank_id", "entry_id"),
    sa.Index("ix_bank_entries_value", "signal_type", "value_hash"),
    sa.Index("ix_bank_entries_valid_from", "valid_from", sqlite_where=sa.text("valid_from IS NOT NULL"),
             postgresql_where=sa.text("valid_from IS NOT NULL")),
    sa.Index("ix_bank_entries_valid_until", "valid_until", sqlite_where=sa.text("valid_until IS NOT NULL"),
             postgresql_where=sa.text("valid_until IS NOT NULL")),
)  # fmt: skip

bank_opinions = sa.Table(
    "bank_opinions",
    metadata,
    sa.Column("rowid", _Id, sa.ForeignKey("bank_entries.rowid"), primary_key=True, autoincrement=False),
    sa.Column("by", sa.Text, primary_key=True),
    sa.Column("opinion", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("given_at", sa.BigInteger, nullable=False),
)

bank_changes = sa.Table(
    "bank_changes",
    metadata,
    sa.Column("seq", _Id, primary_key=True),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # No foreign keys: the log outlasts what it tells of.
    sa.Column("bank_id", _Id, nullable=False),
    sa.Column("bank", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Text),
    sa.Column("first_row", _Id),  # a batch of entries that were added together is one line of the log
    sa.Column("last_row", _Id),
    sa.Column("detail", sa.Text),  # JSON object
    sa.Index("ix_bank_changes_bank_rows", "bank_id", "first_row"),
    sa.Index("ix_bank_changes_last_row", "last_row"),
    sqlite_autoincrement=True,
)


class Register:
    """A database that is open, with the tables of this program's version in it.

    Args:
        where: Folder of the SQLite file, made if need be; or the URL of a database, `postgresql+psycopg://...`.

    Raises:
        ConfigError: the URL is none, or the register is of a newer version.
        StorageError: the database can't be opened.
    """

    def __init__(self, where: Path | str) -> None:
        url = _sqlite_url(where) if isinstance(where, Path) else _url(where)
        self.shown = url.render_as_string(hide_password=True)
        self.engine = _engine(url)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Register:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees the register as it stands at one moment."""
        with _told(self.shown), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection that writes alone, all or nothing."""
        with _told(self.shown), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
                yield connection

    def _migrate(self) -> None:
        """Bring the tables to this program's version; two processes may try at once."""
        with self.reading() as connection:
            found = _revision(connection)
        if found == REVISION:
            return
        if found is not None and found > REVISION:
            raise ConfigError(
                f"it is of version {found}, and this program knows {REVISION}", where=self.shown,
                do="Install the newer Antiphon that made it.",
            )  # fmt: skip
        with self.writing() as connection:
            _upgrade(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # a third of a second that only a new or old register pays
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _sqlite_url(folder: Path) -> sa.URL:
    """Return the URL of the SQLite file in a folder; a new file may be read by its owner alone."""
    path = folder / REGISTER_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as fault:
        raise StorageError(
            f"the register can't be opened: {fault.strerror}", where=str(path), do="Check the folder's permissions."
        ) from fault
    return sa.URL.create("sqlite", database=str(path))


def _url(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except SQLAlchemyError as fault:
        raise ConfigError(
            "the address of the register is no database URL",  # not shown: it may hold a password
            do="Write it as postgresql+psycopg://user:password@host/name.",
        ) from fault


def _engine(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url)
    except (NoSuchModuleError, ImportError) as fault:
        raise ConfigError(
            f"there is no driver for {url.drivername}", where="register",
            do="Use postgresql+psycopg://..., with the package psycopg installed.",
        ) from fault  # fmt: skip
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # transactions begin where we say so, see `_begin`
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: one that began by reading could not wait for another.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn what a database raises into a StorageError that says what to do."""
    try:
        yield
    except DBAPIError as fault:
        # the driver's own sentence, without the statement and its values
        said = str(fault.orig).strip().splitlines()[0][:200] if str(fault.orig).strip() else "no reason given"
        raise StorageError(f"the register failed: {said}", where=where, do=_advice(said)) from None


def _advice(said: str) -> str:
    if "locked" in said or "busy" in said:
        return f"Another process has been writing for {BUSY_S} seconds; run the command again when it is done."
    if "full" in said or "No space" in said:
        return "Free some space, then run the command again: what was committed stays."
    if "not a database" in said or "malformed" in said:
        return "The file is damaged: restore it from a backup."
    return "Check the disk, the permissions and the server; what was committed stays."
