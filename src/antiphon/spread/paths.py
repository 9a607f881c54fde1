"""The table stage that follows copies from source to source: COPIES to SPREAD."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from antiphon.model.schemas import SPREAD

__all__ = ["TraceSpread"]

_STEPS = """
WITH firsts AS (
    SELECT copy_group, source, min(epoch_us(published_at)) AS seen_us
    FROM copies WHERE published_at IS NOT NULL GROUP BY copy_group, source
), steps AS (
    SELECT source AS to_source, seen_us, lag(source) OVER way AS from_source, lag(seen_us) OVER way AS before_us
    FROM firsts WINDOW way AS (PARTITION BY copy_group ORDER BY seen_us, source)
)
SELECT from_source, to_source, count(*) AS copies, median((seen_us - before_us) / 1e6) AS median_delay_s,
       make_timestamptz(min(seen_us)) AS first_at, make_timestamptz(max(seen_us)) AS last_at
FROM steps WHERE from_source IS NOT NULL
GROUP BY from_source, to_source ORDER BY copies DESC, from_source, to_source
"""


class TraceSpread:
    """Table stage: how often a copy was seen first at one source and next at another, and how long that took.

    Each group is followed through its sources in the order of their first sight; where two were seen in the same
    microsecond, in the order of their names. It says what came after what, not what came from where.
    """

    name: str = "trace_spread"
    version: str = "1"
    writes: Mapping[str, pa.Schema] = {"spread": SPREAD}

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return `spread`, the most used way first; reads `copies`."""
        return {"spread": tables.sql(_STEPS).to_arrow_table().cast(SPREAD)}
