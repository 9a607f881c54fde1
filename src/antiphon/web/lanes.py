"""Look-ups while the event loop goes on: what waits is answered together, in a thread.

While a batch is being answered the next requests gather, so that the batches grow with the load and a query costs less
the more there are. Each kind of signal has a lane of its own: a slow video does not hold up a picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from antiphon.errors import AntiphonError
from antiphon.node.files import FileFound, look_up_file
from antiphon.node.lookup import Hit, LookUp, Query
from antiphon.node.signals import signals_of
from antiphon.web.errors import BusyError

__all__ = ["FOLLOW_S", "Lane", "Lanes"]

FOLLOW_S = 0.5
"""How often the register is asked for news."""

MERGE_S = 30.0
STALE_S = 65.0
"""HMA's own limit: a server that has not followed its register for so long says so on /status."""

BATCH = 256
WAITING = 10_000
"""A lane with more than this in it refuses: who waits longer than a request lasts is better told at once."""

_THREADS = 4
_log = logging.getLogger(__name__)

Answer = Callable[[Sequence[Query]], list[list[Hit]]]


class Lane:
    """Answers queries in batches, one batch at a time.

    Args:
        answer: Answers a batch; called in a thread.
        pool: The threads.
    """

    def __init__(self, answer: Answer, pool: Executor) -> None:
        self._answer, self._pool = answer, pool
        self._waiting: deque[tuple[Query, asyncio.Future[list[Hit]]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, query: Query) -> list[Hit]:
        """Return the hits of a query.

        Raises:
            BusyError: too many are waiting.
        """
        if len(self._waiting) >= WAITING:
            raise BusyError(f"{WAITING:,} look-ups are waiting already", do="Try again in a second.")
        future: asyncio.Future[list[Hit]] = asyncio.get_running_loop().create_future()
        self._waiting.append((query, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            size = min(BATCH, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            queries = [query for query, future in batch if not future.done()]
            futures = [future for _, future in batch if not future.done()]
            answers = await loop.run_in_executor(self._pool, self._answers, queries)
            for future, answer in zip(futures, answers, strict=True):
                if future.done():  # who asked has gone away meanwhile
                    continue
                if isinstance(answer, BaseException):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _answers(self, queries: list[Query]) -> Sequence[list[Hit] | Exception]:
        """Return an answer or an error for each; one that can't be answered does not spoil the others."""
        if not queries:
            return []
        try:
            return self._answer(queries)
        except Exception as fault:  # noqa: BLE001 - it is raised again where the request waits, the web's own door
            if len(queries) == 1 or isinstance(fault, AntiphonError):
                return [fault] * len(queries)
            return [answer for query in queries for answer in self._answers([query])]


class Lanes:
    """The look-up of a node for many requests at once; use it with `async with`.

    A thread follows the register twice a second, and another merges what was added into the index on disk.

    Args:
        look_up: What is asked; closed by who opened it.
    """

    def __init__(self, look_up: LookUp) -> None:
        self.look_up = look_up
        self._pool = ThreadPoolExecutor(_THREADS, "look-up")
        self._files = ThreadPoolExecutor(2, "fingerprint")
        self._lanes: dict[str, Lane] = {}
        self._stop = threading.Event()
        self._followed = time.monotonic()
        self._background = (
            threading.Thread(target=self._follow, name="follow", daemon=True),
            threading.Thread(target=self._merge, name="merge", daemon=True),
        )

    async def __aenter__(self) -> Lanes:
        for thread in self._background:
            thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.to_thread(self._end)

    @property
    def is_stale(self) -> bool:
        """Whether the register could not be followed for longer than is right."""
        return time.monotonic() - self._followed > STALE_S

    async def ask(self, kind: str, query: Query) -> list[Hit]:
        """Return the hits of a query; `kind` is its signal type.

        Raises:
            BusyError: too many are waiting.
        """
        if query.text is not None:
            loop = asyncio.get_running_loop()
            query = await loop.run_in_executor(self._files, Query.of_text, query.text)
        return await self._lane(kind).ask(query)

    async def fingerprints(self, content: bytes, media_type: str) -> dict[str, bytes]:
        """Return the signals of a file by our names.

        Raises:
            InputError: the file is damaged, or is not what its media type says.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._files, signals_of, content, media_type)
        return {name: signal.value for name, signal in found.items()}

    async def file(self, content: bytes, media_type: str, *, words: bool = True) -> FileFound:
        """Return the signals of a file by our names and all that it is near, as `look_up_file` has it.

        Raises:
            InputError: the file is damaged, or is not what its media type says.
        """
        asked = partial(look_up_file, self.look_up, content, media_type, words=words)
        return await asyncio.get_running_loop().run_in_executor(self._files, asked)

    def _lane(self, kind: str) -> Lane:
        if kind not in self._lanes:
            self._lanes[kind] = Lane(self.look_up.answer, self._pool)
        return self._lanes[kind]

    def _follow(self) -> None:
        while not self._stop.wait(FOLLOW_S):
            with _told("the register can't be followed"):
                self.look_up.follow()
                self._followed = time.monotonic()

    def _merge(self) -> None:
        while not self._stop.wait(MERGE_S):
            with _told("the index can't be merged"):
                self.look_up.merge()

    def _end(self) -> None:
        for thread in self._background:
            thread.join()
        for pool in (self._pool, self._files):
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Log what goes wrong in the background, and let it be tried again."""
    try:
        yield
    except AntiphonError as error:
        _log.warning("%s: %s", what, error)
    except Exception as error:  # noqa: BLE001 - a thread that ended would leave the server blind without a word
        _log.exception("%s: %s", what, type(error).__name__)
