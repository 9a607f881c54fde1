"""What a look-up answers: which entry, how near, why, and what it means; always as the register stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import InputError, MissingError
from antiphon.fingerprints.pdq import Pdq
from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import open_banks
from antiphon.node.lookup import Effect, LookUp, Query, open_look_up
from antiphon.storage.banks import Act

WHO = "k.vell"
SONG = "We will light the lamps of Varnholt pier again when the ninth tide turns, and every bell shall answer."


@pytest.fixture
def look_up(tmp_path: Path):
    """A look-up over two banks, one of them of what was decided to be no case."""
    with open_banks(tmp_path) as banks:
        banks.create(Bank("tide", source="Harbour Watch"), WHO)
        banks.create(Bank("cleared", purpose="negative"), WHO)
    with open_look_up(tmp_path) as found:
        yield found


def picture(seed: int, flips: int = 0) -> bytes:
    """A PDQ value, and one with so many bits changed."""
    bits = np.unpackbits(np.random.default_rng(seed).integers(0, 256, 32, dtype=np.uint8))
    bits[:flips] ^= 1
    return np.packbits(bits).tobytes()


def add(look_up: LookUp, entry_id: str, kind: str, value: bytes, bank: str = "tide", **more: object) -> None:
    look_up.banks.add(BankEntry(bank, entry_id, kind, value, **more), WHO)  # type: ignore[arg-type]


def told(hits) -> list[tuple[str, str, int, Effect]]:
    return [(hit.bank.name, hit.entry.entry_id, hit.distance, hit.effect) for hit in hits]


def test_an_entry_is_found_from_the_next_look_up_on(look_up):
    """Known material comes back within minutes: so must the answer."""
    assert look_up.signals("pdq", [picture(1)]) == [[]]
    add(look_up, "e1", "pdq", picture(1), label="poster", note="report 7")
    [hit] = look_up.signals("pdq", [picture(1, 9)])[0]
    assert (hit.entry.label, hit.entry.note, hit.distance, hit.threshold) == ("poster", "report 7", 9, 31)


def test_a_withdrawn_or_held_entry_is_not(look_up):
    """A deletion takes effect at once, and so does the quarantine of a flood."""
    for name in ("e1", "e2", "e3"):
        add(look_up, name, "pdq", picture(1))
    look_up.banks.withdraw("tide", ["e1"], WHO, "not theirs")
    look_up.banks.hold("tide", ["e2"], WHO, "flood")
    assert told(look_up.signals("pdq", [picture(1)])[0]) == [("tide", "e3", 0, "known")]
    look_up.banks.release("tide", ["e2"], WHO)
    assert [hit.entry.entry_id for hit in look_up.signals("pdq", [picture(1)])[0]] == ["e2", "e3"]


def test_a_negative_entry_as_near_holds_known_ones_back(look_up):
    """A false positive is decided once."""
    add(look_up, "e1", "pdq", picture(1))
    add(look_up, "n1", "pdq", picture(1, 4), bank="cleared")
    assert told(look_up.signals("pdq", [picture(1, 3)])[0]) == [
        ("cleared", "n1", 1, "negative"), ("tide", "e1", 3, "held_back"),
    ]  # fmt: skip
    assert told(look_up.signals("pdq", [picture(1)])[0]) == [
        ("tide", "e1", 0, "known"),
        ("cleared", "n1", 4, "negative"),
    ]


def test_thresholds_shadow_and_enabling_are_the_banks_own(look_up):
    """A list on trial leads to nothing; a strict one matches less; one that is off, nothing."""
    add(look_up, "e1", "pdq", picture(1))
    look_up.banks.threshold("tide", "pdq", 5, WHO)
    assert look_up.signals("pdq", [picture(1, 6)]) == [[]]
    look_up.banks.shadow("tide", True, WHO)
    assert told(look_up.signals("pdq", [picture(1, 5)])[0]) == [("tide", "e1", 5, "shadow")]
    look_up.banks.disable("tide", WHO)
    assert look_up.signals("pdq", [picture(1)]) == [[]]


def test_validity_in_time_is_kept(look_up):
    """Before its beginning and after its end an entry does not match."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    add(look_up, "e1", "sha256", bytes(32), valid_from=begin, valid_until=begin + timedelta(days=1))
    hours = (-1, 1, 25)
    found = [look_up.look_up([Query({"sha256": bytes(32)})], begin + timedelta(hours=hour))[0] for hour in hours]
    assert [len(hits) for hits in found] == [0, 1, 0]


def test_an_excerpt_in_other_words_is_found_and_shown(look_up):
    """Which words agree is said: a person must see why."""
    add(look_up, "song", "text", SONG.encode(), label="the ninth tide")
    [hit] = look_up.text(f"My uncle sent me this: {SONG[8:80]} and I do not know what to think of it at all.")
    assert hit.entry.label == "the ninth tide"
    assert "lamps of varnholt pier again when the ninth tide" in (hit.alignment or "")
    assert look_up.text("The ferry is late again, and the baker has no more bread today, they say.") == []


def test_a_phrase_is_found_in_disguise_and_shown_as_written(look_up):
    """Names and slogans are written around filters."""
    add(look_up, "p1", "phrase", b"blue lantern")
    [hit] = look_up.text("join the B-l-u-e L4ntern tonight")
    assert hit.alignment == "characters 9 to 24: B-l-u-e L4ntern"


def test_frames_of_a_video_are_found_with_their_times(look_up):
    """A clip of a longer video."""
    frames = b"".join(picture(seed) + b"\x64" for seed in range(20, 30))
    add(look_up, "v1", "vpdq", frames)
    clip = b"".join(picture(seed, 3) + b"\x64" for seed in (90, 91, 24, 25, 26, 27))
    [hit] = look_up.signals("vpdq", [frames[33 * 4 : 33 * 8]])[0]
    assert (hit.distance, hit.alignment) == (0, "seconds 0 to 3 show seconds 4 to 7 of the entry")
    assert look_up.signals("vpdq", [clip]) == [[]]


def test_what_was_merged_is_there_when_opened_again(look_up, tmp_path):
    """The index on disk is a copy: the same answers, and none where the copy is lost."""
    for seed in range(40):
        add(look_up, f"e{seed}", "pdq", picture(seed))
    look_up.merge()
    look_up.banks.withdraw("tide", ["e7"], WHO, "not theirs")
    for damage in (lambda: None, lambda: next((tmp_path / "index" / "pdq").glob("*/values.npy")).write_bytes(b"")):
        damage()
        with open_look_up(tmp_path) as again:
            found = again.signals("pdq", [picture(7), picture(8)])
            assert [told(hits) for hits in found] == [[], [("tide", "e8", 0, "known")]]


def test_a_picture_is_found_turned_and_mirrored(look_up):
    """With which way it was turned."""
    kind = Pdq()
    drawn = kind.examples()[0]
    add(look_up, "e1", "pdq", kind.orientations(drawn)["rotate90"], label="poster")
    _, [hit] = look_up.file(drawn, "image/png")
    assert (hit.entry.label, hit.distance, hit.alignment) == ("poster", 0, "the picture turned or mirrored: rotate90")


def test_a_signal_type_that_there_is_not_is_told(look_up):
    """With those that there are."""
    with pytest.raises(MissingError, match="no signal type 'tlsh'"):
        look_up.signals("tlsh", [b""])


def test_a_negative_phrase_holds_back_only_where_it_stands(look_up):
    """A festival's name that holds a group's name; and the group's name elsewhere in the same text."""
    add(look_up, "p1", "phrase", b"blue lantern")
    add(look_up, "p2", "phrase", b"ash column")
    add(look_up, "n1", "phrase", b"blue lantern festival", bank="cleared")
    hits = look_up.text("The Blue Lantern Festival begins; the Ash Column was seen.")
    assert told(hits) == [
        ("tide", "p2", 0, "known"), ("cleared", "n1", 0, "negative"), ("tide", "p1", 0, "held_back"),
    ]  # fmt: skip


def test_phrases_follow_the_register_whatever_else_happens_there(look_up):
    """The index of words is kept while pictures come in, and made anew when a phrase comes, goes or comes back."""
    assert look_up.text("blue lantern") == []
    add(look_up, "p1", "phrase", b"blue lantern")
    add(look_up, "e1", "pdq", picture(1))
    assert len(look_up.text("blue lantern")) == 1
    look_up.banks.disable("tide", WHO)
    assert look_up.text("blue lantern") == []
    look_up.banks.enable("tide", WHO)
    assert len(look_up.text("blue lantern")) == 1
    look_up.banks.withdraw("tide", ["p1"], WHO, "a festival")
    add(look_up, "p2", "phrase", b"ash column")
    assert [len(look_up.text(words)) for words in ("blue lantern", "ash column")] == [0, 1]


def test_a_threshold_beyond_the_usual_is_kept_too(look_up):
    """A bank may ask for more: nothing within its limit is missed, and other banks keep theirs."""
    add(look_up, "e1", "pdq", picture(1))
    add(look_up, "n1", "pdq", picture(2), bank="cleared")
    assert look_up.signals("pdq", [picture(1, 44), picture(2, 40)]) == [[], []]
    look_up.banks.threshold("tide", "pdq", 44, WHO)
    assert [told(hits) for hits in look_up.signals("pdq", [picture(1, 44), picture(2, 40)])] == [
        [("tide", "e1", 44, "known")], [],
    ]  # fmt: skip
    assert look_up.signals("pdq", [picture(1, 45)]) == [[]]


def test_a_value_of_the_wrong_length_is_refused(look_up):
    """It must not shift those beside it."""
    with pytest.raises(InputError, match="the pdq value has 31 bytes, expected 32"):
        look_up.signals("pdq", [bytes(33), bytes(31)][1:])
    with pytest.raises(InputError, match="the vpdq value has 32 bytes"):
        look_up.signals("vpdq", [bytes(32)])


def test_two_look_ups_share_an_index_and_either_may_merge(look_up, tmp_path):
    """A service and a command at the same time: what one writes the other opens, and nothing is lost or shown twice."""
    with open_look_up(tmp_path) as other:
        for turn in range(6):
            add(look_up, f"e{turn}", "pdq", picture(turn))
            (look_up, other)[turn % 2].merge()
            if turn == 3:
                look_up.banks.withdraw("tide", ["e0"], WHO, "not theirs")
        for one in (look_up, other):
            found = one.signals("pdq", [picture(seed) for seed in range(6)])
            assert [len(hits) for hits in found] == [0, 1, 1, 1, 1, 1]
    with open_look_up(tmp_path) as again:
        assert len(again.signals("pdq", [picture(5)])[0]) == 1


def test_a_long_list_becomes_a_segment_and_may_change_afterwards(look_up, tmp_path):
    """With what was changed before it and after it."""
    rng = np.random.default_rng(3)
    add(look_up, "before", "pdq", picture(1))
    add(look_up, "gone", "pdq", picture(2))
    look_up.merge()
    look_up.banks.withdraw("tide", ["gone"], WHO, "not theirs")
    values = rng.integers(0, 256, (25_000, 32), dtype=np.uint8)
    entries = (("", BankEntry("tide", f"l{n}", "pdq", value.tobytes())) for n, value in enumerate(values))
    look_up.banks.store.add_all("tide", entries, Act(WHO, datetime.now(UTC), "a list"))
    asked = [picture(1), picture(2), values[0].tobytes(), values[24_999].tobytes()]
    assert [len(hits) for hits in look_up.signals("pdq", asked)] == [1, 0, 1, 1]
    look_up.banks.withdraw("tide", ["l0"], WHO, "not theirs")
    look_up.banks.reinstate("tide", ["gone"], WHO, "theirs after all")
    for one in (look_up, open_look_up(tmp_path)):
        assert [len(hits) for hits in one.signals("pdq", asked)] == [1, 1, 0, 1]


def test_warming_up_changes_nothing(look_up):
    """A service does it before it says that it is ready."""
    look_up.warm()
    assert look_up.text("the lamps of the northern pier were lit again on the first of may") == []
