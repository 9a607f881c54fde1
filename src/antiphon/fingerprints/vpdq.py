"""vPDQ of a video: the same pictures, whole or in part, whatever lies between them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.errors import InputError
from antiphon.fingerprints._decode import read_frames
from antiphon.fingerprints._pdq import bits_of, dct_of, kernel
from antiphon.fingerprints.interface import Signal

__all__ = ["FRAME_BYTES", "MAX_FRAME_BITS", "MIN_FRAME_QUALITY", "FrameSignal", "Vpdq"]

WHERE = "signal type vpdq"

FRAME_BYTES = 33
"""A frame is 32 bytes of PDQ and one of its quality, 0 to 100."""

MAX_FRAME_BITS = 31
"""Frames that differ in more bits of 256 don't match."""

MIN_FRAME_QUALITY = 50
"""Frames of less quality (black, white, a fade) match none."""

_Words = npt.NDArray[np.uint64]


class FrameSignal(NamedTuple):
    """One frame of a video: seconds from the first, PDQ, and its quality from 0 to 100."""

    at_s: float
    pdq: bytes
    quality: int


class Vpdq:
    """Signal type: vPDQ, the PDQ of what a video shows at each second.

    A value has 33 bytes for each second, so no fixed length: `value_bytes` is 0. Two videos are compared by shares:
    how much of one is found in the other, whatever the order. Frames of quality below 50 are left out, and of frames
    within 31 bits of an earlier one of the same video only that one counts, so that a picture that stands still for a
    minute weighs as much as one that stands for a second. `distance` is 100 less the larger share in percent: 0 for a
    clip and the whole that it was cut from. At 20 or less it counts as a match.

    Where one of the two shows a single picture all the time, the smaller share counts: a title card found in a film
    does not make the two the same.

    Source:
        Facebook's vPDQ (ThreatExchange, vpdq/README.md): 31 bits, quality 50, four fifths of one of the two, and exact
        repetitions counted once. There the frames are every n-th of the file, n the frame rate cut to a whole number;
        here they are what is shown at each second, so that a frame's place in the value is its time.
    """

    name: str = "vpdq"
    version: str = "1"
    content: str = "video/"
    value_bytes: int = 0
    max_distance: int = 20

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the signal of a video file, of its first four hours; the quality is that of its best frame.

        Raises:
            InputError: It is no video of a known container, has no frame that can be decoded, or claims frames that
                are too large.
        """
        return self.of_stream(io.BytesIO(content))

    def of_stream(self, stream: BinaryIO) -> Signal:
        """Return what `fingerprint` does, of a file that need not be in memory.

        Raises:
            InputError: As `fingerprint`.
        """
        frames = list(self.frames(stream))
        value = b"".join(frame.pdq + bytes([frame.quality]) for frame in frames)
        return Signal(value, max(frame.quality for frame in frames) / 100)

    def frames(self, content: bytes | BinaryIO, *, every_s: float = 1.0) -> Iterator[FrameSignal]:
        """Yield the signal of what a video shows every so many seconds; of every frame where `every_s` is 0.

        Raises:
            InputError: As `fingerprint`.
        """
        last, pdq, quality = None, b"", 0
        for frame in read_frames(content, where=WHERE, every_s=every_s):
            if frame.pixels is not last:
                dct = dct_of(frame.pixels)
                last, pdq, quality = frame.pixels, bits_of(dct.frequencies), dct.quality
            yield FrameSignal(frame.at_s, pdq, quality)

    def shares(self, left: bytes, right: bytes) -> tuple[float, float]:
        """Return the share of the distinct frames of each video that match a frame of the other, 0 to 1.

        Raises:
            InputError: A value has no frame, or a part of one.
        """
        return _shares(_good(left), _good(right))[0]

    def distance(self, left: bytes, right: bytes) -> int:
        """Return 100 less the percentage of the video that is more wholly found in the other; 0 for equal values.

        Raises:
            InputError: A value has no frame, or a part of one.
        """
        frames, others = _good(left), _good(right)
        if left == right:
            return 0
        shares, distinct = _shares(frames, others)
        return 100 - round(100 * (max(shares) if distinct > 1 else min(shares)))

    def aligned(self, left: bytes, right: bytes) -> list[tuple[int, int]]:
        """Return the longest run of seconds in which the two show the same, as (second there, second here).

        Of several runs as long, the one that begins first. A second of low quality in either breaks a run.

        Raises:
            InputError: A value has no frame, or a part of one.
        """
        frames, others = _frames(left), _frames(right)
        usable = others.quality >= MIN_FRAME_QUALITY
        runs = np.zeros(len(others.quality) + 1, dtype=np.int64)
        best, end = 0, (0, 0)
        for at, (words, quality) in enumerate(zip(frames.words, frames.quality, strict=True)):
            same = usable & (_bits(words, others.words) <= MAX_FRAME_BITS) & (quality >= MIN_FRAME_QUALITY)
            runs[1:] = np.where(same, runs[:-1] + 1, 0)
            longest = int(runs.argmax())
            if runs[longest] > best:
                best, end = int(runs[longest]), (at, longest - 1)
        return [(end[0] - back, end[1] - back) for back in range(best - 1, -1, -1)]

    def oracle(self, value: bytes, entries: Sequence[bytes]) -> list[int]:
        """Return the distance to each entry, frame by frame and bit by bit."""
        return [_plain_distance(value, entry) for entry in entries]

    def examples(self) -> Sequence[bytes]:
        """Return two drawn videos of four seconds, as AVI: rings that grow, and bars that turn."""
        y, x = np.mgrid[0:96, 0:96]
        rings = [np.sin(np.hypot(x - 40, y - 52) / (3 + at / 2)) for at in range(8)]
        bars = [np.sin((x * math.cos(at / 3) + y * math.sin(at / 3)) / 9) * np.cos((x - y) / 23) for at in range(8)]
        return (_drawn(rings), _drawn(bars))


class _Frames(NamedTuple):
    """Frames as four words of 64 bits each, shape (n, 4), and their qualities."""

    words: _Words
    quality: npt.NDArray[np.uint8]


def _require_frames(value: bytes) -> None:
    if not value or len(value) % FRAME_BYTES:
        raise InputError(
            f"a vpdq value has {len(value)} bytes, expected {FRAME_BYTES} for each frame",
            where=WHERE,
            do="Hand over values as the signal type's own `fingerprint` gives them.",
        )


def _frames(value: bytes) -> _Frames:
    _require_frames(value)
    rows = np.frombuffer(value, dtype=np.uint8).reshape(-1, FRAME_BYTES)
    return _Frames(np.ascontiguousarray(rows[:, :32]).view(np.uint64), rows[:, 32])


def _good(value: bytes) -> _Words:
    frames = _frames(value)
    return frames.words[frames.quality >= MIN_FRAME_QUALITY]


def _bits(frame: _Words, others: _Words) -> npt.NDArray[np.int64]:
    """In how many bits a frame differs from each of the others."""
    bits: npt.NDArray[np.int64] = np.bitwise_count(others ^ frame).sum(axis=1, dtype=np.int64)
    return bits


@kernel
def _is_near_one(frame: _Words, others: _Words, count: int) -> bool:
    """Whether a frame is within 31 bits of one of the first `count` others; most pairs are told apart by one word."""
    for at in range(count):
        bits = np.uint64(0)
        for word in range(4):
            left = frame[word] ^ others[at, word]
            # The usual count of set bits, side by side in ever wider fields.
            left -= (left >> np.uint64(1)) & np.uint64(0x5555555555555555)
            left = (left & np.uint64(0x3333333333333333)) + ((left >> np.uint64(2)) & np.uint64(0x3333333333333333))
            left = (left + (left >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            bits += (left * np.uint64(0x0101010101010101)) >> np.uint64(56)
            if bits > MAX_FRAME_BITS:
                break
        if bits <= MAX_FRAME_BITS:
            return True
    return False


@kernel
def _distinct(frames: _Words) -> _Words:
    """The frames that are not near an earlier one."""
    kept = np.empty_like(frames)
    count = 0
    for at in range(len(frames)):
        if not _is_near_one(frames[at], kept, count):
            kept[count] = frames[at]
            count += 1
    return kept[:count]


def _shares(left: _Words, right: _Words) -> tuple[tuple[float, float], int]:
    """Both shares, and how many distinct frames the video of fewer has."""
    distinct = _distinct(left), _distinct(right)
    fewer = min(map(len, distinct))
    if not fewer:
        return (0.0, 0.0), 0
    return (_share(distinct[0], right), _share(distinct[1], left)), fewer


@kernel
def _share(frames: _Words, others: _Words) -> float:
    found = 0
    for at in range(len(frames)):
        found += _is_near_one(frames[at], others, len(others))
    return found / len(frames)


def _plain_distance(left: bytes, right: bytes) -> int:
    if left == right:
        return 0
    sides = [_plain_frames(value) for value in (left, right)]
    distinct: list[list[int]] = []
    for side in sides:
        kept: list[int] = []
        for frame in side:
            if all((frame ^ other).bit_count() > MAX_FRAME_BITS for other in kept):
                kept.append(frame)
        distinct.append(kept)
    if not all(distinct):
        return 100
    found = [
        sum(any((frame ^ other).bit_count() <= MAX_FRAME_BITS for other in others) for frame in frames) / len(frames)
        for frames, others in zip(distinct, reversed(sides), strict=True)
    ]
    return 100 - round(100 * (max(found) if min(map(len, distinct)) > 1 else min(found)))


def _plain_frames(value: bytes) -> list[int]:
    _require_frames(value)
    frames = [value[at : at + FRAME_BYTES] for at in range(0, len(value), FRAME_BYTES)]
    return [int.from_bytes(frame[:32]) for frame in frames if frame[32] >= MIN_FRAME_QUALITY]


def _drawn(shades: Sequence[npt.NDArray[np.float64]]) -> bytes:
    """A video of two pictures a second; shades run from -1 to 1."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="avi", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream("mjpeg", rate=2)
        stream.height, stream.width = shades[0].shape
        stream.pix_fmt = "yuvj420p"
        for shade in shades:
            grey = (127 + 120 * shade).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="gray")))
        container.mux(stream.encode(None))
    return out.getvalue()
