"""What matches, what does not, and what engines rely on."""

import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigError, InputError
from antiphon.matching import MatchSignals
from antiphon.model.schemas import MATCHES, SIGNALS, empty
from antiphon.model.stage import Stage

ZERO = bytes(32)


def signals(*rows):
    """A batch of signals: type, value, and for images the quality."""
    filled = [
        {"material_id": f"m{number}", "part": "text", "signal_type": kind, "value": value, "quality": quality}
        for number, (kind, value, quality) in enumerate(rows)
    ]
    return pa.RecordBatch.from_pylist(filled, schema=SIGNALS)


def bank_file(folder, *rows, name="known"):
    """A bank of type and value."""
    path = folder / f"{name}.csv"
    lines = [f"e{number},{kind},{value.hex()}" for number, (kind, value) in enumerate(rows)]
    path.write_text("\n".join(["entry_id,signal_type,value", *lines]), encoding="utf-8")
    return path


def matches(stage, batch):
    """Rows of the matches."""
    return pa.Table.from_batches(list(stage.run(batch)), schema=MATCHES).to_pylist()


@pytest.mark.parametrize(("limit", "found"), [(2, 0), (3, 1)], ids=["just out", "just in"])
def test_the_limit_is_included(tmp_path, limit, found):
    """A distance equal to the limit matches; one bit more does not."""
    stage = MatchSignals([bank_file(tmp_path, ("pdq", bytes(31) + b"\x07"))], max_distance_bits=limit)
    rows = matches(stage, signals(("pdq", ZERO, 1.0)))
    assert len(rows) == found
    assert all((row["distance"], row["threshold"], row["bank"]) == (3, limit, "known") for row in rows)


@pytest.mark.parametrize(("quality", "found"), [(0.49, 0), (0.5, 1), (None, 1)], ids=["flat", "enough", "unknown"])
def test_an_image_of_low_quality_matches_nothing(tmp_path, quality, found):
    """Flat pictures are near to one another for that reason alone."""
    stage = MatchSignals([bank_file(tmp_path, ("pdq", ZERO))])
    assert len(matches(stage, signals(("pdq", ZERO, quality)))) == found


@pytest.mark.parametrize(
    ("changed", "found"), [(0, 1), (6, 1), (7, 0)], ids=["the same", "26 of 32 agree", "25 of 32 agree"]
)
def test_near_texts_match_up_to_six_values(tmp_path, changed, found):
    """A similarity of 0.8 or more of 32 values is 26."""
    value = bytes([1, 0, 0, 0] * changed + [0, 0, 0, 0] * (32 - changed))
    stage = MatchSignals([bank_file(tmp_path, ("text_near", bytes(128)))])
    rows = matches(stage, signals(("text_near", value, None)))
    assert [row["distance"] for row in rows] == [changed] * found


def test_equal_digests_match_and_types_do_not_mix(tmp_path):
    """A PDQ value that happens to be some file's digest is nothing."""
    stage = MatchSignals([bank_file(tmp_path, ("sha256", ZERO))])
    rows = matches(stage, signals(("pdq", ZERO, 1.0), ("sha256", ZERO, None), ("sha256", bytes(31) + b"\1", None)))
    assert [(row["material_id"], row["distance"]) for row in rows] == [("m1", 0)]


values = st.lists(st.tuples(st.just("pdq"), st.binary(min_size=32, max_size=32), st.just(1.0)), max_size=5)


@settings(deadline=None)  # the first call compiles a kernel
@given(left=values, right=values)
def test_any_partition_gives_the_same_rows(tmp_path_factory, left, right):
    """What lets an engine split a batch where it likes."""
    stage = MatchSignals([bank_file(tmp_path_factory.mktemp("b"), ("pdq", ZERO), ("pdq", b"\xff" * 32))], 120)
    whole = matches(stage, signals(*left, *right))
    batch = signals(*left, *right)
    parts = [matches(stage, part) for part in (batch.slice(0, len(left)), batch.slice(len(left)))]
    assert whole == parts[0] + parts[1]


def test_two_banks_answer_in_the_order_of_their_names(tmp_path):
    """The same rows whichever bank was named first."""
    paths = [bank_file(tmp_path, ("pdq", ZERO), name=name) for name in ("b", "a")]
    found = [matches(MatchSignals(order), signals(("pdq", ZERO, 1.0))) for order in (paths, paths[::-1])]
    assert found[0] == found[1]
    assert [row["bank"] for row in found[0]] == ["a", "b"]


def test_two_banks_of_one_name_are_refused(tmp_path):
    """A match that names its bank must name one."""
    (tmp_path / "x").mkdir()
    paths = [bank_file(tmp_path, ("pdq", ZERO)), bank_file(tmp_path / "x", ("pdq", ZERO))]
    with pytest.raises(ExceptionGroup, match="1 faults"):
        MatchSignals(paths).open()


def test_no_rows_give_no_rows_and_no_banks_no_matches(tmp_path):
    """Empty is not an error."""
    assert matches(MatchSignals([bank_file(tmp_path, ("pdq", ZERO))]), empty(SIGNALS)) == []
    assert matches(MatchSignals([]), signals(("pdq", ZERO, 1.0))) == []


def test_an_opened_stage_can_be_shipped(tmp_path):
    """The index stays behind: every worker opens its own."""
    stage = MatchSignals([bank_file(tmp_path, ("pdq", ZERO))])
    stage.open()
    shipped = pickle.loads(pickle.dumps(stage))  # noqa: S301 - our own bytes
    assert isinstance(shipped, Stage)
    assert matches(shipped, signals(("pdq", ZERO, 1.0))) == matches(stage, signals(("pdq", ZERO, 1.0)))


def test_a_value_of_another_length_is_refused(tmp_path):
    """A broken signal must not be compared with anything."""
    stage = MatchSignals([bank_file(tmp_path, ("pdq", ZERO))])
    with pytest.raises(InputError, match="32 bytes"):
        matches(stage, signals(("pdq", b"short", 1.0)))


def test_a_distance_out_of_range_is_refused():
    """Of 256 bits at most 256 differ."""
    with pytest.raises(ConfigError, match="expected 0 to 256"):
        MatchSignals([], max_distance_bits=257)
