"""What is picked from the result tables."""

import pyarrow as pa
import pytest
from dossier_sample import START, MemorySource, finding, material, source

from antiphon.dossier import Caps, DossierSource
from antiphon.dossier.gather import gather
from antiphon.dossier.gather.reader import Reader, quoted


@pytest.fixture(scope="module")
def run():
    return source(400)


@pytest.fixture(scope="module")
def content(run):
    return gather(run, Caps())


def one(**rows):
    return gather(MemorySource(rows), Caps())


def copy(material_id, group, **fields):
    return {
        "copy_group": group,
        "material_id": material_id,
        "copy_kind": "exact",
        "similarity": 1.0,
        "source": "a/b",
        "is_first": material_id == group,
        "published_at": START,
        **fields,
    }


def test_the_sample_is_a_source(run):
    """The tests use the interface that the node implements."""
    assert isinstance(run, DossierSource)


def test_no_rows_make_a_content_of_zeros():
    """A run that read nothing still gets a page that says so."""
    content = one()
    assert (content.counts.materials, content.ledger.found, content.review, content.nodes) == (0, 0, (), ())


def test_readings_add_up_to_the_findings(run, content):
    """The summary's shares are of one whole."""
    assert sum(content.counts.readings.values()) == content.counts.read == run.query("FROM findings").num_rows


def test_the_queue_is_in_the_order_of_priority(content):
    """A reviewer begins with what asks most."""
    priorities = [found.review_priority for found in content.review]
    assert priorities == sorted(priorities, reverse=True)
    assert all(found.flag for found in content.review)


def test_a_copied_text_stands_once_in_the_queue():
    """Reading the same words again costs a reviewer and tells nothing."""
    content = one(
        materials=[material(key) for key in "abc"],
        findings=[finding("a"), finding("b", review_priority=0.9), finding("c")],
        copies=[copy("a", "a"), copy("b", "a")],
    )
    assert [found.material_id for found in content.review] == ["b", "c"]
    assert (content.review[0].copies, content.review_shown.total, content.counts.flagged) == (2, 2, 3)


def test_protected_material_near_an_act_stands_first():
    """A wrong reading is likeliest where the words look most like an act."""
    acts = dict.fromkeys(("incites", "glorifies", "solicits", "instructs", "threatens"), 0.0)
    content = one(
        materials=[material("a"), material("b")],
        findings=[finding("a", "protected"), finding("b", "protected", speech_acts={**acts, "threatens": 0.7})],
    )
    assert [found.material_id for found in content.protected] == ["b", "a"]


def test_two_analysers_count_a_material_once():
    """A second opinion is a second finding of one material, and the one that asks for a reviewer counts."""
    content = one(
        materials=[material("a")], findings=[finding("a", "none", analyser="first"), finding("a", analyser="second")]
    )
    assert (content.counts.read, content.counts.readings["direct"], content.review[0].analyser) == (1, 1, "second 1")


@pytest.mark.parametrize("list_name", ["review", "protected", "unclear", "matches", "copies", "narratives", "sources"])
def test_each_list_keeps_its_cap_and_says_of_how_many(run, list_name):
    """The size of a page depends on the caps and not on the corpus."""
    content = gather(run, Caps(**{list_name: 2}))
    shown = getattr(content, f"{list_name}_shown")
    assert len(getattr(content, list_name)) == shown.shown == 2
    assert shown.total > 2


def test_the_same_tables_give_the_same_content(run, content):
    """A dossier can be made again and compared."""
    assert gather(run, Caps()) == content


def test_sums_that_do_not_add_up_are_found():
    """A record lost without a word is the worst that a reader can do."""
    row = {"reader": "r", "bytes": 1, "found": 5, "kept": 3, "known": 1, "quarantined": 0, "other": 0, "complete": True}
    content = one(ledger=[{"input": "good", **row, "found": 4}, {"input": "bad", **row}])
    assert content.ledger.not_adding_up == 1
    assert [row.input for row in content.ledger.rows if not row.adds_up] == ["bad"]


def test_an_input_that_lost_records_is_shown_before_large_ones():
    """With thousands of inputs, the one that went wrong must be among those shown."""
    row = {"reader": "r", "bytes": 1, "kept": 9, "known": 0, "quarantined": 0, "other": 0, "complete": True}
    inputs = [{"input": f"in-{n}", "found": 9, **row} for n in range(5)]
    content = gather(MemorySource({"ledger": [*inputs, {"input": "z", **row, "found": 10}]}), Caps(inputs=1))
    assert [row.input for row in content.ledger.rows] == ["z"]


def test_details_that_are_no_counts_are_left_out():
    """The ledger of a plug-in is a stranger's JSON."""
    row = {"input": "i", "found": 0, "kept": 0, "known": 0, "quarantined": 0, "other": 3, "complete": True}
    content = one(ledger=[{**row, "other_detail": "[1, 2"}, {**row, "other_detail": '{"likes": 3, "x": "y"}'}])
    assert sorted(map(str, (row.other_detail for row in content.ledger.rows))) == ["{'likes': 3}", "{}"]


def test_the_path_of_a_copy_is_in_the_order_of_time():
    """Who had it first is what the path tells."""
    later = START.replace(day=9)
    content = one(
        materials=[material("a"), material("b")],
        copies=[copy("b", "a", source="late/x", published_at=later), copy("a", "a", source="early/x")],
    )
    assert [step.source for step in content.copies[0].steps] == ["early/x", "late/x"]
    assert [point.source for point in content.paths] == ["early/x", "late/x"]


def test_a_quote_in_an_id_is_no_sql():
    """Ids of plug-ins are strangers' strings too."""
    hostile = "x') OR 1=1 --"
    content = one(materials=[material(hostile), material("b")], findings=[finding(hostile)])
    assert [found.material_id for found in content.review] == [hostile]
    listed = quoted(["o'b"])
    assert MemorySource({}).query(f"SELECT 'o''b' IN {listed} AS x").to_pylist() == [{"x": True}]


def test_no_author_is_in_the_content(content):
    """Pseudonyms tie materials together by person; a dossier is about content (R-77)."""
    assert "pseudonym-3f2a" not in repr(content)


def test_a_reader_takes_findings_as_they_are_where_one_analyser_wrote_them(run):
    """A window over all findings costs memory that a run of millions doesn't need to spend."""
    assert Reader.of(run).findings == "findings"
    assert isinstance(run.query("SELECT 1 AS a"), pa.Table)
