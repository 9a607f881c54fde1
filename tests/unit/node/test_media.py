"""Files of materials: digested, images kept once, nothing opened outside of an export."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from antiphon.node.media import MediaStore, sibling_opener, siblings_lister

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def test_an_image_is_kept_under_its_digest(tmp_path):
    """Twice the same bytes are one file."""
    store = MediaStore(tmp_path / "media")
    media = [store.keep(io.BytesIO(PNG), name, "attachment") for name in ("a.png", "b.png")]
    assert media[0].sha256 == media[1].sha256 == hashlib.sha256(PNG).hexdigest()
    assert store.read(media[0].sha256) == PNG
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


def test_what_is_no_image_is_only_digested(tmp_path):
    """A film stays where it is."""
    store = MediaStore(tmp_path / "media")
    media = store.keep(io.BytesIO(b"\x1aE\xdf\xa3" + bytes(9)), "a.webm", "attachment")
    assert (media.mime, media.bytes, store.read(media.sha256)) == ("video/webm", 13, None)


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
