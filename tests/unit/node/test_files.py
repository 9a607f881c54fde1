"""Files looked up whole, signals compared, and what a look-up knows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from antiphon.fingerprints import Pdq, Vpdq
from antiphon.fingerprints.ocr import is_installed
from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import open_banks, text_entry
from antiphon.node.files import look_up_file
from antiphon.node.index_state import index_state
from antiphon.node.lookup import Query, open_look_up
from antiphon.node.signals import compare, signals_of, words_of

WHO = "k.vell"
needs_reader = pytest.mark.skipif(not is_installed(), reason="the extra `ocr` is not installed")


@pytest.fixture
def look_up(tmp_path: Path):
    """A look-up with a bank of one phrase, one text and one video."""
    with open_banks(tmp_path) as banks:
        banks.create(Bank("tide"), WHO)
        banks.add(text_entry(BankEntry("tide", "slogan", "", b""), "lamps of Varnholt", "phrase"), WHO)
        banks.add(text_entry(BankEntry("tide", "song", "", b""), SONG, "text"), WHO)
        banks.add(BankEntry("tide", "film", "vpdq", Vpdq().fingerprint(FILM).value), WHO)
    with open_look_up(tmp_path) as found:
        yield found


SONG = "We shall light the lamps of Varnholt pier again when the ninth tide turns"
FILM = Vpdq().examples()[0]


def poster(words: str) -> bytes:
    """A picture of some words."""
    image = Image.new("RGB", (1_200, 200), (30, 60, 70))
    ImageDraw.Draw(image).text((20, 70), words, font=ImageFont.load_default(30), fill=(250, 240, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@needs_reader
def test_the_words_in_a_picture_are_looked_up_as_a_text(look_up):
    """A slogan on a poster is the slogan; the hit says where it stood."""
    found = look_up_file(look_up, poster(SONG), "image/png")
    assert found.words.text == SONG
    hits = {hit.entry.entry_id: hit for hit in found.hits}
    assert set(hits) == {"slogan", "song"}
    assert all(hit.alignment.startswith("words in the picture") for hit in hits.values())
    assert "lamps of Varnholt" in hits["slogan"].alignment


@needs_reader
def test_words_are_read_only_where_asked_for(look_up):
    """They take longer than all the rest."""
    found = look_up_file(look_up, poster(SONG), "image/png", words=False)
    assert (found.words, found.hits, set(found.signals)) == (None, [], {"md5", "pdq", "sha256"})


def test_a_video_is_looked_up_by_its_frames_and_has_no_words(look_up):
    """With the seconds that are the same."""
    found = look_up_file(look_up, FILM, "video/x-msvideo")
    (hit,) = found.hits
    assert (hit.entry.entry_id, hit.distance, found.words) == ("film", 0, None)
    assert hit.alignment == "seconds 0 to 3 show seconds 0 to 3 of the entry"


@pytest.mark.parametrize("media_type", ["", "application/octet-stream", "text/plain"])
def test_a_file_is_known_by_its_bytes_where_its_name_says_nothing(media_type):
    """Files arrive as `download` or `1.bin`."""
    assert "pdq" in signals_of(Pdq().examples()[0], media_type)
    assert "vpdq" in signals_of(FILM, media_type)
    assert words_of(b"the ferry leaves at nine", media_type) is None


def test_signals_are_compared_by_the_type_that_both_have():
    """A text of few letters has one signal less."""
    song, other = (Query.of_text(text).signals for text in (SONG, SONG.replace("ninth", "tenth")))
    assert compare(song, song) == (0, True, None)
    assert 0 < compare(song, other).distance <= 32
    short = Query.of_text("Ninth Tide turns!").signals
    assert (compare(short, short).is_match, compare(short, song).is_match) == (True, False)
    assert compare({}, song) is None


def test_two_videos_are_compared_with_the_share_of_each_in_the_other():
    """A clip lies wholly in the film that it was cut from, and not the other way round."""
    film = Vpdq().fingerprint(FILM).value
    assert compare({"vpdq": film}, {"vpdq": film[: 2 * 33]}) == (0, True, (0.5, 1.0))


def test_the_state_follows_the_register_and_is_counted_once(look_up):
    """Counting reads every entry, so it is done when something has changed."""
    before = index_state(look_up)
    assert dict(before.entries) == {"phrase": 1, "text": 1, "vpdq": 1}
    assert index_state(look_up, before) is before
    look_up.banks.withdraw("tide", ["film"], WHO, "it was another one")
    after = index_state(look_up, before)
    assert (after.seq, after.entries["vpdq"]) == (before.seq + 1, 0)
    assert after.changed_at >= before.changed_at
