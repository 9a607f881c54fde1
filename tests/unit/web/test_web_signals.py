"""Signals as HMA spells them, to ours and back; held to the reference's own types where they are installed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.fingerprints.url import url_signals
from antiphon.model.bank import SIGNAL_BYTES
from antiphon.web.errors import BadRequestError
from antiphon.web.signals import TYPES, hashes_of, query_of, spelled

DIGESTS = sorted(name for name, kind in TYPES.items() if kind in {"pdq", "md5", "sha256"})


@pytest.mark.parametrize("name", DIGESTS)
@given(data=st.data())
def test_a_digest_comes_back_as_it_was(name, data):
    """What one program writes another must read."""
    size = SIGNAL_BYTES[TYPES[name]]
    value = data.draw(st.binary(min_size=size, max_size=size))
    assert query_of(name, f" {value.hex().upper()} ")[1].signals == {TYPES[name]: value}
    assert spelled(TYPES[name], value) == value.hex()


@given(frames=st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 100)), min_size=1, max_size=20))
def test_the_frames_of_a_video_come_back_as_they_were(frames):
    """One frame a second, each with its quality."""
    value = b"".join(frame + bytes((quality,)) for frame, quality in frames)
    assert query_of("vpdq", spelled("vpdq", value))[1].signals == {"vpdq": value}


def test_an_address_is_compared_in_its_comparable_form():
    """Case and tracking parts of an address are nobody's disguise."""
    kind, query = query_of("url", "HTTPS://Gazette.example/harbour?utm_source=square")
    assert query.signals == {"url": url_signals("https://gazette.example/harbour")["url"]}
    assert kind == "url"


def test_a_text_is_looked_up_by_its_words():
    """HMA calls it raw_text."""
    assert query_of("raw_text", "the ninth tide")[1].text == "the ninth tide"


WRONG = {
    "a PDQ value that is too short": ("pdq", "ab" * 31),
    "a PDQ value that is too long": ("pdq", "ab" * 33),
    "letters that are no digits": ("pdq", "zz" * 32),
    "digits of another script": ("video_md5", "١" * 32),
    "nothing": ("sha256", ""),
    "frames that are no list": ("vpdq", '"ab"'),
    "a frame without quality": ("vpdq", json.dumps(["ab" * 32])),
    "a frame of impossible quality": ("vpdq", json.dumps(["ab" * 32 + ",101,0.0"])),
    "a list without frames": ("vpdq", "[]"),
    "no address": ("url", "data:,a"),
    "a text without words": ("raw_text", " \n"),
    "a type that there is not": ("tlsh", "ab"),
}


@pytest.mark.parametrize(("name", "signal"), WRONG.values(), ids=WRONG)
def test_what_is_no_signal_is_refused_without_showing_it(name, signal):
    """As HMA does, with 400; a message must not spread what was sent."""
    with pytest.raises(BadRequestError) as refused:
        query_of(name, signal)
    assert refused.value.http_status == 400
    assert len(signal) < 8 or signal not in str(refused.value)


@pytest.mark.parametrize("name", ["video_md5", "video_sha256", "pdq"])
def test_the_reference_takes_what_is_written(name):
    """The stock signal types of HMA validate a signal before they use it."""
    pytest.importorskip("threatexchange", reason="the reference implementation is not installed")
    from threatexchange.signal_type.md5 import VideoMD5Signal
    from threatexchange.signal_type.pdq.signal import PdqSignal
    from threatexchange.signal_type.sha256 import VideoSHA256Signal

    stock = {kind.get_name(): kind for kind in (VideoMD5Signal, VideoSHA256Signal, PdqSignal)}[name]
    for example in stock.get_examples():
        kind, query = query_of(name, example)
        assert stock.validate_signal_str(spelled(kind, query.signals[kind])) == example


def test_a_files_hashes_have_the_names_of_its_kind():
    """HMA's MD5 is one of videos."""
    signals = {"md5": bytes(16), "sha256": bytes(32)}
    assert set(hashes_of(signals, "video")) == {"video_md5", "video_sha256"}
    assert set(hashes_of(signals, "photo")) == {"md5", "sha256"}
    assert hashes_of(signals, "video", "video_md5, ") == {"video_md5": "00" * 16}


def test_a_hash_that_is_not_made_of_a_file_is_refused():
    """Leaving it out in silence would look like no match."""
    with pytest.raises(BadRequestError, match="Use some of: md5"):
        hashes_of({"md5": bytes(16)}, "photo", "md5,video_md5")
    with pytest.raises(BadRequestError, match="types"):
        hashes_of({"md5": bytes(16)}, "photo", ",")
