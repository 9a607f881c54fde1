"""What every signal type must do; a plug-in's own examples are the material."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.fingerprints import Md5, Pdq, Sha256, SignalType, TextExact, TextNear, Url, UrlDomain, Vpdq

KINDS = [Sha256(), Md5(), TextExact(), TextNear(), Pdq(), Vpdq(), Url(), UrlDomain()]
FRAME_BYTES = 33
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@each_kind
def test_it_has_the_interface(kind):
    """The node asks for nothing else."""
    assert isinstance(kind, SignalType)


@each_kind
def test_its_examples_have_signals_of_the_stated_length(kind):
    """Banks and kernels lay values side by side, so one length is a promise."""
    values = [kind.fingerprint(content) for content in kind.examples()]
    assert values
    if kind.value_bytes:
        assert all(len(signal.value) == kind.value_bytes for signal in values)
    else:  # of no fixed length: some frames
        assert all(signal.value and len(signal.value) % FRAME_BYTES == 0 for signal in values)


@each_kind
def test_the_same_content_gives_the_same_signal(kind):
    """Signals of two years are compared."""
    for content in kind.examples():
        assert kind.fingerprint(content) == kind.fingerprint(content)


@each_kind
@settings(deadline=None)  # the first value may load a library
@given(pair=st.data())
def test_the_distance_is_what_the_oracle_says_and_symmetric(kind, pair):
    """The oracle reckons the plain way; the fast way must agree with it on any values."""
    sizes = (kind.value_bytes or FRAME_BYTES * pair.draw(st.integers(1, 4)) for _ in range(2))
    left, right = (pair.draw(st.binary(min_size=size, max_size=size)) for size in sizes)
    assert kind.distance(left, right) == kind.distance(right, left) == kind.oracle(left, [right])[0]
    assert kind.distance(left, left) == 0


@each_kind
def test_a_value_of_another_length_is_refused(kind):
    """A cut value must not be near to anything."""
    with pytest.raises(InputError, match="expected"):
        kind.distance(bytes(kind.value_bytes or FRAME_BYTES), bytes((kind.value_bytes or FRAME_BYTES) - 1))
