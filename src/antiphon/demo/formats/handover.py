"""A zip as one team hands its collection to another: several formats in one file; and loose images."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

from antiphon.demo.formats.common import write
from antiphon.demo.pictures import base_picture, jpeg, png, variant
from antiphon.demo.planned import Broken, Writing

__all__ = ["write_cut_image", "write_images", "zipped"]

_STORED_AT = (2026, 5, 4, 9, 0, 0)


def write_images(folder: Path, uses: Mapping[str, int], writing: Writing) -> list[tuple[str, str]]:
    """Write copies of pictures as loose files, and return (picture, SHA-256) for each.

    Args:
        folder: Where they lie.
        uses: Picture → how many copies of it.
        writing: What the writers share.
    """
    rng = Random(f"images {writing.seed} {folder.name}")
    found = []
    for name, copies in uses.items():
        for _ in range(copies):
            picture = variant(base_picture(name, writing.seed), rng)
            content = png(picture) if rng.random() < 0.2 else jpeg(picture, rng.randint(35, 90))
            digest = sha256(content).hexdigest()
            suffix = "png" if content.startswith(b"\x89PNG") else "jpg"
            write(folder / f"{digest[:12]}.{suffix}", content)
            found.append((name, digest))
    return found


def write_cut_image(folder: Path, writing: Writing) -> None:
    """Write a JPEG that stops in the middle of its header."""
    write(folder / "cut-off.jpg", jpeg(base_picture("image-40", writing.seed), 60)[:300])
    writing.broken.append(Broken("images/cut-off.jpg", None, "an image that stops in the middle"))


def zipped(path: Path, fill: Callable[[Path], None]) -> None:
    """Write a zip of whatever `fill` writes into an empty folder; the same files give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        fill(Path(place))
        with zipfile.ZipFile(path, "w") as container:
            for file in _files(Path(place)):
                entry = zipfile.ZipInfo(file.relative_to(place).as_posix(), _STORED_AT)
                entry.external_attr = 0o644 << 16
                container.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def _files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
