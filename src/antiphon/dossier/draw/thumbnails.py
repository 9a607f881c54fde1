"""Previews of images: a small grey blur that shows at once, and a small picture that shows only when asked for."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps

__all__ = ["Thumbnail", "thumbnail"]

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
_SIDE_PX = 160
_MAX_BYTES = 25_000_000
_MAX_PIXELS = 50_000_000


@dataclass(frozen=True)
class Thumbnail:
    """Two data addresses of one image: `veil`, grey and blurred beyond recognition, and `clear`, at most 160 pixels."""

    veil: str
    clear: str
    width: int
    height: int


def thumbnail(content: bytes | None) -> Thumbnail | None:
    """Return the preview of an image, or None where there is none to make.

    Only the first frame is read, metadata (place, device) is dropped, and images that claim more than 50 million
    pixels are not opened, so that one hostile file can't take the memory of the run.
    """
    if not content or len(content) > _MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > _MAX_PIXELS:
                    return None
                opened.draft("RGB", (_SIDE_PX * 2, _SIDE_PX * 2))
                clear = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    clear.thumbnail((_SIDE_PX, _SIDE_PX))
    tiny = clear.convert("L").resize((8, 8), Image.Resampling.BOX)
    veil = tiny.resize(clear.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(8))
    return Thumbnail(_address(veil, 40), _address(clear, 72), *clear.size)


def _address(image: Image.Image, quality: int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
