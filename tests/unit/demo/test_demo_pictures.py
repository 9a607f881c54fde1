from random import Random

import numpy as np
import pdqhash
import pytest

from antiphon.demo.pictures import BASES, base_names, base_picture, jpeg, variant


def _bits(picture):
    return pdqhash.compute(np.asarray(picture.convert("RGB")))


@pytest.fixture(scope="module")
def hashed():
    return [_bits(base_picture(name, 1)) for name in base_names()]


def test_every_picture_has_enough_to_tell_it_by(hashed):
    """PDQ's authors call a quality below 50 too little; such a picture could never be matched."""
    assert len(hashed) == BASES
    assert min(quality for _, quality in hashed) >= 50


def test_no_two_pictures_are_near_each_other(hashed):
    """Two base pictures within the matching distance would be wrong matches that nobody planted."""
    bits = np.array([bits for bits, _ in hashed])
    distances = (bits[:, None] ^ bits[None]).sum(axis=-1) + 256 * np.eye(len(bits), dtype=int)
    assert distances.min() > 62


def test_a_variant_stays_nearer_to_its_picture_than_any_other(hashed):
    """It is changed as reposts are, not beyond recognition."""
    rng = Random(9)
    for number, name in enumerate(base_names()[:12]):
        bits, _ = _bits(variant(base_picture(name, 1), rng))
        distances = [int((bits ^ other).sum()) for other, _ in hashed]
        assert int(np.argmin(distances)) == number


def test_the_same_seed_gives_the_same_file():
    """The truth names files by their digest."""
    one, two = (jpeg(variant(base_picture("image-03", 1), Random(4)), 60) for _ in range(2))
    assert one == two
