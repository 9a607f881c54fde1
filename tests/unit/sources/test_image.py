"""Images by themselves."""

import hashlib
import io

import pytest
from PIL import Image
from reading import materials, read

from antiphon.model.material import Media
from antiphon.sources.image import ImageFile

SOURCE = ImageFile()


def drawn(form, size=(40, 30), **options):
    """Return a shape in a format."""
    content = io.BytesIO()
    Image.new("RGB", size, (10, 120, 200)).save(content, form, **options)
    return content.getvalue()


def test_examples_are_read_as_promised():
    """The examples are what the documentation shows."""
    for example in SOURCE.examples():
        assert SOURCE.recognise(example.content, example.name) >= 0.9
        assert len(materials(read(SOURCE, example.content))) == example.materials


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_each_format_is_known_by_its_content(form):
    """The name says nothing: images arrive as `download` or `1.bin`."""
    content = drawn(form)
    assert SOURCE.recognise(content, "download") >= 0.6
    (found,) = materials(read(SOURCE, content, "download"))
    digest = hashlib.sha256(content).hexdigest()
    assert (found.kind, found.native_id) == ("image", f"sha256:{digest}")
    assert found.media == [Media("download", f"image/{form.lower()}", digest, len(content), "self")]


def test_what_the_camera_wrote_is_not_read():
    """Place, owner and time of taking tell of people; publication is another time (R-75)."""
    exif = Image.Exif()
    exif[0x9003], exif[0x013B] = "2026:03:01 09:00:00", "Somebody"
    (found,) = materials(read(SOURCE, drawn("JPEG", exif=exif)))
    assert (found.published_at, found.author, found.title, found.text) == (None, None, None, None)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_truncated_image_is_in_the_quarantine(form):
    """Half an image can't be compared with a whole one."""
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    content = io.BytesIO()
    noise.save(content, form)
    (item,) = read(SOURCE, content.getvalue()[: len(content.getvalue()) // 2])
    assert item.reason == "image-unreadable"


def test_a_decompression_bomb_is_not_decoded():
    """A small file that unfolds to gigabytes is an attack, or a mistake."""
    head = bytearray(drawn("PNG"))
    head[16:24] = (60_000).to_bytes(4, "big") * 2
    (item,) = read(SOURCE, bytes(head))
    assert item.reason == "image-unreadable"


def test_the_kept_file_is_the_whole_stream():
    """What is digested and kept must be what was read."""
    content = drawn("PNG")
    kept = []
    read(SOURCE, content, keep_media=lambda stream, path, role: kept.append((stream.read(), role)) or Media(path))
    assert kept == [(content, "self")]
