"""Files of materials: digested, recognised by their first bytes, pictures and videos kept under their digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from antiphon.errors import InputError
from antiphon.model.material import Media
from antiphon.sources.opening import ENTER, list_container, open_input, open_raw
from antiphon.sources.video import video_mime

__all__ = ["MAX_KEPT_BYTES", "MediaStore", "media_type_of", "sibling_opener", "siblings_lister"]

MAX_KEPT_BYTES = {"image": 32 * 2**20, "video": 2**30}
"""Kind of file → the largest that is kept; files of other kinds are none."""

_CHUNK = 2**20
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"), (0, b"\x89PNG\r\n\x1a\n", "image/png"), (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"), (0, b"BM", "image/bmp"), (0, b"II*\x00", "image/tiff"), (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"), (4, b"ftypheic", "image/heic"), (0, b"%PDF", "application/pdf"),
    (0, b"OggS", "audio/ogg"), (0, b"ID3", "audio/mpeg"), (8, b"WAVE", "audio/wav"),
)  # fmt: skip


class MediaStore:
    """Keeps files by their SHA-256 under one folder; keeping the same bytes twice is keeping them once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, stream: BinaryIO, path: str, role: str) -> Media:
        """Return the media of a stream; a picture or video of up to `MAX_KEPT_BYTES` is kept, others only digested."""
        first = stream.read(_CHUNK)
        mime = media_type_of(first)
        most = _most_kept(mime)
        digest, size = hashlib.sha256(first), len(first)
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.root, delete=False) as copy:
            if size <= most:
                copy.write(first)
            while piece := stream.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
                if size <= most:
                    copy.write(piece)
        sha256 = digest.hexdigest()
        self._place(Path(copy.name), sha256 if size <= most else None)
        return Media(path=path, mime=mime, sha256=sha256, bytes=size, role=role)

    def read(self, sha256: str) -> bytes | None:
        """Return the bytes of a kept image, or None where there is none."""
        path = self.root / sha256[:2] / sha256
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            first = stream.read(_CHUNK)
            return first + stream.read() if (media_type_of(first) or "").startswith("image/") else None

    def _place(self, copy: Path, sha256: str | None) -> None:
        if sha256 is None:
            copy.unlink()
            return
        (self.root / sha256[:2]).mkdir(exist_ok=True)
        os.replace(copy, self.root / sha256[:2] / sha256)  # noqa: PTH105 - atomic on every platform


def sibling_opener(path: str) -> Callable[[str], BinaryIO | None]:
    """Return a function that opens files beside an input, never one outside of its folder or container."""
    folder = path.rpartition("/")[0]
    container, _, _ = path.rpartition(ENTER)

    def open_sibling(relative: str) -> BinaryIO | None:
        wanted = PurePosixPath(relative)
        if wanted.is_absolute() or ".." in wanted.parts or "\x00" in relative:
            return None
        if container:
            inside = path[len(container) + len(ENTER) :].rpartition("/")[0]
            return _member(container, f"{inside}/{relative}" if inside else relative)
        return _file(Path(folder or "."), relative)

    return open_sibling


def siblings_lister(path: str) -> Callable[[], list[str]]:
    """Return a function that lists the names of the files beside an input."""
    container, _, member = path.rpartition(ENTER)

    def list_siblings() -> list[str]:
        if not container:
            return sorted(entry.name for entry in Path(path).parent.iterdir() if entry.is_file())
        inside = member.rpartition("/")[0]
        return sorted(
            name.rpartition("/")[2] for name in list_container(container) if name.rpartition("/")[0] == inside
        )

    return list_siblings


def _member(container: str, member: str) -> BinaryIO | None:
    try:
        return open_input(f"{container}{ENTER}{member}")
    except (InputError, OSError):
        return None


def _file(folder: Path, relative: str) -> BinaryIO | None:
    try:
        path = (folder / relative).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            return None
        return open_raw(str(path))
    except OSError:
        return None


def media_type_of(head: bytes) -> str | None:
    """Return what a file is by its first bytes, such as `image/png`; None where they say nothing."""
    known = next((mime for at, magic, mime in _MAGIC if head[at : at + len(magic)] == magic), None)
    return known or video_mime(head)


def _most_kept(mime: str | None) -> int:
    """The largest size of a kind of file that is kept; below zero where it is not kept at all."""
    return MAX_KEPT_BYTES.get((mime or "").partition("/")[0], -1)
