"""What the text signals hold equal, near and apart."""

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.fingerprints import TextExact, TextNear, fingerprint_text
from antiphon.fingerprints._texts import read_texts
from antiphon.fingerprints.text_near import _FLIP, _ODD, SHINGLE
from antiphon.model.text import normalise

FERRY = "The ferry to Varnholt leaves at nine tomorrow morning, so bring a warm coat and a book to read."


def minima_in_plain_python(text: str) -> list[int]:
    """MinHash written a second time, a loop at a time, for texts of Latin letters."""
    letters = "".join(char if char.isalnum() else " " for char in normalise(text))
    skeleton = " ".join(letters.split())
    shingles = {skeleton[at : at + SHINGLE] for at in range(len(skeleton) - SHINGLE + 1)}
    minima = [2**32 - 1] * len(_FLIP)
    for shingle in shingles:
        folded = 0
        for char in shingle:
            folded = (folded + ord(char) + 1) * 0x9E3779B97F4A7C15 % 2**64
        folded = (folded ^ (folded >> 30)) * 0xBF58476D1CE4E5B9 % 2**64 >> 32
        for k, (flip, odd) in enumerate(zip(_FLIP.tolist(), _ODD.tolist(), strict=True)):
            value = (folded ^ flip) * odd % 2**32
            minima[k] = min(minima[k], (value ^ (value >> 15)) * 0x2C1B3C6D % 2**32)
    return minima


@settings(deadline=None)  # the first call compiles a kernel
@given(st.text(alphabet="abcdefghij klmnop,.!?", min_size=40, max_size=300))
def test_the_kernel_agrees_with_minhash_in_plain_python(text):
    """Two ways to the same numbers; a fast kernel that is wrong would be wrong for ever."""
    signal = TextNear().fingerprint(text.encode())
    if signal is not None:
        assert np.frombuffer(signal.value, "<u4").tolist() == minima_in_plain_python(text)


def test_the_share_of_equal_minima_estimates_the_common_shingles():
    """What the distance means: over 300 pairs the estimate is unbiased within 0.02."""
    rng, errors = random.Random(4), []
    for _ in range(300):
        words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 8))) for _ in range(40)]
        left, right = " ".join(words[:30]), " ".join(words[rng.randint(0, 10) :])
        sets = [{text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)} for text in (left, right)]
        distance = TextNear().distance(*(TextNear().fingerprint(text.encode()).value for text in (left, right)))
        errors.append((1 - distance / 32) - len(sets[0] & sets[1]) / len(sets[0] | sets[1]))
    assert abs(np.mean(errors)) < 0.02


@pytest.mark.parametrize(
    ("said", "distance"),
    [
        ("THE FERRY to Varnholt leaves at nine tomorrow morning so bring a warm coat and a book to read 🙂", 0),
        ("The ferry to Varnholt leaves at ten tomorrow morning, so bring a warm coat and a book to read.", 6),
    ],
    ids=["only dress differs", "one word differs"],
)
def test_a_light_change_stays_within_the_limit(said, distance):
    """What channels do to a text that they pass on."""
    values = [TextNear().fingerprint(text.encode()).value for text in (FERRY, said)]
    assert TextNear().distance(*values) <= distance


def test_another_text_of_the_same_language_is_far():
    """Letters that a language often joins must not make its texts alike."""
    other = "Our choir sings in the old harbour hall on Sunday evening and everyone is welcome to listen."
    values = [TextNear().fingerprint(text.encode()).value for text in (FERRY, other)]
    assert TextNear().distance(*values) > 20


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("well done!", set()),
        ("what a goal tonight", {"text_exact"}),
        ("渡し船は九時", {"text_exact"}),
        (FERRY, {"text_exact", "text_near"}),
        ("123456789 123456789 123456789", set()),
        ("", set()),
    ],
    ids=["ten letters", "sixteen", "six signs count twice", "long", "digits are no letters", "empty"],
)
def test_a_text_of_few_letters_lacks_signals(text, has):
    """Short words are said by many who have nothing to do with one another."""
    assert set(fingerprint_text(text)) == has


def test_the_exact_signal_is_the_digest_of_the_normal_form():
    """Anyone can make it again without this program."""
    expected = hashlib.blake2b(normalise(FERRY).encode(), digest_size=16).digest()
    assert TextExact().fingerprint(FERRY.upper().encode()).value == expected


def test_bytes_that_are_no_utf8_are_refused_without_being_quoted():
    """Logs must not spread what they report on."""
    with pytest.raises(InputError) as caught:
        TextExact().fingerprint(b"a secret text \xff")
    assert "secret" not in str(caught.value)


@settings(deadline=None)  # the first call compiles a kernel
@given(st.lists(st.text(), max_size=5))
def test_texts_do_not_run_into_one_another(texts):
    """All texts of a batch lie in one array; a shingle over a border would join strangers."""
    together = read_texts(texts)
    alone = [read_texts([text]) for text in texts]
    for at, one in enumerate(alone):
        assert together.skeleton[together.starts[at] : together.starts[at + 1]].tolist() == one.skeleton.tolist()
    assert together.letters.tolist() == [count for one in alone for count in one.letters.tolist()]
