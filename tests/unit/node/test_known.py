"""Known ids: what a set would say, in sixteen bytes each."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from antiphon.node.known import KnownIds

ids = st.tuples(st.integers(0, 3), st.integers(0, 12)).map(lambda pair: "{:016x}{:016x}".format(*pair))


@given(st.lists(st.lists(ids, max_size=30), max_size=8))
def test_it_is_a_set(batches):
    """Of an id that comes twice the first is the new one, in a batch and across them."""
    known, seen = KnownIds(), set()
    for batch in batches:
        wanted = []
        for one in batch:
            wanted.append(one not in seen)
            seen.add(one)
        assert known.add_new(pa.array(batch, pa.string())).tolist() == wanted
    assert len(known) == len(seen)
