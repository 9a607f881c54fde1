"""Who shared what when, as arrays: the input of the coordination test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

__all__ = ["Activity", "Events", "Sources", "prepared", "read_activity", "read_events", "read_sources"]

Ints = npt.NDArray[np.int64]

# An object is a group of copies (of a text or of a file), or an address with a path on a host that is not the
# source's own outlet. Only the first sight of an object at a source counts.
_OBJECTS = r"""
CREATE OR REPLACE TEMP TABLE _spread_events AS
WITH links AS (
    SELECT m.material_id, m.source, m.published_at,
           regexp_replace(lower(regexp_extract(link, '^https?://([^/?#]+)', 1)), '^www\.', '') AS host,
           rtrim(regexp_replace(regexp_extract(link, '^https?://[^/?#]+([^#]*)', 1),
                                '[?&](utm_[a-z]+|fbclid|gclid)=[^&]*', '', 'g'), '/') AS path
    FROM (SELECT material_id, source, published_at, unnest(links) AS link FROM materials) AS m
), shared AS (
    SELECT 'copy ' || copy_group AS object, source, published_at, material_id FROM copies
    UNION ALL
    SELECT 'link ' || host || path, source, published_at, material_id FROM links
    WHERE path <> '' AND NOT contains(lower(source), host)
), firsts AS (
    SELECT object, source, min(epoch_us(published_at)) AS seen_us,
           arg_min(material_id, (epoch_us(published_at), material_id)) AS material_id
    FROM shared WHERE published_at IS NOT NULL GROUP BY object, source
)
SELECT object, s.number AS source, seen_us, material_id
FROM (SELECT *, count(*) OVER (PARTITION BY object) AS sharers FROM firsts) AS f
    JOIN _spread_sources AS s ON s.source = f.source
WHERE sharers > 1
"""
_SOURCES = """
CREATE OR REPLACE TEMP TABLE _spread_sources AS
SELECT source, (row_number() OVER (ORDER BY source) - 1)::BIGINT AS number,
       (dense_rank() OVER (ORDER BY split_part(source, '/', 1)) - 1)::BIGINT AS platform
FROM (SELECT DISTINCT source FROM materials)
"""
# Copies of a text are in one language, whatever was found in each: the one found most often.
_LANGS = """
CREATE OR REPLACE TEMP TABLE _spread_langs AS
WITH found AS (
    SELECT m.material_id, coalesce(f.lang, 'und') AS lang, c.copy_group
    FROM materials AS m LEFT JOIN findings AS f USING (material_id)
        LEFT JOIN (FROM copies WHERE copy_kind <> 'image') AS c USING (material_id)
), counted AS (
    SELECT copy_group, lang, count(*) AS n FROM found WHERE copy_group IS NOT NULL GROUP BY copy_group, lang
), most AS (
    SELECT copy_group, arg_min(lang, (-n, lang)) AS lang FROM counted GROUP BY copy_group
), settled AS (
    SELECT material_id, coalesce(most.lang, found.lang) AS lang FROM found LEFT JOIN most USING (copy_group)
)
SELECT material_id, (dense_rank() OVER (ORDER BY lang) - 1)::BIGINT AS lang FROM settled
"""
_EVENTS = """
SELECT (dense_rank() OVER (ORDER BY object) - 1)::BIGINT AS object, source, seen_us,
       (dense_rank() OVER (ORDER BY material_id) - 1)::BIGINT AS material, lang
FROM _spread_events JOIN _spread_langs USING (material_id) ORDER BY object, seen_us, source
"""
_ACTIVITY = """
SELECT s.number AS source, l.lang, epoch_us(published_at) // 86400000000 AS day,
       epoch_us(published_at) // 3600000000 % 24 AS hour, count(*)::DOUBLE AS materials
FROM materials AS m JOIN _spread_sources AS s ON s.source = m.source JOIN _spread_langs AS l USING (material_id)
WHERE published_at IS NOT NULL GROUP BY ALL ORDER BY source, lang, day, hour
"""


class Sources(NamedTuple):
    """Names in order, and the number of each one's platform."""

    names: list[str]
    platforms: Ints


class Events(NamedTuple):
    """First sights, sorted by object, instant and source; `starts[o]` to `starts[o + 1]` are those of object `o`.

    `langs[o]` is the language in which most sharers of object `o` shared it.
    """

    starts: Ints
    sources: Ints
    seen_us: Ints
    materials: Ints
    langs: Ints


class Activity(NamedTuple):
    """How many materials a source published in a language in an hour, sorted by source, language, day and hour."""

    sources: Ints
    langs: Ints
    days: Ints
    hours: Ints
    materials: npt.NDArray[np.float64]


def read_sources(tables: duckdb.DuckDBPyConnection) -> Sources:
    """Return every source; its platform is what stands before the first slash."""
    read = tables.sql("FROM _spread_sources ORDER BY number").to_arrow_table()
    return Sources(read["source"].to_pylist(), read["platform"].to_numpy())


def read_events(tables: duckdb.DuckDBPyConnection) -> Events:
    """Return the first sights of all objects that two sources or more shared."""
    read = tables.sql(_EVENTS).to_arrow_table()
    objects, langs = read["object"].to_numpy(), read["lang"].to_numpy()
    starts = np.searchsorted(objects, np.arange((int(objects[-1]) + 1 if objects.size else 0) + 1)).astype(np.int64)
    sources, seen_us, materials = (read[name].to_numpy() for name in ("source", "seen_us", "material"))
    return Events(starts, sources, seen_us, materials, _most(objects, langs, starts.size - 1))


def _most(objects: Ints, langs: Ints, count: int) -> Ints:
    """The most frequent language of each object; of equals the first in order."""
    pairs, counts = np.unique(np.stack([objects, langs], axis=1), axis=0, return_counts=True)
    order = np.lexsort((-pairs[:, 1], counts, pairs[:, 0]))
    found = np.zeros(count, dtype=np.int64)
    found[pairs[order, 0]] = pairs[order, 1]
    return found


def read_activity(tables: duckdb.DuckDBPyConnection) -> Activity:
    """Return when sources published, whatever it was."""
    read = tables.sql(_ACTIVITY).to_arrow_table()
    return Activity(*(read[name].to_numpy() for name in ("source", "lang", "day", "hour", "materials")))


@contextmanager
def prepared(tables: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make the temporary tables that the readers read, and drop them after."""
    try:
        for sql in (_SOURCES, _OBJECTS, _LANGS):
            tables.execute(sql)
        yield
    finally:
        for table in ("_spread_sources", "_spread_events", "_spread_langs"):
            tables.execute(f"DROP TABLE IF EXISTS {table}")
