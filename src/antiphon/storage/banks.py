"""Banks in the register: what curators do to them, what an index follows, what an explanation looks up.

Every act is one transaction that changes the rows and adds a line to the log. An import is one transaction a batch, so
that it can be killed at any moment: what was told as added stays, and the same import again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from antiphon.errors import InputError
from antiphon.model.bank import Bank, BankEntry, Status, entry_fault
from antiphon.storage._bank_rows import (
    CONTENT,
    ENTRIES,
    Act,
    BankView,
    Change,
    EntryView,
    Imported,
    Kind,
    Located,
    Opinion,
    Refusal,
    active_page,
    bank_names,
    bank_of,
    bank_values,
    change_of,
    differing,
    entry_of,
    entry_values,
    find_bank,
    find_entry,
    insert_entries,
    instant,
    known_entries,
    mark_status,
    micros,
    parts,
    require_bank,
    require_entry,
    require_row,
    value_hash,
    write_log,
)
from antiphon.storage.register import Register, bank_changes, bank_entries, bank_opinions, banks

__all__ = [
    "BATCH_ROWS",
    "ENTRIES",
    "Act",
    "BankStore",
    "BankView",
    "Change",
    "EntryView",
    "Imported",
    "Located",
    "Opinion",
    "Refusal",
]

BATCH_ROWS = 10_000
"""How many entries an import commits at once."""

READ_ROWS = 50_000


class BankStore:
    """The banks of a node.

    Args:
        register: The database.
    """

    def __init__(self, register: Register) -> None:
        self.register = register

    # --- banks

    def create(self, bank: Bank, act: Act) -> None:
        """Make an empty bank.

        Raises:
            InputError: there is one of that name, or the name, marking, purpose or a threshold is wrong.
        """
        require_bank(bank)
        with self.register.writing() as connection:
            if find_bank(connection, bank.name) is not None:
                raise InputError("there is a bank of that name", where=f"bank {bank.name}", do="Choose another name.")
            values = bank_values(bank)
            made = connection.execute(sa.insert(banks).values(**values)).inserted_primary_key
            write_log(
                connection, "bank_created", made[0] if made else 0, bank.name, act, detail={"purpose": bank.purpose}
            )

    def banks(self) -> dict[str, Bank]:
        """Return all banks by name, uncounted: to count millions of entries takes a while."""
        with self.register.reading() as connection:
            rows = connection.execute(sa.select(banks).where(banks.c.name.is_not(None)).order_by(banks.c.name))
            return {row.name: bank_of(row) for row in rows}

    def list_banks(self) -> dict[str, tuple[Bank, int]]:
        """Return all banks by name, each with the number of its entries, whatever their status."""
        number = sa.select(bank_entries.c.bank_id, sa.func.count().label("entries")).group_by(bank_entries.c.bank_id)
        counted = number.subquery()
        wanted = sa.select(banks, counted.c.entries).outerjoin(counted, counted.c.bank_id == banks.c.bank_id)
        with self.register.reading() as connection:
            rows = connection.execute(wanted.where(banks.c.name.is_not(None)).order_by(banks.c.name))
            return {row.name: (bank_of(row), row.entries or 0) for row in rows}

    def view(self, name: str) -> BankView:
        """Return a bank and how many entries it has.

        Raises:
            MissingError: there is no such bank.
        """
        with self.register.reading() as connection:
            row = require_row(connection, name)
            kinds = (bank_entries.c.signal_type, bank_entries.c.status)
            counted = sa.select(*kinds, sa.func.count()).where(bank_entries.c.bank_id == row.bank_id).group_by(*kinds)
            counts = {(kind, status): number for kind, status, number in connection.execute(counted)}
            return BankView(bank_of(row), dict(sorted(counts.items())))

    def set_enabled(self, name: str, enabled: bool, act: Act) -> bool:
        """Let a bank be matched, or not; return whether that changed anything."""
        return self._set(name, act, lambda bank: replace(bank, enabled=enabled), {"enabled": enabled})

    def set_shadow(self, name: str, shadow: bool, act: Act) -> bool:
        """Let a bank's matches only be counted, or not; return whether that changed anything."""
        return self._set(name, act, lambda bank: replace(bank, shadow=shadow), {"shadow": shadow})

    def set_threshold(self, name: str, signal_type: str, distance: int | None, act: Act) -> bool:
        """Set the largest distance that is a match in a bank, None for the signal type's own.

        Raises:
            InputError: the distance can't be one of that signal type.
        """

        def change(bank: Bank) -> Bank:
            others = {kind: limit for kind, limit in bank.thresholds.items() if kind != signal_type}
            return replace(bank, thresholds=others if distance is None else {**others, signal_type: distance})

        return self._set(name, act, change, {"threshold": {signal_type: distance}})

    def delete(self, name: str, act: Act) -> int:
        """Remove a bank with its entries and opinions, and return how many entries it had; the log stays.

        The bank is gone at once; its rows go in batches, and what an interruption left goes with the next deletion.
        """
        with self.register.writing() as connection:
            row = require_row(connection, name)
            count = sa.select(sa.func.count()).where(bank_entries.c.bank_id == row.bank_id)
            number = connection.execute(count.select_from(bank_entries)).scalar_one()
            connection.execute(sa.update(banks).where(banks.c.bank_id == row.bank_id).values(name=None))
            write_log(connection, "bank_deleted", row.bank_id, name, act, detail={"entries": number})
        while self._sweep():
            pass
        return int(number)

    # --- entries

    def add(self, entry: BankEntry, act: Act) -> int:
        """Add one entry and return its row.

        Raises:
            InputError: it is no entry, or its id is taken.
            MissingError: there is no such bank.
        """
        fault = entry_fault(entry)
        where = f"bank {entry.bank}"
        if fault:
            raise InputError(fault, where=where, do="Correct the entry.")
        with self.register.writing() as connection:
            bank_id = require_row(connection, entry.bank).bank_id
            if find_entry(connection, bank_id, entry.entry_id) is not None:
                raise InputError(
                    "the id is taken", where=f"{where}, entry {entry.entry_id}",
                    do="Choose another id, or import a list with it to change the entry.",
                )  # fmt: skip
            return insert_entries(connection, bank_id, entry.bank, [entry_values(entry)], act)

    def add_all(
        self,
        bank: str,
        entries: Iterable[Located],
        act: Act,
        *,
        progress: Callable[[Imported], None] = lambda done: None,
        refused: Callable[[Refusal], None] = lambda refusal: None,
    ) -> Imported:
        """Take a list of any length into a bank, batch by batch, and return what became of it.

        An entry that is there already is known, or changed to what the list says. What people decided here stays: a
        withdrawn or held entry is not made active by a list; but what a list withdraws is withdrawn.

        Args:
            bank: Into which bank; the `bank` of the entries does not count.
            entries: Where each stood, and the entry or the reason why it is none.
            act: Who, when and why.
            progress: Told after each batch, once it is committed.
            refused: Told each item that is no entry.

        Raises:
            MissingError: there is no such bank, or it was deleted meanwhile.
            StorageError: the register could not be written; what was told as done stays.
        """
        with self.register.reading() as connection:
            require_row(connection, bank)
        taking = _Taking(bank, act, refused)
        items = iter(entries)
        while batch := list(islice(items, BATCH_ROWS)):
            with self.register.writing() as connection:
                taking.take(connection, batch)
            taking.commit()
            progress(taking.done)
        return taking.done

    def withdraw(self, bank: str, entry_ids: Sequence[str], act: Act) -> int:
        """Let entries match no longer, for good; return how many that changed. All are known, or nothing is done."""
        return self._set_status(bank, entry_ids, act, "withdrawn", "withdrawn", before=("active", "held"))

    def reinstate(self, bank: str, entry_ids: Sequence[str], act: Act) -> int:
        """Let withdrawn entries match again; return how many that changed."""
        return self._set_status(bank, entry_ids, act, "reinstated", "active", before=("withdrawn",))

    def hold(self, bank: str, entry_ids: Sequence[str], act: Act) -> int:
        """Keep active entries back until they are released; return how many that changed."""
        return self._set_status(bank, entry_ids, act, "held", "held", before=("active",))

    def release(self, bank: str, entry_ids: Sequence[str], act: Act) -> int:
        """Let held entries match again; return how many that changed. Withdrawn ones stay withdrawn."""
        return self._set_status(bank, entry_ids, act, "released", "active", before=("held",))

    def give_opinion(
        self, bank: str, entry_id: str, opinion: Literal["confirmed", "deconfirmed"], act: Act
    ) -> EntryView:
        """Record what a person holds of an entry, in the place of what they held before; it matches as before.

        Raises:
            MissingError: there is no such entry.
        """
        with self.register.writing() as connection:
            bank_id = require_row(connection, bank).bank_id
            row = require_entry(connection, bank_id, bank, entry_id)
            mine = (bank_opinions.c.rowid == row.rowid) & (bank_opinions.c.by == act.by)
            connection.execute(sa.delete(bank_opinions).where(mine))
            connection.execute(
                sa.insert(bank_opinions).values(
                    rowid=row.rowid, by=act.by, opinion=opinion, reason=act.reason, given_at=micros(act.at)
                )
            )
            write_log(connection, opinion, bank_id, bank, act, entry_id=entry_id, rows=(row.rowid, row.rowid))
        return self.entry(bank, entry_id)

    # --- reading

    def entry(self, bank: str, entry_id: str) -> EntryView:
        """Return one entry with its opinions and its history.

        Raises:
            MissingError: there is no such bank or entry.
        """
        with self.register.reading() as connection:
            bank_id = require_row(connection, bank).bank_id
            row = require_entry(connection, bank_id, bank, entry_id)
            held = connection.execute(
                sa.select(bank_opinions).where(bank_opinions.c.rowid == row.rowid).order_by(bank_opinions.c.by)
            )
            opinions = tuple(Opinion(o.by, o.opinion, instant(o.given_at), o.reason) for o in held)
            log = bank_changes.c
            about = (log.bank_id == bank_id) & (log.first_row <= row.rowid) & (log.last_row >= row.rowid)
            found = connection.execute(sa.select(bank_changes).where(about).order_by(log.seq))
            return EntryView(row.rowid, entry_of(row, bank), opinions, tuple(change_of(change) for change in found))

    def entries(self, bank: str, *, statuses: Sequence[Status] = ("active",)) -> Iterator[BankEntry]:
        """Yield the entries of a bank in the order in which they were added.

        Raises:
            MissingError: there is no such bank.
        """
        with self.register.reading() as connection:
            bank_id = require_row(connection, bank).bank_id
        # an expression, so that no page is sorted: its rows come by number
        wanted = (bank_entries.c.bank_id + 0 == bank_id) & bank_entries.c.status.in_(statuses)
        after = 0
        while True:
            page = sa.select(bank_entries).where(wanted, bank_entries.c.rowid > after).order_by(bank_entries.c.rowid)
            with self.register.reading() as connection:
                rows = connection.execute(page.limit(BATCH_ROWS)).all()
            if not rows:
                return
            yield from (entry_of(row, bank) for row in rows)
            after = rows[-1].rowid

    def entries_of(
        self, signal_type: str, *, after: int = 0, at: datetime | None = None, disabled_too: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield the active entries of a signal type as batches of `ENTRIES`, in the order of their rows.

        Each batch shows the register as it stands when it is read. Who builds an index notes `last_seq` first, and
        then applies `changes_since` that.

        Args:
            signal_type: Which.
            after: Only rows after this one; rows are never used again, so an index asks for what is new.
            at: Only what is valid at this instant; otherwise whatever its validity, see `turned`.
            disabled_too: Also entries of banks that are not enabled.
        """
        while True:
            with self.register.reading() as connection:
                names = bank_names(connection, disabled_too=disabled_too)
                batch = active_page(connection, signal_type, after, at, names, READ_ROWS)
            if not batch.num_rows:
                return
            yield batch
            after = batch.column("rowid")[-1].as_py()

    def entries_at(self, rows: Sequence[int]) -> dict[int, BankEntry]:
        """Return the entries in some rows; a row whose entry is gone is left out."""
        found: dict[int, BankEntry] = {}
        joined = sa.select(bank_entries, banks.c.name.label("bank")).join(banks).where(banks.c.name.is_not(None))
        for part in parts(rows):
            with self.register.reading() as connection:
                for row in connection.execute(joined.where(bank_entries.c.rowid.in_(part))):
                    found[row.rowid] = entry_of(row, row.bank)
        return found

    def entries_with(self, signal_type: str, value: bytes) -> list[BankEntry]:
        """Return the entries of all banks that have exactly this value."""
        here = bank_entries.c
        joined = sa.select(bank_entries, banks.c.name.label("bank")).join(banks).where(banks.c.name.is_not(None))
        same = joined.where(here.signal_type == signal_type, here.value_hash == value_hash(value), here.value == value)
        with self.register.reading() as connection:
            return [entry_of(row, row.bank) for row in connection.execute(same.order_by(here.rowid))]

    def rows_with(self, signal_type: str, values: Sequence[bytes]) -> list[tuple[int, int]]:
        """Return (number of the value, row) for every entry that has exactly one of some values."""
        numbers: dict[bytes, list[int]] = {}
        for number, value in enumerate(values):
            numbers.setdefault(value, []).append(number)
        here, found = bank_entries.c, []
        wanted = sa.select(here.rowid, here.value).where(here.signal_type == signal_type)
        for part in parts(list(numbers)):
            with self.register.reading() as connection:
                for row in connection.execute(wanted.where(here.value_hash.in_(map(value_hash, part)))):
                    found += [(number, row.rowid) for number in numbers.get(row.value, ())]
        return sorted(found)

    def stamp(self, signal_types: Sequence[str]) -> tuple[tuple[object, ...], ...]:
        """Return what differs once an entry of some signal types came, went, or got another value or status."""
        here = bank_entries.c
        figures = (sa.func.count(), sa.func.sum(here.rowid), sa.func.sum(here.value_hash % 1_000_003))
        wanted = sa.select(here.signal_type, here.status, *figures).where(here.signal_type.in_(signal_types))
        with self.register.reading() as connection:
            rows = connection.execute(wanted.group_by(here.signal_type, here.status)).all()
        return tuple(sorted((kind, status, *map(int, counted)) for kind, status, *counted in rows))

    def has(self, signal_type: str) -> bool:
        """Return whether any bank has an entry of a signal type, whatever its status."""
        with self.register.reading() as connection:
            wanted = sa.select(bank_entries.c.rowid).where(bank_entries.c.signal_type == signal_type).limit(1)
            return connection.execute(wanted).first() is not None

    def turned(self, after: datetime, until: datetime) -> list[int]:
        """Return the rows whose validity begins or ends after one instant and not after another.

        Nobody acts when a time comes, so the log can't tell it.
        """
        span = (micros(after), micros(until))
        found: set[int] = set()
        with self.register.reading() as connection:
            for column in (bank_entries.c.valid_from, bank_entries.c.valid_until):
                rows = sa.select(bank_entries.c.rowid).where(column > span[0], column <= span[1])
                found.update(connection.execute(rows).scalars())
        return sorted(found)

    def changes_since(self, seq: int = 0, *, limit: int = 10_000, bank: str | None = None) -> list[Change]:
        """Return the changes after a number of the log, oldest first, at most `limit`."""
        wanted = sa.select(bank_changes).where(bank_changes.c.seq > seq).order_by(bank_changes.c.seq).limit(limit)
        if bank is not None:
            wanted = wanted.where(bank_changes.c.bank == bank)
        with self.register.reading() as connection:
            return [change_of(row) for row in connection.execute(wanted)]

    def kinds_between(self, first: int, last: int) -> dict[str, int]:
        """Return the signal types of the entries in a range of rows, each with the number of entries."""
        here = bank_entries.c
        counted = sa.select(here.signal_type, sa.func.count()).where(here.rowid >= first, here.rowid <= last)
        with self.register.reading() as connection:
            rows = connection.execute(counted.group_by(here.signal_type))
            return {kind: int(number) for kind, number in rows}

    def names_ever(self) -> set[str]:
        """Return the names of all banks that there are or ever were."""
        with self.register.reading() as connection:
            return set(connection.execute(sa.select(bank_changes.c.bank).distinct()).scalars())

    def last_row(self) -> int:
        """Return the highest row that an entry has, 0 where there is none."""
        with self.register.reading() as connection:
            return connection.execute(sa.select(sa.func.max(bank_entries.c.rowid))).scalar() or 0

    def last_seq(self) -> int:
        """Return the number of the last change, 0 where there is none."""
        with self.register.reading() as connection:
            return connection.execute(sa.select(sa.func.max(bank_changes.c.seq))).scalar() or 0

    # --- inside

    def _set(self, name: str, act: Act, change: Callable[[Bank], Bank], detail: Mapping[str, object]) -> bool:
        with self.register.writing() as connection:
            row = require_row(connection, name)
            before = bank_of(row)
            after = change(before)
            require_bank(after)
            if after == before:
                return False
            connection.execute(sa.update(banks).where(banks.c.bank_id == row.bank_id).values(**bank_values(after)))
            write_log(connection, "bank_changed", row.bank_id, name, act, detail=detail)
            return True

    def _set_status(
        self, bank: str, entry_ids: Sequence[str], act: Act, kind: Kind, status: Status, before: Sequence[Status]
    ) -> int:
        changed = 0
        with self.register.writing() as connection:
            bank_id = require_row(connection, bank).bank_id
            for entry_id in dict.fromkeys(entry_ids):
                row = require_entry(connection, bank_id, bank, entry_id)
                if row.status in before:
                    mark_status(connection, row.rowid, status)
                    write_log(connection, kind, bank_id, bank, act, entry_id=entry_id, rows=(row.rowid, row.rowid))
                    changed += 1
        return changed

    def _sweep(self) -> bool:
        """Remove a batch of rows of deleted banks; return whether there may be more."""
        with self.register.writing() as connection:
            bank_id = connection.execute(sa.select(banks.c.bank_id).where(banks.c.name.is_(None)).limit(1)).scalar()
            if bank_id is None:
                return False
            some = sa.select(bank_entries.c.rowid).where(bank_entries.c.bank_id == bank_id).limit(BATCH_ROWS)
            connection.execute(sa.delete(bank_opinions).where(bank_opinions.c.rowid.in_(some)))
            gone = connection.execute(sa.delete(bank_entries).where(bank_entries.c.rowid.in_(some))).rowcount
            if not gone:
                connection.execute(sa.delete(banks).where(banks.c.bank_id == bank_id))
            return True


class _Taking:
    """An import while it goes on: what it has seen, and what is counted once a batch is committed."""

    def __init__(self, bank: str, act: Act, refused: Callable[[Refusal], None]) -> None:
        self.done = Imported()
        self._bank, self._act, self._refused = bank, act, refused
        self._seen = bytearray()  # one bit a row: an id that stands twice in the list must not change its entry twice
        self._now = Imported()

    def take(self, connection: sa.Connection, batch: Sequence[Located]) -> None:
        """Write one batch."""
        bank_id = require_row(connection, self._bank).bank_id
        self._now = now = Imported(read=len(batch))
        found = self._distinct(batch)
        known = known_entries(connection, bank_id, list(found))
        fresh = {entry_id: item for entry_id, item in found.items() if entry_id not in known}
        for entry_id, row in known.items():
            self._compare(connection, bank_id, row, *found[entry_id])
        if fresh:
            first = insert_entries(connection, bank_id, self._bank, [values for _, values in fresh.values()], self._act)
            self._see(first, first + len(fresh) - 1)
            now.added = len(fresh)

    def commit(self) -> None:
        """Count the batch, now that it stays."""
        self.done.add(self._now)
        for refusal in self._now.refusals:
            self._refused(refusal)

    def _distinct(self, batch: Sequence[Located]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return where each good entry of a batch stood, and its values, by id."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for where, item in batch:
            fault = item if isinstance(item, str) else entry_fault(item)
            if fault is not None or isinstance(item, str):
                self._refuse(where, fault or "no entry")
                continue
            values = entry_values(item)
            before = found.setdefault(item.entry_id, (where, values))
            if before[1] is not values:
                self._twice(where, same=differing(before[1], values) == [])
        return found

    def _compare(
        self, connection: sa.Connection, bank_id: int, row: Mapping[str, Any], where: str, values: dict[str, Any]
    ) -> None:
        """Bring an entry that is there to what the list says."""
        rowid, fields = row["rowid"], differing(row, values)
        withdrawn = values["status"] == "withdrawn" and row["status"] != "withdrawn"
        if self._saw(rowid):
            self._twice(where, same=not fields)
            return
        self._see(rowid, rowid)
        if not fields and not withdrawn:
            self._now.known += 1
            return
        self._now.changed += 1
        log = {"entry_id": values["entry_id"], "rows": (rowid, rowid)}
        if fields:
            news = {name: values[name] for name in CONTENT}
            connection.execute(sa.update(bank_entries).where(bank_entries.c.rowid == rowid).values(**news))
            told = {"fields": [name for name in fields if name != "value_hash"]}
            write_log(connection, "changed", bank_id, self._bank, self._act, **log, detail=told)
        if withdrawn:
            mark_status(connection, rowid, "withdrawn")
            write_log(connection, "withdrawn", bank_id, self._bank, self._act, **log)

    def _twice(self, where: str, *, same: bool) -> None:
        if same:
            self._now.known += 1
        else:
            self._refuse(where, "the id stands twice in the list, with different contents; the first one counts")

    def _refuse(self, where: str, reason: str) -> None:
        self._now.refused += 1
        self._now.refusals.append(Refusal(where, reason))

    def _saw(self, row: int) -> bool:
        return row >> 3 < len(self._seen) and bool(self._seen[row >> 3] & 1 << (row & 7))

    def _see(self, first: int, last: int) -> None:
        missing = (last >> 3) + 1 - len(self._seen)
        self._seen.extend(bytes(max(0, missing)))
        for row in range(first, last + 1):
            self._seen[row >> 3] |= 1 << (row & 7)
