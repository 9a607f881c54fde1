"""Videos by themselves: each file is one material, known by its bytes.

Of what a container says beside its pictures nothing is read. Title and comment are written by programs and people,
place, device and time of recording tell of people, and that time is not the time of publication (R-75).
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NoReturn, cast

from antiphon.model.material import Item, Material, Media, Skipped
from antiphon.sources.interface import Example, ReadContext

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["MAX_BYTES", "VideoFile", "video_mime"]

MAX_BYTES = 4 * 2**30
"""A larger file is not read."""

MAX_PIXELS = 36_000_000
"""The largest picture, 8K with a margin: decoders keep up to 17 pictures at once."""

MAX_S = 24 * 3600
"""A video that says it lasts for longer is taken for a bomb."""

CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""What is opened, by FFmpeg's names; no play list, for these make a reader open other files."""

_PACKETS = 500
"""So many packets are tried for the first picture."""

_SPOOL_BYTES = 8 * 2**20
_CHUNK = 2**20
_HEAD_BYTES = 65_536
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc")
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


class VideoFile:
    """Reads one video file as one material, after checking that its first picture can be decoded."""

    name: ClassVar[str] = "video"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Videos: MP4, MOV, WebM, Matroska, AVI"

    def recognise(self, head: bytes, name: str) -> float:
        """Return 0.95 for the first bytes of a container, 0.6 for those of a QuickTime file from before 2001."""
        mime = video_mime(head)
        if mime == "video/quicktime" and head[4:8] != b"ftyp":
            return 0.6 if int.from_bytes(head[:4]) >= 8 or head[:4] == b"\0\0\0\1" else 0.0
        return 0.95 if mime else 0.0

    def read(self, stream: BinaryIO, context: ReadContext) -> Iterator[Item]:
        """Yield the video, or why it can't be shown."""
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
            whole = stream if stream.seekable() else _spooled(stream, cast(BinaryIO, spool))
            size = whole.seek(0, io.SEEK_END)
            whole.seek(0)
            head = whole.read(_HEAD_BYTES)
            fault = ("too-large", f"larger than {MAX_BYTES:,} bytes; cut it into parts") if size > MAX_BYTES else None
            fault = fault or _fault(whole)
            if fault is not None:
                yield Skipped(*fault, record=0, raw=head, raw_bytes=size)
                return
            whole.seek(0)
            media = _media(whole, video_mime(head), size, context)
        yield Material(source="video", native_id=f"sha256:{media.sha256}", kind="video", media=[media], record=0)

    def examples(self) -> Iterable[Example]:
        """Return a square that wanders, drawn here, in three containers."""
        for form, codec in (("mp4", "mpeg4"), ("matroska", "mjpeg"), ("avi", "mjpeg")):
            yield Example(f"square.{form}", _drawn(form, codec), 1)


def video_mime(head: bytes) -> str | None:
    r"""Return the media type of a video container by its first bytes, or None.

    A container says little of what is in it: an MP4 that holds sound alone is `video/mp4` too, unless it says so.

    Example:
        >>> [video_mime(head) for head in (bytes(4) + b"ftypisom", b"RIFF\x04\0\0\0AVI LIST", b"GIF89a")]
        ['video/mp4', 'video/x-msvideo', None]
    """
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _STILL_BRANDS:
            return None
        return "audio/mp4" if brand in _SOUND_BRANDS else "video/quicktime" if brand == b"qt  " else "video/mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "video/x-msvideo"
    return "video/quicktime" if head[4:8] in _QUICKTIME_ATOMS else None


def _spooled(stream: BinaryIO, spool: BinaryIO) -> BinaryIO:
    """Return a copy that can be read to and fro, of a stream that can't; a little more than is allowed at most."""
    left = MAX_BYTES + 1
    while left > 0 and (piece := stream.read(min(_CHUNK, left))):
        spool.write(piece)
        left -= len(piece)
    return spool


def _media(whole: BinaryIO, mime: str | None, size: int, context: ReadContext) -> Media:
    if context.keep_media is not None:
        return context.keep_media(whole, context.input, "self")
    digest = hashlib.sha256()
    while piece := whole.read(_CHUNK):
        digest.update(piece)
    return Media(path=context.input, mime=mime, sha256=digest.hexdigest(), bytes=size, role="self")


def _fault(whole: BinaryIO) -> tuple[str, str] | None:
    """Return the reason and the detail of what is wrong with a video, or None; what it claims is checked first."""
    import av

    whole.seek(0)
    try:
        with av.open(
            whole, "r", io_open=_refuse, metadata_errors="replace", options={"max_pixels": str(MAX_PIXELS)},
            container_options={"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "-"},
        ) as container:  # fmt: skip
            film = _film(container)
            if film is None and container.streams.audio:
                return "audio-only", "there are no moving pictures in it; sound is not compared"
            if film is None:
                return "video-unreadable", "there are no pictures in it; get the file again"
            return _claimed_too_much(container, film) or _no_picture(container, film)
    # FFmpeg and its Python layer raise many kinds of error for damaged files; none of it may stop a run.
    except Exception as fault:  # noqa: BLE001
        return "video-unreadable", f"it can't be decoded ({type(fault).__name__}); get the file again"


def _refuse(url: str, flags: int, options: dict[str, Any]) -> NoReturn:
    raise PermissionError


def _claimed_too_much(container: InputContainer, film: VideoStream) -> tuple[str, str] | None:
    if not 0 < film.width * film.height <= MAX_PIXELS:
        # FFmpeg gives no size where it is above the limit that it was told
        return "bomb", f"its pictures have no size, or more than {MAX_PIXELS:,} pixels; scale it down if you trust it"
    if (container.duration or 0) > MAX_S * 1_000_000:
        return "bomb", f"it says that it lasts for more than {MAX_S // 3600} hours; cut it into parts if you trust it"
    return None


def _film(container: InputContainer) -> VideoStream | None:
    """Return the first stream of moving pictures; a cover is a picture that comes with a sound."""
    from av.stream import Disposition

    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return films[0] if films else None


def _no_picture(container: InputContainer, film: VideoStream) -> tuple[str, str] | None:
    """Return that nothing can be decoded, or None as soon as a picture was."""
    import av

    film.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    film.codec_context.thread_count = 1
    for tried, packet in enumerate(container.demux(film)):
        try:
            if packet.decode():
                return None
        except av.error.InvalidDataError:
            continue  # a player leaves out what is damaged, too
        if tried >= _PACKETS:
            break
    return "video-unreadable", "no picture of it can be decoded; get the file again"


def _drawn(form: str, codec: str) -> bytes:
    """Return four pictures of a square, the same bytes each time."""
    import av
    import numpy as np

    out = io.BytesIO()
    with av.open(out, "w", format=form, options={"fflags": "bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=2, options={"flags": "bitexact"})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for at in range(4):
            picture = np.full((48, 64), 30, dtype=np.uint8)
            picture[16:32, 8 + 8 * at : 24 + 8 * at] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(stream.encode(None))
    return out.getvalue()
