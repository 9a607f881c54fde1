"""Planning: who reads what, and from where."""

from __future__ import annotations

import json

from antiphon import plugins
from antiphon.node.planning import Place, Planner, recognise
from antiphon.node.reading import BlockTask, RefusedTask, StreamTask
from antiphon.sources.interface import LineBlock, Source

SOURCES = plugins.load("antiphon.sources", Source)
LINES = b'{"id": 1, "text": "Rain in Veyl"}\n{"id": 2, "text": "Sun in Brask"}\n'


def tasks(path, places=None):
    return list(Planner(lambda: SOURCES, places or {}).tasks([path]))


def test_lines_are_cut_into_blocks(tmp_path):
    """So that all cores read one file; the last block ends the input."""
    (tmp_path / "a.jsonl").write_bytes(LINES)
    block, end = tasks(tmp_path / "a.jsonl")
    assert isinstance(block, BlockTask)
    assert (block.block, block.last) == (LineBlock(LINES, 0, 0), False)
    assert (end.last, end.next_record, end.next_offset) == (True, 2, len(LINES))


def test_a_document_is_one_task(tmp_path):
    """Its records can't be cut apart without reading it."""
    (tmp_path / "a.json").write_text(json.dumps([{"text": "Rain"}], indent=1))
    (task,) = tasks(tmp_path / "a.json")
    assert isinstance(task, StreamTask)
    assert task.source == "jsonl"


def test_reading_goes_on_where_it_was(tmp_path):
    """At the next line of an input of lines."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    first = LINES.index(b"\n") + 1
    status = path.stat()
    place = Place((status.st_size, status.st_mtime_ns), 1, 1, first, complete=False)
    block, _ = tasks(path, {str(path): place})
    assert (block.part, block.block) == (1, LineBlock(LINES[first:], 1, first))


def test_what_was_read_and_did_not_change_is_not_opened(tmp_path):
    """By path, size and time of change."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    status = path.stat()
    done = Place((status.st_size, status.st_mtime_ns), 2, 2, len(LINES), complete=True)
    assert tasks(path, {str(path): done}) == []
    assert len(tasks(path, {str(path): Place((1, 1), 2, 2, 9, complete=True)})) == 2


def test_images_come_last(tmp_path):
    """By then it is known which are attachments of a post."""
    from PIL import Image

    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "b.json").write_text('[{"text": "Rain"}]')
    assert [task.source for task in tasks(tmp_path)] == ["jsonl", "image"]


def test_what_nobody_reads_is_refused_with_its_head(tmp_path):
    """The quarantine keeps the first bytes, so that a person can see what it was."""
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (task,) = tasks(tmp_path / "a.bin")
    assert isinstance(task, RefusedTask)
    assert (task.skipped.reason, task.skipped.raw) == ("unrecognised", bytes(range(256)))


def test_an_empty_head_is_recognised_by_nobody():
    """There is nothing to go by."""
    assert recognise(b"", "posts.jsonl", SOURCES) is None
