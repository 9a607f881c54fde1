"""Materials: ids, validation, what a row becomes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.model.material import (
    Columns,
    Material,
    Media,
    Origin,
    Skipped,
    content_id,
    material_id,
    materials_batch,
    skipped_batch,
)
from antiphon.model.pseudonym import Pseudonyms
from antiphon.model.schemas import MATERIALS, SKIPPED

ORIGIN = Origin("posts.jsonl", "jsonl", "1")
PSEUDONYMS = Pseudonyms(bytes(32))
texts = st.text(max_size=40) | st.none()


def batch_of(*materials: Material):
    return materials_batch(list(materials), ORIGIN, PSEUDONYMS)


def test_the_same_post_read_twice_is_the_same_material():
    """Platform and native id name it, whatever else the second reading knows."""
    first = Material("x", native_id="7", text="Rain in Veyl")
    second = Material("x/board", native_id="7", text="Rain in Veyl", views=90, url="https://x.example/7")
    assert material_id(first) == material_id(second)


def test_boards_that_count_for_themselves_have_materials_of_their_own():
    """Row 1 of one board is not row 1 of another; an instance of Mastodon numbers alone."""
    assert material_id(Material("posts/a", native_id="1")) != material_id(Material("posts/b", native_id="1"))


def test_another_edition_is_another_material():
    """An edited post says something else; both are evidence."""
    assert material_id(Material("x", native_id="7")) != material_id(Material("x", native_id="7", revision="2"))


def test_without_a_native_id_the_canonical_address_is_the_identity():
    """Tracking parameters and fragments do not make another page."""
    one, two = "https://a.example/p?id=1&utm_source=x#c", "http://A.example/p/?id=1"
    assert material_id(Material("web", url=one)) == material_id(Material("web", url=two))


@given(st.lists(texts, min_size=2, max_size=2), st.lists(texts, min_size=2, max_size=2))
def test_contents_run_into_one_another_never(left, right):
    """Length-prefixed parts: title "a", text "bc" is not title "ab", text "c"."""
    ids = {material_id(Material("p", title=t or "", text=x or "")) for t, x in (left, right)}
    same = [p or "" for p in left] == [p or "" for p in right]
    assert len(ids) == (1 if same else 2)


def test_the_short_way_to_an_id_is_the_long_one():
    """Ids are kept for years: the fast path may never differ."""
    assert material_id(Material("x", native_id="7", revision="é2")) == content_id("x", "id", "7", "é2")


def test_the_batch_has_the_ids_that_material_id_gives():
    """The fast column path and the single id are one definition."""
    materials = [Material("x", native_id="7"), Material("web", url="https://a.example"), Material("p", text="t")]
    batch, _ = batch_of(*materials)
    assert batch.column("material_id").to_pylist() == [material_id(m) for m in materials]


def test_a_wrong_row_costs_one_row_and_names_its_field():
    """File, record and field stand in the message; the good rows stay."""
    batch, skipped = batch_of(
        Material("x", native_id="1"), Material("x", native_id="2", published_at="never", record=4, raw=b"{}")
    )
    assert batch.num_rows == 1
    assert "posts.jsonl, record 4, field published_at: 'never'" in skipped[0].detail
    assert skipped[0].raw == b"{}"


def test_every_field_is_checked():
    """A reader's mistake never becomes a broken table."""
    wrong = [
        Material(""), Material("x", text=5), Material("x", views="many"), Material("x", kind="rumour"),
        Material("x", links="https://a.example"), Material("x", media=["a.jpg"]), Material("x", views=2**63),
        Material("x", published_at=float("nan")), Material("x", published_at=True), Material("x", text="a" * 4_000_001),
    ]  # fmt: skip
    batch, skipped = batch_of(*wrong)
    assert (batch.num_rows, len(skipped)) == (0, len(wrong))


def test_five_styles_of_dates_are_one_instant():
    """Exports write the same second in many ways."""
    styles = ["2026-03-01T12:00:00Z", "Sun, 01 Mar 2026 12:00:00 GMT", "Sun Mar 01 12:00:00 +0000 2026", 1772366400,
              "1772366400000", "2026-03-01 13:00:00+01:00", "01/03/2026 12:00"]  # fmt: skip
    batch, skipped = batch_of(*(Material("x", native_id=str(i), published_at=s) for i, s in enumerate(styles)))
    assert skipped == []
    assert len(set(batch.column("published_at").to_pylist())) == 1


def test_links_in_the_text_join_those_given():
    """Once each, without the punctuation of the sentence."""
    batch, _ = batch_of(
        Material("x", text="See (https://a.example/x). Or https://b.example!", links=["https://a.example/x"])
    )
    assert batch.column("links").to_pylist() == [["https://a.example/x", "https://b.example"]]


def test_lone_surrogates_are_made_visible():
    """No file can hold them, and one broken emoji must not cost a post."""
    batch, skipped = batch_of(Material("x", text="a\ud83d b"))
    assert (batch.column("text").to_pylist(), skipped) == (["a\ufffd\ufffd\ufffd b"], [])


def test_columns_and_materials_give_the_same_rows():
    """Two ways in, one result."""
    media = [Media(path="a.jpg", sha256="ab")]
    rows = [Material("x", native_id=str(i), author="u", text="t", media=media, record=i) for i in range(3)]
    names = ("source", "native_id", "author", "text", "media", "record", "kind")
    columns = Columns({n: [getattr(r, n) for r in rows] for n in names}, [b""] * 3)
    assert materials_batch(columns, ORIGIN, PSEUDONYMS)[0].equals(batch_of(*rows)[0])


def test_nothing_in_nothing_out():
    """Zero rows have the schema too."""
    batch, skipped = batch_of()
    assert (batch.schema, batch.num_rows, skipped) == (MATERIALS, 0, [])


def test_the_quarantine_keeps_at_most_64_kib_and_nothing_of_what_is_not_public():
    """R-03: private messages are not stored, only counted."""
    rows = skipped_batch(
        [Skipped("long", "d", raw=b"x" * 100_000), Skipped("not-public", "d", raw=b"secret", keep_raw=False)], "i", "s"
    )
    assert rows.schema == SKIPPED
    assert [len(raw) if raw else raw for raw in rows.column("raw").to_pylist()] == [65_536, None]
    assert rows.column("raw_bytes").to_pylist() == [100_000, 6]
