"""Opening: containers and compressions down to plain bytes, and what they may not do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.sources.opening import Input, Unreadable, decoded, fault_of, open_input, walk

PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "plain": bytes,
}


def stream_of(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize("codec", PACK)
@given(content=st.binary(max_size=5_000).map(b"text ".__add__))
def test_a_compression_is_undone(codec, content):
    """Whatever its name says: by its first bytes."""
    with decoded(stream_of(PACK[codec](content)), "i") as stream:
        assert (stream.read(), fault_of(stream)) == (content, None)


@given(st.lists(st.binary(max_size=500).map(b"text ".__add__), min_size=2, max_size=5))
def test_members_follow_one_another(pieces):
    """WARC files and appended logs are many gzip members in a row."""
    with decoded(stream_of(b"".join(map(gzip.compress, pieces))), "i") as stream:
        assert stream.read() == b"".join(pieces)


@pytest.mark.parametrize("codec", ["gzip", "bzip2", "xz", "zstd"])
def test_a_cut_stream_gives_all_before_the_cut_and_then_its_fault(codec):
    """The bytes come first, the reason stands beside them."""
    content = os.urandom(300_000)
    packed = PACK[codec](content)
    with decoded(stream_of(packed[: len(packed) // 2]), "i") as stream:
        got = stream.read()
        assert content.startswith(got)
        assert "truncated" in str(fault_of(stream))


def test_layers_are_undone_one_after_the_other():
    """A gzip in a zstd in a gzip."""
    content = gzip.compress(PACK["zstd"](gzip.compress(b"rain")))
    with decoded(stream_of(content), "i") as stream:
        assert stream.read() == b"rain"


def test_too_many_layers_are_refused():
    """Nobody packs six times in earnest."""
    content = b"rain"
    for _ in range(6):
        content = gzip.compress(content)
    with pytest.raises(InputError, match="compressed more than"):
        decoded(stream_of(content), "i")


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_bomb_ends_at_its_ratio(codec):
    """256 MiB are free; beyond them 250 times the size is the limit."""
    packed = PACK[codec](bytes(400 * 2**20))
    with decoded(stream_of(packed), "i") as stream:
        size = sum(len(piece) for piece in iter(lambda: stream.read(2**20), b""))
        assert size < 300 * 2**20
        assert "bomb" in str(fault_of(stream))


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_containers_are_entered_and_members_open_by_their_path(tmp_path):
    """Zip in zip, with a compressed member."""
    inner = archive(tmp_path / "inner.zip", {"deep/a.gz": gzip.compress(b"rain")})
    outer = archive(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes(), "b.txt": b"sun"})
    found = list(walk([outer]))
    assert [item.name for item in found] == ["outer.zip!/b.txt", "outer.zip!/inner.zip!/deep/a.gz"]
    with open_input(found[1].path) as stream:
        assert stream.read() == b"rain"


def test_a_zip_that_is_one_document_is_not_entered(tmp_path):
    """A WACZ goes to its reader whole."""
    wacz = archive(tmp_path / "a.wacz", {"datapackage.json": b"{}", "archive/a.warc": b""})
    assert [item.name for item in walk([wacz])] == ["a.wacz"]


def test_a_broken_container_is_told(tmp_path):
    """By its name, with what to do."""
    path = archive(tmp_path / "a.zip", {"a.txt": b"rain" * 99})
    path.write_bytes(path.read_bytes()[:-30])
    (found,) = walk([path])
    assert isinstance(found, Unreadable)
    assert found.reason == "container-broken"


def test_a_member_whose_bytes_were_changed_is_told(tmp_path):
    """The checksum of the container says so when it is read."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.txt", "rain" * 9)
    path.write_bytes(path.read_bytes().replace(b"rainrain", b"sun sun ", 1))
    (found,) = walk([path])
    with open_input(found.path) as stream:
        stream.read()
        assert "broken" in str(fault_of(stream))


def test_each_file_is_found_once_in_the_order_of_names(tmp_path):
    """Links to what was seen, hidden files and a Mac's shadow files are passed over."""
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert [item.name for item in walk([tmp_path])] == [f"{tmp_path.name}/a", f"{tmp_path.name}/b"]


def test_what_is_no_file_is_told(tmp_path):
    """A pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    (found,) = walk([tmp_path])
    assert isinstance(found, Unreadable)
    assert found.reason == "not-a-file"


def test_an_input_says_its_size(tmp_path):
    """What progress and the ledger go by."""
    (tmp_path / "a").write_bytes(b"rain")
    (found,) = walk([tmp_path / "a"])
    assert isinstance(found, Input)
    assert found.bytes == 4


def test_a_folder_can_be_left_out(tmp_path):
    """The results of a run lie where they like, and are never its input."""
    (tmp_path / "a.txt").write_text("rain")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.txt").write_text("sun")
    assert [item.name for item in walk([tmp_path], tmp_path / "out")] == [f"{tmp_path.name}/a.txt"]
