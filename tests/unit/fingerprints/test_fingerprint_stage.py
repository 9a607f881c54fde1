"""What the engines rely on in the stage that fingerprints materials."""

import hashlib
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from materials_rows import file_of, kept, materials, of_texts

from antiphon.errors import InputError
from antiphon.fingerprints import FingerprintMaterials, Md5, Pdq, Vpdq, _files
from antiphon.model.schemas import MATERIALS, SIGNALS, SKIPPED, empty
from antiphon.model.stage import Stage

PICTURE = Pdq().examples()[0]
DIGEST = hashlib.sha256(PICTURE).hexdigest()


def test_it_is_a_stage_and_can_be_shipped():
    """Any engine may send it to another process."""
    stage = FingerprintMaterials()
    assert isinstance(stage, Stage)
    assert isinstance(pickle.loads(pickle.dumps(stage)), FingerprintMaterials)  # noqa: S301 - our own bytes


@settings(deadline=None)  # the first call compiles a kernel
@given(texts=st.lists(st.one_of(st.none(), st.text(max_size=80)), max_size=8), cut=st.integers(0, 8))
def test_any_partition_gives_the_same_rows(texts, cut):
    """What lets an engine split a batch where it likes."""
    batch = of_texts(texts)
    whole = next(FingerprintMaterials().run(batch))
    parts = [next(FingerprintMaterials().run(part)) for part in (batch.slice(0, cut), batch.slice(cut))]
    assert whole.schema == SIGNALS
    assert pa.Table.from_batches([whole]).equals(pa.Table.from_batches(parts).combine_chunks())


def test_no_rows_give_no_rows():
    """An empty fragment is a fragment."""
    assert [batch.num_rows for batch in FingerprintMaterials().run(empty(MATERIALS))] == [0]


def test_the_title_stands_in_for_a_missing_text():
    """A headline passed on alone is a copy too."""
    headline = "Storm warning for the whole coast of Varnholt tonight"
    signals = next(FingerprintMaterials().run(materials({"text": " "}, {"title": headline}, {"text": headline})))
    by_id = {row["material_id"]: row["value"] for row in signals.to_pylist() if row["signal_type"] == "text_exact"}
    assert by_id["m1"] == by_id["m2"]
    assert set(by_id) == {"m1", "m2"}


def test_a_kept_image_gives_its_digest_and_its_pdq(tmp_path):
    """Both come from the content-addressed folder's name and bytes."""
    digest = kept(tmp_path, PICTURE)
    signals = next(FingerprintMaterials(tmp_path).run(materials({"media": [file_of(digest)]}))).to_pylist()
    assert [(row["part"], row["signal_type"]) for row in signals] == [("media/0", "sha256"), ("media/0", "pdq")]
    assert signals[0]["value"].hex() == digest
    assert signals[1]["value"] == Pdq().fingerprint(PICTURE).value


@pytest.mark.parametrize(
    ("file", "types"),
    [
        (file_of(DIGEST), ["sha256"]),
        (file_of(DIGEST, "audio/mp4"), ["sha256"]),
        (file_of("../../../etc/passwd"), []),
        (file_of("ab"), []),
    ],
    ids=["no copy kept", "no image", "a path as digest", "too short"],
)
def test_a_file_without_bytes_gives_what_can_be_known(tmp_path, file, types):
    """A missing copy is no fault; a digest that is none leads nowhere."""
    (batch,) = FingerprintMaterials(tmp_path).run(materials({"media": [file]}))
    assert batch["signal_type"].to_pylist() == types


def test_an_unreadable_image_is_a_row_with_its_reason(tmp_path):
    """It stops nothing, and somebody can find it."""
    digest = kept(tmp_path, b"no image at all")
    signals, skipped = FingerprintMaterials(tmp_path).run(materials({}, {"media": [file_of(digest)]}))
    assert signals.num_rows == 1
    assert skipped.schema == SKIPPED
    row = skipped.to_pylist()[0]
    assert (row["record"], row["stage"], row["reason"]) == (1, "fingerprints/pdq", "image-unreadable")


def test_another_schema_is_refused():
    """A batch of signals is no batch of materials."""
    with pytest.raises(InputError, match="missing"):
        next(FingerprintMaterials().run(empty(SIGNALS)))


VIDEO = Vpdq().examples()[0]


def rows(stage, *media):
    """The signals and the quarantine of one material with some files."""
    signals, *skipped = stage.run(materials({"media": list(media)}))
    return signals.to_pylist(), [row for batch in skipped for row in batch.to_pylist()]


def test_a_kept_video_gives_its_vpdq_and_is_not_read_into_memory(tmp_path, monkeypatch):
    """Videos are larger than what a worker may hold."""
    monkeypatch.setattr(_files, "MAX_FILE_BYTES", 10)
    stage = FingerprintMaterials(tmp_path, [Md5(), Vpdq()])
    signals, skipped = rows(stage, file_of(kept(tmp_path, VIDEO), "video/x-msvideo"))
    assert [row["signal_type"] for row in signals] == ["sha256", "md5", "vpdq"]
    assert [row["value"] for row in signals[1:]] == [hashlib.md5(VIDEO).digest(), Vpdq().fingerprint(VIDEO).value]  # noqa: S324
    assert skipped == []


def test_a_bad_video_is_a_row_with_its_reason_and_spoils_no_other(tmp_path):
    """The one beside it has its signal."""
    stage = FingerprintMaterials(tmp_path, [Vpdq()])
    files = [file_of(kept(tmp_path, content), "video/mp4") for content in (b"no video", VIDEO)]
    signals, skipped = rows(stage, *files)
    assert [row["part"] for row in signals if row["signal_type"] == "vpdq"] == ["media/1"]
    assert [(row["stage"], row["reason"]) for row in skipped] == [("fingerprints/vpdq", "video-unreadable")]


def test_a_file_that_is_passed_on_is_read_once(tmp_path):
    """A hundred posts of one video cost one decoding; gone or changed on disk, it still has its signals."""
    stage = FingerprintMaterials(tmp_path, [Vpdq()])
    digest = kept(tmp_path, VIDEO)
    first, _ = rows(stage, file_of(digest, "video/x-msvideo"))
    kept(tmp_path, b"")
    (tmp_path / digest[:2] / digest).write_bytes(b"another file, which would be refused")
    assert rows(stage, file_of(digest, "video/x-msvideo")) == (first, [])


def test_only_so_many_files_are_remembered(tmp_path, monkeypatch):
    """Memory has an end; what was forgotten is read again."""
    monkeypatch.setattr(_files, "REMEMBERED", 1)
    stage = FingerprintMaterials(tmp_path, [])
    for content in (PICTURE, Pdq().examples()[1]):
        rows(stage, file_of(kept(tmp_path, content)))
    (tmp_path / DIGEST[:2] / DIGEST).write_bytes(b"no image")
    assert [row["reason"] for row in rows(stage, file_of(DIGEST))[1]] == ["image-unreadable"]
