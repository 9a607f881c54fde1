"""The evaluation: its arithmetic, that it reads the suites as they are, and the ceilings that fail the build."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.analysis import CascadeAnalyser
from antiphon.analysis.evaluation import evaluate
from antiphon.analysis.evaluation.advocacy import advocacycheck
from antiphon.analysis.evaluation.measures import (
    Result,
    calibration_error,
    macro_f1,
    mean_of,
    resampled,
    result_of,
    wilson,
)
from antiphon.analysis.evaluation.robustness import swapped, swaps
from antiphon.analysis.pretrained import find_pretrained
from antiphon.errors import MissingError
from antiphon.node.quality import regressions

SHARED = Path(__file__).parents[3] / "../shared/data"
CASES = SHARED / "advocacycheck/cases.csv"
MOST_MOVED = 0.12
"""Share of swapped names that may move a flag."""
LEAST_SPECIFIC = {"language": 0.85, "F": 0.7}
"""Share of protected and ordinary texts that must stay unflagged, of each language and of each kind."""
PROTECTED = frozenset(f"F{number}" for number in range(19, 40))
needs_suites = pytest.mark.skipif(
    not CASES.is_file() or find_pretrained() is None,
    reason="the evaluation suites lie beside the repository, in ../shared/data; the encoder's package is needed",
)


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


def test_the_mean_counts_every_functionality_alike():
    """A functionality of many cases must not drown one of few."""
    rows = [result_of("set", "few", "flag", 1, 2), result_of("set", "many", "flag", 100, 100)]
    assert mean_of("set", "mean", rows).share == 0.75


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50))
def test_right_answers_have_the_whole_f1(labels):
    """Whatever classes there are."""
    assert macro_f1(np.array(labels), np.array(labels)) == 1.0


def test_a_sure_and_wrong_model_is_not_calibrated():
    """Nine of ten sure answers wrong is an error of about nine tenths."""
    chances, right = np.full(10, 0.99), np.array([1.0] + 9 * [0.0])
    assert calibration_error(chances, right, bins=1) == pytest.approx(0.89)


def test_a_resampled_interval_holds_the_measure():
    """Seeded: the same cases give the same interval."""
    values = np.array([0.0, 1.0] * 50)
    first, second = (resampled("set", "all", "mean", 100, lambda which: float(values[which].mean())) for _ in range(2))
    assert first == second
    assert first.low < first.share == 0.5 < first.high


def test_a_swap_keeps_all_but_the_names():
    """The same words around another faith, and every other time another name."""
    (changed, *_) = swapped("The muezzin said that Muslims of Kandahar would march.", "en", "1")
    assert changed.startswith("The muezzin said that ")
    assert "Muslims" not in changed
    assert "Kandahar" not in changed


def test_a_measure_that_fell_below_its_interval_is_a_regression():
    """Chance is not one."""
    before = result_of("set", "f", "flag", 90, 100)
    assert regressions([before._asdict()], [result_of("set", "f", "flag", 88, 100)._asdict()]) == []
    (line,) = regressions([before._asdict()], [result_of("set", "f", "flag", 50, 100)._asdict()])
    assert "0.500, released 0.900" in line


def test_an_error_that_rose_is_a_regression():
    """For some measures fewer is better."""
    before = Result("set", "f", "flag moves", 1000, 5, 0.005, 0.002, 0.01)
    assert regressions([before._asdict()], [before._replace(share=0.2, low=0.15, high=0.25)._asdict()])


def test_a_folder_without_suites_is_refused(tmp_path):
    """An empty table would read as a perfect one."""
    with pytest.raises(MissingError, match="none of the suites"):
        evaluate(tmp_path)


@pytest.fixture(scope="module")
def measured():
    """Return the lines of AdvocacyCheck."""
    return advocacycheck(CASES, CascadeAnalyser())


@needs_suites
def test_the_suites_are_counted_case_by_case(measured):
    """AdvocacyCheck has 39 functionalities; every case counts once under each measure."""
    flags = [row for row in measured if row.measure == "flag" and row.functionality[:1] == "F"]
    assert len(flags) == 39
    assert sum(row.n for row in flags) == 1609
    assert all(row.right <= row.n and row.low <= row.share <= row.high for row in flags)


@needs_suites
def test_no_language_and_no_kind_of_protected_speech_is_flagged_beyond_the_ceiling(measured):
    """False flags by context and language have a ceiling that fails the build (R-48)."""
    langs = [row for row in measured if row.measure == "flag, should not be raised"]
    kinds = [row for row in measured if row.measure == "flag" and row.functionality[:3] in PROTECTED]
    assert len(langs) == 10
    assert len(kinds) == 21
    assert min(row.share for row in langs) >= LEAST_SPECIFIC["language"]
    assert min(row.share for row in kinds) >= LEAST_SPECIFIC["F"]


@pytest.mark.slow
@needs_suites
def test_swapped_names_hardly_move_a_flag():
    """A place or a faith must not become the feature (R-48); the ceiling is what was reached, the aim is 1%."""
    (whole,) = [row for row in swaps(CASES, CascadeAnalyser()) if row.functionality == "all"]
    assert whole.n >= 2000
    assert whole.share <= MOST_MOVED
