"""The guard, asked as a server would ask it, in front of a small application of each kind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import MissingError, SafeguardError
from antiphon.web.guard import Guard, Limits, is_loopback

TOKEN = "the-lamps-of-varnholt-pier"  # noqa: S105 - invented


async def echo(scope, receive, send):
    """Answer with how many bytes came."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps({"size": size}).encode()})


def raising(fault: Exception):
    async def app(scope, receive, send):
        raise fault

    return app


def asked(guard: Guard, parts: Sequence[bytes] = (b"",), path: str = "/m/lookup", **headers: str) -> tuple[int, dict]:
    """Return the status and the JSON of one request; without more parts a body that goes on never arrives."""
    given = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in ({"host": "127.0.0.1"} | headers).items()
    ]
    scope = {"type": "http", "method": "GET", "path": path, "headers": given}
    waiting, sent = list(parts), []

    async def receive():
        if not waiting:
            await asyncio.sleep(60)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or body == b"..."}

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


@pytest.mark.parametrize("given", [None, "Bearer ", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer é"])
def test_without_its_token_nothing_is_answered(given):
    """Who can ask can find out what is in the banks."""
    headers = {} if given is None else {"authorization": given}
    status, told = asked(Guard(echo, Limits(), TOKEN), **headers)
    assert status == 401
    assert TOKEN not in json.dumps(told)


def test_with_its_token_it_is_and_health_needs_none():
    """A probe of the server's health has no secret to keep."""
    guard = Guard(echo, Limits(), TOKEN)
    assert asked(guard, authorization=f"Bearer {TOKEN}", host="lookup.example")[0] == 200
    assert asked(guard, path="/status", host="lookup.example")[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:5000", 200), ("localhost", 200), ("[::1]:5000", 200), ("LocalHost:1", 200), ("evil.example", 421),
     ("127.0.0.1.evil.example", 421), ("", 421), ("[fe80::1]", 421)],
)  # fmt: skip
def test_without_a_token_only_this_machines_names_are_answered(host, status):
    """A web page can make its own name lead to 127.0.0.1 and then read answers."""
    assert asked(Guard(echo, Limits()), host=host)[0] == status


@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_a_body_is_read_up_to_the_limit_and_not_beyond(sizes):
    """However it is cut into parts."""
    status, told = asked(Guard(echo, Limits(body_bytes=100)), [bytes(size) for size in sizes])
    assert (status == 200) is (sum(sizes) <= 100)
    assert told.get("size", sum(sizes)) == sum(sizes)
    assert status in {200, 413}


def test_a_body_that_is_announced_as_too_large_is_not_awaited():
    """The application would have to receive it first."""
    assert asked(Guard(echo, Limits(body_bytes=100)), (), content_length="101")[0] == 413


def test_a_body_that_stops_arriving_is_given_up():
    """Else a few slow connections hold the server."""
    status, told = asked(Guard(echo, Limits(body_s=0.05)), [b"..."])
    assert (status, told["do"]) == (408, "Send it again, without a pause.")


def test_an_answer_that_takes_too_long_is_given_up():
    """With the status that says that another try makes sense."""

    async def slow(scope, receive, send):
        await asyncio.sleep(60)

    assert asked(Guard(slow, Limits(answer_s=0.05)))[0] == 503


@pytest.mark.parametrize(
    ("fault", "status"), [(MissingError("no bank", do="x"), 404), (SafeguardError("no", do="x"), 403)]
)
def test_an_error_keeps_its_three_parts_and_its_status(fault, status):
    """HMA's clients read `message`; ours read what, where and do."""
    found, told = asked(Guard(raising(fault), Limits()))
    assert found == status
    assert told == {"message": f"{fault.what}. x", "what": fault.what, "where": "", "do": "x"}


def test_a_fault_of_the_program_shows_nothing_of_itself(caplog):
    """A traceback can hold words of a material; the place is in the log."""
    status, told = asked(Guard(raising(KeyError("words of a material")), Limits()))
    assert status == 500
    assert "words" not in json.dumps(told)
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1.example.org"])  # noqa: S104
def test_an_address_that_others_reach_is_known_as_such(host):
    """It decides whether a token is needed."""
    assert not is_loopback(host)
