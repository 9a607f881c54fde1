"""Lanes: what waits together is answered together, and nothing that goes wrong with one touches another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from antiphon.errors import StorageError
from antiphon.node.lookup import Query
from antiphon.web import lanes
from antiphon.web.errors import BusyError
from antiphon.web.lanes import Lane


def query(number: int) -> Query:
    return Query({"sha256": bytes((number,))})


def number(asked: Query) -> int:
    return asked.signals["sha256"][0]


async def all_of(answer: Callable[[Sequence[Query]], list], numbers: Sequence[int]) -> list:
    """Ask all at once; an error stands where an answer would."""
    with ThreadPoolExecutor(2) as pool:
        lane = Lane(answer, pool)
        return await asyncio.gather(*(lane.ask(query(one)) for one in numbers), return_exceptions=True)


def test_each_gets_its_own_answer_and_few_batches_are_asked():
    """The batches grow with the load: the first goes alone, the rest wait for it together."""
    sizes = []

    def answer(queries):
        sizes.append(len(queries))
        return [number(one) for one in queries]

    assert asyncio.run(all_of(answer, range(200))) == list(range(200))
    assert sum(sizes) == 200
    assert len(sizes) <= 2


def test_one_that_can_not_be_answered_does_not_spoil_the_others():
    """They only came at the same moment."""

    def answer(queries):
        if any(number(one) == 3 for one in queries):
            raise ZeroDivisionError
        return [number(one) for one in queries]

    found = asyncio.run(all_of(answer, range(6)))
    assert [one for one in found if isinstance(one, int)] == [0, 1, 2, 4, 5]
    assert isinstance(found[3], ZeroDivisionError)


def test_a_register_that_fails_is_told_to_all_and_asked_once():
    """Asking it for each again would only take longer."""
    calls = []

    def answer(queries):
        calls.append(len(queries))
        raise StorageError("the disk is full", do="Make room.")

    found = asyncio.run(all_of(answer, range(5)))
    assert all(isinstance(one, StorageError) for one in found)
    assert len(calls) <= 2


def test_the_loop_goes_on_while_a_batch_is_answered():
    """A slow look-up must not hold up a probe of the server's health."""
    gate = threading.Event()

    async def asked() -> bool:
        with ThreadPoolExecutor(1) as pool:
            lane = Lane(lambda queries: [gate.wait(10) for _ in queries], pool)
            waiting = asyncio.gather(lane.ask(query(1)))
            await asyncio.sleep(0.05)  # runs, although the thread waits for the gate
            gate.set()
            return (await waiting)[0]

    assert asyncio.run(asked()) is True


def test_who_goes_away_does_not_take_the_answers_of_others_along():
    """A client that hangs up cancels its own question alone."""
    gate = threading.Event()

    async def asked() -> list:
        with ThreadPoolExecutor(1) as pool:
            lane = Lane(lambda queries: [gate.wait(10) and number(one) for one in queries], pool)
            tasks = [asyncio.create_task(lane.ask(query(one))) for one in range(4)]
            await asyncio.sleep(0.05)
            tasks[1].cancel()
            gate.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(asked())
    assert [found[0], *found[2:]] == [0, 2, 3]
    assert isinstance(found[1], asyncio.CancelledError)


def test_a_lane_that_is_full_says_so(monkeypatch):
    """Better told at once than left to wait past every time limit."""
    monkeypatch.setattr(lanes, "WAITING", 3)
    found = asyncio.run(all_of(lambda queries: [0 for _ in queries], range(5)))
    assert [isinstance(one, BusyError) for one in found] == [False, False, False, True, True]
    assert found[4].http_status == 503
