"""vPDQ against the values that its authors published, against its oracle, and against files made to harm."""

import io
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from antiphon.errors import InputError
from antiphon.fingerprints import _decode
from antiphon.fingerprints.interface import SignalType
from antiphon.fingerprints.vpdq import MAX_FRAME_BITS, Vpdq

FIXTURES = Path(__file__).parents[3] / ".." / "shared" / "fixtures" / "vpdq"
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not beside this repository")
DECODER_TOLERANCE_BITS = 2
VIDEOS = sorted(path.stem for path in FIXTURES.glob("*.mp4")) or ["none"]


def published(name: str) -> list[tuple[int, int, str, float]]:
    lines = (FIXTURES / f"{name}.txt").read_text(encoding="utf-8").split()
    rows = [line.split(",") for line in lines]
    return [(int(number), int(quality), pdq, float(at_s)) for number, quality, pdq, at_s in rows]


@cache
def fingerprint_of(name: str) -> bytes:
    return Vpdq().fingerprint((FIXTURES / f"{name}.mp4").read_bytes()).value


def bits(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


@needs_fixtures
@pytest.mark.parametrize("name", VIDEOS)
def test_every_frame_of_the_published_videos_is_reproduced(name):
    """Time, quality, and 256 bits but for at most 2, where another version of the decoder rounds otherwise."""
    frames = list(Vpdq().frames((FIXTURES / f"{name}.mp4").read_bytes(), every_s=0))
    expected = published(name)
    assert [frame.quality for frame in frames] == [quality for _, quality, _, _ in expected]
    for frame, (_, _, pdq, at_s) in zip(frames, expected, strict=True):
        assert bits(frame.pdq, bytes.fromhex(pdq)) <= DECODER_TOLERANCE_BITS
        assert frame.at_s == pytest.approx(at_s, abs=0.001)


@needs_fixtures
@pytest.mark.parametrize("name", VIDEOS)
def test_a_value_is_the_frame_shown_at_each_second(name):
    """So a frame's place in the value is its time."""
    value, expected = fingerprint_of(name), published(name)
    for second in range(len(value) // 33):
        shown = max((row for row in expected if row[3] <= second + 0.0005), key=lambda row: row[3])
        assert bits(value[33 * second : 33 * second + 32], bytes.fromhex(shown[2])) <= DECODER_TOLERANCE_BITS
        assert value[33 * second + 32] == shown[1]


@needs_fixtures
@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("pattern-sd-grey-bar", "pattern-sd-with-small-logo-bar", True),
        ("pattern-sd-grey-bar", "doorknob-hd-no-bar", False),
        ("chair-19-sd-bar", "pattern-sd-grey-bar", False),
        ("chair-19-sd-bar", "chair-20-sd-bar", False),
    ],
)
def test_the_published_videos_match_where_they_are_one(left, right, same):
    """A logo leaves a video what it is; two takes of one scene are two videos."""
    assert (Vpdq().distance(fingerprint_of(left), fingerprint_of(right)) <= Vpdq().max_distance) is same


def video(pictures, *, seconds_each=1, form="avi", codec="mjpeg", rate=2) -> bytes:
    """A video that shows each picture (shades from 0 to 255) for so long."""
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options={"qmin": "1", "qmax": "2"})
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape, pix_fmt
        for picture in pictures:
            for _ in range(rate * seconds_each):
                frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="gray")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def picture(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8))
    return cells.repeat(12, 0).repeat(12, 1)


BLACK = np.zeros((96, 96))


def value_of(*pictures, seconds_each=1) -> bytes:
    return Vpdq().fingerprint(video(pictures, seconds_each=seconds_each)).value


def test_it_has_the_interface():
    """The node asks for nothing else."""
    assert isinstance(Vpdq(), SignalType)


def test_its_examples_have_signals_and_are_two_videos():
    """Four seconds each, 33 bytes a second, and nothing in common."""
    left, right = (Vpdq().fingerprint(content) for content in Vpdq().examples())
    assert len(left.value) == len(right.value) == 4 * 33
    assert left.quality >= 0.5
    assert Vpdq().distance(left.value, right.value) == 100


def test_a_clip_is_found_in_the_whole():
    """Whichever of the two is the shorter; the shares tell which."""
    whole, clip = value_of(*map(picture, range(6))), value_of(*map(picture, range(2, 5)))
    assert Vpdq().shares(clip, whole) == (1.0, 0.5)
    assert Vpdq().distance(clip, whole) == Vpdq().distance(whole, clip) == 0


def test_a_run_of_seconds_is_told_as_it_lies_in_both():
    """A reviewer can jump to it in either video."""
    whole, clip = value_of(*map(picture, range(6))), value_of(picture(9), *map(picture, range(2, 5)))
    assert Vpdq().aligned(whole, clip) == [(2, 1), (3, 2), (4, 3)]


def test_black_frames_match_nothing():
    """Every second video begins with one."""
    left, right = value_of(BLACK, picture(1), picture(2)), value_of(BLACK, picture(3), picture(4))
    assert Vpdq().shares(left, right) == (0.0, 0.0)
    assert Vpdq().aligned(left, right) == []
    assert Vpdq().distance(value_of(BLACK, BLACK), value_of(BLACK)) == 100


def test_a_picture_that_stands_still_counts_once():
    """Two unrelated videos with one title card in common, however long it stands, stay unrelated."""
    card = picture(7)
    left = value_of(*[card] * 9, picture(1), picture(2), picture(3), picture(4))
    right = value_of(*[card] * 9, picture(11), picture(12), picture(13), picture(14))
    assert Vpdq().shares(left, right) == (0.2, 0.2)
    assert Vpdq().distance(left, right) == 80


def test_a_still_picture_does_not_match_a_film_that_shows_it_once():
    """One frame is all there is of it, and says too little about the film."""
    card, film = value_of(picture(7), seconds_each=5), value_of(picture(7), *map(picture, range(20, 29)))
    assert Vpdq().shares(card, film) == (1.0, 0.1)
    assert Vpdq().distance(card, film) == 90
    assert Vpdq().distance(card, value_of(picture(7))) == 0


NEAR = st.builds(
    lambda base, flips, at: base ^ ((1 << flips) - 1 << at),
    st.sampled_from([0, 2**256 - 1]),
    st.sampled_from([0, 1, 30, 31, 32, 62]),
    st.sampled_from([0, 100]),
)
VALUES = st.lists(st.tuples(NEAR, st.sampled_from([0, 49, 50, 100])), min_size=1, max_size=6).map(
    lambda frames: b"".join(pdq.to_bytes(32) + bytes([quality]) for pdq, quality in frames)
)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_the_distance_is_what_the_oracle_says_and_symmetric(left, right):
    """Frames near the limit of 31 bits, of quality near 50, alone and repeated."""
    assert Vpdq().distance(left, right) == Vpdq().distance(right, left) == Vpdq().oracle(left, [right])[0]
    assert Vpdq().distance(left, left) == 0


@settings(deadline=None)
@given(VALUES, VALUES)
def test_a_run_is_as_long_as_can_be_and_of_matching_seconds(left, right):
    """Found again by trying every pair of beginnings."""

    def same(at, to):
        a, b = left[33 * at :][:33], right[33 * to :][:33]
        return len(a) == len(b) == 33 and min(a[32], b[32]) >= 50 and bits(a[:32], b[:32]) <= MAX_FRAME_BITS

    def length(at, to):
        return 1 + length(at + 1, to + 1) if same(at, to) else 0

    run = Vpdq().aligned(left, right)
    starts = [(at, to) for at in range(len(left) // 33) for to in range(len(right) // 33)]
    assert len(run) == max(length(*start) for start in starts)
    assert all(same(*pair) for pair in run)
    assert run == [(run[0][0] + on, run[0][1] + on) for on in range(len(run))]


@pytest.mark.parametrize("value", [b"", bytes(32), bytes(34)], ids=["empty", "a byte short", "a byte more"])
def test_a_value_that_is_no_whole_frames_is_refused(value):
    """A cut value must not be near to anything."""
    for ask in (Vpdq().distance, Vpdq().shares, Vpdq().aligned, lambda a, b: Vpdq().oracle(a, [b])):
        with pytest.raises(InputError, match="expected 33"):
            ask(value, bytes(33))


def jpeg(picture_) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture_.astype(np.uint8)).save(out, "JPEG", quality=95)
    return out.getvalue()


def packed(*packets: bytes) -> bytes:
    """A video of one picture a second of 96 x 96 pixels, as it claims, with these packets as they are."""
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 96
        stream.pix_fmt = "yuvj420p"
        for at, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, at, at, Fraction(1)
            container.mux(packet)
    return out.getvalue()


def image() -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture(1).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"no video", video([picture(1)])[:700], video([picture(1)], form="mov")[:900], image()],
    ids=["empty", "other bytes", "no picture left", "no index left", "an image"],
)
def test_a_file_that_is_no_video_is_refused(content):
    """A damaged file, or one made to fill the memory, stops nothing but itself."""
    with pytest.raises(InputError):
        Vpdq().fingerprint(content)


def test_a_picture_larger_than_its_video_claims_is_not_even_decoded(monkeypatch):
    """The decoder itself is told the limit: afterwards the memory would be taken already."""
    content = packed(jpeg(picture(1).repeat(2, 0).repeat(2, 1)))
    assert Vpdq().fingerprint(content)
    monkeypatch.setattr(_decode, "MAX_PIXELS", 100 * 100)
    with pytest.raises(InputError, match="more than 10,000 pixels"):
        Vpdq().fingerprint(content)


def test_a_video_that_claims_pictures_too_large_is_refused(monkeypatch):
    """Before anything of it is decoded."""
    monkeypatch.setattr(_decode, "MAX_PIXELS", 95 * 95)
    with pytest.raises(InputError, match="more than 9,025 pixels"):
        Vpdq().fingerprint(packed(jpeg(picture(1))))


def test_pictures_that_grow_on_the_way_are_not_decoded_either(monkeypatch):
    """The limit holds for each picture, not for the first."""
    monkeypatch.setattr(_decode, "MAX_PIXELS", 100 * 100)
    with pytest.raises(InputError, match="could not be decoded"):
        Vpdq().fingerprint(packed(jpeg(picture(1)), jpeg(picture(2).repeat(2, 0).repeat(2, 1))))


def test_a_damaged_packet_is_left_out():
    """A player shows the rest too; what was on the screen before stays there."""
    files = [jpeg(picture(seed)) for seed in range(3)]
    whole, damaged = packed(*files), packed(files[0], b"no picture", files[2])
    rows = [Vpdq().fingerprint(content).value for content in (whole, damaged)]
    assert rows[1] == rows[0][:33] + rows[0][:33] + rows[0][66:]


def test_what_comes_after_the_limit_of_work_is_not_read(monkeypatch):
    """A small file can hold hours of work for a decoder; in pixels the limit is the same on every machine."""
    content = packed(*[jpeg(picture(seed)) for seed in range(6)])
    monkeypatch.setattr(_decode, "MAX_VIDEO_PIXELS", 3 * 96 * 96)
    assert Vpdq().fingerprint(content).value == Vpdq().fingerprint(packed(*map(jpeg, map(picture, range(3))))).value


def test_a_file_on_disk_has_the_signal_of_its_bytes(tmp_path):
    """Large videos are not read into memory."""
    content = video([picture(1), picture(2)])
    (tmp_path / "video").write_bytes(content)
    with (tmp_path / "video").open("rb") as stream:
        assert Vpdq().of_stream(stream) == Vpdq().fingerprint(content)


def test_what_comes_after_the_limit_is_not_read(monkeypatch):
    """A value has an end, however long the video."""
    content = packed(*[jpeg(picture(seed)) for seed in range(6)])
    monkeypatch.setattr(_decode, "MAX_VIDEO_S", 4)
    assert len(Vpdq().fingerprint(content).value) == 4 * 33


@pytest.mark.parametrize(
    "content",
    [
        b"ffconcat version 1.0\nfile other.ts\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nother.ts\n#EXT-X-ENDLIST\n",
    ],
    ids=["a concat script", "a play list"],
)
def test_a_file_that_refers_to_another_opens_nothing(content, tmp_path, monkeypatch):
    """Material must not make the node read its own disk, or call home."""
    (tmp_path / "other.ts").write_bytes(video([picture(1), picture(2)], form="mpegts", codec="mpeg2video", rate=25))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        Vpdq().fingerprint(content)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_video_has_a_signal_or_is_refused(data):
    """Whatever bytes a network lost: never another error, never no end."""
    content = bytearray(video([picture(1), picture(2)]))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        signal = Vpdq().fingerprint(bytes(content))
    except InputError:
        return
    assert len(signal.value) % 33 == 0 < len(signal.value)


def test_a_cut_off_video_has_the_signal_of_what_is_left():
    """Half a download is a clip."""
    content = video([picture(seed) for seed in range(8)])
    whole, part = Vpdq().fingerprint(content).value, Vpdq().fingerprint(content[: len(content) * 2 // 3]).value
    assert 33 * 3 <= len(part) < len(whole) == 33 * 8
    assert Vpdq().distance(whole, part) <= Vpdq().max_distance
