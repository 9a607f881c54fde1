"""PDQ against the values that its authors published, against `pdqhash` bit for bit, and against files made to harm."""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from antiphon.errors import InputError
from antiphon.fingerprints import Pdq
from antiphon.fingerprints._pdq import _luma, bits_of, dct_of

FIXTURES = Path(__file__).parents[3] / ".." / "shared" / "fixtures" / "pdq"
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not beside this repository")
JPEG_TOLERANCE_BITS = 10


def references() -> list[tuple[str, str, int | None]]:
    path = FIXTURES / "expected.json"
    listed = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return [(name, *value) for name, value in listed.items() if name != "source" and list(FIXTURES.rglob(name))]


@needs_fixtures
@pytest.mark.parametrize(("name", "value", "quality"), references(), ids=[name for name, *_ in references()])
def test_reference_values_are_reproduced(name, value, quality):
    """Exactly for PNG; where a JPEG decoder rounds otherwise, within 10 bits of 256."""
    signal = Pdq().fingerprint(next(FIXTURES.rglob(name)).read_bytes())
    limit = 0 if name.endswith(".png") else JPEG_TOLERANCE_BITS
    assert Pdq().distance(signal.value, bytes.fromhex(value)) <= limit
    assert quality is None or round(100 * signal.quality) == quality


def test_a_smaller_copy_of_a_picture_is_near():
    """What messengers do to pictures."""
    content = Pdq().examples()[0]
    small = io.BytesIO()
    Image.open(io.BytesIO(content)).resize((96, 96)).save(small, "JPEG", quality=70)
    values = [Pdq().fingerprint(file).value for file in (content, small.getvalue())]
    assert Pdq().distance(*values) <= Pdq().max_distance


def test_a_flat_picture_has_a_signal_of_low_quality():
    """It is recorded, and whoever compares can see that it says nothing."""
    flat = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(flat, "PNG")
    assert Pdq().fingerprint(flat.getvalue()).quality < 0.5


def claimed_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", claimed_png(9000, 9000), claimed_png(60_000, 60_000), Pdq().examples()[0][:300]],
    ids=["empty", "other bytes", "81 million pixels", "3.6 billion pixels", "cut off"],
)
def test_a_file_that_can_not_be_decoded_is_refused(content):
    """A damaged file, or one made to fill the memory, stops nothing but itself."""
    with pytest.raises(InputError):
        Pdq().fingerprint(content)


def rgb(pixels):
    """The same pixels for `pdqhash`."""
    return np.ascontiguousarray(pixels.view(np.uint8).reshape(*pixels.shape, 4)[:, :, :3])


def reference(pixels):
    bits, quality = pdqhash.compute(rgb(pixels))
    return np.packbits(bits.astype(np.uint8)).tobytes(), quality


def ours(pixels):
    dct = dct_of(pixels)
    return bits_of(dct.frequencies), dct.quality


def drawn(rows, columns, seed, kind):
    """Pixels of a kind that leads a running sum astray in its own way."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    if kind == "noise":
        shades = rng.integers(0, 256, (rows, columns, 3))
    elif kind == "flat":
        shades = np.broadcast_to(rng.integers(0, 256, 3), (rows, columns, 3))
    elif kind == "slope":
        shades = (y * rng.uniform(-2, 2) + x * rng.uniform(-2, 2))[:, :, None] + np.array([0, 30, 60])
    else:
        cells = rng.integers(0, 256, (9, 9, 3))
        shades = cells[y * 9 // rows, x * 9 // columns]
    pixels = np.full((rows, columns, 4), 255, dtype=np.uint8)
    pixels[:, :, :3] = np.clip(shades, 0, 255)
    return pixels.view("<u4")[:, :, 0]


KINDS = ["noise", "flat", "slope", "blocks"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "size",
    [(1, 1), (4, 900), (900, 4), (5, 5), (63, 65), (64, 64), (64, 65), (127, 128), (128, 129), (3, 3000), (1500, 2000)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_each_size_has_the_bits_of_the_reference(size, kind):
    """Sizes at which a window begins, the filter is left out, or nothing is hashed."""
    pixels = drawn(*size, 7, kind)
    assert ours(pixels) == reference(pixels)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32), st.sampled_from(KINDS))
def test_any_image_has_the_bits_of_the_reference(rows, columns, seed, kind):
    """Signals are compared with those that others computed."""
    pixels = drawn(rows, columns, seed, kind)
    assert ours(pixels) == reference(pixels)


@settings(max_examples=50, deadline=None)
@given(st.integers(5, 300), st.integers(5, 300), st.integers(0, 2**32), st.sampled_from(KINDS))
def test_the_frequencies_are_those_of_the_reference_to_the_last_digit(rows, columns, seed, kind):
    """Equal floats, not only equal bits: so no bit can differ near the median."""
    pixels = drawn(rows, columns, seed, kind)
    frequencies, _ = pdqhash.compute_float(rgb(pixels))
    assert np.array_equal(dct_of(pixels).frequencies, frequencies[::-1].reshape(16, 16))


def test_the_luma_of_every_colour_is_that_of_the_reference():
    """The quotient of whole numbers rounds as the weighted sum in 64 bits does, for all 16,777,216 colours."""
    colours = np.arange(2**16, dtype=np.uint32)
    out = np.empty(2**16, dtype=np.float32)
    for blue in range(256):
        _luma(colours | np.uint32(blue << 16), out)
        red, green = colours & 255, colours >> 8
        assert np.array_equal(out, (red * 0.299 + green * 0.587 + blue * 0.114).astype(np.float32))


def test_pixels_that_are_no_block_of_memory_give_the_same():
    """A cut-out of an array is an image too."""
    pixels = drawn(200, 300, 3, "noise")
    assert ours(pixels[20:180:2, 10:290]) == reference(np.ascontiguousarray(pixels[20:180:2, 10:290]))


def file_of(image, form):
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "form"),
    [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("P", "GIF"), ("1", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")],
)
def test_each_mode_of_a_file_is_read_as_the_reference_reads_it(mode, form):
    """Pixels taken from the decoder's memory without a copy are the ones that a plain conversion gives."""
    shades = Image.fromarray(rgb(drawn(150, 210, 5, "slope")))
    content = file_of(shades.convert(mode), form)
    bits, quality = pdqhash.compute(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
    signal = Pdq().fingerprint(content)
    assert (signal.value, round(100 * signal.quality)) == (np.packbits(bits.astype(np.uint8)).tobytes(), quality)


def test_an_image_that_the_decoder_keeps_in_pieces_is_read_too():
    """Above 16 MB Pillow splits an image, and it has to be copied."""
    pixels = drawn(2100, 2100, 11, "blocks")
    assert Pdq().fingerprint(file_of(Image.fromarray(rgb(pixels)), "BMP")).value == reference(pixels)[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(65, 300), st.integers(1, 300), st.integers(0, 2**32), st.sampled_from(KINDS))
def test_all_eight_orientations_have_the_bits_of_the_reference(rows, columns, seed, kind):
    """A mirrored copy is found without hashing eight images; at 64 x 64 the reference contradicts itself."""
    pixels = drawn(rows, columns, seed, kind)
    expected, _ = pdqhash.compute_dihedral(rgb(pixels))
    found = Pdq().orientations(file_of(Image.fromarray(rgb(pixels)), "PNG"))
    assert list(found.values()) == [np.packbits(bits.astype(np.uint8)).tobytes() for bits in expected]


@needs_fixtures
@pytest.mark.parametrize(
    ("file", "way"),
    [
        ("bridge-1-original", "original"),
        ("bridge-2-rotate-90", "rotate90"),
        ("bridge-3-rotate-180", "rotate180"),
        ("bridge-4-rotate-270", "rotate270"),
        ("bridge-5-flipx", "flipx"),
        ("bridge-6-flipy", "flipy"),
        ("bridge-7-flip-plus-1", "flipplus1"),
        ("bridge-8-flip-minus-1", "flipminus1"),
    ],
)
def test_an_orientation_is_what_the_turned_file_has(file, way):
    """The names mean what the authors' turned files show."""
    values = Pdq().orientations((FIXTURES / "dih" / "bridge-1-original.jpg").read_bytes())
    turned = Pdq().fingerprint((FIXTURES / "dih" / f"{file}.jpg").read_bytes()).value
    near = {name for name, value in values.items() if Pdq().distance(value, turned) <= Pdq().max_distance}
    assert near == {way}


def test_the_original_orientation_is_the_fingerprint():
    """Whoever asks for all eight need not ask twice."""
    for content in Pdq().examples():
        assert Pdq().orientations(content)["original"] == Pdq().fingerprint(content).value


def test_a_reduced_reading_of_a_jpeg_is_near_but_need_not_be_equal():
    """It is a first look; what has no reduced scale is read whole."""
    image = Image.fromarray(rgb(drawn(900, 1200, 2, "blocks")))
    for form, limit in (("JPEG", Pdq().max_distance), ("PNG", 0)):
        content = file_of(image, form)
        values = [Pdq().fingerprint(content, reduced=reduced).value for reduced in (False, True)]
        assert Pdq().distance(*values) <= limit
