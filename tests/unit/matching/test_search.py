"""The two searches against looking at everything."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.matching._search import buckets_of, near_texts, within_bits


@settings(deadline=None)  # the first call compiles a kernel
@given(st.data())
def test_the_image_search_finds_what_looking_at_all_finds(data):
    """Exact is the promise; the distances are counted bit by bit here."""
    rows = st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 4), max_size=6)
    queries, near = data.draw(rows), data.draw(st.lists(st.integers(0, 255), max_size=40))
    flipped = [tuple(word ^ (1 << near[0] % 64 if near else 0) for word in row) for row in queries]
    entries = data.draw(rows) + flipped
    limit = data.draw(st.integers(0, 256))
    found = within_bits(as_words(queries), as_words(entries), limit)
    expected = [
        (q, e, sum((a ^ b).bit_count() for a, b in zip(left, right, strict=True)))
        for q, left in enumerate(queries)
        for e, right in enumerate(entries)
    ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == [
        row for row in expected if row[2] <= limit
    ]


@settings(deadline=None)  # the first call compiles a kernel
@given(seed=st.integers(0, 2**32), changes=st.lists(st.integers(0, 32), min_size=1, max_size=8))
def test_the_text_search_finds_what_looking_at_all_finds(seed, changes):
    """Seven bands miss no pair that differs in six values or fewer, wherever these stand."""
    rng = np.random.default_rng(seed)
    query = rng.integers(0, 2**32, (1, 32), dtype=np.uint32)
    entries = np.repeat(query, len(changes), axis=0)
    for row, count in enumerate(changes):
        entries[row, rng.choice(32, count, replace=False)] ^= np.uint32(1)
    found = near_texts(query, entries, buckets_of(entries), 6)
    expected = [(0, row, count) for row, count in enumerate(changes) if count <= 6]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def as_words(rows):
    """Rows of four words as the search takes them."""
    return np.array(rows, dtype=np.uint64).reshape(-1, 4)
