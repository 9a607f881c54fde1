"""What makes a narrative, and what is said of it."""

from collections import Counter

import pytest
from told_world import connection, copies, findings, materials, told_world

from antiphon.model.schemas import NARRATIVE_MEMBERS, NARRATIVES
from antiphon.model.stage import TableStage
from antiphon.narratives import TellNarratives


def told(rows, groups=(), order=0):
    """The narratives of some rows."""
    tables = {"materials": materials(rows), "findings": findings(rows), "copies": copies(list(groups))}
    return TellNarratives().run(connection(order, **tables))


@pytest.fixture(scope="module")
def world():
    """A planted world, and what was found in it."""
    rows = told_world()
    return rows, told(rows)


def test_planted_narratives_are_found_whole_and_clean(world):
    """Of twelve narratives in eight languages each has one group, with eight in ten of its tellings and few others."""
    rows, found = world
    tells = {row["id"]: row["tells"] for row in rows}
    members: dict[str, Counter[int]] = {}
    for row in found["narrative_members"].to_pylist():
        members.setdefault(row["narrative_id"], Counter())[tells[row["material_id"]]] += 1
    most = [of.most_common(1)[0] for of in members.values()]
    assert sorted(number for number, _ in most) == list(range(12))
    assert all(
        count >= 0.8 * 25 and count >= 0.9 * of.total() for (_, count), of in zip(most, members.values(), strict=True)
    )


def test_key_terms_are_the_narratives_own_words_not_a_languages_small_ones(world):
    """A word that a rare language uses everywhere is rare in the whole, and says nothing all the same."""
    rows, found = world
    common = Counter(word for row in rows for word in set(row["text"].split()) if row["tells"] < 0)
    tells = {row["id"]: row["tells"] for row in rows}
    for row in found["narratives"].to_pylist():
        if tells[row["quotes"][0]] >= 0:
            assert all(common[term] < 0.05 * len(rows) for term in row["terms"])


def test_the_tables_have_their_schemas_and_agree(world):
    """Counts in one are rows in the other."""
    _, found = world
    assert isinstance(TellNarratives(), TableStage)
    assert found["narratives"].schema == NARRATIVES
    assert found["narrative_members"].schema == NARRATIVE_MEMBERS
    counts = Counter(found["narrative_members"]["narrative_id"].to_pylist())
    rows = found["narratives"].to_pylist()
    assert {row["narrative_id"]: row["materials"] for row in rows} == counts
    assert [row["materials"] for row in rows] == sorted(counts.values(), reverse=True)


def test_quotations_come_from_different_texts_and_sources(world):
    """Three voices, not one three times."""
    rows, found = world
    source = {row["id"]: row["source"] for row in rows}
    for row in found["narratives"].to_pylist():
        quoted = [source[of] for of in row["quotes"]]
        assert len(set(quoted)) == min(len(quoted), row["sources"])
        assert len(row["quotes"]) == min(3, row["materials"])


def test_the_order_of_the_rows_makes_no_difference(world):
    """The lake gives them as it likes."""
    rows, found = world
    again = told(rows, order=7)
    assert found["narratives"].equals(again["narratives"])
    assert found["narrative_members"].equals(again["narrative_members"])


SLOGAN = "The grey harbour belongs to the lanterns. Read https://example.org/x with @someone today"


def test_a_text_copied_three_times_is_a_narrative_by_itself():
    """It counts all its copies, and its counts are those of their readings."""
    rows = [
        {"id": f"m{n}", "text": SLOGAN, "reading": reading} for n, reading in enumerate(["direct", "none", "protected"])
    ]
    rows[2]["counters"] = 0.9
    (row,) = told(rows, [["m0", "m1", "m2"]])["narratives"].to_pylist()
    assert (row["materials"], row["direct"], row["indirect"], row["protected"], row["countered_by"]) == (3, 1, 0, 1, 1)
    assert row["quotes"] == ["m0"]


def test_a_title_is_a_sentence_of_its_own_without_addresses_or_accounts():
    """No table has a person's handle, and no title leads a reader to a page."""
    rows = [{"id": f"m{n}", "text": SLOGAN} for n in range(3)]
    (row,) = told(rows, [["m0", "m1", "m2"]])["narratives"].to_pylist()
    assert row["title"] == "The grey harbour belongs to the lanterns."
    assert not {"someone", "example", "https"} & set(row["terms"])


def test_everyday_posts_of_no_copies_are_no_narrative():
    """What nobody passed on and no act is in has no place here."""
    rows = [
        {"id": f"m{n}", "text": f"A quiet day at the pond, number {n} of many", "reading": "none"} for n in range(9)
    ]
    assert told(rows)["narratives"].num_rows == 0


def test_no_materials_give_no_narratives():
    """An empty case is a case."""
    assert told([])["narrative_members"].num_rows == 0
