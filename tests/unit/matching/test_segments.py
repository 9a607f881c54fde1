"""What the index promises while rows come and go: nothing lost, nothing half-visible, no search refused."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from antiphon.errors import StorageError
from antiphon.matching.segments import Segments

Values = npt.NDArray[np.uint8]


def value_of(row: int) -> Values:
    """A value of its own for each row, far from all others."""
    return np.random.default_rng(row).integers(0, 256, (1, 32), dtype=np.uint8)


def rows_found(segments: Segments, rows: range) -> set[int]:
    """Which of some rows are found by their own values."""
    if not len(rows):
        return set()
    near = segments.search(np.concatenate([value_of(row) for row in rows]), 0)
    assert [rows[query] for query in near.queries] == near.entries.tolist()
    return set(near.entries.tolist())


class TheIndexAndASet(RuleBasedStateMachine):
    """Whatever happens in whatever order, the rows found are those of a plain set."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.environ["SEGMENTS_FOLDER"]) / f"{time.monotonic_ns()}"
        self.segments, self.truth, self.seq = Segments(self.folder), set[int](), 0
        self.kept, self.kept_seq, self.ever = set[int](), 0, set[int]()

    @rule(put=st.sets(st.integers(0, 40), max_size=6), gone=st.sets(st.integers(0, 40), max_size=4))
    def update(self, put: set[int], gone: set[int]) -> None:
        """Rows come and go."""
        self.seq += 1
        self.segments.update(self.seq, {row: value_of(row) for row in put}, gone - put)
        self.truth = self.truth - gone | put

    @rule()
    def merge(self) -> None:
        """What waits is written."""
        if self.segments.merge():
            self.kept, self.kept_seq = set(self.truth), self.seq

    @rule(first=st.integers(50, 90))
    def append(self, first: int) -> None:
        """A list is written at once."""
        new = [row for row in range(first, first + 5) if row not in self.truth and row not in self.ever]
        self.ever.update(new)
        self.seq += 1
        values = np.concatenate([np.empty((0, 32), np.uint8), *map(value_of, new)])
        self.segments.append(self.seq, np.array(new, dtype=np.int64), values)
        self.truth |= set(new)
        self.kept, self.kept_seq = set(self.truth), self.seq

    @rule()
    def open_again(self) -> None:
        """Another process opens what was kept."""
        self.segments = Segments(self.folder)
        assert self.segments.seq == self.kept_seq
        self.truth, self.seq = set(self.kept), self.kept_seq

    @invariant()
    def the_rows_found_are_those_that_count(self) -> None:
        """Exactly those."""
        assert rows_found(self.segments, range(95)) == self.truth


def test_it_is_a_set_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding, withdrawing, merging, appending and opening again, in any order."""
    monkeypatch.setenv("SEGMENTS_FOLDER", str(tmp_path))

    run_state_machine_as_test(
        TheIndexAndASet, settings=settings(max_examples=20, stateful_step_count=15, deadline=None)
    )


def test_a_row_may_have_several_values(tmp_path: Path) -> None:
    """The frames of a video are one entry."""
    segments = Segments(tmp_path / "index")
    segments.update(1, {7: np.concatenate([value_of(1), value_of(2)]), 8: value_of(3)})
    segments.merge()
    near = segments.search(np.concatenate([value_of(2), value_of(1), value_of(3)]), 0)
    assert near.entries.tolist() == [7, 7, 8]
    segments.update(2, {}, [7])
    assert segments.search(value_of(2), 0).entries.tolist() == []


def test_searches_go_on_while_rows_are_added_and_merged(tmp_path: Path) -> None:
    """Rows that are never touched are found by every search, whatever else happens."""
    segments = Segments(tmp_path / "index")
    segments.append(1, np.arange(20_000), np.random.default_rng(1).integers(0, 256, (20_000, 32), dtype=np.uint8))
    segments.update(2, {row: value_of(row) for row in range(30_000, 30_010)})
    missed, stop = [], threading.Event()

    def search() -> None:
        while not stop.is_set():
            missed.extend({*range(30_000, 30_010)} - rows_found(segments, range(30_000, 30_010)))

    reader = threading.Thread(target=search)
    reader.start()
    for seq in range(3, 60):
        segments.update(seq, {40_000 + seq: value_of(40_000 + seq)}, [40_000 + seq - 5])
        if seq % 7 == 0:
            segments.merge()
    stop.set()
    reader.join()
    assert missed == []
    assert rows_found(segments, range(40_000, 40_060)) == {40_055, 40_056, 40_057, 40_058, 40_059}


def expected(seq: int) -> set[int]:
    """The rows that count after so many changes of the story that `live` lives through."""
    return {row for row in range(1, seq + 1) if not (row % 3 == 0 and row + 5 <= seq)}


def live(folder: Path, told: int) -> None:
    """Follow a story of changes from where the index stands, merging now and then, until killed."""
    segments = Segments(folder)
    while True:
        seq = segments.seq + 1
        gone = [seq - 5] if (seq - 5) > 0 and (seq - 5) % 3 == 0 else []
        segments.update(seq, {seq: value_of(seq)}, gone)
        if seq % 4 == 0:
            segments.merge()
            os.write(told, b"%d\n" % seq)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_two_hundred_kills_lose_nothing_and_show_nothing_half(tmp_path: Path) -> None:
    """After each, what was told as merged is there, and the rows are those of one moment of the story."""
    folder, last, chance = tmp_path / "index", 0, random.Random(4)
    warm = Segments(tmp_path / "warm")  # kernels loaded here need not be loaded by each child
    warm.update(1, {1: value_of(1)})
    warm.merge()
    assert rows_found(Segments(tmp_path / "warm"), range(3)) == {1}
    for _ in range(200):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            try:
                live(folder, writer)
            finally:
                os._exit(1)
        os.close(writer)
        time.sleep(chance.uniform(0.005, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as lines:
            last = max([last, *map(int, lines.read().split(b"\n")[:-1])])
        segments = Segments(folder)
        assert segments.seq >= last
        assert rows_found(segments, range(segments.seq + 20)) == expected(segments.seq)
    assert last > 40  # so many changes, ten merges at least, went through between the kills


def test_a_broken_segment_is_told_with_what_to_do(tmp_path: Path) -> None:
    """The register has it all: the folder may go."""
    segments = Segments(tmp_path / "index")
    segments.update(1, {1: value_of(1)})
    segments.merge()
    next((tmp_path / "index").glob("segment-*/values.npy")).write_bytes(b"")
    with pytest.raises(StorageError, match="is built again from the register"):
        Segments(tmp_path / "index")


def test_two_processes_do_not_merge_at_once(tmp_path: Path) -> None:
    """The second is told to wait; it may search meanwhile."""
    first, second = Segments(tmp_path / "index"), Segments(tmp_path / "index")
    second.update(1, {1: value_of(1)})
    with first._alone(), pytest.raises(StorageError, match="another process is merging"):
        second.merge()
