"""Serves one contestant to the benchmark that started it: builds, is timed and answers, one JSON line for each request.

This file runs inside the peers' environment as well as in ours, so it imports numpy and the standard library alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

__all__ = ["LIMIT_BITS", "Contestant", "serve"]

LIMIT_BITS = 31
_WARM_ENTRIES = 20_000
_PACE_S = 0.2

Values = npt.NDArray[np.uint8]
Pairs = npt.NDArray[np.int64]
Figures = dict[str, Any]


class Contestant(ABC):
    """One way to find the entries within `LIMIT_BITS` of a query."""

    @abstractmethod
    def build(self, entries: Values) -> None:
        """Index the entries, (n, 32) uint8; a second call replaces the first."""

    @abstractmethod
    def search(self, queries: Any) -> Any:  # noqa: ANN401 - each library has a form of its own
        """Return what is found, in the library's own form."""

    @abstractmethod
    def pairs(self, found: Any) -> Pairs:  # noqa: ANN401 - each library has a form of its own
        """Return what `search` gave as rows of query and entry."""

    def prepare(self, queries: Values) -> Any:  # noqa: ANN401 - each library has a form of its own
        """Return the queries in the form the library takes them; not timed."""
        return queries

    def search_one(self, query: Any) -> Any:  # noqa: ANN401 - each library has a form of its own
        """Return what is found for one query, in the way that the library is meant to be asked for one."""
        return self.search(query)

    def own_bytes(self) -> int | None:
        """Return the memory that the index says it takes; None where it does not say."""
        return None

    def save(self, folder: Path) -> None:
        """Write the index to disk, where it can be."""
        raise NotImplementedError(f"{type(self).__name__} is not saved in this benchmark, asked for {folder}")


class _Server:
    """Holds a contestant and the material it is asked about; queries go round, so that no round repeats the last."""

    def __init__(self, contestant: Contestant, folder: Path) -> None:
        self.contestant = contestant
        self.entries: Values = np.load(folder / "entries.npy")
        self.queries: Values = np.load(folder / "queries.npy")
        self.at = 0

    def build(self, _: Figures) -> Figures:
        """Build once small, so that what is compiled or loaded at first use is not counted, then in earnest."""
        self.contestant.build(self.entries[:_WARM_ENTRIES])
        self.contestant.search(self.contestant.prepare(self.queries[:50]))
        before = _heap_bytes()
        cpu, wall = _timed(lambda: self.contestant.build(self.entries))
        return {
            "cpu_s": cpu,
            "wall_s": wall,
            "grown_bytes": None if before is None else (_heap_bytes() or 0) - before,
            "own_bytes": self.contestant.own_bytes(),
        }

    def pace(self, _: Figures) -> Figures:
        """Return about how many queries a second it can do, from twice as many until it can be measured."""
        count = 5
        while True:
            cpu, _wall, asked = self._batch(count)
            if cpu >= _PACE_S or count >= 1000:
                return {"queries_per_cpu_s": asked / cpu}
            count = min(2 * count, 1000)

    def round(self, request: Figures) -> Figures:
        """Search batch after batch until the seconds of CPU time are spent."""
        cpu, wall, asked = 0.0, 0.0, 0
        while cpu < request["seconds"]:
            spent = self._batch(request["at_once"])
            cpu, wall, asked = cpu + spent[0], wall + spent[1], asked + spent[2]
        return {"queries_per_cpu_s": asked / cpu, "queries_per_s": asked / wall}

    def singles(self, request: Figures) -> Figures:
        """Ask one query at a time and return the middle and the slow end of the waits."""
        waits: list[float] = []
        until = time.perf_counter() + request["seconds"]
        while time.perf_counter() < until or len(waits) < 5:
            query = self.contestant.prepare(self._next(1))
            begin = time.perf_counter()
            self.contestant.search_one(query)
            waits.append(time.perf_counter() - begin)
        p50, p99 = np.percentile(waits, (50, 99)) * 1000
        return {"p50_ms": float(p50), "p99_ms": float(p99), "queries": len(waits)}

    def answers(self, request: Figures) -> Figures:
        """Write all pairs that it finds for the first queries, or those of another file, into a file."""
        queries = np.load(request["queries"]) if "queries" in request else self.queries
        queries = queries[: request["count"]]
        parts = []
        for at in range(0, len(queries), 500):
            found = self.contestant.search(self.contestant.prepare(queries[at : at + 500]))
            parts.append(self.contestant.pairs(found) + np.array([at, 0]))
        np.save(request["file"], np.concatenate(parts))
        return {}

    def time_file(self, request: Figures) -> Figures:
        """Time the queries of another file, one batch."""
        queries = self.contestant.prepare(np.load(request["queries"]))
        cpu, wall = _timed(lambda: self.contestant.search(queries))
        return {"cpu_s": cpu, "wall_s": wall}

    def save(self, request: Figures) -> Figures:
        """Write the index to disk."""
        cpu, wall = _timed(lambda: self.contestant.save(Path(request["folder"])))
        return {"cpu_s": cpu, "wall_s": wall}

    def _batch(self, count: int) -> tuple[float, float, int]:
        queries = self.contestant.prepare(self._next(count))
        cpu, wall = _timed(lambda: self.contestant.search(queries))
        return cpu, wall, count

    def _next(self, count: int) -> Values:
        rows = np.arange(self.at, self.at + count) % len(self.queries)
        self.at += count
        return self.queries[rows]


def serve(make: Callable[[], Contestant], folder: Path) -> None:
    """Answer requests on standard input until it closes. A contestant that can't be made says why, and ends."""
    out = _private_stdout()
    _to_one_core()
    try:
        contestant = make()
    except (ImportError, AttributeError) as fault:
        _say(out, {"fault": f"{type(fault).__name__}: {fault}"})
        return
    server = _Server(contestant, folder)
    _say(out, {})
    for line in sys.stdin:
        request = json.loads(line)
        _say(out, getattr(server, request["do"])(request))


def _say(out: TextIO, figures: Figures) -> None:
    out.write(json.dumps(figures) + "\n")
    out.flush()


def _private_stdout() -> TextIO:
    """Return the standard output for our lines alone: what a library prints goes to the standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _to_one_core() -> None:
    """Stay on the first core there is, with all threads; where a system can't, the parent's settings must do."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of CPU, of all threads, and of the wall."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.process_time() - cpu, time.perf_counter() - wall


def _heap_bytes() -> int | None:
    """Return resident memory that belongs to no file, what was freed given back first; None where Linux is not."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines["RssAnon"].split()[0])
