"""The table stage that counts materials in time: MATERIALS and FINDINGS to TIMELINE."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from antiphon.model.schemas import TIMELINE

__all__ = ["CountTimeline"]

BUCKETS_S = (86_400, 3_600)

_COUNTS = """
SELECT make_timestamptz(epoch_us(m.published_at) // $bucket_us * $bucket_us) AS bucket_at,
       $bucket_us // 1000000 AS bucket_s, f.reading, f.lang, count(*) AS materials
FROM materials AS m LEFT JOIN findings AS f USING (material_id)
WHERE m.published_at IS NOT NULL
GROUP BY ALL ORDER BY bucket_at, reading NULLS LAST, lang NULLS LAST
"""


class CountTimeline:
    """Table stage: materials per day and per hour, by reading and language; those of no known instant are left out."""

    name: str = "count_timeline"
    version: str = "1"
    writes: Mapping[str, pa.Schema] = {"timeline": TIMELINE}

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return `timeline`: all days, then all hours; reads `materials` and `findings`."""
        counted = [
            tables.sql(_COUNTS, params={"bucket_us": bucket_s * 1_000_000}).to_arrow_table().cast(TIMELINE)
            for bucket_s in BUCKETS_S
        ]
        return {"timeline": pa.concat_tables(counted)}
