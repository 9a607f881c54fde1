"""Invented pictures: abstract posters and scenes, and the ways in which they change as they are passed on."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import lru_cache
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

__all__ = ["BASES", "base_names", "base_picture", "jpeg", "png", "variant"]

BASES = 40
"""How many different pictures there are."""

_SIZE = (560, 420)
_Pixels = npt.NDArray[np.uint8]


def base_names() -> list[str]:
    """Return the names of the pictures; the truth calls them by these."""
    return [f"image-{number + 1:02d}" for number in range(BASES)]


@lru_cache(maxsize=BASES)
def base_picture(name: str, seed: int) -> Image.Image:
    """Return the picture of a name: every fourth is a scene of soft noise, the rest are posters of shapes."""
    rng = Random(f"picture {seed} {name}")
    number = int(name.removeprefix("image-"))
    return _scene(rng) if number % 4 == 0 else _poster(rng)


def variant(picture: Image.Image, rng: Random) -> Image.Image:
    """Return a picture as it comes back: cropped a little, framed, made smaller, a little lighter or darker."""
    changes: list[Callable[[Image.Image, Random], Image.Image]] = [_cropped, _framed, _smaller, _lighter]
    for change in rng.sample(changes, rng.choice((1, 1, 2, 3))):
        picture = change(picture, rng)
    return picture


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Return a picture as a JPEG file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _cropped(picture: Image.Image, rng: Random) -> Image.Image:
    width, height = picture.size
    left, top, right, bottom = (rng.uniform(0, 0.03) for _ in range(4))
    return picture.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))))


def _framed(picture: Image.Image, rng: Random) -> Image.Image:
    return ImageOps.expand(picture, border=rng.randint(3, 9), fill=rng.choice(("white", "black", "#333355")))


def _smaller(picture: Image.Image, rng: Random) -> Image.Image:
    scale = rng.uniform(0.5, 0.9)
    return picture.resize((int(picture.width * scale), int(picture.height * scale)), Image.Resampling.BILINEAR)


def _lighter(picture: Image.Image, rng: Random) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(rng.uniform(0.88, 1.12))


def _colour(rng: Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _gradient(rng: Random) -> _Pixels:
    width, height = _SIZE
    angle = rng.uniform(0, 2 * math.pi)
    across = np.linspace(-1, 1, width)[None, :] * math.cos(angle) + np.linspace(-1, 1, height)[:, None] * math.sin(
        angle
    )
    share = ((across - across.min()) / (across.max() - across.min()))[..., None]
    first, second = np.array(_colour(rng), float), np.array(_colour(rng), float)
    return np.asarray(first * (1 - share) + second * share, np.uint8)


def _soft_noise(rng: Random) -> npt.NDArray[np.float64]:
    """Return grey noise from coarse to fine, as clouds or hills have it."""
    made = np.random.default_rng(rng.getrandbits(64))
    total = np.zeros((_SIZE[1], _SIZE[0]))
    for cells, weight in ((3, 1.0), (7, 0.7), (15, 0.5), (40, 0.25), (120, 0.1)):
        coarse = Image.fromarray(np.asarray(made.integers(0, 256, (cells, cells + cells // 3)), np.uint8))
        total += weight * np.asarray(coarse.resize(_SIZE, Image.Resampling.BICUBIC), float)
    return np.asarray((total - total.min()) / (total.max() - total.min()), float)


def _scene(rng: Random) -> Image.Image:
    share = _soft_noise(rng)[..., None]
    dark, light = np.array(_colour(rng), float) * 0.4, 155 + np.array(_colour(rng), float) * 0.39
    return Image.fromarray(np.asarray(dark * (1 - share) + light * share, np.uint8))


def _poster(rng: Random) -> Image.Image:
    picture = Image.fromarray(_gradient(rng))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(3, 7)):
        _shape(draw, rng)
    centre = (rng.randint(180, 380), rng.randint(150, 270))
    _emblem(draw, centre, rng.randint(70, 130), rng)
    for line in range(rng.randint(2, 5)):  # bars where a poster has its words
        top = 340 + line * 16
        draw.rectangle((40, top, rng.randint(200, 520), top + 9), fill=_colour(rng))
    return picture


def _shape(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    x, y = rng.randint(0, _SIZE[0]), rng.randint(0, _SIZE[1])
    size = rng.randint(30, 160)
    box = (x - size, y - size // 2, x + size, y + size // 2)
    kind = rng.randrange(4)
    if kind == 0:
        draw.ellipse(box, fill=_colour(rng), outline=_colour(rng), width=4)
    elif kind == 1:
        draw.rectangle(box, fill=_colour(rng))
    elif kind == 2:
        draw.line((x, 0, rng.randint(0, _SIZE[0]), _SIZE[1]), fill=_colour(rng), width=rng.randint(6, 30))
    else:
        draw.polygon([(x, y - size), (x - size, y + size // 2), (x + size, y + size // 2)], fill=_colour(rng))


def _emblem(draw: ImageDraw.ImageDraw, centre: tuple[int, int], radius: int, rng: Random) -> None:
    """Draw rings of polygons and stars: it looks like an emblem and is none."""
    x, y = centre
    for ring in range(rng.randint(2, 4)):
        size = radius * (1 - ring * 0.24)
        corners = rng.randint(3, 9)
        deep = rng.uniform(0.45, 0.95)
        turn = rng.uniform(0, math.pi)
        points = [
            (x + size * reach * math.cos(angle), y + size * reach * math.sin(angle))
            for step in range(2 * corners)
            for angle, reach in [(turn + step * math.pi / corners, 1.0 if step % 2 == 0 else deep)]
        ]
        draw.polygon(points, fill=_colour(rng), outline=_colour(rng))
