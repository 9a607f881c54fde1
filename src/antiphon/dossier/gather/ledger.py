"""What was read and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import orjson

from antiphon.dossier.content import Input, Ledger, Quarantine, Shown
from antiphon.dossier.gather.reader import Reader, Row
from antiphon.dossier.interface import Caps
from antiphon.dossier.text import plain

__all__ = ["gather_ledger"]

_ADDS_UP = "found = kept + known + quarantined"
_GAPS = 12


def gather_ledger(reader: Reader, caps: Caps) -> Ledger:
    """Return the ledger: totals over all inputs, the inputs that ask for a look first, and the quarantine by reason."""
    total = reader.row(
        "SELECT count(*) AS inputs, sum(bytes) AS size_bytes, sum(found) AS found, sum(kept) AS kept, "
        "sum(known) AS known, sum(quarantined) AS quarantined, sum(other) AS other, "
        "count_if(NOT complete) AS incomplete, count_if(reader IS NULL) AS unread, "
        f"count_if(NOT ({_ADDS_UP})) AS not_adding_up, count_if(len(gaps) > 0) AS with_gaps FROM ledger"
    )
    rows = reader.rows(
        f"SELECT *, {_ADDS_UP} AS adds_up FROM ledger "
        f"ORDER BY adds_up, complete, reader IS NOT NULL, quarantined > 0 DESC, found DESC, input LIMIT {caps.inputs}"
    )
    reasons = _quarantine(reader, caps.reasons)
    kinds = reader.number("SELECT count(*) FROM (SELECT DISTINCT stage, reason FROM skipped)")
    return Ledger(
        **{name: int(value or 0) for name, value in total.items()},
        rows=tuple(_input(row) for row in sorted(rows, key=lambda row: str(row["input"]))),
        shown=Shown(len(rows), total["inputs"], "ledger"),
        quarantine=reasons,
        quarantine_shown=Shown(len(reasons), kinds, "skipped"),
    )


def _input(row: Row) -> Input:
    gaps = [plain(gap, 240) for gap in row["gaps"] or [] if gap]
    if len(gaps) > _GAPS:
        gaps = [*gaps[:_GAPS], f"and {len(gaps) - _GAPS} more"]
    return Input(
        input=plain(row["input"], 200),
        reader=plain(row["reader"], 60) or None,
        size_bytes=row["bytes"],
        found=row["found"],
        kept=row["kept"],
        known=row["known"],
        quarantined=row["quarantined"],
        other=row["other"],
        other_detail=_details(row["other_detail"]),
        gaps=tuple(gaps),
        complete=row["complete"],
        adds_up=row["adds_up"],
    )


def _details(raw: str | None) -> dict[str, int]:
    """The counts of things that are no content; what is no JSON object of counts is left out."""
    try:
        parsed = orjson.loads(raw or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(parsed, Mapping):
        return {}
    counts = Counter({plain(str(name), 60): n for name, n in parsed.items() if isinstance(n, int)})
    return dict(counts.most_common(8))


def _quarantine(reader: Reader, limit: int) -> tuple[Quarantine, ...]:
    rows = reader.rows(
        "SELECT stage, reason, count(*) AS records, count(DISTINCT input) AS inputs, "
        "arg_min({'d': left(detail, 2000), 'i': left(input, 400), 'r': record}, (input, coalesce(record, -1))) AS eg "
        f"FROM skipped GROUP BY 1, 2 ORDER BY records DESC, stage, reason LIMIT {limit}"
    )
    return tuple(
        Quarantine(
            stage=plain(row["stage"], 60),
            reason=plain(row["reason"], 80),
            records=row["records"],
            inputs=row["inputs"],
            example=plain(row["eg"]["d"], 320),
            example_at=plain(row["eg"]["i"], 160) + ("" if row["eg"]["r"] is None else f", record {row['eg']['r']:,}"),
        )
        for row in rows
    )
