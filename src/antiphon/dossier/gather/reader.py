"""Small reads over the result views: rows as mappings, instants in UTC, values quoted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.dossier.interface import DossierSource

__all__ = ["ONE_FINDING", "Reader", "Row", "instant", "quoted"]

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ONE_FINDING = (
    "(SELECT * FROM findings QUALIFY row_number() OVER "
    "(PARTITION BY material_id ORDER BY flag DESC, review_priority DESC, analyser, version) = 1)"
)
"""One finding a material where several analysers wrote findings: the one that asks most for a reviewer."""

KNOWN_MATCHES = "(SELECT * FROM matches WHERE effect = 'known')"
"""The matches that a reviewer should look at: not those with material decided to be no case, nor lists on trial."""


def instant(micros: int | None) -> datetime | None:
    """Return an instant from microseconds since 1970, or None where there is none or no calendar has it."""
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


def quoted(values: Iterable[str]) -> str:
    """Return a SQL list of strings; a list of one impossible id where there are none, as `IN ()` is no SQL.

    Example:
        >>> quoted(["a", "o'b"])
        "('a', 'o''b')"
    """
    return "(" + (", ".join("'" + value.replace("'", "''") + "'" for value in values) or "''") + ")"


@dataclass(frozen=True)
class Reader:
    """Reads rows of a run's result tables. `findings` is what stands after FROM for one finding a material."""

    source: DossierSource
    findings: str = "findings"

    @classmethod
    def of(cls, source: DossierSource) -> Reader:
        """Return a reader that costs no window over all findings where one analyser wrote them."""
        rows = source.query("SELECT count(DISTINCT (analyser, version)) AS n FROM findings").to_pylist()
        return cls(source, "findings" if rows[0]["n"] <= 1 else ONE_FINDING)

    def rows(self, sql: str) -> list[Row]:
        """Return the rows of a query."""
        rows: list[Row] = self.source.query(sql).to_pylist()
        return rows

    def row(self, sql: str) -> Row:
        """Return the only row of a query without groups."""
        return self.rows(sql)[0]

    def number(self, sql: str) -> int:
        """Return the only number of a query; 0 where it is null."""
        return int(next(iter(self.row(sql).values())) or 0)
