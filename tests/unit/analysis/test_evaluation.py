"""The evaluation: its arithmetic, and that it reads the suites as they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.analysis.evaluation import evaluate, wilson
from antiphon.errors import MissingError

SHARED = Path(__file__).parents[3] / "../shared/data"


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(case):
    """Wilson's interval stays within 0 and 1 and around what was measured."""
    right, n = case
    low, high = wilson(right, n)
    assert 0 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1


def test_more_cases_narrow_the_interval():
    """A hundred cases say more than ten."""
    assert wilson(90, 100)[0] > wilson(9, 10)[0]


def test_a_folder_without_suites_is_refused(tmp_path):
    """An empty table would read as a perfect one."""
    with pytest.raises(MissingError, match="none of the suites"):
        evaluate(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the evaluation suites lie beside the repository, in ../shared/data")
def test_the_suites_are_counted_case_by_case():
    """AdvocacyCheck has 39 functionalities; every case counts once under each measure."""
    rows = evaluate(SHARED)
    flags = [
        row for row in rows if row.data_set == "advocacycheck" and row.measure == "flag" and row.functionality[0] == "F"
    ]
    assert len(flags) == 39
    assert sum(row.n for row in flags) == 1609
    assert all(row.right <= row.n and row.low <= row.share <= row.high for row in flags)
