"""The local engine: order, back-pressure, workers that die."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.engines.local import Done, LocalEngine, TaskFailed
from antiphon.errors import ConfigError


@dataclass
class Count:
    """Yields 0..n-1 for a task n."""

    def open(self) -> None:
        """Nothing to load."""

    def run(self, task: int) -> Iterator[int]:
        """Yield the numbers."""
        yield from range(task)


@dataclass
class DieOnce:
    """Kills its own worker in the middle of task 3, the first time or each time."""

    marker: Path
    always: bool = False

    def open(self) -> None:
        """Nothing to load."""

    def run(self, task: int) -> Iterator[int]:
        """Yield two numbers, and die between them."""
        yield task
        if task == 3 and (self.always or not self.marker.exists()):
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield -task


@dataclass
class CannotOpen(Count):
    """Stands for a stage whose model is missing."""

    def open(self) -> None:
        """Fail."""
        raise FileNotFoundError("no model")


def run(chain, tasks, workers=2):
    return [(r.task, "failed") if isinstance(r, TaskFailed) else r for r in LocalEngine(workers).run(chain, tasks)]


def test_parts_come_in_the_order_of_the_tasks():
    """What lets the lake commit in one order, whoever was faster."""
    tasks = [5, 0, 3, 9]
    wanted = [item for n in tasks for item in [*range(n), Done(n)]]
    assert run(Count(), tasks) == wanted


def test_no_tasks_no_results():
    """An empty input starts no worker."""
    assert run(Count(), []) == []


def test_a_worker_that_dies_costs_nothing(tmp_path):
    """Another one does the task again; the parts that came before are not given twice."""
    wanted = [item for n in range(6) for item in (n, -n, Done(n))]
    assert run(DieOnce(tmp_path / "died"), range(6)) == wanted


def test_a_task_that_always_kills_is_told_and_the_rest_goes_on(tmp_path):
    """One bad input costs one input."""
    results = run(DieOnce(tmp_path / "died", always=True), range(5), workers=1)
    assert (3, "failed") in results
    assert Done(4) in results


def test_the_reason_of_a_death_is_named(tmp_path):
    """An operator wants to know a crash from a lack of memory."""
    failed = [r for r in LocalEngine(1).run(DieOnce(tmp_path / "x", always=True), [3]) if isinstance(r, TaskFailed)]
    assert "SIGKILL" in failed[0].detail
    assert failed[0].parts == 1


def test_a_fault_of_the_tasks_reaches_the_caller():
    """What the planner raises is not lost in a thread."""

    def tasks() -> Iterator[int]:
        yield 1
        raise ValueError("broken plan")

    with pytest.raises(ValueError, match="broken plan"):
        run(Count(), tasks())


def test_stopping_early_ends_the_workers():
    """Ctrl-C in the middle of an endless input."""
    results = LocalEngine(2).run(Count(), iter(lambda: 3, None))
    assert [next(results) for _ in range(4)] == [0, 1, 2, Done(3)]
    results.close()


def test_stages_that_cannot_be_opened_end_the_run():
    """The installation is broken, not the input: nothing goes to the quarantine for it."""
    with pytest.raises(ConfigError, match="no model"):
        run(CannotOpen(), [1, 2])
