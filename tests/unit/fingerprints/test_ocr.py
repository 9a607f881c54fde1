"""Words in pictures, where the extra `ocr` is installed."""

import io
import subprocess
import sys

import numpy as np
import pytest
from materials_rows import file_of, kept, materials
from PIL import Image, ImageDraw, ImageFont

from antiphon.errors import InputError
from antiphon.fingerprints import FingerprintMaterials, fingerprint_text, ocr
from antiphon.fingerprints.ocr import MIN_SIDE, SPACE_FACTOR, is_installed, read_words, reader_version

needs_reader = pytest.mark.skipif(not is_installed(), reason="the extra `ocr` is not installed")
PHRASE = "Light the lamps of Varnholt when the ninth tide turns"


def poster(*lines, size=(900, 400), form="PNG", letters=32):
    """A picture of some lines."""
    image = Image.new("RGB", size, (30, 60, 70))
    font = ImageFont.load_default(letters)
    ImageDraw.Draw(image).multiline_text((30, 60), "\n".join(lines), font=font, fill=(250, 240, 200), spacing=30)
    content = io.BytesIO()
    image.save(content, form)
    return content.getvalue()


@needs_reader
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_words_of_a_picture_are_read_with_their_spaces(form):
    """Phrases are told by words, so words must stay apart."""
    words = read_words(poster(PHRASE, form=form))
    assert words.text == PHRASE
    assert 0.9 < words.confidence <= 1


@needs_reader
def test_lines_come_from_top_to_bottom():
    """A slogan goes on in the next line."""
    words = read_words(poster("Every bell", "shall answer", "from the pier"))
    assert [line.text for line in words.lines] == ["Every bell", "shall answer", "from the pier"]


@needs_reader
def test_a_picture_without_words_has_none():
    """Neither a flat one nor noise, and one that is too small is not looked at."""
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (200, 300, 3), dtype=np.uint8)).save(noise, "PNG")
    assert [read_words(content) for content in (poster(), noise.getvalue(), poster("x", size=(400, MIN_SIDE - 1)))] == [
        None, None, None,
    ]  # fmt: skip


@needs_reader
@pytest.mark.parametrize("size", [(40, 4_000), (4_000, 40), (5_000, 5_000), (MIN_SIDE, MIN_SIDE)], ids=str)
def test_a_picture_of_any_shape_is_read_at_a_bounded_size(size):
    """A long strip must not be blown up to gigabytes."""
    pixels = np.zeros((size[1], size[0]), dtype=np.uint32)
    prepared = ocr._prepared(pixels)
    assert prepared.shape[0] * prepared.shape[1] <= 1.01 * ocr.READ_PIXELS
    assert read_words(poster(size=size)) is None


@needs_reader
def test_a_damaged_picture_is_told():
    """As by the other signal types."""
    with pytest.raises(InputError, match="could not be decoded"):
        read_words(poster(PHRASE)[:200])


@needs_reader
def test_the_words_are_signals_of_a_part_of_their_own(tmp_path):
    """So that a text in a picture is found as a text, and copies of texts are not mixed with it."""
    stage = FingerprintMaterials(tmp_path)
    (signals,) = stage.run(materials({"media": [file_of(kept(tmp_path, poster(PHRASE)))]}))
    found = {(row["part"], row["signal_type"]): row["value"] for row in signals.to_pylist()}
    wanted = {("media/0/words", name): value for name, value in fingerprint_text(PHRASE).items()}
    assert found == found | wanted | {("media/0/words", "ocr_text"): PHRASE.encode()}
    assert {part for part, _ in found} == {"media/0", "media/0/words"}


@needs_reader
def test_the_version_of_the_stage_names_the_reader():
    """Results of a reader and of none, or of two readers, do not mix in one folder."""
    assert FingerprintMaterials().version == f"{FingerprintMaterials.version}+{reader_version()}"
    assert FingerprintMaterials(words=False).version == FingerprintMaterials.version


@needs_reader
def test_a_stage_that_reads_no_words_gives_none(tmp_path):
    """Who has no time for them."""
    media = {"media": [file_of(kept(tmp_path, poster(PHRASE)))]}
    (signals,) = FingerprintMaterials(tmp_path, words=False).run(materials(media))
    assert set(signals["part"].to_pylist()) == {"media/0"}


def test_a_blank_that_may_be_a_space_is_one():
    """The recogniser learned from lines without spaces; letters are never given up for one."""
    decode = ocr._Decode(["blank", "a", "b", " "])
    step = {
        "a": (0.1, 0.9, 0, 0.0),
        "b": (0.1, 0, 0.9, 0.0),
        "-": (0.9, 0, 0, 0.01),
        "_": (0.9, 0, 0, 1 / SPACE_FACTOR),
    }
    read = [
        decode(np.array([[step[sign] for sign in line]], dtype=np.float32))[0] for line in ("aa-a_bb", "_ab_", "--")
    ]
    assert [text for text, _ in read] == ["aa b", "ab", ""]
    assert [round(confidence, 3) for _, confidence in read] == [0.9, 0.9, 0]


def test_nothing_of_the_reader_is_loaded_before_a_picture_comes():
    """The program must start at once, reader or not."""
    heavy = ("cv2", "onnxruntime", "rapidocr_onnxruntime")
    code = f"import sys, antiphon.fingerprints; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
