"""Images by themselves: each file is one material, known by its bytes.

What an image's metadata says of its taking (place, device, owner, time) is not read: it tells of people, and the time
of taking is not the time of publication (R-75).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterable, Iterator
from typing import BinaryIO, ClassVar

from PIL import Image, UnidentifiedImageError

from antiphon.model.material import Item, Material, Media, Skipped
from antiphon.sources.interface import Example, ReadContext

__all__ = ["ImageFile"]

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"), (b"BM", "image/bmp"), (b"II*\x00", "image/tiff"), (b"MM\x00*", "image/tiff"),
)  # fmt: skip
_FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp",
            "BMP": "image/bmp", "TIFF": "image/tiff"}  # fmt: skip
_OPENED = tuple(form for form in _FORMATS if form != "MPO")  # an MPO opens as the JPEG that it begins with
_MAX_BYTES = 256 * 2**20
_MAX_PIXELS = 178_956_970
"""Pillow's own limit for a decompression bomb."""
_MAX_DECODED_PIXELS = 32_000_000
"""Up to here an image is decoded for the check; a larger one is only checked as far as its format allows."""
_FAULTS = (
    UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, TypeError, IndexError,
    KeyError, OverflowError, EOFError, MemoryError, AttributeError, NotImplementedError,
)  # fmt: skip


class ImageFile:
    """Reads one image file as one material, after checking that it can be decoded."""

    name: ClassVar[str] = "image"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Images: JPEG, PNG, GIF, WebP, BMP, TIFF"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 for the first bytes of an image format, 0.6 for the two letters of BMP with its size."""
        mime = _mime(head)
        if mime == "image/bmp":
            return 0.6 if len(head) >= 26 and head[6:10] == bytes(4) else 0.0
        return 0.95 if mime else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the image, or why it can't be shown."""
        content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            yield Skipped("image-unreadable", f"larger than {_MAX_BYTES:,} bytes; no page shows such an image", 0)
            return
        fault, mime = _check(content)
        if fault is not None:
            yield Skipped("image-unreadable", fault, 0, raw=content[:65_536], raw_bytes=len(content))
            return
        digest = hashlib.sha256(content).hexdigest()
        yield Material(
            source="image",
            native_id=f"sha256:{digest}",
            kind="image",
            media=[_media(content, digest, mime, context)],
            record=0,
        )

    def examples(self) -> Iterable[Example]:
        """Return two shapes drawn here."""
        for form, name in (("PNG", "square.png"), ("JPEG", "square.jpg")):
            drawn = io.BytesIO()
            Image.new("RGB", (32, 32), (40, 90, 160)).save(drawn, form)
            yield Example(name, drawn.getvalue(), 1)


def _mime(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), None)


def _media(content: bytes, digest: str, mime: str | None, context: ReadContext) -> Media:
    if context.keep_media is not None:
        return context.keep_media(io.BytesIO(content), context.input, "self")
    return Media(path=context.input, mime=mime, sha256=digest, bytes=len(content), role="self")


def _check(content: bytes) -> tuple[str | None, str | None]:
    """Return what is wrong with an image, or None, and its media type. Its size is checked before it is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow warns of odd metadata, which is not read here, and of its own limit
            with Image.open(io.BytesIO(content), formats=_OPENED) as image:
                width, height = image.size
                if width * height > _MAX_PIXELS:
                    return f"{width} x {height} pixels: taken for a decompression bomb; make it smaller", None
                mime = _FORMATS.get(image.format or "")
                if width * height > _MAX_DECODED_PIXELS:
                    image.verify()
                else:
                    image.draft("RGB", (256, 256))
                    image.load()
    except _FAULTS as fault:
        return f"it can't be decoded ({type(fault).__name__}); get the file again", None
    return None, mime
