"""Image and video files to pixels, with nothing decoded that a file only claims to hold."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import InputError

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from PIL import Image

__all__ = [
    "CONTAINERS",
    "FORMATS",
    "MAX_PIXELS",
    "MAX_VIDEO_PIXELS",
    "MAX_VIDEO_S",
    "Frame",
    "read_frames",
    "read_pixels",
]

Pixels = npt.NDArray[np.uint32]

MAX_PIXELS = 64_000_000
"""An image that claims more is not decoded: a few bytes can claim billions (a decompression bomb)."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""The formats that are decoded; a decoder that nobody needs is only a way in."""

CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg")
"""The video containers that are opened, by FFmpeg's names. Play lists are none: they make a reader open other files."""

MAX_VIDEO_S = 4 * 3600
"""What comes after four hours of a video is not read."""

MAX_VIDEO_PIXELS = 2**38
"""What comes after so many decoded pixels is not read either: 73 minutes of 1920 x 1080 at 30 pictures a second.

A file of a few megabytes can hold hours of work for a decoder; counted in pixels, the limit is the same everywhere."""

MAX_DAMAGED = 100
"""A video of which more packets can't be decoded is taken for no video."""

REDUCED_SIDE = 256
"""A JPEG read at a reduced scale keeps at least so many pixels each way, where it has them."""


def read_pixels(content: bytes, *, where: str, reduced: bool = False) -> Pixels:
    """Return an image file's pixels, red in the lowest byte, shape (rows, columns); of an animation, its first picture.

    They are what the reference reads: no rotation by EXIF, no blending of transparency. The array may be a view of the
    decoder's own memory: read it only.

    Args:
        content: The file.
        where: Who asks, for the message of an error.
        reduced: Let a JPEG be decoded at a half, a quarter or an eighth of its size: other pixels, for less time.

    Raises:
        InputError: It is no image of a known format, is damaged, or claims more than `MAX_PIXELS`.
    """
    try:
        return _pixels(_decoded(content, where, reduced=reduced))
    except InputError:
        raise
    # Pillow's decoders raise whatever a damaged file makes them stumble on; none of it may stop a run.
    except Exception as cause:
        raise InputError(
            f"the image could not be decoded ({type(cause).__name__})",
            where=where,
            do=f"Hand over a whole image as {', '.join(FORMATS)}.",
        ) from cause


class Frame(NamedTuple):
    """A picture of a video, and when it is on the screen, in seconds from the first picture."""

    at_s: float
    pixels: Pixels


def read_frames(content: bytes | BinaryIO, *, where: str, every_s: float = 1.0) -> Iterator[Frame]:
    """Yield what a video shows at 0 s, `every_s`, twice that and so on, at most `MAX_VIDEO_S` and `MAX_VIDEO_PIXELS`.

    A picture that stands for longer comes again, as the same array. Packets that can't be decoded are left out, as a
    player does. Nothing but `content` is opened, whatever it refers to.

    Args:
        content: The file, or a stream of it that can be read to and fro.
        where: Who asks, for the message of an error.
        every_s: The step in seconds; 0 for every picture.

    Raises:
        InputError: It is no video of a known container, has no picture that can be decoded, or claims more than
            `MAX_PIXELS` a picture.
    """
    import av

    try:
        with av.open(
            io.BytesIO(content) if isinstance(content, bytes) else content,
            "r",
            io_open=_refuse,
            metadata_errors="replace",
            # FFmpeg decodes the first pictures while it opens a file, so the limit has to be told here as well.
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "-"},
        ) as container:
            yield from _sampled(_timed(container, where), every_s)
    except InputError:
        raise
    # As with images: FFmpeg and its Python layer raise many kinds of error for damaged files.
    except Exception as cause:
        raise _no_video(where, type(cause).__name__) from cause


def _refuse(url: str, flags: int, options: dict[str, Any]) -> NoReturn:
    raise PermissionError


def _no_video(where: str, why: str) -> InputError:
    return InputError(
        f"the video could not be decoded ({why})",
        where=where,
        do="Hand over a whole video as MP4, WebM, Matroska, AVI, MPEG, FLV, ASF or Ogg.",
    )


def _timed(container: InputContainer, where: str) -> Iterator[tuple[float, VideoFrame]]:
    """Each picture with its time; a time that is missing or runs backwards is put right by the frame rate."""
    stream = _film(container)
    if stream is None:
        raise _no_video(where, "no pictures")
    if min(stream.width, stream.height) < 1:
        # What FFmpeg makes of a size above the limit that it was told.
        raise _no_video(where, f"its pictures have no size, or more than {MAX_PIXELS:,} pixels")
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.codec_context.thread_count = 1
    step_s = 1 / float(stream.average_rate or stream.guessed_rate or 25)
    begin_s: float | None = None
    last_s, left = -step_s, MAX_VIDEO_PIXELS
    for frame in _decodable(container, stream, where):
        _require_size(frame.width, frame.height, kind="video", where=where)
        left -= frame.width * frame.height
        if begin_s is None:
            begin_s = frame.time or 0.0
        at_s = last_s + step_s if frame.time is None else max(frame.time - begin_s, last_s, 0.0)
        if at_s >= MAX_VIDEO_S or left < 0:
            return
        yield at_s, frame
        last_s = at_s
    if begin_s is None:
        raise _no_video(where, "no pictures")


def _film(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures; the cover of a sound is one only where there is no other."""
    from av.stream import Disposition

    films = container.streams.video
    return next((film for film in films if not film.disposition & Disposition.attached_pic), next(iter(films), None))


def _decodable(container: InputContainer, stream: VideoStream, where: str) -> Iterator[VideoFrame]:
    import av

    damaged = 0
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError as cause:
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise _no_video(where, "too many damaged packets") from cause


def _sampled(timed: Iterable[tuple[float, VideoFrame]], every_s: float) -> Iterator[Frame]:
    """What is on the screen at each step, or every picture."""
    if every_s <= 0:
        yield from (Frame(at_s, _of_frame(frame)) for at_s, frame in timed)
        return
    shown: tuple[float, VideoFrame] | None = None
    step = 0
    for at_s, frame in timed:
        if shown is not None and step * every_s < at_s:
            pixels = _of_frame(shown[1])
            while step * every_s < at_s:
                yield Frame(step * every_s, pixels)
                step += 1
        shown = at_s, frame
    if shown is not None and step * every_s <= shown[0]:
        yield Frame(step * every_s, _of_frame(shown[1]))


def _of_frame(frame: VideoFrame) -> Pixels:
    from av.video.reformatter import Interpolation

    # By area, as the reference does; exact, because only so do its published values come out, on every machine.
    how = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    array = frame.reformat(format="rgba", interpolation=how, threads=1).to_ndarray()
    return np.ascontiguousarray(array).view("<u4")[:, :, 0].astype(np.uint32, copy=False)


def _require_size(width: int, height: int, *, kind: str, where: str) -> None:
    """Raise InputError where what a file claims may not be decoded."""
    if width * height > MAX_PIXELS or min(width, height) < 1:
        raise InputError(
            f"the {kind} claims {width} x {height} pixels, expected at most {MAX_PIXELS:,} in all",
            where=where,
            do="Scale it down with a tool that you trust.",
        )


def _decoded(content: bytes, where: str, *, reduced: bool) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
        _require_size(*image.size, kind="image", where=where)
        if reduced:
            image.draft("RGB", (REDUCED_SIDE, REDUCED_SIDE))
        image.load()
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        return image if image.mode == "RGB" else image.convert("RGB")


def _pixels(image: Image.Image) -> Pixels:
    """The four bytes that Pillow keeps of each RGB pixel, without a copy where it keeps them in one piece."""
    try:
        flat = pa.array(image).flatten().to_numpy(zero_copy_only=True)
    except ValueError:
        flat = np.frombuffer(image.tobytes("raw", "RGBX"), dtype=np.uint8)
    pixels: Pixels = flat.view("<u4").astype(np.uint32, copy=False).reshape(image.height, image.width)
    return pixels
