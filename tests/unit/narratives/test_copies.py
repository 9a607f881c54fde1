"""Which materials are copies of one another, and what the groups say."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told_world import connection, materials, signals

from antiphon.model.schemas import COPIES
from antiphon.model.stage import TableStage
from antiphon.narratives import GroupCopies
from antiphon.narratives._linking import link_images, link_texts, roots


def minima(*changed):
    """Signals that differ from the first in so many of 32 values."""
    return [np.array([1] * count + [0] * (32 - count), dtype="<u4").tobytes() for count in changed]


def text_signals(values, exact=None):
    """Signals of texts by their minima; every text is another one unless `exact` says otherwise."""
    rows = []
    for number, value in enumerate(values):
        digest = bytes([exact[number] if exact else number]) * 16
        rows.append((f"m{number}", "text", "text_exact", digest, 1.0))
        rows.append((f"m{number}", "text", "text_near", value, 1.0))
    return signals(rows)


def grouped(signals_table, count, order=0):
    """The groups of so many materials, published in the order of their numbers."""
    tables = connection(order, materials=materials([{"id": f"m{n}"} for n in range(count)]), signals=signals_table)
    return GroupCopies().run(tables)["copies"]


def single_linkage(count, near):
    """Groups by joining all near pairs, the plain way."""
    group = list(range(count))
    for left, right in combinations(range(count), 2):
        if near(left, right):
            low, high = sorted((group[left], group[right]))
            group = [low if of == high else of for of in group]
    return group


def test_it_is_a_table_stage_that_writes_its_schema():
    """The node asks for nothing else."""
    assert isinstance(GroupCopies(), TableStage)
    assert grouped(signals([]), 0).schema == COPIES


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [((0, 0), ["near", "near"]), ((0, 6), ["near", "near"]), ((0, 7), []), ((0, 6, 12), ["near"] * 3)],
    ids=["same minima", "just in", "just out", "through a chain"],
)
def test_near_copies_agree_in_26_of_32_values(changed, kinds):
    """The first of a group is an exact copy of itself; the others are what they are to it."""
    rows = grouped(text_signals(minima(*changed)), len(changed)).to_pylist()
    assert [row["copy_kind"] for row in rows] == (["exact", *kinds[1:]] if kinds else [])
    assert [row["similarity"] for row in rows] == [1 - count / 32 for count in changed][: len(rows)]


def test_equal_texts_are_exact_copies_and_the_earliest_names_the_group():
    """One look at the id finds the first sight."""
    rows = grouped(text_signals(minima(0, 20, 20), exact=[1, 2, 2]), 3).to_pylist()
    assert [(row["copy_group"], row["material_id"], row["copy_kind"], row["is_first"]) for row in rows] == [
        ("m1", "m1", "exact", True),
        ("m1", "m2", "exact", False),
    ]


def test_images_group_by_file_or_by_nearness_but_not_when_flat():
    """An image group is named for the file of its first, so it is never mixed up with a text's."""
    near, far = bytes(31) + b"\x0f", b"\xff" * 32
    pdq = [("m0", bytes(32), 1.0), ("m1", near, 1.0), ("m2", bytes(32), 0.2), ("m3", far, 1.0)]
    rows = [(of, "media/0", "pdq", value, quality) for of, value, quality in pdq]
    rows += [
        (of, "media/0", "sha256", bytes([number]) * 32, None) for number, of in enumerate(("m0", "m1", "m2", "m3"))
    ]
    rows += [("m4", "media/2", "sha256", bytes([3]) * 32, None)]
    found = [(row["copy_group"], row["material_id"], row["copy_kind"]) for row in grouped(signals(rows), 5).to_pylist()]
    assert found == [("m0/media/0", of, "image") for of in ("m0", "m1")] + [
        ("m3/media/0", of, "image") for of in ("m3", "m4")
    ]


def test_a_material_that_holds_a_file_twice_is_no_copy_of_itself():
    """Two materials make a group; two files of one do not."""
    rows = [("m0", f"media/{at}", "sha256", bytes(32), None) for at in range(2)]
    assert grouped(signals(rows), 1).num_rows == 0


def test_the_order_of_the_rows_makes_no_difference():
    """The lake gives them as it likes."""
    rng = np.random.default_rng(5)
    values = minima(*rng.integers(0, 33, 60))
    tables = [grouped(text_signals(values, exact=list(range(30)) * 2), 60, order) for order in (0, 1, 2)]
    assert tables[0].num_rows > 0
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


@settings(deadline=None)  # the first call compiles a kernel
@given(seed=st.integers(0, 2**32), count=st.integers(0, 12))
def test_text_links_are_those_of_comparing_all_pairs(seed, count):
    """Seven bands miss none, wherever the differences stand."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, 32), dtype=np.uint32)
    for row in rows:
        row[rng.choice(32, rng.integers(0, 9), replace=False)] = rng.integers(1, 3)
    parent = np.arange(count, dtype=np.int32)
    link_texts(parent, np.arange(count, dtype=np.int32), rows)
    near = single_linkage(count, lambda a, b: np.count_nonzero(rows[a] != rows[b]) <= 6)
    assert roots(parent).tolist() == near


@settings(deadline=None)  # the first call compiles a kernel
@given(seed=st.integers(0, 2**32), count=st.integers(0, 12))
def test_image_links_are_those_of_comparing_all_pairs(seed, count):
    """Sixteen bands of which one differs in a bit at most miss none up to 31 bits."""
    rng = np.random.default_rng(seed)
    bits = np.zeros((count, 256), dtype=np.uint8)
    for row in bits:
        row[rng.choice(256, rng.integers(0, 33), replace=False)] = 1
    words = np.packbits(bits, axis=1).view(np.uint64).reshape(count, 4)
    parent = np.arange(count, dtype=np.int32)
    link_images(parent, np.arange(count, dtype=np.int32), words)
    near = single_linkage(count, lambda a, b: np.count_nonzero(bits[a] != bits[b]) <= 31)
    assert roots(parent).tolist() == near


def test_a_bucket_of_very_many_near_texts_stays_one_group():
    """The window bounds the work, not the group: 2,000 rewordings of one text are one."""
    rng = np.random.default_rng(1)
    rows = np.zeros((2000, 32), dtype=np.uint32)
    for number, row in enumerate(rows):
        row[rng.choice(32, 2, replace=False)] = number + 1
    parent = np.arange(2000, dtype=np.int32)
    link_texts(parent, np.arange(2000, dtype=np.int32), rows)
    assert np.unique(roots(parent)).size == 1
