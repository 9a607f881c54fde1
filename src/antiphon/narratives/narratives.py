"""The table stage that groups what materials tell: FINDINGS and COPIES to NARRATIVES."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.model.schemas import NARRATIVE_MEMBERS, NARRATIVES
from antiphon.narratives._clusters import cluster
from antiphon.narratives._linking import Ints
from antiphon.narratives._terms import Background, background_of, terms_of, vectors_of
from antiphon.narratives._wording import key_terms, readable, tell_the_same, title_of

__all__ = ["MAX_NARRATIVES", "MAX_REPRESENTATIVES", "TellNarratives"]

MAX_REPRESENTATIVES = 30_000
"""Copies count once here, by the first of them; where more different texts tell something, those with an act and the
most copied are kept."""

BACKGROUND_TEXTS = 20_000
MAX_CHARS = 2000
MAX_NARRATIVES = 300
MIN_MATERIALS = 3
CENTRAL_TEXTS = 8
COUNTERS = 0.5

_TOLD = """
CREATE OR REPLACE TEMP TABLE _narratives_told AS
WITH grouped AS (
    SELECT material_id, copy_group, count(*) OVER (PARTITION BY copy_group) AS size
    FROM copies WHERE copy_kind <> 'image'
), every AS (
    SELECT m.material_id, coalesce(g.copy_group, m.material_id) AS rep, coalesce(g.size, 1) AS size, f.reading
    FROM materials AS m LEFT JOIN findings AS f USING (material_id) LEFT JOIN grouped AS g USING (material_id)
), chosen AS (
    SELECT rep, max(size) AS size, bool_or(reading IN ('direct', 'indirect')) AS acts
    FROM every GROUP BY rep
    HAVING max(size) >= 3 OR bool_or(reading IN ('direct', 'indirect', 'protected', 'unclear'))
    ORDER BY coalesce(acts, false) DESC, size DESC, rep LIMIT $limit
)
SELECT e.material_id, e.rep, c.size, coalesce(c.acts, false) AS acts
FROM every AS e JOIN chosen AS c USING (rep)
"""
_TEXTS = """
SELECT t.rep, left(coalesce(nullif(trim(m.text), ''), m.title, ''), $chars) AS text
FROM _narratives_told AS t JOIN materials AS m ON m.material_id = t.rep
WHERE t.material_id = t.rep
ORDER BY t.acts DESC, t.size DESC, m.published_at NULLS LAST, t.rep
"""
_BACKGROUND = """
SELECT f.lang, left(coalesce(nullif(trim(m.text), ''), m.title, ''), $chars) AS text
FROM materials AS m LEFT JOIN findings AS f USING (material_id)
    LEFT JOIN (FROM copies WHERE copy_kind <> 'image' AND NOT is_first) AS c USING (material_id)
WHERE c.material_id IS NULL
ORDER BY md5(m.material_id) LIMIT $texts
"""
_MEMBERS = """
CREATE OR REPLACE TEMP TABLE _narratives_members AS
SELECT a.number, t.material_id, t.rep, a.similarity, m.source, m.published_at, f.lang, f.reading,
       coalesce(f.contexts.counters >= $counters AND NOT f.flag, false) AS counters
FROM _narratives_assigned AS a JOIN _narratives_told AS t USING (rep)
    JOIN materials AS m USING (material_id) LEFT JOIN findings AS f USING (material_id)
"""
# Where there are too many, those with an act in them stay, then those with protected speech, then the largest.
_COUNTS = """
WITH langs AS (
    SELECT number, list(lang ORDER BY n DESC, lang) AS langs
    FROM (SELECT number, lang, count(*) AS n FROM _narratives_members WHERE lang <> 'und' GROUP BY ALL) GROUP BY number
), counted AS (
SELECT number, count(*) AS materials, count(DISTINCT source) AS sources, any_value(langs) AS langs,
       min(published_at) AS first_at, max(published_at) AS last_at,
       arg_min(material_id, (coalesce(epoch_us(published_at), 9223372036854775807), material_id)) AS earliest,
       count(*) FILTER (reading = 'direct') AS direct, count(*) FILTER (reading = 'indirect') AS indirect,
       count(*) FILTER (reading = 'protected') AS protected, count(*) FILTER (counters) AS countered_by
FROM _narratives_members LEFT JOIN langs USING (number)
GROUP BY number HAVING count(*) >= $least
ORDER BY direct + indirect > 0 DESC, protected > 0 DESC, materials DESC, earliest LIMIT $limit
)
FROM counted ORDER BY materials DESC, earliest
"""
_CENTRAL = """
SELECT number, rep, source FROM _narratives_members WHERE material_id = rep
ORDER BY number, similarity DESC, published_at NULLS LAST, rep
"""
_WRITE_MEMBERS = """
SELECT k.narrative_id, m.material_id, m.similarity
FROM _narratives_members AS m JOIN _narratives_kept AS k USING (number)
ORDER BY k.narrative_id, m.similarity DESC, m.material_id
"""
_TEMPORARY = ("_narratives_told", "_narratives_members")
_REGISTERED = ("_narratives_assigned", "_narratives_kept")


class _Texts(NamedTuple):
    """The representatives' ids and texts, and each one's terms."""

    ids: list[str]
    texts: list[str]
    terms: list[set[str]]


class TellNarratives:
    """Table stage: groups of three materials or more that tell the same, largest first, at most 300.

    Considers materials read as direct, indirect, protected or unclear, and whatever was copied three times or more;
    each group of copies by its first. At most 30,000 different texts are compared. Texts are compared by the words
    they share, so one narrative told in two languages is two.
    """

    name: str = "tell_narratives"
    version: str = "1"
    writes: Mapping[str, pa.Schema] = {"narratives": NARRATIVES, "narrative_members": NARRATIVE_MEMBERS}

    def run(self, tables: duckdb.DuckDBPyConnection) -> Mapping[str, pa.Table]:
        """Return `narratives` and `narrative_members`; reads `materials`, `findings` and `copies`."""
        try:
            tables.execute(_TOLD, {"limit": MAX_REPRESENTATIVES})
            told = _read_texts(tables)
            background = _read_background(tables)
            labels, cosines = cluster(vectors_of(told.terms, background))
            labels = _with_singles(_cohesive(labels, told, background))
            _keep_members(tables, told, labels, cosines)
            rows = _describe(tables, told, background)
            narratives = pa.Table.from_pylist(rows, schema=NARRATIVES)
            kept = {"number": [row["number"] for row in rows], "narrative_id": narratives["narrative_id"]}
            tables.register("_narratives_kept", pa.table({**kept, "number": pa.array(kept["number"], pa.int32())}))
            members = tables.sql(_WRITE_MEMBERS).to_arrow_table().cast(NARRATIVE_MEMBERS)
            return {"narratives": narratives, "narrative_members": members}
        finally:
            for view in _REGISTERED:
                tables.execute(f"DROP VIEW IF EXISTS {view}")
            for table in _TEMPORARY:
                tables.execute(f"DROP TABLE IF EXISTS {table}")


def _read_texts(tables: duckdb.DuckDBPyConnection) -> _Texts:
    read = tables.sql(_TEXTS, params={"chars": MAX_CHARS}).to_arrow_table()
    texts = read["text"].to_pylist()
    return _Texts(read["rep"].to_pylist(), texts, [terms_of(text) for text in texts])


def _read_background(tables: duckdb.DuckDBPyConnection) -> Background:
    """How common terms are in a sample of all different texts, drawn by the digest of their ids."""
    read = tables.sql(_BACKGROUND, params={"chars": MAX_CHARS, "texts": BACKGROUND_TEXTS}).to_arrow_table()
    texts = zip(read["lang"].to_pylist(), read["text"].to_pylist(), strict=True)
    return background_of((lang, terms_of(text)) for lang, text in texts)


def _cohesive(labels: Ints, told: _Texts, background: Background) -> Ints:
    """Labels without those clusters whose texts have too few words in common."""
    kept = labels.copy()
    for members in np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels + 1))[:-1])[1:]:
        if not tell_the_same([told.terms[at] for at in members], background):
            kept[members] = -1
    return kept


def _with_singles(labels: Ints) -> Ints:
    """Labels where a text like no other has a number of its own: if it was copied enough, that is a narrative too."""
    alone = labels < 0
    labels = labels.copy()
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
    return labels


def _keep_members(
    tables: duckdb.DuckDBPyConnection,
    told: _Texts,
    labels: Ints,
    cosines: npt.NDArray[np.float32],
) -> None:
    single = np.bincount(labels)[labels] == 1
    similarity = np.where(single, np.float32(1.0), cosines)
    columns = {"rep": pa.array(told.ids, pa.string()), "number": labels, "similarity": similarity}
    tables.register("_narratives_assigned", pa.table(columns))
    tables.execute(_MEMBERS, {"counters": COUNTERS})


def _describe(tables: duckdb.DuckDBPyConnection, told: _Texts, background: Background) -> list[dict[str, Any]]:
    params = {"least": MIN_MATERIALS, "limit": MAX_NARRATIVES}
    rows: list[dict[str, Any]] = tables.sql(_COUNTS, params=params).to_arrow_table().to_pylist()
    central: dict[int, list[tuple[str, str]]] = {row["number"]: [] for row in rows}
    for number, rep, source in zip(*tables.sql(_CENTRAL).to_arrow_table().to_pydict().values(), strict=True):
        if number in central:
            central[number].append((rep, source))
    place = {rep: at for at, rep in enumerate(told.ids)}
    for row in rows:
        members = [place[rep] for rep, _ in central[row["number"]]]
        terms = key_terms([told.terms[at] for at in members], background)
        row["title"] = title_of([told.texts[at] for at in members[:CENTRAL_TEXTS]], terms)
        row["terms"] = readable(terms, [told.texts[at] for at in members])
        row["quotes"] = _quotes(central[row["number"]])
        row["langs"] = row["langs"] or []
        row["narrative_id"] = "n" + hashlib.blake2b(row["earliest"].encode(), digest_size=8).hexdigest()
    return rows


def _quotes(central: Sequence[tuple[str, str]]) -> list[str]:
    """Up to three different texts, the most central first, from as many sources as there are."""
    seen: set[str] = set()
    first: list[str] = []
    later: list[str] = []
    for rep, source in central:
        (later if source in seen else first).append(rep)
        seen.add(source)
    return [*first, *later][:3]
