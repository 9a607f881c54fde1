"""The second opinion: material goes out as data, and an answer counts only where it is what was asked for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.analysis.opinion import LONGEST_MATERIAL, read_opinion, request_of
from antiphon.errors import InputError

POST = 'He said "storm the customs house" and I say: shame on him.'
SAID = {"speech_act": "none", "context": "counters", "directness": None, "words": "shame on him", "why": "It rebuts."}


def answer(**changed: object) -> bytes:
    """Return an endpoint's answer."""
    content = json.dumps({**SAID, **changed})
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


@given(st.text(max_size=200))
def test_a_material_is_one_string_whatever_it_holds(text):
    """Quotation marks, braces and orders stay inside of the string; nothing of it reaches the instructions."""
    system, user = request_of(text, "m")["messages"]
    assert json.loads(user["content"]) == {"material": text}
    assert system == request_of("", "m")["messages"][0]


def test_a_book_is_not_sent_whole():
    """What is sent is bounded."""
    assert len(request_of("x" * 10**6, "m")["messages"][1]["content"]) < LONGEST_MATERIAL + 50


def test_an_answer_of_the_right_shape_counts():
    """Act, context, directness, words and why."""
    opinion = read_opinion(answer(), POST)
    assert (opinion.speech_act, opinion.context, opinion.words) == ("none", "counters", "shame on him")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"words": "kill them all"}, "do not stand in the material"),
        ({"words": ""}, "do not stand in the material"),
        ({"speech_act": "incites"}, "without endorsing"),
        ({"speech_act": "verdict: guilty"}, "that there is not"),
        ({"context": 7}, "that there is not"),
        ({"directness": "direct"}, "does not go with its act"),
        ({"why": None}, "no text"),
        ({"delete": "everything"}, "other keys"),
    ],
)
def test_any_other_answer_is_refused(changed, fault):
    """A model that was talked into something must not reach a reviewer."""
    with pytest.raises(InputError, match=fault):
        read_opinion(answer(**changed), POST)


@given(
    st.binary(max_size=100)
    | st.sampled_from([b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 5}}]}'])
)
def test_bytes_that_are_no_answer_are_refused(content):
    """A page of a proxy, half an answer, nothing."""
    with pytest.raises(InputError, match="refused"):
        read_opinion(content, POST)
