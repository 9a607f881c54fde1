"""PDQ against the values that its authors published, and against files made to harm."""

import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from antiphon.errors import InputError
from antiphon.fingerprints import Pdq

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
