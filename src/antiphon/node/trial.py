"""What would change if a bank that is on trial took effect, or another threshold: told before anybody decides it.

Nothing is written: the same materials are looked up with the banks as they would be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from antiphon.errors import InputError, MissingError
from antiphon.model.bank import LARGEST_DISTANCE, Bank
from antiphon.node.asked import COMES_FROM, Asked, Pass, matched, passes_for, units_in
from antiphon.node.banks import open_banks
from antiphon.node.lookup import LookUp, open_look_up
from antiphon.node.rematch import Rematching
from antiphon.storage.lake import Lake

__all__ = ["BankTrial", "Tried", "shadow_report"]

_EXAMPLES = 5
_LISTED = 50


@dataclass(frozen=True)
class Tried:
    """What is tried: a bank, and the threshold that one signal type would have there; None: as it is."""

    bank: str
    signal_type: str | None = None
    distance: int | None = None

    def banks(self, known: dict[str, Bank]) -> dict[str, Bank]:
        """Return the banks as they would be."""
        bank = known[self.bank]
        limits = {self.signal_type: self.distance} if self.signal_type and self.distance is not None else {}
        return {**known, self.bank: replace(bank, enabled=True, shadow=False, thresholds={**bank.thresholds, **limits})}


@dataclass(frozen=True)
class BankTrial:
    """What would become of the materials of a folder.

    Attributes:
        bank: The bank that is tried.
        newly_known: Materials that match now no known material, and would match this bank.
        known_already: Materials that would match it and match another bank already.
        held_back: Materials that would match it, but lie as near to negative entries.
        no_longer_known: Materials that match known material now, and would not.
        readings: The reading of the newly known → how many; `not read` where there is none.
        protected_share: The share of the newly known that is read as protected speech; None where there are none.
        nearest: The nearest of the newly known: material, entry, signal type, distance, threshold.
        farthest: The farthest.
        by_source: Source → how many are newly known, the most first; 50 at most.
        by_day: Day → how many, in order; the 50 fullest at most.
        complete: Whether `matches`, with which it is compared, is as the banks and the lake are now.
    """

    bank: str
    newly_known: int
    known_already: int
    held_back: int
    no_longer_known: int
    readings: Mapping[str, int]
    protected_share: float | None
    nearest: Sequence[Mapping[str, Any]]
    farthest: Sequence[Mapping[str, Any]]
    by_source: Mapping[str, int]
    by_day: Mapping[str, int]
    complete: bool


def shadow_report(
    out: Path, home: Path, register: Path | str | None = None, bank: str | None = None,
    signal_type: str | None = None, distance: int | None = None,
) -> list[BankTrial]:  # fmt: skip
    """Return for each bank on trial, or for the one asked for, what would change if it took effect.

    Args:
        out: A folder of results.
        home: The node's folder.
        register: Its register, see `Settings.register`.
        bank: Which bank; None for all that are on trial.
        signal_type: With `distance`: another threshold of that bank.
        distance: The largest distance that would be a match.

    Raises:
        MissingError: there is no such bank, or nothing was read into the folder.
        InputError: the bank is not on trial and no threshold is given, or the threshold can't be one.
    """
    if not (out / "lake").is_dir():
        raise MissingError("there are no results in the folder", where=str(out), do="Run `antiphon analyse` first.")
    with open_banks(register or home) as banks:
        known = banks.store.banks()
    tried = _tried(known, bank, signal_type, distance)
    return [_report(Lake(out / "lake"), home, register, one, known) for one in tried]


def _tried(known: Mapping[str, Bank], bank: str | None, signal_type: str | None, distance: int | None) -> list[Tried]:
    if bank is None:
        if signal_type is not None or distance is not None:
            raise InputError("a threshold is one of a bank", where="--distance", do="Say which bank: --bank.")
        return [Tried(name) for name, one in known.items() if one.shadow and one.enabled]
    if bank not in known:
        raise MissingError("there is no such bank", where=f"bank {bank}", do="`antiphon bank list` shows all banks.")
    if (signal_type is None) != (distance is None):
        raise InputError(
            "a threshold is a signal type and a distance", where=f"bank {bank}", do="Give both: --type and --distance."
        )
    largest = LARGEST_DISTANCE.get(signal_type or "", 0)
    if distance is not None and not 0 <= distance <= largest:
        raise InputError(
            f"the distance for {signal_type} is {distance}, expected 0 to {largest}", where=f"bank {bank}",
            do="Give the largest distance that would be a match.",
        )  # fmt: skip
    if distance is None and known[bank].enabled and not known[bank].shadow:
        raise InputError(
            "the bank is not on trial", where=f"bank {bank}",
            do="Try another threshold with --type and --distance, or a bank that `antiphon bank shadow` has set.",
        )  # fmt: skip
    return [Tried(bank, signal_type, distance)]


def _report(
    lake: Lake, home: Path, register: Path | str | None, tried: Tried, known: Mapping[str, Bank]
) -> BankTrial:  # fmt: skip
    with ExitStack() as stack:
        look_up = stack.enter_context(_opened(stack, home, register, tried, known))
        tables = stack.enter_context(lake.connect())
        reading = stack.enter_context(lake.connect())  # a connection whose rows are being read answers nothing else
        now = look_up.banks.clock()
        passes = _passes(look_up, tried, known[tried.bank])
        for connection in (tables, reading):
            _note_matching(connection, tried, passes)
        _prepare(tables, tried)
        for one in passes:
            for asked in units_in(reading, one, _wanted(look_up, one, tried, known[tried.bank])):
                _take(tables, asked, matched(look_up, asked, now), tried)
        _compare(tables)
        return _told(tables, tried.bank, _is_current(tables, Rematching(lake, look_up), now))


def _opened(
    stack: ExitStack, home: Path, register: Path | str | None, tried: Tried, known: Mapping[str, Bank]
) -> LookUp:  # fmt: skip
    """Return a look-up that answers as it would be; a larger distance of pictures has an index of its own meanwhile."""
    usual = max((bank.thresholds.get("pdq", 31) for bank in known.values()), default=31)
    if tried.signal_type == "pdq" and (tried.distance or 0) > usual:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        return LookUp(open_banks(register or home), Path(folder), tried.banks)
    return open_look_up(home, register, trial=tried.banks)


def _passes(look_up: LookUp, tried: Tried, bank: Bank) -> list[Pass]:
    """Return what to look up: in a bank that has effect another threshold changes nothing but its own signal type."""
    has_effect = bank.enabled and not bank.shadow
    if tried.signal_type and has_effect:
        return passes_for({tried.signal_type})
    return passes_for({kind for kind, _ in look_up.banks.show(tried.bank).counts})


def _wanted(look_up: LookUp, one: Pass, tried: Tried, bank: Bank) -> str:
    """Return the query of what has to be looked up: what matches the bank now, or all where more could."""
    kind = tried.signal_type
    now = bank.thresholds.get(kind, look_up.own_threshold(kind)) if kind else 0
    if not bank.enabled or (tried.distance or 0) > now:
        return one.units
    matching = f"SELECT (material_id, part) FROM of_bank WHERE pass = '{one.name}'"
    return f"SELECT * FROM ({one.units}) WHERE (material_id, part) IN ({matching})"


def _note_matching(tables: duckdb.DuckDBPyConnection, tried: Tried, passes: Sequence[Pass]) -> None:
    """Make the table of what matches the bank now."""
    tables.execute(
        f"CREATE TEMP TABLE of_bank AS SELECT DISTINCT {COMES_FROM} AS pass, material_id, part, signal_type "
        "FROM matches WHERE bank = ? AND list_contains(?, pass)",
        [tried.bank, [one.name for one in passes]],
    )


def _prepare(tables: duckdb.DuckDBPyConnection, tried: Tried) -> None:
    """Make the tables to be filled: the units that the bank concerns, and their rows."""
    tables.execute("CREATE TEMP TABLE trial AS SELECT * FROM matches LIMIT 0")
    tables.execute("CREATE TEMP TABLE units (material_id VARCHAR, part VARCHAR, signal_type VARCHAR)")
    tables.execute("INSERT INTO units SELECT DISTINCT material_id, part, signal_type FROM of_bank")
    tables.execute("CREATE TEMP TABLE tried AS SELECT ? AS bank, ? AS kind", [tried.bank, tried.signal_type])


def _take(tables: duckdb.DuckDBPyConnection, asked: Sequence[Asked], found: pa.Table, tried: Tried) -> None:
    """Keep the rows of those units that match the bank, as they are or as they would be."""
    tables.register("found", found)
    of_bank = "SELECT DISTINCT material_id, part, signal_type FROM found WHERE bank = ?"
    tables.execute(f"INSERT INTO units {of_bank} EXCEPT FROM units", [tried.bank])
    tables.execute("INSERT INTO trial SELECT * FROM found SEMI JOIN units USING (material_id, part, signal_type)")


def _compare(tables: duckdb.DuckDBPyConnection) -> None:
    """Make the table of materials: what each would be by this bank, and whether it is known now, or otherwise."""
    tables.execute(
        """CREATE TEMP TABLE compared AS
           WITH by_bank AS (
             SELECT material_id, bool_or(effect = 'known') AS known, bool_or(effect = 'held_back') AS held
             FROM trial SEMI JOIN tried USING (bank) GROUP BY 1),
           after AS (
             SELECT material_id FROM trial WHERE effect = 'known'
             UNION SELECT material_id FROM matches ANTI JOIN units USING (material_id, part, signal_type)
             WHERE effect = 'known'),
           before AS (
             SELECT material_id, bool_or(bank NOT IN (SELECT bank FROM tried)) AS otherwise
             FROM matches WHERE effect = 'known' GROUP BY 1)
           SELECT material_id, coalesce(b.known, FALSE) AS known, coalesce(b.held, FALSE) AS held,
             before.material_id IS NOT NULL AS was_known, coalesce(before.otherwise, FALSE) AS otherwise,
             material_id IN (SELECT material_id FROM after) AS stays
           FROM by_bank AS b FULL JOIN before USING (material_id)"""
    )
    tables.execute("CREATE TEMP TABLE fresh AS SELECT material_id FROM compared WHERE known AND NOT was_known")


def _told(tables: duckdb.DuckDBPyConnection, bank: str, complete: bool) -> BankTrial:
    [(new, already, held, gone)] = tables.sql(
        """SELECT count(*) FILTER (known AND NOT was_known), count(*) FILTER (known AND otherwise),
             count(*) FILTER (held AND NOT known), count(*) FILTER (was_known AND NOT stays) FROM compared"""
    ).fetchall()
    fresh = "fresh JOIN materials USING (material_id)"
    readings = _counts(
        tables, "SELECT coalesce(reading, 'not read'), count(*) FROM fresh LEFT JOIN findings USING (material_id) "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
    )  # fmt: skip
    days = f"SELECT published_at::DATE::VARCHAR AS day, count(*) AS n FROM {fresh} WHERE published_at IS NOT NULL"
    return BankTrial(
        bank=bank,
        newly_known=new,
        known_already=already,
        held_back=held,
        no_longer_known=gone,
        readings=readings,
        protected_share=readings.get("protected", 0) / new if new else None,
        nearest=list(_examples(tables, "ASC")),
        farthest=list(_examples(tables, "DESC")),
        by_source=_counts(
            tables, f"SELECT source, count(*) FROM {fresh} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_LISTED}"
        ),
        by_day=_counts(tables, f"FROM ({days} GROUP BY 1 ORDER BY n DESC, day LIMIT {_LISTED}) ORDER BY day"),
        complete=complete,
    )


def _counts(tables: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    return dict(tables.sql(sql).fetchall())


def _examples(tables: duckdb.DuckDBPyConnection, order: str) -> Iterator[dict[str, Any]]:
    """Yield the newly known materials whose match is nearest or farthest, as a share of the threshold."""
    names = ("material_id", "entry_id", "signal_type", "distance", "threshold")
    rows = tables.sql(
        f"""SELECT {", ".join(names)}, distance / greatest(threshold, 1) AS far
            FROM trial SEMI JOIN tried USING (bank) SEMI JOIN fresh USING (material_id) WHERE effect = 'known'
            QUALIFY row_number() OVER (PARTITION BY material_id ORDER BY far, entry_id) = 1
            ORDER BY far {order}, material_id LIMIT {_EXAMPLES}"""
    ).fetchall()
    for row in rows:
        yield dict(zip(names, row[:-1], strict=True))


def _is_current(tables: duckdb.DuckDBPyConnection, matching: Rematching, now: datetime) -> bool:
    """Whether nothing was done to the banks, nothing read and no validity turned since the matches were complete."""
    state, store = matching.state(), matching.look_up.banks.store
    if state is None or store.turned(state.instant, now):
        return False
    commits = tables.sql("SELECT coalesce(max(commit), -1) + 1 FROM parts").fetchall()
    return state.seq == store.last_seq() and [(state.commits,)] == commits
