"""Videos by themselves."""

import hashlib
import io
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Media
from antiphon.sources import video
from antiphon.sources.video import VideoFile, video_mime

SOURCE = VideoFile()
EXAMPLES = {example.name: example.content for example in SOURCE.examples()}
AVI = EXAMPLES["square.avi"]
JPEG_SIZE = bytes.fromhex("ffc0001108")


def filmed(form: str, codec: str, pix_fmt: str = "yuv420p", **about: str) -> bytes:
    """Return six pictures of noise in a container, with what is said about it."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        container.metadata.update(about)
        stream = container.add_stream(codec, rate=2)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for seed in range(6):
            noise = np.random.default_rng(seed).integers(0, 256, (64, 96), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="gray")))
        container.mux(stream.encode(None))
    return out.getvalue()


def sound(form: str = "matroska") -> bytes:
    """Return a tenth of a second of silence, in a container that videos come in."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream("pcm_s16le", rate=8_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8_000
        container.mux(stream.encode(frame))
    return out.getvalue()


def lasting(seconds: int) -> bytes:
    """Return a video of two pictures, the second of which comes so late."""
    out = io.BytesIO()
    with av.open(io.BytesIO(AVI)) as source, av.open(out, "w", format="matroska") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet, at in zip(list(source.demux(video=0))[:2], (0, seconds), strict=True):
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, at, at, Fraction(1)
            container.mux(packet)
    return out.getvalue()


def of_size(width: int, height: int) -> bytes:
    """Return an AVI that claims to show pictures of a size, which are JPEG and claim it too."""
    at = AVI.index(b"strf") + 12
    claim = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    head, *pictures = (AVI[:at] + claim + AVI[at + 8 :]).split(JPEG_SIZE)
    claimed = JPEG_SIZE + height.to_bytes(2) + width.to_bytes(2)
    return head + b"".join(claimed + picture[4:] for picture in pictures)


CONTAINERS = [
    ("mp4", "mpeg4", "video/mp4"), ("mov", "mpeg4", "video/quicktime"), ("webm", "libvpx", "video/webm"),
    ("matroska", "mpeg4", "video/x-matroska"), ("avi", "mpeg4", "video/x-msvideo"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "codec", "mime"), CONTAINERS, ids=[form for form, _, _ in CONTAINERS])
def test_each_container_is_known_by_its_content(form, codec, mime):
    """The name says nothing: videos arrive as `download` or `1.bin`."""
    content = filmed(form, codec)
    assert SOURCE.recognise(content[:65_536], "download") == 0.95
    (found,) = materials(read(SOURCE, content, "download"))
    digest = hashlib.sha256(content).hexdigest()
    assert (found.kind, found.native_id) == ("video", f"sha256:{digest}")
    assert found.media == [Media("download", mime, digest, len(content), "self")]


def test_what_the_container_says_of_people_and_places_is_not_read():
    """Who, where, when and with what it was recorded tells of people (R-75)."""
    about = {
        "title": "by Somebody",
        "artist": "Somebody",
        "location": "+57+018/",
        "creation_time": "2026-03-01T09:00:00Z",
    }
    (found,) = materials(read(SOURCE, filmed("mp4", "mpeg4", **about)))
    assert (found.published_at, found.author, found.title, found.text) == (None, None, None, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (EXAMPLES["square.mp4"][:300], "video-unreadable"),
        (b"RIFF\0\0\0\0AVI nothing of it", "video-unreadable"),
        (of_size(60_000, 40_000), "bomb"),
        (lasting(25 * 3600), "bomb"),
        (sound(), "audio-only"),
        (sound("mov"), "audio-only"),
    ],
    ids=["cut off", "a head alone", "pictures too large", "too long", "sound in Matroska", "sound in QuickTime"],
)
def test_what_can_not_be_shown_is_in_the_quarantine_with_its_reason(content, reason):
    """A damaged file or one made to harm costs a line; its first bytes are kept for who looks into it."""
    assert SOURCE.recognise(content, "input") > 0
    (item,) = read(SOURCE, content)
    assert (item.reason, item.raw, item.raw_bytes) == (reason, content[:65_536], len(content))


def test_a_long_video_is_read():
    """The limit is a day, not an hour."""
    assert len(materials(read(SOURCE, lasting(23 * 3600)))) == 1


def test_a_file_above_the_limit_is_not_read(monkeypatch):
    """Nor copied further than the limit, where the stream can't be read to and fro."""
    monkeypatch.setattr(video, "MAX_BYTES", len(AVI) - 1)
    (item,) = read(SOURCE, AVI)
    assert item.reason == "too-large"
    (item,) = SOURCE.read(OneWay(AVI * 50), video.ReadContext("input"))
    assert (item.reason, item.raw_bytes) == ("too-large", len(AVI))


class OneWay(io.BytesIO):
    """A stream as it comes out of a compressed file."""

    def seekable(self):  # noqa: D102
        return False

    def seek(self, *_):  # noqa: D102
        raise io.UnsupportedOperation


def test_a_stream_that_goes_one_way_is_read_like_a_file():
    """Videos lie in archives too."""
    assert list(SOURCE.read(OneWay(AVI), video.ReadContext("input"))) == read(SOURCE, AVI)


def test_the_kept_file_is_the_whole_stream():
    """What is digested and kept must be what was read."""
    kept = []
    read(SOURCE, AVI, keep_media=lambda stream, path, role: kept.append((stream.read(), role)) or Media(path))
    assert kept == [(AVI, "self")]


@pytest.mark.parametrize(
    "head", [b"", b"GIF89a", bytes(4) + b"ftypavif", bytes(4) + b"ftypheic", b"RIFF\0\0\0\0WAVEfmt "]
)
def test_other_files_are_no_videos(head):
    """Pictures share their container with videos, and sound its first four bytes."""
    assert (video_mime(head), SOURCE.recognise(head, "a.mp4")) == (None, 0.0)


def test_a_file_that_refers_to_another_opens_nothing(tmp_path, monkeypatch):
    """Material must not make the node read its own disk, or call home."""
    (tmp_path / "other.avi").write_bytes(AVI)
    monkeypatch.chdir(tmp_path)
    (item,) = read(SOURCE, b"ffconcat version 1.0\nfile other.avi\n")
    assert item.reason == "video-unreadable"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_video_is_read_or_refused(data):
    """Whatever bytes a network lost: never another error, never no end."""
    content = bytearray(data.draw(st.sampled_from(sorted(EXAMPLES.values()))))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (item,) = read(SOURCE, bytes(content))
    assert materials([item]) or item.reason in {"video-unreadable", "bomb", "audio-only"}


def test_the_published_videos_are_read():
    """Six files that none of us made."""
    for path in sorted(fixture("vpdq").glob("*.mp4")):
        with path.open("rb") as stream:
            (found,) = SOURCE.read(stream, video.ReadContext(path.name))
        assert found.media[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
