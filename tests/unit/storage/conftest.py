"""Registers to test with: SQLite always, PostgreSQL where a server is found."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon.storage.banks import Act, BankStore
from antiphon.storage.register import Register

NUMBERS = count()
ACT = Act("reviewer-7", datetime(2026, 3, 1, 12, tzinfo=UTC), "invented for a test")


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """A server of one's own: `$ANTIPHON_TEST_POSTGRES`, or one that is started for these tests."""
    given = os.environ.get("ANTIPHON_TEST_POSTGRES")
    if given:
        yield sa.make_url(given)
        return
    programs = [shutil.which(name) for name in ("initdb", "pg_ctl")]
    if None in programs:
        pytest.skip("no PostgreSQL here: install its server, or set ANTIPHON_TEST_POSTGRES to a URL")
    user = None if os.geteuid() else "postgres"  # the server refuses to run as root
    if user and user not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="antiphon-pg-"))  # a short path: it holds a socket
    if user:
        shutil.chown(folder, user)
    run = {"check": True, "user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([programs[0], "-D", folder / "data", "-A", "trust", "-U", "postgres", "-N"], **run)
    options = f"-c listen_addresses='' -k {folder} -c fsync=off"
    subprocess.run([programs[1], "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start"], **run)
    yield sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
    subprocess.run([programs[1], "-D", folder / "data", "-m", "immediate", "stop"], **run)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path: Path) -> Path | str:
    """Where a new register can be made."""
    if request.param == "sqlite":
        return tmp_path / "home"
    server = request.getfixturevalue("postgres")
    name = f"antiphon_test_{os.getpid()}_{next(NUMBERS)}"
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")  # a database of its own would take 8 MB a test
    engine.dispose()
    own = server.update_query_dict({"options": f"-csearch_path={name}"})
    return own.render_as_string(hide_password=False)


@pytest.fixture
def register(address) -> Iterator[Register]:
    """A new register."""
    with Register(address) as made:
        yield made


@pytest.fixture
def store(register) -> BankStore:
    """The banks of a new register."""
    return BankStore(register)


@pytest.fixture
def act() -> Act:
    """Somebody does something."""
    return ACT
