"""The local engine: worker processes, bounded queues, results in the order of the tasks.

A worker runs one task at a time and sends its parts as they come. Each has a thread here that waits for it, so a slow
reader of the results holds the workers back and memory stays bounded. A worker that dies takes nothing with it: another
runs the task again, and parts that came already are dropped, for the same task gives the same parts.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Empty, Queue
from typing import Any, Protocol

from antiphon.errors import ConfigError

__all__ = ["Chain", "Done", "LocalEngine", "TaskFailed"]

_PARTS_AHEAD = 2
_TRIES = 2


class Chain(Protocol):
    """What a worker does with a task. Picklable before `open`."""

    def open(self) -> None:
        """Load what `run` needs. Called once in every worker."""

    def run(self, task: Any) -> Iterator[Any]:  # noqa: ANN401 - tasks are the caller's
        """Yield the parts of a task's result: the same task, the same parts."""


@dataclass(frozen=True)
class TaskFailed:
    """A task that broke its worker each time it was tried."""

    task: Any
    parts: int
    detail: str


@dataclass(frozen=True)
class Done:
    """The end of a task, after its last part."""

    task: Any


class _Slot:
    """One task under way, and its parts that wait to be taken."""

    def __init__(self, task: Any) -> None:  # noqa: ANN401 - tasks are the caller's
        self.task = task
        self.parts: Queue[Any] = Queue(maxsize=_PARTS_AHEAD)


class LocalEngine:
    """Runs a chain over tasks on some worker processes.

    Args:
        workers: How many processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)

    def run(self, chain: Chain, tasks: Iterable[Any]) -> Iterator[Any]:
        """Yield each task's parts, then its `Done` or `TaskFailed`, task after task in their order."""
        pool = _Pool(chain, iter(tasks), self.workers)
        try:
            yield from pool.results()
        finally:
            pool.stop()


class _Pool:
    def __init__(self, chain: Chain, tasks: Iterator[Any], workers: int) -> None:
        self._chain, self._tasks = chain, tasks
        self._context = multiprocessing.get_context("spawn")
        self._slots: deque[_Slot] = deque()
        self._changed = threading.Condition()
        self._room = threading.Semaphore(2 * workers + 2)  # tasks begun and not yet taken
        self._taken: _Slot | None = None
        self._exhausted = False
        self._stopped = False
        self._fault: BaseException | None = None
        self._links: set[_Link] = set()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[Any]:
        while (slot := self._first()) is not None:
            while True:
                part = slot.parts.get()
                if isinstance(part, BaseException):
                    raise part
                yield part
                if isinstance(part, Done | TaskFailed):
                    break
            self._room.release()

    def stop(self) -> None:
        """End the workers, whatever they do, and wait for the threads; unfinished tasks leave no trace."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            self._room.release()
            while thread.is_alive():
                for link in list(self._links):
                    link.kill()
                self._drain()  # a thread may wait for room in a queue that nobody reads any more
                thread.join(timeout=0.05)

    def _drain(self) -> None:
        with self._changed:
            slots = [*self._slots, *([self._taken] if self._taken else [])]
        for slot in slots:
            with contextlib.suppress(Empty):
                while True:
                    slot.parts.get_nowait()

    def _first(self) -> _Slot | None:
        with self._changed:
            self._changed.wait_for(lambda: self._slots or self._exhausted or self._fault)
            if self._fault is not None:
                raise self._fault
            self._taken = self._slots.popleft() if self._slots else None
            return self._taken

    def _next(self) -> _Slot | None:
        self._room.acquire()
        with self._changed:
            if self._stopped or self._exhausted:
                return None
            try:
                slot = _Slot(next(self._tasks))
            except StopIteration:
                self._exhausted = True
                slot = None
            except BaseException as fault:  # noqa: BLE001 - handed to the caller's thread, which raises it
                self._fault, slot = fault, None
            if slot is not None:
                self._slots.append(slot)
            self._changed.notify_all()
            return slot

    def _serve(self) -> None:
        link: _Link | None = None
        while not self._stopped and (slot := self._next()) is not None:
            try:
                link = self._run(slot, link)
            except ConfigError as fault:
                slot.parts.put(fault)
                return
        if link is not None:
            link.end()
            self._links.discard(link)

    def _run(self, slot: _Slot, link: _Link | None) -> _Link | None:
        """Run one task, on a new worker where the last one died."""
        given, detail = 0, ""
        for _ in range(_TRIES):
            if self._stopped:
                return link
            try:
                if link is None:
                    link = _Link(self._context, self._chain)
                    self._links.add(link)
                for number, part in enumerate(link.run(slot.task)):
                    if number >= given:
                        slot.parts.put(part)
                        given += 1
            except (EOFError, OSError):
                detail = "the worker did not start"
                if link is not None:
                    detail = link.died()
                    self._links.discard(link)
                link = None
            else:
                slot.parts.put(Done(slot.task))
                return link
        slot.parts.put(TaskFailed(slot.task, given, detail))
        return link


_MAIN = threading.Lock()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep a new worker from importing the program's main module again: it needs the chain, not the command line."""
    main = sys.modules["__main__"]
    with _MAIN:
        kept = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
        main.__spec__ = None
        try:
            yield
        finally:
            vars(main).update(kept)  # type: ignore[arg-type]


class _Link:
    """One worker process and the line to it."""

    def __init__(self, context: Any, chain: Chain) -> None:  # noqa: ANN401 - multiprocessing has no public type
        self._near, far = context.Pipe()
        self._process = context.Process(target=_work, args=(far, chain), daemon=True)
        with _main_hidden():
            self._process.start()
        far.close()
        word, detail = self._near.recv()
        if word == "broken":
            self.end()
            raise ConfigError(
                f"the stages can't be opened: {detail}", do="Run `antiphon doctor`; the installation is not whole."
            )

    def run(self, task: Any) -> Iterator[Any]:  # noqa: ANN401 - tasks are the caller's
        self._near.send(task)
        while (message := self._near.recv())[0] != "end":
            yield message[1]

    def died(self) -> str:
        self._process.join(timeout=5)
        code = self._process.exitcode
        self.end()
        return f"the worker ended with {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the worker; the thread that waits for it learns so from the line."""
        self._process.terminate()

    def end(self) -> None:
        """End the worker and close the line; only for the thread that uses it."""
        self._process.terminate()
        with contextlib.suppress(OSError):
            self._near.close()


def _work(line: Connection, chain: Chain) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    try:
        chain.open()
    except Exception as fault:  # noqa: BLE001 - sent to the parent, which raises it
        line.send(("broken", f"{type(fault).__name__}: {fault}"))
        return
    line.send(("ready", ""))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent went away: so do we
        while True:
            _answer(line, chain.run, line.recv())


def _answer(line: Connection, run: Callable[[Any], Iterator[Any]], task: Any) -> None:  # noqa: ANN401
    for part in run(task):
        line.send(("part", part))
    line.send(("end", None))
