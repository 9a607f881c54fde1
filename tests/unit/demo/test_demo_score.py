from datetime import UTC, datetime
from itertools import combinations

import orjson
import pyarrow as pa
import pytest

from antiphon.demo.planned import Broken
from antiphon.demo.score import score
from antiphon.demo.truth import TRUTH
from antiphon.errors import InputError
from antiphon.model.schemas import RESULT_TABLES

AT = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = {name: schema.empty_table() for name, schema in RESULT_TABLES.items()}


def truth(*rows):
    base = {"platform": "plaza", "outlet": "garden", "format": "plaza", "lang": "en", "kind": "everyday",
            "reading": "none", "published_at": AT}  # fmt: skip
    return pa.Table.from_pylist([{**base, **row} for row in rows], schema=TRUTH)


def results(**tables):
    made = {name: pa.Table.from_pylist(rows, schema=RESULT_TABLES[name]) for name, rows in tables.items()}
    return {**EMPTY, **made}


def material(key, source="plaza/garden", **fields):
    return {"material_id": f"m-{key}", "source": source, "native_id": key, "kind": "post", **fields}


def finding(key, flag):
    return {"material_id": f"m-{key}", "flag": flag, "abstained": False, "reading": "none"}


def test_records_are_joined_by_id_by_address_or_by_digest():
    """Pages have no id, images no address; nothing is joined by text."""
    planted = truth(
        {"native_id": "p1"},
        {"platform": "web", "url": "http://veyl.example/a/"},
        {"platform": "image", "sha256": "ab", "kind": "image"},
        {"native_id": "p2"},
    )
    read = [
        material("p1"),
        {"material_id": "w", "source": "web/veyl.example", "url": "https://veyl.example/a#top", "kind": "article"},
        {"material_id": "i", "source": "image", "native_id": "x", "kind": "image", "media": [{"sha256": "ab"}]},
    ]
    measure = score(planted, results(materials=read)).get("planted records read")
    assert (measure.found, measure.of) == (3, 4)


def test_one_id_on_two_platforms_is_two_records():
    """Numbers are reused everywhere."""
    planted = truth({"native_id": "1"}, {"native_id": "1", "platform": "x"})
    measure = score(planted, results(materials=[material("1", "x")])).get("planted records read")
    assert (measure.found, measure.of) == (1, 2)


def test_flags_are_counted_for_advocacy_and_against_everything_else():
    """Recall and precision, and who paid for them."""
    planted = truth(
        {"native_id": "a", "kind": "direct", "reading": "direct"},
        {"native_id": "b", "kind": "glorification", "reading": "indirect", "lang": "de"},
        {"native_id": "c", "kind": "news", "reading": "protected"},
        {"native_id": "d"},
    )
    flags = {"a": True, "b": False, "c": True, "d": False}
    got = score(planted, results(materials=map_to(material, flags), findings=map_to(finding, flags)))
    shares = {m.group: (m.found, m.of) for m in got.measures if m.name == "advocacy flagged"}
    assert shares == {"all": (1, 2), "direct": (1, 1), "glorification": (0, 1), "de": (0, 1), "en": (1, 1)}
    assert got.get("flags that are advocacy").share == 0.5
    assert got.get("protected speech flagged", "news").share == 1
    assert got.get("ordinary life flagged").share == 0


def map_to(make, flags):
    return [make(key, flag) if make is finding else make(key) for key, flag in flags.items()]


def test_copies_count_in_pairs():
    """Three of four together are three pairs of six; one in the wrong group adds none."""
    planted = truth(*({"native_id": key, "copy_group": "g"} for key in "abcd"))
    rows = [
        {"copy_group": "x" if key != "d" else "y", "material_id": f"m-{key}", "copy_kind": "near"} for key in "abcd"
    ]
    got = score(planted, results(materials=[material(key) for key in "abcd"], copies=rows))
    measure = got.get("text copies grouped (pairs)")
    assert (measure.found, measure.of) == (3, 6)


def test_a_group_that_mixes_two_campaigns_is_seen():
    """One group of everything would find all pairs."""
    planted = truth({"native_id": "a", "copy_group": "g"}, {"native_id": "b", "copy_group": "h"})
    rows = [{"copy_group": "x", "material_id": f"m-{key}", "copy_kind": "exact"} for key in "ab"]
    got = score(planted, results(materials=[material(key) for key in "ab"], copies=rows))
    assert (got.get("text groups that mix nothing").found, got.get("text groups that mix nothing").of) == (0, 1)


def test_an_image_group_is_no_text_group():
    """The same picture under two texts is one copy, of the picture."""
    planted = truth(*({"native_id": key, "image": "image-01"} for key in "ab"))
    rows = [{"copy_group": "x", "material_id": f"m-{key}", "copy_kind": "image"} for key in "ab"]
    got = score(planted, results(materials=[material(key) for key in "ab"], copies=rows))
    assert got.get("image copies grouped (pairs)").share == 1
    assert got.get("text copies grouped (pairs)").share is None


def test_a_match_is_right_where_its_entry_was_planted():
    """A match with another entry is a false one, however near."""
    planted = truth({"native_id": "a", "bank_entry": "picture-01"}, {"native_id": "b"})
    rows = [{"material_id": "m-a", "entry_id": "picture-01"}, {"material_id": "m-b", "entry_id": "picture-01"}]
    got = score(planted, results(materials=[material("a"), material("b")], matches=rows))
    assert got.get("known material matched", "picture").share == 1
    assert got.get("matches that are right").share == 0.5


def test_pairs_of_a_campaign_are_found_in_either_order():
    """A pair has no first."""
    keys = {"a": "plaza/garden", "b": "plaza/trams", "c": "telegram/Yes Valley"}
    rows = [{"native_id": k, "campaign": "dam", "platform": s.partition("/")[0]} for k, s in keys.items()]
    said = [{"source_a": "telegram/Yes Valley", "source_b": "plaza/garden"}]
    got = score(truth(*rows), results(materials=[material(k, s) for k, s in keys.items()], coordination=said))
    measure = got.get("coordinated pairs found", "dam")
    assert (measure.found, measure.of) == (1, 3)
    assert got.get("pairs called coordinated that are").share == 1


def test_a_pair_of_a_burst_is_innocent_unless_a_campaign_planted_it():
    """Both sources cheered, and two of them agreed on something else."""
    sources = {"a": "plaza/garden", "b": "plaza/trams", "c": "plaza/films"}
    rows = [{"native_id": k, "burst": "final"} for k in sources]
    rows += [{"native_id": f"{k}2", "campaign": "dam"} for k in "ab"]
    read = [material(k, s) for k, s in sources.items()] + [material(f"{k}2", sources[k]) for k in "ab"]
    said = [{"source_a": a, "source_b": b} for a, b in combinations(sources.values(), 2)]
    measure = score(truth(*rows), results(materials=read, coordination=said)).get(
        "innocent pairs called coordinated", "final"
    )
    assert (measure.found, measure.of) == (2, 2)


def test_a_broken_record_counts_where_its_own_record_is_in_quarantine():
    """Another record of the same file proves nothing."""
    broken = (
        Broken("plaza/posts.jsonl", 7, "cut"),
        Broken("plaza/posts.jsonl", 9, "cut"),
        Broken("a/void.csv", None, "empty"),
    )
    rows = [{"input": "material/plaza/posts.jsonl", "record": 7}, {"input": "material/a/void.csv"}]
    measure = score(truth(), results(skipped=rows), broken).get("broken records in quarantine")
    assert (measure.found, measure.of) == (2, 3)


def test_rows_and_json_say_the_same():
    """The page and the file must not differ."""
    got = score(truth({"native_id": "p1"}), results(materials=[material("p1")]))
    rows, values = got.rows(), orjson.loads(got.to_json())
    assert [row["measure"] for row in rows] == [value["name"] for value in values]
    assert rows[0]["share"] == "100.0%"
    assert values[0]["low"] < values[0]["share"] == 1
    assert len({tuple(row) for row in rows}) == 1


def test_a_missing_table_is_named():
    """A score over half a run would look like a bad one."""
    with pytest.raises(InputError, match="'copies'"):
        score(truth(), {name: table for name, table in EMPTY.items() if name != "copies"})


def test_an_unknown_measure_is_refused_with_the_known_ones():
    """A typo must not read as zero."""
    with pytest.raises(InputError, match="planted records read"):
        score(truth(), EMPTY).get("recall")
