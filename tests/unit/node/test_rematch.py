"""Matching again by what is new alone: whatever was done to banks and lake, it is as if all had been matched anew."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.fingerprints.stage import WORDS_PART, WORDS_TYPE, fingerprint_text
from antiphon.fingerprints.url import url_signals
from antiphon.model.bank import Bank, BankEntry
from antiphon.model.schemas import MATCHES, MATERIALS, SIGNALS
from antiphon.node import changed, rematch
from antiphon.node.banks import Banks
from antiphon.node.lookup import LookUp, Query
from antiphon.node.matches import Rematch, bank_matches, match_again
from antiphon.node.reopened import LOOK_AGAIN_FILE
from antiphon.storage.banks import Act
from antiphon.storage.lake import Lake
from antiphon.storage.ledger import PARTS
from antiphon.storage.register import Register

WHO = "k.vell"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SAID = (
    "Every lamp on Varnholt pier shall burn again when the ninth tide turns, and the bells will answer us.",
    "They sent me this: Every lamp on Varnholt pier shall burn again when the ninth tide turns. What is it?",
    "The ferry is late, says the b.l.u.e L4ntern, and the grey lantern too",
    "Rain until Thursday, says the harbour office; the market of Brask opens at seven in the morning.",
)
LINKS = ("https://tides.example/song", "https://tides.example/other?utm_source=x", "https://quiet.example/")


def picture(flips: int) -> bytes:
    bits = np.unpackbits(np.random.default_rng(3).integers(0, 256, 32, dtype=np.uint8))
    bits[:flips] ^= 1
    return np.packbits(bits).tobytes()


PICTURES = tuple(map(picture, (0, 9, 25, 60)))
VALUES = (
    *(("text", said.encode()) for said in SAID[:2]),
    ("phrase", b"blue lantern"), ("phrase", b"grey lantern"), ("phrase", b"harbour office"),
    *(("pdq", value) for value in PICTURES), ("vpdq", PICTURES[0] + b"\x64"), ("sha256", bytes(32)),
    *(("text_near", fingerprint_text(said)["text_near"]) for said in SAID[:1]),
    ("text_exact", fingerprint_text(SAID[3])["text_exact"]),
    *((kind, value) for link in LINKS[:1] for kind, value in url_signals(link).items()),
)  # fmt: skip


class World:
    """A lake, a register and a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.out, self.now, self.read = folder / "out", BEGIN, 0
        self.banks = Banks(Register(folder / "home"), lambda: self.now)
        self.look_up = LookUp(self.banks, folder / "index")
        for bank in (Bank("tide"), Bank("moor"), Bank("cleared", purpose="negative")):
            self.banks.create(bank, WHO)

    def read_more(self, number: int) -> None:
        """Put a commit of new materials into the lake."""
        ids = [f"{n:032x}" for n in range(self.read, self.read + number)]
        posts = [post(material_id, n) for n, material_id in enumerate(ids, self.read)]
        signals = [row for n, material_id in enumerate(ids, self.read) for row in signals_of(material_id, n)]
        tables = {"materials": table(posts, MATERIALS), "signals": table(signals, SIGNALS)}
        counts = dict.fromkeys(("bytes", "modified_ns", "quarantined", "known", "next_record", "next_offset"), 0)
        part = {**counts, "input": "a", "path": "a", "part": self.read, "reader": "test", "found": number,
                "kept": number, "other": "{}", "gaps": [], "last": False}  # fmt: skip
        self.read += number
        with Lake(self.out / "lake") as lake:
            lake.commit(tables, pa.Table.from_pylist([part], PARTS))

    def add(self, bank: str, number: int, days: int | None = None) -> None:
        """Add an entry, one that ends after some days."""
        kind, value = VALUES[number % len(VALUES)]
        until = None if days is None else self.now + timedelta(days=days)
        entry = BankEntry(bank, f"e-{self.banks.store.last_row()}", kind, value, label=kind, valid_until=until)
        self.banks.add(entry, WHO)

    def again(self, **options: Any) -> Rematch:
        """Match again."""
        return match_again(self.out, self.look_up, **options)

    def matches(self) -> list[tuple[Any, ...]]:
        """Return the rows of `matches`."""
        return rows_of(Lake(self.out / "lake").query("SELECT * FROM matches"))

    def expected(self) -> list[tuple[Any, ...]]:
        """Return what matching all, one after the other, gives."""
        found: set[tuple[Any, ...]] = set()
        for material_id, part, query in everything(Lake(self.out / "lake")):
            seen = set()
            for hit in self.look_up.look_up([query], self.now)[0]:
                key = (hit.bank.name, hit.entry.entry_id, hit.entry.signal_type)
                if key not in seen:
                    found.add((material_id, part, key[2], key[0], key[1], hit.distance, hit.threshold, hit.alignment,
                               hit.effect, hit.entry.label, hit.entry.note))  # fmt: skip
                seen.add(key)
        return sorted(found, key=str)


def everything(lake: Lake) -> Iterator[tuple[str, str, Query]]:
    for row in lake.query("SELECT * FROM signals WHERE quality IS NULL OR quality >= 0.5").to_pylist():
        is_said = row["signal_type"] == WORDS_TYPE
        query = Query(text=row["value"].decode()) if is_said else Query({row["signal_type"]: row["value"]})
        yield row["material_id"], row["part"], query
    for row in lake.query("SELECT material_id, text, links FROM materials").to_pylist():
        yield row["material_id"], "text", Query(text=row["text"])
        for link in row["links"]:
            yield row["material_id"], "link", Query(url_signals(link))


def rows_of(found: pa.Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in found.select(MATCHES.names).to_pylist()), key=str)


def post(material_id: str, n: int) -> dict[str, Any]:
    return {"material_id": material_id, "source": "test", "kind": "post", "text": SAID[n % len(SAID)], "media": [],
            "links": [LINKS[n % 3], LINKS[n % 2]], "published_at": BEGIN, "provenance": {"input": "a"}}  # fmt: skip


def signals_of(material_id: str, n: int) -> Iterator[dict[str, Any]]:
    values = {"pdq": PICTURES[n % 4], "vpdq": PICTURES[n % 3] + b"\x64", "sha256": bytes(31) + bytes([n % 2])}
    for kind, value in values.items():
        quality = 0.2 if n % 5 == 0 and kind == "pdq" else None
        yield {"material_id": material_id, "part": "media/0", "signal_type": kind, "value": value, "quality": quality}
    for kind, value in fingerprint_text(SAID[n % len(SAID)]).items():
        yield {"material_id": material_id, "part": "text", "signal_type": kind, "value": value}
    if n % 4 == 3:
        words = {"signal_type": WORDS_TYPE, "value": SAID[n % 3].encode()}
        yield {"material_id": material_id, "part": f"media/0{WORDS_PART}", **words}


def table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Eight materials in a lake, an entry of each kind in a bank, all matched."""
    made = World(tmp_path)
    made.read_more(8)
    for number in range(len(VALUES)):
        made.add("tide", number)
    made.again()
    return made


banks = st.sampled_from(["tide", "moor", "cleared"])
acts = st.one_of(
    st.tuples(st.just("add"), banks, st.integers(0, len(VALUES) - 1), st.sampled_from([None, 2])),
    st.tuples(st.sampled_from(["withdraw", "reinstate", "hold", "release", "relabel", "retype"]), st.integers(0, 30)),
    st.tuples(st.sampled_from(["enable", "disable", "shadow", "unshadow", "delete"]), banks),
    st.tuples(st.just("threshold"), banks, st.sampled_from([("pdq", 8), ("pdq", 70), ("text", 30), ("text_near", 0)])),
    st.tuples(st.sampled_from(["read", "wait", "stopped", "killed", "analysed"]), st.integers(1, 5)),
)


def do(world: World, act: tuple[Any, ...]) -> None:
    """Do one thing to the banks or the lake, or match again in part."""
    name, given_, *more = act
    held = world.banks
    if name == "add":
        world.add(given_, *more)
    elif name in {"withdraw", "reinstate", "hold", "release", "relabel", "retype"}:
        _to_entry(world, name, given_)
    elif name in {"shadow", "unshadow"}:
        held.shadow(given_, name == "shadow", WHO)
    elif name == "delete":
        held.delete(given_, WHO, "another list")
        held.create(Bank(given_, purpose="negative" if given_ == "cleared" else "known"), WHO)
    elif name in {"enable", "disable"}:
        getattr(held, name)(given_, WHO)
    elif name == "threshold":
        held.threshold(given_, *more[0], WHO)
    else:
        _to_lake(world, name, given_)


def _to_entry(world: World, name: str, number: int) -> None:
    entries = [entry for bank in ("tide", "moor", "cleared")
               for entry in world.banks.store.entries(bank, statuses=("active", "held", "withdrawn"))]  # fmt: skip
    if not entries:
        return
    entry = entries[number % len(entries)]
    if name in {"relabel", "retype"}:
        kind, value = (entry.signal_type, entry.value) if name == "relabel" else VALUES[number % len(VALUES)]
        fresh = BankEntry(entry.bank, entry.entry_id, kind, value, label=f"label {number}")
        world.banks.store.add_all(entry.bank, [("1", fresh)], Act(WHO, world.now, "corrected"))
    else:
        getattr(world.banks, name)(entry.bank, [entry.entry_id], WHO, "looked at")


def _to_lake(world: World, name: str, number: int) -> None:
    if name == "read":
        world.read_more(number)
    elif name == "wait":
        world.now += timedelta(days=number)
    elif name == "stopped":
        world.again(budget_s=0)
    elif name == "killed":
        killed_after(world, number)
    else:
        with Lake(world.out / "lake") as lake:
            lake.replace("matches", pa.concat_tables([MATCHES.empty_table(), *bank_matches(world.look_up, lake)]))


class Killed(BaseException):
    """What ends a run in the midst of it."""


def killed_after(world: World, steps: int) -> None:
    """Match again, and be killed after some steps."""
    seen = []

    def step(done: rematch.Step) -> None:
        seen.append(done)
        if len(seen) == steps:
            raise Killed

    with contextlib.suppress(Killed):
        world.again(progress=step)


@settings(max_examples=int(os.environ.get("EXAMPLES", "12")), deadline=None)
@given(
    rounds=st.lists(st.lists(acts, min_size=1, max_size=4), min_size=1, max_size=4),
    step_rows=st.sampled_from([3, 20_000]), few=st.sampled_from([2, 10_000]),
)  # fmt: skip
def test_what_is_new_alone_gives_what_matching_all_gives(tmp_path_factory, rounds, step_rows, few):
    """Whatever happened, however often a run was stopped or killed on the way, in large steps and in small ones."""
    world = World(tmp_path_factory.mktemp("world"))
    with pytest.MonkeyPatch.context() as sizes:
        sizes.setattr(rematch, "STEP_ROWS", step_rows)
        sizes.setattr(changed, "FEW", few)
        _hold_law(world, rounds)


def _hold_law(world: World, rounds: list[list[tuple[Any, ...]]]) -> None:
    world.read_more(6)
    for act in ("tide", 0), ("moor", 2), ("cleared", 5), ("tide", 6), ("moor", 13):
        world.add(*act)
    for acts_ in rounds:
        for act in acts_:
            do(world, act)
        world.again()
        assert world.matches() == world.expected()
    found = world.again(full=True)
    assert (found.new, found.gone) == (0, 0)


def test_nothing_is_looked_up_where_nothing_changed(world):
    """Matching again costs next to nothing."""
    steps: list[rematch.Step] = []
    found = world.again(progress=steps.append)
    assert (steps, found.new, found.gone, found.complete) == ([], 0, 0, True)


def test_a_new_entry_looks_up_its_own_signal_type_alone(world):
    """A phrase has nothing to do with pictures."""
    steps: list[rematch.Step] = []
    world.banks.add(BankEntry("moor", "e-new", "phrase", b"market of brask"), WHO)
    found = world.again(progress=steps.append)
    assert (steps[-1].total, found.new) == (10, 2)  # eight texts, and the words in two pictures


def test_words_in_a_picture_match_as_its_own_part(world):
    """A slogan painted into a card is found by the phrases of a bank, and the match says where it stands."""
    world.banks.add(BankEntry("moor", "e-new", "phrase", b"says the blue lantern"), WHO)
    world.again()
    parts = {row[1] for row in world.matches() if row[2] in {"phrase", "text"}}
    assert parts == {"text", "media/0/words"}


def test_a_stopped_run_shows_what_it_found_and_the_next_goes_on(tmp_path):
    """The budget is over after the first step of each run."""
    world = World(tmp_path)
    world.read_more(8)
    for number in range(len(VALUES)):
        world.add("tide", number)
    seen, found = list[int](), world.again(budget_s=0)
    while not found.complete:
        seen.append(len(world.matches()))
        found = world.again(budget_s=0)
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert found.new == len(world.matches()) == len(world.expected())


def test_a_killed_process_loses_nothing_and_counts_nothing_twice(world):
    """SIGKILL at different moments; the parent then goes on."""
    world.read_more(40)
    world.add("moor", 2)
    for step in (1, 3, 4, 1):  # the last two: before the table is written, and just after
        code = _KILLED.format(out=str(world.out), home=str(world.out.parent / "home"), step=step)
        child = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=120)
        assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-500:]
    found, now = world.again(), world.matches()
    assert now == world.expected()
    assert found.new == len(now) - len([row for row in now if int(row[0], 16) < 8 and row[3] == "tide"])


_KILLED = """
import os, signal
from pathlib import Path
from antiphon.node import match_again, open_look_up
home, seen = Path({home!r}), []
def step(done):
    seen.append(done)
    if len(seen) == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
with open_look_up(home) as look_up:
    match_again(Path({out!r}), look_up, progress=step)
"""


def test_matches_of_bank_files_stay(world):
    """They come from elsewhere; matching again with the register's banks must not drop them."""
    row = dict.fromkeys(MATCHES.names, "x") | {"material_id": "f" * 32, "bank": "a-file", "distance": 0, "threshold": 0}
    with Lake(world.out / "lake") as lake:
        found = [pa.Table.from_pylist([row | {"effect": "known"}], MATCHES), *bank_matches(world.look_up, lake)]
        lake.replace("matches", pa.concat_tables(found))
    world.banks.disable("tide", WHO)
    world.again()
    assert [row[3] for row in world.matches()] == ["a-file"]


def test_what_analysis_matched_is_not_matched_again(world):
    """It writes the table itself; that it is complete is known all the same."""
    with Lake(world.out / "lake") as lake:
        lake.replace("matches", pa.concat_tables(list(bank_matches(world.look_up, lake))))
    steps: list[rematch.Step] = []
    world.again(progress=steps.append)
    assert steps == []


def test_a_table_that_somebody_else_wrote_is_matched_whole(world):
    """Nothing is known of what it lacks."""
    expected = world.matches()
    with Lake(world.out / "lake") as lake:
        lake.replace("matches", MATCHES.empty_table())
    assert world.again().new == len(expected)
    assert world.matches() == expected


def test_what_a_withdrawn_entry_led_to_is_written_down(world):
    """With who withdrew it and why; once, however often the run is repeated."""
    world.banks.disable("tide", WHO)
    world.add("moor", 2)
    world.again()
    (world.out / LOOK_AGAIN_FILE).unlink()
    [entry] = world.banks.store.entries("moor")
    world.banks.withdraw("moor", [entry.entry_id], WHO, "a lamp shop's name")
    killed_after(world, 2)
    world.again()
    world.again()
    lines = list(map(orjson.loads, (world.out / LOOK_AGAIN_FILE).read_bytes().splitlines()))
    assert [line["material_id"] for line in lines] == [f"{n:032x}" for n in (2, 6)]
    assert lines[0]["no_longer"][0]["why"] == "withdrawn by k.vell: a lamp shop's name"


def test_an_entry_whose_time_is_over_matches_no_longer(world):
    """Nobody acts when a time comes."""
    world.banks.disable("tide", WHO)
    world.add("moor", 2, days=2)
    assert world.again().counts == {"known": 2}
    world.now += timedelta(days=3)
    assert (world.again().counts, world.again().gone) == ({}, 0)
