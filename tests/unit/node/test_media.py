"""Files of materials: digested, images kept once, nothing opened outside of an export."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from antiphon.node.media import MAX_KEPT_BYTES, MediaStore, sibling_opener, siblings_lister

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def test_an_image_is_kept_under_its_digest(tmp_path):
    """Twice the same bytes are one file."""
    store = MediaStore(tmp_path / "media")
    media = [store.keep(io.BytesIO(PNG), name, "attachment") for name in ("a.png", "b.png")]
    assert media[0].sha256 == media[1].sha256 == hashlib.sha256(PNG).hexdigest()
    assert store.read(media[0].sha256) == PNG
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


WEBM = b"\x1aE\xdf\xa3" + bytes(9) + b"webm"


def test_a_video_is_kept_and_is_no_image(tmp_path):
    """Its signal is made of the kept copy; a page that shows pictures gets none of its bytes."""
    store = MediaStore(tmp_path / "media")
    media = store.keep(io.BytesIO(WEBM), "a.webm", "attachment")
    assert (tmp_path / "media" / media.sha256[:2] / media.sha256).read_bytes() == WEBM
    assert (media.mime, media.bytes, store.read(media.sha256)) == ("video/webm", len(WEBM), None)


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0 ftypM4A ", "audio/mp4"),
        (b"words", None),
    ],
)
def test_what_is_neither_picture_nor_video_is_only_digested(tmp_path, content, mime):
    """A recording stays where it is."""
    store = MediaStore(tmp_path / "media")
    media = store.keep(io.BytesIO(content), "a", "attachment")
    assert (media.mime, media.sha256) == (mime, hashlib.sha256(content).hexdigest())
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("spare", "kept"), [(0, True), (-1, False)], ids=["just in", "just out"])
def test_what_is_larger_than_the_limit_is_digested_and_not_kept(tmp_path, monkeypatch, spare, kept):
    """A disk has an end."""
    content = WEBM + bytes(3 * 2**20)
    monkeypatch.setitem(MAX_KEPT_BYTES, "video", len(content) + spare)
    media = MediaStore(tmp_path).keep(io.BytesIO(content), "a.webm", "attachment")
    assert media.sha256 == hashlib.sha256(content).hexdigest()
    assert (tmp_path / media.sha256[:2] / media.sha256).is_file() is kept
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == kept


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "photos/../../secret.txt", "out/secret.txt", "a\0b"])
def test_an_export_opens_nothing_outside_of_its_folder(tmp_path, name):
    """Neither by its path nor by a link in it."""
    (tmp_path / "secret.txt").write_text("secret")
    export = tmp_path / "export"
    export.mkdir()
    (export / "out").symlink_to(tmp_path, target_is_directory=True)
    assert sibling_opener(str(export / "result.json"))(name) is None


def test_siblings_are_opened_in_a_folder_and_in_a_container(tmp_path):
    """The same export, unpacked or not."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(PNG)
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(tmp_path / "photos" / "a.png", "chat/photos/a.png")
    for path in (tmp_path / "result.json", f"{tmp_path}/export.zip!/chat/result.json"):
        with sibling_opener(str(path))("photos/a.png") as stream:
            assert stream.read() == PNG


def test_siblings_are_listed_by_name(tmp_path):
    """Captions beside a film are found so."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in ("v/a.info.json", "v/a.en.vtt", "other/b.txt"):
            archive.writestr(name, "")
    assert siblings_lister(f"{tmp_path}/export.zip!/v/a.info.json")() == ["a.en.vtt", "a.info.json"]
