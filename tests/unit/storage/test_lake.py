"""The lake: commits that are whole or not there, one writer, faults that say what to do."""

from __future__ import annotations

import resource

import deltalake
import pyarrow as pa
import pytest

from antiphon.errors import StorageError
from antiphon.model.material import Skipped, skipped_batch
from antiphon.model.schemas import SKIPPED
from antiphon.storage.lake import Lake
from antiphon.storage.ledger import PARTS


def part(path: str, number: int, **changes) -> dict:
    row = {
        "input": path, "path": path, "bytes": 9, "modified_ns": 1, "part": number, "reader": "jsonl", "found": 3,
        "kept": 1, "known": 1, "quarantined": 1, "other": '{"like": 2}', "gaps": [], "next_record": 3,
        "next_offset": 9, "last": True,
    }  # fmt: skip
    return row | changes


def parts(*rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=PARTS)


def skipped(n: int) -> dict[str, pa.Table]:
    batch = skipped_batch([Skipped("r", "d", record=i) for i in range(n)], "i", "s")
    return {"skipped": pa.Table.from_batches([batch], SKIPPED)}


def test_what_is_committed_is_found_again(tmp_path):
    """Also after the lake was closed."""
    with Lake(tmp_path / "lake") as lake:
        lake.commit(skipped(2), parts(part("a", 0)))
    with Lake(tmp_path / "lake") as lake:
        assert lake.query("SELECT count(*) AS n FROM skipped")["n"].to_pylist() == [2]


def test_an_interrupted_commit_leaves_nothing(tmp_path):
    """Rows count once their parts are in; opening the lake removes the others."""
    with Lake(tmp_path / "lake") as lake:
        lake.commit(skipped(2), parts(part("a", 0)))
        lake._append("read_skipped", skipped(5)["skipped"], 1)  # as if killed before the parts
    with Lake(tmp_path / "lake") as lake:
        assert lake.query("SELECT count(*) AS n FROM skipped")["n"].to_pylist() == [2]


def test_a_table_that_is_not_there_yet_is_empty(tmp_path):
    """A dossier of nothing is a dossier."""
    with Lake(tmp_path / "lake") as lake:
        assert lake.query("SELECT * FROM findings").num_rows == 0


def test_two_runs_on_one_output_are_told_apart(tmp_path):
    """The second is refused with the process of the first; the first goes on."""
    with Lake(tmp_path / "lake"), pytest.raises(StorageError, match="another run"), Lake(tmp_path / "lake"):
        pass


def test_the_ledger_adds_up_the_latest_reading_of_each_input(tmp_path):
    """A file that changed was read anew: its old parts count no more."""
    with Lake(tmp_path / "lake") as lake:
        lake.commit({}, parts(part("a", 0, found=7, kept=7, known=0, quarantined=0), part("b", 0, last=False)))
        lake.commit({}, parts(part("a", 0, modified_ns=2), part("b", 1, gaps=["page 2"])))
        ledger = {row["input"]: row for row in lake.query("SELECT * FROM ledger").to_pylist()}
    assert [ledger[name]["found"] for name in "ab"] == [3, 6]
    assert (ledger["b"]["complete"], ledger["b"]["gaps"], ledger["b"]["other"]) == (True, ["page 2"], 4)


def test_replacing_a_table_is_one_step(tmp_path):
    """Old rows go, new rows are there, the schema may have grown."""
    with Lake(tmp_path / "lake") as lake:
        lake.replace("copies", pa.table({"copy_group": ["a"]}))
        lake.replace("copies", pa.table({"copy_group": ["b"]}))
        assert deltalake.DeltaTable(str(tmp_path / "lake" / "copies")).to_pyarrow_table().to_pylist() == [
            {"copy_group": "b"}
        ]


def test_a_full_disk_is_told_and_nothing_of_the_commit_counts(tmp_path):
    """A file-size limit stands for the full disk: both fail in the middle of a write."""
    wide = pa.Table.from_batches(
        [skipped_batch([Skipped("r", "d" * 50, raw=bytes([i % 251]) * 999) for i in range(9_000)], "i", "s")]
    )
    with Lake(tmp_path / "lake") as lake:
        lake.commit(skipped(2), parts(part("a", 0)))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
        try:
            with pytest.raises(StorageError, match="disk is full"):
                lake.commit({"skipped": wide}, parts(part("b", 0)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with Lake(tmp_path / "lake") as lake:
        assert lake.query("SELECT count(*) AS n FROM skipped")["n"].to_pylist() == [2]
        lake.commit(skipped(1), parts(part("b", 0)))
