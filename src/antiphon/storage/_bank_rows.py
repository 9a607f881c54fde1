"""What stands in the rows of banks, and how they are read and written; `banks` says what may be done to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, cast, get_args

import orjson
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from antiphon.errors import InputError, MissingError
from antiphon.model.bank import LARGEST_DISTANCE, MARKINGS, SIGNAL_BYTES, Bank, BankEntry, Purpose, Status
from antiphon.storage.register import bank_changes, bank_entries, banks

__all__ = ["ENTRIES", "Act", "BankView", "Change", "EntryView", "Imported", "Kind", "Located", "Opinion", "Refusal"]

LOOK_UP_ROWS = 5_000
KEPT_REFUSALS = 1_000

ENTRIES = pa.schema(
    [
        ("rowid", pa.int64()),
        ("bank", pa.dictionary(pa.int32(), pa.string())),
        ("entry_id", pa.string()),
        ("value", pa.binary()),
    ]
)
"""What an index is built from."""

Located = tuple[str, BankEntry | str]
"""Where something stood in a list, and the entry there, or the reason why there is none."""

Kind = Literal[
    "bank_created", "bank_changed", "bank_deleted",
    "added", "changed", "withdrawn", "reinstated", "held", "released", "confirmed", "deconfirmed",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BANK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_MAX_REASON = 2_000
CONTENT = (
    "signal_type", "value", "value_hash", "label", "entity", "note", "source", "marking", "valid_from", "valid_until",
    "more",
)  # fmt: skip
"""What makes two entries of one id the same; the status is ours to decide."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when, and why.

    Attributes:
        by: A pseudonymous name: letters, digits, `.`, `_`, `:`, `-`. Not an address: the log is kept for ever.
        at: When; with a time zone.
        reason: Why, for those who read the log later.
    """

    by: str
    at: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        if not _PERSON.fullmatch(self.by):
            raise InputError(
                "the name of who acts is none of 1 to 64 letters, digits, `.`, `_`, `:`, `-`", where="by",
                do="Give a reviewer's pseudonym, such as reviewer-7, not a name or an address.",
            )  # fmt: skip
        if self.at.tzinfo is None:
            raise InputError("the instant has no time zone", where="at", do="Give it in UTC.")
        if len(self.reason) > _MAX_REASON or "\0" in self.reason:
            raise InputError(f"the reason has over {_MAX_REASON} characters", where="reason", do="Say it shorter.")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log.

    Attributes:
        seq: Its number; a later change has a larger one.
        kind: What was done.
        bank: Name of the bank, also of one that is gone.
        entry_id: Which entry; None where it is the bank, or a batch.
        first_row: First row that it is about; None for a bank.
        last_row: Last row that it is about; a batch of entries added together is one line.
        at: When.
        by: Who.
        reason: Why.
        detail: What changed: names of fields, or the new setting.
    """

    seq: int
    kind: Kind
    bank: str
    entry_id: str | None
    first_row: int | None
    last_row: int | None
    at: datetime
    by: str
    reason: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person holds of an entry."""

    by: str
    opinion: Literal["confirmed", "deconfirmed"]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry with all that is known of it, for an explanation."""

    rowid: int
    entry: BankEntry
    opinions: tuple[Opinion, ...]
    history: tuple[Change, ...]

    @property
    def disputed(self) -> bool:
        """Whether people hold different opinions of it."""
        return len({opinion.opinion for opinion in self.opinions}) > 1


@dataclass(frozen=True, slots=True)
class BankView:
    """A bank, and how many entries it has: (signal type, status) → number."""

    bank: Bank
    counts: Mapping[tuple[str, str], int]

    @property
    def total(self) -> int:
        """How many entries it has, whatever their status."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something in a list that is no entry: where it stood, and why."""

    where: str
    reason: str


@dataclass
class Imported:
    """How far an import got. `read` = `added` + `known` + `changed` + `refused`.

    Attributes:
        read: Items of the list.
        added: New entries.
        known: Entries that were there already, the same.
        changed: Entries that were there and differed: now as the list has them.
        refused: Items that are no entry.
        refusals: The first of them, at most `KEPT_REFUSALS`.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    changed: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, batch: Imported) -> None:
        """Count a batch."""
        self.read, self.added, self.known = self.read + batch.read, self.added + batch.added, self.known + batch.known
        self.changed, self.refused = self.changed + batch.changed, self.refused + batch.refused
        self.refusals += batch.refusals[: KEPT_REFUSALS - len(self.refusals)]


def require_bank(bank: Bank) -> None:
    """Check what a bank is said to be.

    Raises:
        InputError: its name, purpose, marking or a threshold is wrong.
    """
    where = "bank"
    if not _BANK_NAME.fullmatch(bank.name):
        raise InputError(
            "the name is none of 1 to 64 letters, digits, `-`, `_`, `.`", where=where,
            do="Begin with a letter or digit and leave out spaces.",
        )  # fmt: skip
    where = f"bank {bank.name}"
    if bank.purpose not in get_args(Purpose):
        raise InputError("the purpose is none of known, negative", where=where, do="Choose one of them.")
    if bank.marking not in MARKINGS:
        raise InputError(f"the marking is none of {', '.join(MARKINGS)}", where=where, do="Choose a TLP 2.0 label.")
    for signal_type, distance in bank.thresholds.items():
        if signal_type not in SIGNAL_BYTES:
            known = ", ".join(SIGNAL_BYTES)
            raise InputError(
                f"the signal type is none of {known}", where=f"{where}, threshold", do="Choose one of them."
            )
        largest = LARGEST_DISTANCE.get(signal_type, 0)
        if not 0 <= distance <= largest:
            raise InputError(
                f"the distance for {signal_type} is {distance}, expected 0 to {largest}", where=f"{where}, threshold",
                do="Give the largest distance that still is a match.",
            )  # fmt: skip


def find_bank(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    """Return a bank's row, or None."""
    return connection.execute(sa.select(banks).where(banks.c.name == name)).first()


def require_row(connection: sa.Connection, name: str) -> sa.Row[Any]:
    """Return a bank's row.

    Raises:
        MissingError: there is no such bank.
    """
    row = find_bank(connection, name)
    if row is None:
        raise MissingError("there is no such bank", where=f"bank {name}", do="`antiphon bank list` shows all banks.")
    return row


def find_entry(connection: sa.Connection, bank_id: int, entry_id: str) -> sa.Row[Any] | None:
    """Return an entry's row, or None."""
    here = bank_entries.c
    return connection.execute(sa.select(bank_entries).where(here.bank_id == bank_id, here.entry_id == entry_id)).first()


def require_entry(connection: sa.Connection, bank_id: int, bank: str, entry_id: str) -> sa.Row[Any]:
    """Return an entry's row.

    Raises:
        MissingError: there is no such entry.
    """
    row = find_entry(connection, bank_id, entry_id)
    if row is None:
        raise MissingError(
            "there is no such entry", where=f"bank {bank}, entry {entry_id[:80]}",
            do="`antiphon bank export` lists the ids of a bank.",
        )  # fmt: skip
    return row


def known_entries(connection: sa.Connection, bank_id: int, entry_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the rows of those ids that the bank has."""
    here = bank_entries.c
    asked: sa.BindParameter[Any] = sa.bindparam(
        "ids"
    )  # all ids as one value: a statement with thousands of marks is slow to make
    wanted: sa.ColumnElement[bool]
    ids: Any
    if connection.dialect.name == "sqlite":
        listed = sa.func.json_each(asked).table_valued("value")
        wanted, ids = here.entry_id.in_(sa.select(listed.c.value)), orjson.dumps(list(entry_ids)).decode()
    else:
        wanted, ids = here.entry_id == sa.any_(sa.cast(asked, ARRAY(sa.Text))), list(entry_ids)
    rows = connection.execute(sa.select(bank_entries).where(here.bank_id == bank_id, wanted), {"ids": ids})
    return {row.entry_id: cast("Mapping[str, Any]", row._mapping) for row in rows}


def insert_entries(connection: sa.Connection, bank_id: int, bank: str, rows: Sequence[dict[str, Any]], act: Act) -> int:
    """Write new entries and one line of the log, and return the row of the first; the others follow it.

    Rows are numbered by the log, which never forgets: a row that was deleted is not given again.
    """
    first = (connection.execute(sa.select(sa.func.max(bank_changes.c.last_row))).scalar() or 0) + 1
    numbered = [(first + number, bank_id, *values.values()) for number, values in enumerate(rows)]
    _write_rows(connection, numbered)
    entry_id = rows[0]["entry_id"] if len(rows) == 1 else None
    write_log(connection, "added", bank_id, bank, act, entry_id=entry_id, rows=(first, first + len(rows) - 1))
    return first


def _write_rows(connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Hand rows in the order of the columns straight to the driver, which is twice as fast for a million."""
    names = ", ".join(column.name for column in bank_entries.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in bank_entries.columns)
        connection.exec_driver_sql(f"INSERT INTO bank_entries ({names}) VALUES ({marks})", rows)
        return
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY bank_entries ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def mark_status(connection: sa.Connection, rowid: int, status: Status) -> None:
    """Set the status of one entry."""
    connection.execute(sa.update(bank_entries).where(bank_entries.c.rowid == rowid).values(status=status))


def write_log(
    connection: sa.Connection, kind: Kind, bank_id: int, bank: str, act: Act, *, entry_id: str | None = None,
    rows: tuple[int, int] | None = None, detail: Mapping[str, object] | None = None,
) -> None:  # fmt: skip
    """Add one line to the log."""
    first, last = rows or (None, None)
    connection.execute(
        sa.insert(bank_changes).values(
            changed_at=micros(act.at), act=kind, by=act.by, reason=act.reason, bank_id=bank_id, bank=bank,
            entry_id=entry_id, first_row=first, last_row=last, detail=as_json(detail),
        )
    )  # fmt: skip


def bank_names(connection: sa.Connection, *, disabled_too: bool) -> dict[int, str]:
    """Return the names of the banks that may be matched, by number."""
    wanted = sa.select(banks.c.bank_id, banks.c.name).where(banks.c.name.is_not(None)).order_by(banks.c.bank_id)
    if not disabled_too:
        wanted = wanted.where(banks.c.enabled.is_(True))
    return {number: name for number, name in connection.execute(wanted)}


def active_page(
    connection: sa.Connection, signal_type: str, after: int, at: datetime | None, names: Mapping[int, str], limit: int
) -> pa.RecordBatch:
    """Return some active entries after a row as a batch of `ENTRIES`."""
    here = bank_entries.c
    # Comparing expressions keeps the planner from an index whose rows would have to be sorted for every page.
    wanted = (
        sa.select(here.rowid, here.bank_id, here.entry_id, here.value)
        .where(here.rowid > after, here.status == "active", (here.bank_id + 0).in_(list(names)))
        .where(here.signal_type.concat("") == signal_type)
        .order_by(here.rowid)
        .limit(limit)
    )
    if at is not None:
        now = micros(at)
        wanted = wanted.where(sa.or_(here.valid_from.is_(None), here.valid_from <= now))
        wanted = wanted.where(sa.or_(here.valid_until.is_(None), here.valid_until > now))
    result = connection.execute(wanted)
    columns = _columns(cast("Any", result.cursor))
    result.close()
    rowids, bank_ids, entry_ids, values = columns
    places = {number: place for place, number in enumerate(names)}
    bank = pa.DictionaryArray.from_arrays(
        pa.array([places[number] for number in bank_ids], pa.int32()), pa.array(names.values(), pa.string())
    )
    return pa.RecordBatch.from_arrays(
        [pa.array(rowids, pa.int64()), bank, pa.array(entry_ids, pa.string()), pa.array(values, pa.binary())],
        schema=ENTRIES,
    )


def _columns(cursor: Any) -> tuple[list[Any], ...]:  # noqa: ANN401 - the driver's own cursor
    """Return the four columns of what a cursor gives; few rows at a time, for the collector walks over all tuples."""
    columns: tuple[list[Any], ...] = ([], [], [], [])
    while rows := cursor.fetchmany(1_000):
        for column, part in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(part)
    return columns


def entry_values(entry: BankEntry) -> dict[str, Any]:
    """Return the columns of an entry, but for where it stands."""
    return {
        "entry_id": entry.entry_id, "signal_type": entry.signal_type, "value": entry.value,
        "value_hash": value_hash(entry.value), "status": entry.status, "label": entry.label or None,
        "entity": entry.entity or None, "note": entry.note or None, "source": entry.source or None,
        "marking": entry.marking,
        "valid_from": None if entry.valid_from is None else micros(entry.valid_from),
        "valid_until": None if entry.valid_until is None else micros(entry.valid_until),
        "more": as_json(entry.more),
    }  # fmt: skip


def entry_of(row: sa.Row[Any], bank: str) -> BankEntry:
    """Return the entry of a row that begins with the columns of the table, in their order."""
    # unpacked, not asked column by column: an export reads millions
    _, _, entry_id, kind, value, _, status, label, entity, note, source, marking, begins, ends, more, *_ = tuple(row)
    valid_from, valid_until = (None if moment is None else instant(moment) for moment in (begins, ends))
    kept = orjson.loads(more) if more else {}
    return BankEntry(
        bank, entry_id, kind, value, label, entity, note, source, marking, valid_from, valid_until, status, kept
    )


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return in which columns of their content two entries differ."""
    return [name for name in CONTENT if before[name] != after[name]]


def bank_values(bank: Bank) -> dict[str, Any]:
    """Return the columns of a bank."""
    return {
        "name": bank.name, "purpose": bank.purpose, "source": bank.source, "licence": bank.licence,
        "marking": bank.marking, "description": bank.description, "enabled": bank.enabled, "shadow": bank.shadow,
        "thresholds": orjson.dumps(dict(bank.thresholds), option=orjson.OPT_SORT_KEYS).decode(),
    }  # fmt: skip


def bank_of(row: sa.Row[Any]) -> Bank:
    """Return the bank of a row."""
    return Bank(
        row.name, row.purpose, row.source, row.licence, row.marking, row.description, row.enabled, row.shadow,
        orjson.loads(row.thresholds),
    )  # fmt: skip


def change_of(row: sa.Row[Any]) -> Change:
    """Return a line of the log."""
    return Change(
        row.seq, row.act, row.bank, row.entry_id, row.first_row, row.last_row, instant(row.changed_at), row.by,
        row.reason, orjson.loads(row.detail) if row.detail else {},
    )  # fmt: skip


def as_json(value: Mapping[str, object] | None) -> str | None:
    """Return an object as JSON, always written the same; None for an empty one."""
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode() if value else None


def value_hash(value: bytes) -> int:
    """Return the number by which a value is looked up."""
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "big", signed=True)


def micros(moment: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the instant of microseconds since 1970."""
    return _EPOCH + value * _MICROSECOND


def parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield items in portions that fit into one question to a database."""
    for start in range(0, len(items), LOOK_UP_ROWS):
        yield items[start : start + LOOK_UP_ROWS]
