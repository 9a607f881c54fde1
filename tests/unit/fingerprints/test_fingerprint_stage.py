"""What the engines rely on in the stage that fingerprints materials."""

import hashlib
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from materials_rows import file_of, materials, of_texts

from antiphon.errors import InputError
from antiphon.fingerprints import FingerprintMaterials, Pdq
from antiphon.model.schemas import MATERIALS, SIGNALS, SKIPPED, empty
from antiphon.model.stage import Stage

PICTURE = Pdq().examples()[0]
DIGEST = hashlib.sha256(PICTURE).hexdigest()


def kept(root, content):
    """Keep a copy where readers keep them."""
    digest = hashlib.sha256(content).hexdigest()
    (root / digest[:2]).mkdir(exist_ok=True)
    (root / digest[:2] / digest).write_bytes(content)
    return digest


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
        (file_of(DIGEST, "video/mp4"), ["sha256"]),
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
