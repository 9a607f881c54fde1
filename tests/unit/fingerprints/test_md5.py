"""MD5 against the values of its standard and of the lists that use it."""

import json
from pathlib import Path

import pytest

from antiphon.fingerprints.md5 import Md5

SHARED = Path(__file__).parents[3] / ".." / "shared" / "fixtures"
VIDEO = SHARED / "vpdq" / "chair-19-sd-bar.mp4"


@pytest.mark.parametrize(
    ("content", "digest"),
    [(b"abc", "900150983cd24fb0d6963f7d28e17f72"), (b"message digest", "f96b697d7cb7938d525a2f31aaf161d0")],
    ids=["abc", "message digest"],
)
def test_the_values_of_the_standard_come_out(content, digest):
    """RFC 1321, A.5."""
    assert Md5().fingerprint(content).value.hex() == digest


@pytest.mark.skipif(not VIDEO.is_file(), reason="the shared fixtures are not beside this repository")
def test_a_value_of_a_published_list_is_reproduced():
    """The authors of PDQ list videos by MD5."""
    listed = json.loads((SHARED / "pdq" / "expected.json").read_text(encoding="utf-8"))
    assert Md5().fingerprint(VIDEO.read_bytes()).value.hex() == listed[VIDEO.name][0]


def test_an_empty_file_has_no_signal():
    """All empty files are equal, and mean nothing."""
    assert Md5().fingerprint(b"") is None


def test_only_equal_digests_match():
    """One byte is another file."""
    left, right = (Md5().fingerprint(content).value for content in (b"lantern", b"lanterns"))
    assert Md5().distance(left, left) == 0 < Md5().distance(left, right) > Md5().max_distance
