"""Opening inputs: folders, zip containers and compressed files, down to streams of plain bytes.

An input is named by its path; `!/` enters a zip container, as often as it must. Compression is recognised by content
and undone on the fly. What expands beyond all proportion, nests too deep or links in a circle is an `InputError` or an
`Unreadable`, which the caller enters in the quarantine: one bad input costs one input.
"""

from __future__ import annotations

import bz2
import io
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

import zstandard

from antiphon.errors import InputError

__all__ = ["ENTER", "Input", "Unreadable", "decoded", "fault_of", "list_container", "open_input", "open_raw", "walk"]

ENTER = "!/"
"""Stands between a container and its member in the name of an input."""

MAX_DEPTH = 5
MAX_RATIO = 250
FREE_BYTES = 256 * 2**20
"""Below this size nothing is taken for a bomb, whatever its ratio."""
MAX_MEMBERS = 1_000_000
_SPOOL_BYTES = 32 * 2**20
_CHUNK = 65_536
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_SEALED = ("datapackage.json", "[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")
"""A zip with one of these at its top is one document (WACZ, OOXML, ODF, EPUB), not a folder of inputs."""


@dataclass(frozen=True)
class Input:
    """One thing to read. `path` opens it from anywhere; `name` is how people see it."""

    name: str
    path: str
    bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Unreadable:
    """Something that was named or found but can't be opened, and why."""

    name: str
    reason: str
    detail: str


class _Closes(Protocol):
    def close(self) -> None: ...


class _Pieces(io.RawIOBase):
    """A raw stream over an iterator of pieces; closing it closes what lies below.

    A fault of the pieces ends the stream and stands in `fault`, so that a buffer above gives all bytes before it.
    """

    def __init__(self, pieces: Iterator[bytes], below: _Closes | None = None) -> None:
        self._pieces, self._left, self.below = pieces, memoryview(b""), below
        self.fault: InputError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the type that io declares
        while not self._left:
            try:
                piece = next(self._pieces, None)
            except InputError as fault:
                self.fault, piece = fault, None
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def close(self) -> None:
        if self.below is not None:
            self.below.close()
        super().close()


def fault_of(stream: object) -> InputError | None:
    """Return what ended a stream of this module before its end: broken or truncated compression, a bomb; or None."""
    while isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Pieces):
        if stream.raw.fault is not None and not isinstance(stream.raw.below, io.BufferedReader):
            return stream.raw.fault
        deeper = fault_of(stream.raw.below)
        return deeper or stream.raw.fault
    return None


def _undo(stream: BinaryIO, codec: str, name: str) -> Iterator[bytes]:
    """Yield what a compressed stream holds, member after member; everything readable comes before the error."""
    budget, decoder, begun = _Budget(name), _decoder(codec), False
    for piece in iter(lambda: stream.read(2048 if codec == "zstd" else _CHUNK), b""):
        budget.read += len(piece)
        rest, hungry = piece, False
        while not hungry:
            if decoder.eof:
                rest = rest.lstrip(b"\x00")  # tapes and some writers pad with zeros
                if not rest:
                    break
                decoder = _decoder(codec)
            begun = True
            out, rest = _advance(decoder, codec, rest, name)
            hungry = not decoder.eof and not rest and getattr(decoder, "needs_input", True)
            budget.spend(len(out))
            yield out
    if begun and not decoder.eof:
        if codec == "gzip":
            yield decoder.flush()
        raise InputError(
            f"the {codec} stream is truncated: it ends in the middle", where=name, do="Get the whole file."
        )


def _advance(decoder: Any, codec: str, piece: bytes, name: str) -> tuple[bytes, bytes]:  # noqa: ANN401 - four libraries
    """Return what some compressed bytes give, and those of them not yet used."""
    try:
        out = decoder.decompress(piece) if codec == "zstd" else decoder.decompress(piece, 2**20)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, zstandard.ZstdError) as fault:
        raise InputError(f"the {codec} stream is broken: {fault}", where=name, do="Get the file again.") from fault
    return out, decoder.unused_data if decoder.eof else getattr(decoder, "unconsumed_tail", b"")


class _Budget:
    """How much an input may expand to: a bomb is told by its ratio, once it is large."""

    def __init__(self, name: str, read: int = 0) -> None:
        self._name, self._out, self.read = name, 0, read

    def spend(self, out: int) -> None:
        self._out += out
        if self._out > FREE_BYTES and self._out > MAX_RATIO * max(self.read, 1):
            raise InputError(
                f"it expands to more than {MAX_RATIO} times its size: taken for a decompression bomb",
                where=self._name, do="Expand it by hand if you trust it, and read the result.",
            )  # fmt: skip


def _decoder(codec: str) -> Any:  # noqa: ANN401 - four libraries, one habit
    if codec == "gzip":
        return zlib.decompressobj(wbits=31)
    if codec == "zstd":
        return zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj()
    return bz2.BZ2Decompressor() if codec == "bzip2" else lzma.LZMADecompressor()


def decoded(stream: io.BufferedReader, name: str) -> io.BufferedReader:
    """Return the stream with every layer of gzip, zstd, bzip2 and xz undone.

    Where a layer is broken, truncated or a bomb the stream just ends; `fault_of` says so then.

    Raises:
        InputError: it is compressed too many times over.
    """
    for _ in range(MAX_DEPTH):
        head = stream.peek(8)[:8]
        codec = next((codec for magic, codec in _MAGIC if head.startswith(magic)), None)
        if codec is None:
            return stream
        stream = io.BufferedReader(_Pieces(_undo(stream, codec, name), stream), _CHUNK)
    raise InputError(
        f"compressed more than {MAX_DEPTH} times over", where=name, do="Expand it by hand if you trust it."
    )


def open_raw(path: str) -> io.BufferedReader:
    """Return the bytes of an input as they lie on disk or in its container, before decompression.

    Raises:
        InputError: a container on the way is broken, or the name leads nowhere.
        OSError: the file can't be opened.
    """
    outer, *members = path.split(ENTER)
    with ExitStack() as stack:
        stream = stack.enter_context(Path(outer).open("rb"))
        for member in members:
            container = _as_zip(decoded(stream, outer), outer, stack)
            stream = io.BufferedReader(_Pieces(_member(container, member, path, stack)), _CHUNK)
        below = stack.pop_all()
    if isinstance(stream.raw, _Pieces):
        stream.raw.below = below
    return stream


def open_input(path: str) -> io.BufferedReader:
    """Return the plain bytes of an input, every compression undone. Raises what `open_raw` and `decoded` raise."""
    return decoded(open_raw(path), path)


def _member(container: zipfile.ZipFile, member: str, path: str, stack: ExitStack) -> Iterator[bytes]:
    """Return a zip member's bytes under the same budget as a compressed file, its faults told as ours."""
    try:
        opened = stack.enter_context(container.open(member))
    except KeyError as fault:
        raise InputError("the container has no such member", where=path, do="Check the name after `!/`.") from fault
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as fault:
        raise InputError(f"the member can't be opened: {fault}", where=path, do="Unpack it by hand.") from fault
    return _member_pieces(opened, _Budget(path, container.getinfo(member).compress_size), path)


def _member_pieces(opened: IO[bytes], budget: _Budget, path: str) -> Iterator[bytes]:
    while True:
        try:
            piece = opened.read(_CHUNK)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as fault:
            raise InputError(f"the member is broken: {fault}", where=path, do="Get the archive again.") from fault
        if not piece:
            return
        budget.spend(len(piece))
        yield piece


def _as_zip(stream: io.BufferedReader, name: str, stack: ExitStack) -> zipfile.ZipFile:
    """Return the stream as a container; one that can't seek is copied aside first, within the budget of its layers."""
    seekable: IO[bytes] = stream
    if not stream.seekable():
        seekable = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_BYTES))  # noqa: SIM115 - on the stack
        shutil.copyfileobj(stream, seekable)
        if (broken := fault_of(stream)) is not None:
            raise broken
        seekable.seek(0)
    try:
        return stack.enter_context(zipfile.ZipFile(seekable))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as fault:
        raise InputError(f"the zip container is broken: {fault}", where=name, do="Get the archive again.") from fault


def list_container(path: str) -> dict[str, int]:
    """Return the files in a container: name → compressed size in bytes."""
    with ExitStack() as stack:
        container = _as_zip(stack.enter_context(open_input(path)), path, stack)
        return {info.filename: info.compress_size for info in container.infolist() if not info.is_dir()}


def walk(paths: Sequence[Path], leave_out: Path | None = None) -> Iterator[Input | Unreadable]:
    """Yield every input under some paths, folders and containers entered, each once, in the order of their names.

    Args:
        paths: Files and folders.
        leave_out: A folder that is passed over wherever it is met: the results of a run are not its input.
    """
    seen: set[tuple[int, int]] = set()
    if leave_out is not None and leave_out.exists():
        status = leave_out.stat()
        seen.add((status.st_dev, status.st_ino))
    for path in paths:
        yield from _walk_path(path, path.name or str(path), seen)


def _walk_path(path: Path, name: str, seen: set[tuple[int, int]]) -> Iterator[Input | Unreadable]:
    try:
        status = path.stat()
    except OSError as fault:
        yield _unreadable(name, path, fault)
        return
    key = (status.st_dev, status.st_ino)
    if stat.S_ISDIR(status.st_mode):
        if key not in seen:  # a second way to the same folder, or a circle of links
            seen.add(key)
            yield from _walk_folder(path, name, seen)
    elif not stat.S_ISREG(status.st_mode):
        yield Unreadable(name, "not-a-file", f"{name}: neither a file nor a folder; name a regular file.")
    elif key not in seen or status.st_nlink == 1:
        seen.add(key)
        yield from _enter(Input(name, str(path), status.st_size, status.st_mtime_ns), depth=0)


def _walk_folder(path: Path, name: str, seen: set[tuple[int, int]]) -> Iterator[Input | Unreadable]:
    try:
        entries = sorted(entry.name for entry in path.iterdir())
    except OSError as fault:
        yield _unreadable(name, path, fault)
        return
    for entry in entries:
        if not entry.startswith("."):
            yield from _walk_path(path / entry, f"{name}/{entry}", seen)


def _unreadable(name: str, path: Path, fault: OSError) -> Unreadable:
    if path.is_symlink():
        return Unreadable(name, "link-broken", f"{name}: a link that leads nowhere or in a circle; name its target.")
    if isinstance(fault, FileNotFoundError):
        return Unreadable(name, "missing", f"{name}: there is no such file or folder; check the path.")
    return Unreadable(name, "no-permission", f"{name}: {fault.strerror}; allow reading it, or run as one who may.")


def _enter(found: Input, depth: int) -> Iterator[Input | Unreadable]:
    """Yield the input itself, or what is in it if it is a container."""
    try:
        with closing(open_input(found.path)) as stream:
            if stream.peek(8)[:4] not in (_ZIP, _EMPTY_ZIP):
                yield found
                return
        members = list_container(found.path)
    except InputError as fault:
        yield from _or_plain(found, fault)
        return
    except OSError as fault:
        yield _unreadable(found.name, Path(found.path), fault)
        return
    if any(member in _SEALED for member in members):
        yield found
    elif depth + 1 >= MAX_DEPTH:
        yield Unreadable(found.name, "nested-too-deep", f"{found.name}: more than {MAX_DEPTH - 1} containers deep.")
    elif len(members) > MAX_MEMBERS:
        yield Unreadable(found.name, "too-many-members", f"{found.name}: more than {MAX_MEMBERS:,} files; unpack it.")
    else:
        yield from _walk_members(found, members, depth)


def _or_plain(found: Input, fault: InputError) -> Iterator[Input | Unreadable]:
    """A broken container is unreadable; a broken compression is still read as far as it goes."""
    if "zip" in fault.what and "gzip" not in fault.what:
        yield Unreadable(found.name, "container-broken", f"{found.name}: {fault.what}. {fault.do}")
    elif "bomb" in fault.what:
        yield Unreadable(found.name, "bomb", f"{found.name}: {fault.what}. {fault.do}")
    else:
        yield found


def _walk_members(found: Input, members: Mapping[str, int], depth: int) -> Iterator[Input | Unreadable]:
    for member in sorted(members):
        base = member.rpartition("/")[2]
        if base.startswith(".") or member.startswith("__MACOSX/"):
            continue
        inner = Input(found.name + ENTER + member, found.path + ENTER + member, members[member], found.modified_ns)
        yield from _enter(inner, depth + 1)
