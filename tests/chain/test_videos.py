"""Videos end to end: a film in a bank, the same film encoded anew by somebody else, found with its seconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.storage.lake import Lake


def scene(seed: int, size: tuple[int, int]) -> av.VideoFrame:
    """A picture of many soft blots, drawn once and scaled as a camera's picture would be."""
    blots = np.random.default_rng(seed).integers(0, 256, (18, 24), dtype=np.uint8)
    drawn = av.VideoFrame.from_ndarray(blots, format="gray").reformat(640, 480, interpolation="BICUBIC")
    return drawn.reformat(*size, "yuv420p", interpolation="AREA")


def film(path: Path, scenes: range, *, form: str, codec: str, size: tuple[int, int], bit_rate: int = 900_000) -> Path:
    """Write a film that shows each scene for a second, the first for half of one: no cut falls on a whole second."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=10)
        (stream.width, stream.height), stream.pix_fmt, stream.bit_rate = size, "yuv420p", bit_rate
        for seed in scenes:
            for _ in range(5 if seed == scenes.start else 10):
                container.mux(stream.encode(scene(seed, size)))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An excerpt of the film encoded anew, another film, and half of a third."""
    folder = tmp_path / "found"
    folder.mkdir()
    film(folder / "a.webm", range(2, 8), form="webm", codec="libvpx", size=(320, 240), bit_rate=200_000)
    film(folder / "b.mkv", range(30, 38), form="matroska", codec="mpeg4", size=(640, 480))
    whole = film(tmp_path / "cut.mp4", range(3), form="mp4", codec="mpeg4", size=(64, 48)).read_bytes()
    (folder / "c.mp4").write_bytes(whole[: len(whole) // 2])
    return folder


def test_a_film_encoded_anew_is_found_with_its_seconds(antiphon, folder, tmp_path):
    """By the command line: bank, analyse, explain; what is damaged is in the quarantine and stops nothing."""
    known = film(tmp_path / "known.mp4", range(12), form="mp4", codec="mpeg4", size=(480, 360))
    for command in (["init"], ["bank", "create", "tide"], ["bank", "add", "tide", "--file", known, "--id", "film"]):
        code, _, err = antiphon(*command, ANTIPHON_REVIEWER="k.vell")
        assert code == 0, err
    code, out, err = antiphon("analyse", folder, "-o", tmp_path / "out", "--workers", 1, "--json")
    assert code == 0, err
    with Lake(tmp_path / "out" / "lake") as lake:
        (match,) = lake.query("SELECT * FROM matches WHERE signal_type = 'vpdq'").to_pylist()
        (skipped,) = lake.query("SELECT reason, stage, input FROM skipped").to_pylist()
        kinds = lake.query("SELECT kind, media[1].mime AS mime FROM materials ORDER BY mime").to_pylist()
    digest = hashlib.sha256((folder / "a.webm").read_bytes()).hexdigest()
    assert (match["bank"], match["part"], match["distance"]) == ("tide", "media/0", 0)
    assert match["alignment"] == "seconds 0 to 5 show seconds 2 to 7 of the entry"
    assert skipped["reason"] == "video-unreadable"
    assert kinds == [{"kind": "video", "mime": "video/webm"}, {"kind": "video", "mime": "video/x-matroska"}]
    code, out, _ = antiphon("match", "explain", tmp_path / "out", match["material_id"], "--json")
    assert "seconds 0 to 5" in json.loads(out)[0]["alignment"]
    assert (tmp_path / "out" / "lake" / "media" / digest[:2] / digest).is_file()
