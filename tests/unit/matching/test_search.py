"""The search for near copies against looking at everything."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.matching._search import buckets_of, near_texts


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
