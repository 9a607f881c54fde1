"""PDQ of an image: the same picture, resized, recompressed or lightly edited."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from antiphon.errors import InputError
from antiphon.fingerprints.interface import Signal, require_length

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["MAX_PIXELS", "Pdq"]

MAX_PIXELS = 64_000_000
"""An image that claims more is not decoded: a few bytes can claim billions (a decompression bomb)."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""The formats that are decoded; a decoder that nobody needs is only a way in."""


class Pdq:
    """Signal type: PDQ, 256 bits, most significant first, with its quality; the distance counts differing bits.

    Images of low quality (flat, empty) are fingerprinted too: the quality tells whoever compares them to leave them.

    Source:
        Facebook, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm, 2019; its authors call 31
        bits or less at a quality of 0.5 or more a confident match. Computed by the `pdqhash` library.
    """

    name: str = "pdq"
    version: str = "1"
    content: str = "image/"
    value_bytes: int = 32
    max_distance: int = 31

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the signal of an image file; of an animation, its first picture.

        Raises:
            InputError: It is no image of a known format, is damaged, or claims more than `MAX_PIXELS`.
        """
        import numpy as np
        import pdqhash

        bits, quality = pdqhash.compute(np.asarray(_decode(content)))
        return Signal(np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes(), quality / 100)

    def distance(self, left: bytes, right: bytes) -> int:
        """Return how many of the 256 bits differ."""
        for value in (left, right):
            require_length(value, self.value_bytes, signal_type=self.name)
        return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()

    def oracle(self, value: bytes, entries: Sequence[bytes]) -> list[int]:
        """Return the distance to each entry, byte after byte."""
        return [sum((a ^ b).bit_count() for a, b in zip(value, entry, strict=True)) for entry in entries]

    def examples(self) -> Sequence[bytes]:
        """Return two drawn images as PNG: rings and slanted bars."""
        return (
            _drawn(lambda x, y: int(127 + 120 * math.sin(math.hypot(x - 60, y - 70) / 6))),
            _drawn(lambda x, y: int(127 + 120 * math.sin((x + 2 * y) / 14) * math.cos((x - y) / 31))),
        )


def _decode(content: bytes) -> Image.Image:
    """The image as RGB, as the reference reads it: no rotation by EXIF, no blending of transparency."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
            _require_size(image)
            if image.mode == "P" and "transparency" in image.info:
                image = image.convert("RGBA")
            return image.convert("RGB")
    except InputError:
        raise
    # Pillow's decoders raise whatever a damaged file makes them stumble on; none of it may stop a run.
    except Exception as cause:
        raise InputError(
            f"the image could not be decoded ({type(cause).__name__})",
            where="signal type pdq",
            do=f"Hand over a whole image as {', '.join(FORMATS)}.",
        ) from cause


def _require_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or min(width, height) < 1:
        raise InputError(
            f"the image claims {width} x {height} pixels, expected at most {MAX_PIXELS:,} in all",
            where="signal type pdq",
            do="Scale it down with a tool that you trust.",
        )


def _drawn(shade: Callable[[int, int], int]) -> bytes:
    from PIL import Image

    image = Image.new("L", (128, 128))
    image.putdata([shade(x, y) for y in range(128) for x in range(128)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
