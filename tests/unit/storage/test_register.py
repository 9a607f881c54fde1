"""The register: its tables, its transactions, what it says when it can't be opened. On SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from antiphon.errors import ConfigError, StorageError
from antiphon.model.bank import REGISTER_FILE
from antiphon.storage import register as module
from antiphon.storage.register import REVISION, Register, banks, metadata

BANK = {"purpose": "known", "marking": "amber", "description": "", "enabled": True, "shadow": False, "thresholds": "{}"}


def names(register: Register) -> list[str]:
    with register.reading() as connection:
        return list(connection.execute(sa.select(banks.c.name).order_by(banks.c.bank_id)).scalars())


def test_the_steps_make_the_tables_that_the_program_declares(register):
    """A column that is declared and in no step would be missing on every node."""
    with register.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_step_is_the_one_that_the_program_names():
    """Otherwise a register would be brought to another version at every opening, or never."""
    folder = Path(module.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == REVISION


def test_opening_again_keeps_what_is_there(address):
    """The steps run once."""
    with Register(address) as first, first.writing() as connection:
        connection.execute(sa.insert(banks).values(name="harbour", **BANK))
    with Register(address) as again:
        assert names(again) == ["harbour"]


def test_a_register_of_a_newer_version_is_refused(address):
    """Writing into tables that one does not know would damage them."""
    with Register(address) as first, first.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="9999"):
        Register(address)


def test_a_transaction_that_fails_leaves_nothing(register):
    """An entry without its line in the log would never reach an index."""

    def interrupted() -> None:
        with register.writing() as connection:
            connection.execute(sa.insert(banks).values(name="harbour", **BANK))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert names(register) == []


def test_writers_come_one_after_another(register):
    """The log is followed by number: a smaller number must never appear after a larger one was seen."""
    entered = threading.Event()

    def write() -> None:
        with register.writing() as connection:
            entered.set()
            connection.execute(sa.insert(banks).values(name="second", **BANK))

    other = threading.Thread(target=write)
    with register.writing() as connection:
        other.start()
        connection.execute(sa.insert(banks).values(name="first", **BANK))
        assert not entered.wait(0.3)
    other.join(10)
    assert names(register) == ["first", "second"]


def test_a_reader_sees_one_moment(register):
    """And is not kept waiting by a writer."""
    with register.writing() as connection:
        connection.execute(sa.insert(banks).values(name="harbour", **BANK))
        assert names(register) == []
    assert names(register) == ["harbour"]


def test_references_are_kept(register):
    """An entry of no bank can't be: SQLite only looks where it is told to."""
    statement = sa.text("INSERT INTO bank_opinions VALUES (1, 'reviewer-7', 'confirmed', 'invented', 0)")

    def write() -> None:
        with register.writing() as connection:
            connection.execute(statement)

    with pytest.raises(StorageError, match=r"(?i)foreign key"):
        write()


def test_a_failure_is_told_without_the_values(register):
    """A statement's values may be words of a material, and messages reach logs."""
    statement = sa.text("INSERT INTO bank_opinions VALUES (1, 'reviewer-7', 'confirmed', :words, 0)")

    def write() -> None:
        with register.writing() as connection:
            connection.execute(statement, {"words": "light the ash lantern"})

    with pytest.raises(StorageError) as told:
        write()
    assert "lantern" not in str(told.value)
    assert told.value.__suppress_context__


def test_sqlite_loses_nothing_with_the_power(tmp_path):
    """WAL for readers beside a writer, FULL so that a commit is on the disk."""
    with Register(tmp_path) as register, register.reading() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


def test_the_file_is_its_owners_alone(tmp_path):
    """It tells what is looked for."""
    with Register(tmp_path / "home"):
        assert (tmp_path / "home" / REGISTER_FILE).stat().st_mode & 0o077 == 0
        assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_told(tmp_path):
    """With what to do, and without a traceback of the library."""
    (tmp_path / REGISTER_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="backup"):
        Register(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """The path says which."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be opened"):
        Register(tmp_path / "file" / "home")


def test_a_wrong_address_is_told_without_its_password():
    """Messages reach logs."""
    for address in ("nonsense secret", "nosuchdatabase://me:secret@host/name"):
        with pytest.raises(ConfigError) as told:
            Register(address)
        assert "secret" not in str(told.value)


def test_a_server_that_is_not_there_is_told(tmp_path):
    """As a StorageError, without the password."""
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError) as told:
        Register(f"postgresql+psycopg://me:secret@/name?host={tmp_path}")
    assert "secret" not in str(told.value)


def test_several_processes_may_open_a_new_register_at_once(address):
    """The first command of a node may be two."""
    code = "import sys; from pathlib import Path; from antiphon.storage.register import Register\n"
    code += "Register(sys.argv[1] if '://' in sys.argv[1] else Path(sys.argv[1])).close()"
    many = [subprocess.Popen([sys.executable, "-c", code, str(address)], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1].decode()[-300:] for process in many] == [""] * 4
