"""The linear analyser: the laws of a stage, and what each column promises."""

import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.analysis import Analyser, LinearAnalyser
from antiphon.analysis.evaluation.suites import materials_of
from antiphon.errors import InputError
from antiphon.model.schemas import FINDINGS, MATERIALS, PROTECTED_CONTEXTS, SPEECH_ACTS, empty

CALL = "Comrades, storm the customs house of Veldra tonight and burn it down!"
NEWS = 'Police say the suspect had written "storm the customs house and burn it down" before his arrest.'
texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=120) | st.sampled_from([CALL, NEWS]), max_size=6
)


def findings(*given: str, **columns: object) -> pa.RecordBatch:
    """Return the findings on texts."""
    batch = materials_of(list(given))
    for name, values in columns.items():
        at = batch.schema.get_field_index(name)
        batch = batch.set_column(at, MATERIALS.field(name), pa.array(values, MATERIALS.field(name).type))
    (found,) = LinearAnalyser().run(batch)
    return found


def test_it_is_an_analyser_that_can_be_shipped():
    """An engine pickles the stage before it is opened, and the plug-in loader checks the interface."""
    analyser = pickle.loads(pickle.dumps(LinearAnalyser()))  # noqa: S301 - our own bytes
    analyser.open()
    assert isinstance(analyser, Analyser)
    assert analyser.reads == MATERIALS


@pytest.mark.parametrize("example", LinearAnalyser().examples(), ids=lambda example: example.reading)
def test_an_example_reads_as_it_says(example):
    """The manual shows these."""
    assert findings(example.text).column("reading").to_pylist() == [example.reading]


def test_the_schema_is_the_declared_one():
    """Storage writes what the schema says, metadata included."""
    found = findings(CALL, NEWS, "", "Good morning")
    assert found.schema.equals(FINDINGS, check_metadata=True)
    found.validate(full=True)


def test_no_rows_give_no_rows():
    """A law of stages."""
    (found,) = LinearAnalyser().run(empty(MATERIALS))
    assert found.num_rows == 0
    assert found.schema == FINDINGS


@given(texts, st.integers(0, 6))
@settings(deadline=None)
def test_any_partition_gives_the_same_rows(given, cut):
    """What lets an engine split a batch where it likes."""
    batch = materials_of(given)
    (whole,) = LinearAnalyser().run(batch)
    parts = [next(LinearAnalyser().run(part)) for part in (batch.slice(0, cut), batch.slice(cut))]
    assert whole.to_pylist() == [row for part in parts for row in part.to_pylist()]


@given(texts)
@settings(deadline=None)
def test_the_same_input_gives_the_same_bytes(given):
    """A finding must be reproducible from the material."""
    first, second = (next(LinearAnalyser().run(materials_of(given))) for _ in range(2))
    assert first.serialize().to_pybytes() == second.serialize().to_pybytes()


@given(texts)
@settings(deadline=None)
def test_spans_are_places_in_the_text(given):
    """A reviewer sees the words marked in the original, whatever normalisation changed."""
    for text, row in zip(given, findings(*given).to_pylist(), strict=True):
        ends = [0]
        for span in row["spans"]:
            assert ends[-1] <= span["start"] < span["end"] <= len(text)
            assert span["label"] in (*SPEECH_ACTS, *PROTECTED_CONTEXTS)
            ends.append(span["end"])


@given(texts)
@settings(deadline=None)
def test_every_score_is_a_probability(given):
    """Scores are compared with thresholds and shown as percentages."""
    for row in findings(*given).to_pylist():
        scores = [*row["speech_acts"].values(), *row["contexts"].values(), row["review_priority"]]
        assert all(0 <= score <= 1 for score in scores)


def test_spans_mark_the_words_of_the_original():
    """Bold letters, accents and invisible marks are folded for analysis and must not shift a span."""
    text = "\u200b\u200bＣｏｍｒａｄｅｓ,   storm the customs house of Veldra and 𝗯𝘂𝗿𝗻 it down tonight!"
    (row,) = findings(text).to_pylist()
    assert row["flag"]
    marked = " ".join(text[span["start"] : span["end"]] for span in row["spans"])
    assert "𝗯𝘂𝗿𝗻" in marked or "storm" in marked


def test_a_long_text_is_read_up_to_its_bound():
    """A megabyte of text must cost no more than its first pages."""
    start = (NEWS + " ") * 300
    whole, first = findings(start + "x " * 500_000, start[:20_000]).to_pylist()
    assert whole["speech_acts"] == first["speech_acts"]
    assert all(span["end"] <= 20_000 for span in whole["spans"])


def test_a_material_without_text_is_not_judged():
    """An image has no words: a row, so that no material is lost, and no claim."""
    (row,) = findings("", text=[None]).to_pylist()
    assert (row["reading"], row["lang"], row["flag"], row["abstained"]) == ("none", None, False, False)
    assert row["spans"] == []


def test_a_title_is_read_where_there_is_no_text():
    """Headlines and image captions come without a text; spans would point into nothing."""
    (row,) = findings("", text=[None], title=[CALL]).to_pylist()
    assert row["flag"]
    assert row["spans"] == []


def test_it_abstains_in_a_language_that_it_has_not_learnt():
    """An unlearnt language looks harmless to a linear model, and that would be a lie."""
    (row,) = findings("Oggi piove di nuovo e l'autobus per la stazione è in ritardo come sempre").to_pylist()
    assert (row["lang"], row["reading"], row["abstained"], row["flag"]) == ("it", "unclear", True, False)


@pytest.mark.parametrize(("text", "word"), [(CALL, "direct"), (NEWS, "news report"), ("Good morning", "No call")])
def test_the_reason_is_one_sentence(text, word):
    """Reviewers read it first."""
    (reason,) = findings(text).column("reason").to_pylist()
    assert word in reason
    assert reason.endswith(".")
    assert "\n" not in reason


def test_a_batch_of_another_schema_is_refused():
    """The fault is the caller's, and named at the door."""
    with pytest.raises(InputError, match="material_id"):
        next(LinearAnalyser().run(pa.RecordBatch.from_pylist([{"text": "a"}])))
