"""PDQ of an image: the same picture, resized, recompressed or lightly edited."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence

from antiphon.fingerprints._decode import FORMATS, MAX_PIXELS, read_pixels
from antiphon.fingerprints._pdq import ORIENTATIONS, bits_of, dct_of, turned
from antiphon.fingerprints.interface import Signal, require_length

__all__ = ["FORMATS", "MAX_PIXELS", "Pdq"]

WHERE = "signal type pdq"


class Pdq:
    """Signal type: PDQ, 256 bits, most significant first, with its quality; the distance counts differing bits.

    Images of low quality (flat, empty) are fingerprinted too: the quality tells whoever compares them to leave them.
    Bits and quality are those that the `pdqhash` library, which is the reference's own C++, gives for the same pixels:
    the frequencies are equal floats, so no bit is left to chance. Another JPEG decoder gives other pixels, and a few
    other bits.

    Source:
        Facebook, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm, 2019; its authors call 31
        bits or less at a quality of 0.5 or more a confident match.
    """

    name: str = "pdq"
    version: str = "1"
    content: str = "image/"
    value_bytes: int = 32
    max_distance: int = 31

    def fingerprint(self, content: bytes, *, reduced: bool = False) -> Signal | None:
        """Return the signal of an image file; of an animation, its first picture.

        Args:
            content: The file.
            reduced: Decode a JPEG at a fraction of its size. Faster, and **not the same bits**: for a first look at a
                great pile, never for a value that goes into a bank or to somebody else.

        Raises:
            InputError: It is no image of a known format, is damaged, or claims more than `MAX_PIXELS`.
        """
        dct = dct_of(read_pixels(content, where=WHERE, reduced=reduced))
        return Signal(bits_of(dct.frequencies), dct.quality / 100)

    def orientations(self, content: bytes) -> dict[str, bytes]:
        """Return the values of an image file turned and mirrored in all eight ways, by the reference's names.

        They come from one transform, as in the reference: `rotate90` is what a file with the picture turned by 90
        degrees would have, but for the rounding of its pixels. `original` is the value of `fingerprint`, for an image
        of just 64 x 64 too, which the reference blurs here although its plain hash does not.

        Raises:
            InputError: It is no image of a known format, is damaged, or claims more than `MAX_PIXELS`.
        """
        frequencies = dct_of(read_pixels(content, where=WHERE)).frequencies
        return {way: bits_of(turned(frequencies, way)) for way in ORIENTATIONS}

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


def _drawn(shade: Callable[[int, int], int]) -> bytes:
    from PIL import Image

    image = Image.new("L", (128, 128))
    image.putdata([shade(x, y) for y in range(128) for x in range(128)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
