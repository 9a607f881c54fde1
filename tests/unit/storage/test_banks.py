"""Banks in the register: each act and its line in the log, lists of any size, what an index and a person read back."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from antiphon.errors import InputError, MissingError
from antiphon.model.bank import SIGNAL_BYTES, Bank, BankEntry
from antiphon.storage.banks import BATCH_ROWS, ENTRIES, Act, BankStore
from antiphon.storage.register import Register

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def signal(number: int) -> bytes:
    return md5(str(number).encode(), usedforsecurity=False).digest()


def entry(number: int, **fields) -> BankEntry:
    return BankEntry("harbour", f"e{number}", "md5", signal(number), **fields)


def lines(entries) -> list[tuple[str, BankEntry | str]]:
    return [(f"line {number}", item) for number, item in enumerate(entries, 1)]


def counts(done) -> tuple[int, int, int, int, int]:
    return done.read, done.added, done.known, done.changed, done.refused


def kinds(store: BankStore) -> list[str]:
    return [change.kind for change in store.changes_since()]


def indexed(store: BankStore, signal_type: str = "md5", **how) -> list[str]:
    return [entry_id for batch in store.entries_of(signal_type, **how) for entry_id in batch["entry_id"].to_pylist()]


@pytest.fixture
def harbour(store, act) -> BankStore:
    """A store with one empty bank."""
    store.create(Bank("harbour"), act)
    return store


# --- banks


def test_a_bank_comes_back_as_it_was_made(store, act):
    """With all that is said of it."""
    made = Bank("harbour", "negative", "the Quay Watch", "CC0", "green", "Cards", False, True, {"pdq": 24})
    store.create(made, act)
    assert store.list_banks() == {"harbour": (made, 0)}
    assert store.view("harbour").bank == made


@pytest.mark.parametrize(
    "wrong",
    [
        Bank(""), Bank("two words"), Bank("-b"), Bank("x" * 65), Bank("b", purpose="other"), Bank("b", marking="white"),
        Bank("b", thresholds={"nose": 1}), Bank("b", thresholds={"sha256": 1}), Bank("b", thresholds={"pdq": -1}),
    ],
)  # fmt: skip
def test_a_bank_that_cannot_be_is_refused(store, act, wrong):
    """Before anything is written."""
    with pytest.raises(InputError):
        store.create(wrong, act)
    assert store.last_seq() == 0


def test_a_name_is_taken_once(harbour, act):
    """Two banks of one name could not be told apart in a match."""
    with pytest.raises(InputError, match="of that name"):
        harbour.create(Bank("harbour"), act)


def test_settings_change_and_are_logged_once(harbour, act):
    """Setting what is set already is no change, and no line that an index would have to read."""
    assert harbour.set_enabled("harbour", False, act)
    assert not harbour.set_enabled("harbour", False, act)
    assert harbour.set_shadow("harbour", True, act)
    assert harbour.set_threshold("harbour", "pdq", 24, act)
    bank = harbour.view("harbour").bank
    assert (bank.enabled, bank.shadow, bank.thresholds) == (False, True, {"pdq": 24})
    assert kinds(harbour) == ["bank_created"] + ["bank_changed"] * 3
    assert harbour.changes_since()[-1].detail == {"threshold": {"pdq": 24}}


def test_a_threshold_can_be_given_back(harbour, act):
    """Then the signal type's own holds again."""
    harbour.set_threshold("harbour", "pdq", 24, act)
    harbour.set_threshold("harbour", "pdq", None, act)
    assert harbour.view("harbour").bank.thresholds == {}


def test_a_deleted_bank_is_gone_and_its_log_stays(harbour, act):
    """And its rows are not given to another bank: an index would take the one for the other."""
    harbour.add_all("harbour", lines(map(entry, range(3))), act)
    harbour.give_opinion("harbour", "e1", "confirmed", act)
    assert harbour.delete("harbour", act) == 3
    assert harbour.list_banks() == {}
    assert indexed(harbour) == []
    harbour.create(Bank("harbour"), act)
    assert harbour.add(entry(1), act) == 4
    assert kinds(harbour) == ["bank_created", "added", "confirmed", "bank_deleted", "bank_created", "added"]


def test_what_an_interrupted_deletion_left_is_not_seen_and_goes_with_the_next(harbour, act, register):
    """A bank of millions takes a while to delete."""
    harbour.add_all("harbour", lines(map(entry, range(3))), act)
    with register.writing() as connection:
        connection.exec_driver_sql("UPDATE banks SET name = NULL")
    assert (indexed(harbour), harbour.entries_at([1]), harbour.entries_with("md5", signal(1))) == ([], {}, [])
    harbour.create(Bank("quay"), act)
    harbour.delete("quay", act)
    with register.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM bank_entries").scalar() == 0


@pytest.mark.parametrize("call", ["view", "entries", "delete", "add_all", "hold", "entry", "opinion"])
def test_a_bank_that_is_not_there_is_told(store, act, call):
    """By name, whatever was to be done with it."""
    acts = {
        "view": lambda: store.view("nowhere"),
        "entries": lambda: list(store.entries("nowhere")),
        "delete": lambda: store.delete("nowhere", act),
        "add_all": lambda: store.add_all("nowhere", [], act),
        "hold": lambda: store.hold("nowhere", ["e1"], act),
        "entry": lambda: store.entry("nowhere", "e1"),
        "opinion": lambda: store.give_opinion("nowhere", "e1", "confirmed", act),
    }
    with pytest.raises(MissingError, match="bank nowhere"):
        acts[call]()


# --- who acts


@pytest.mark.parametrize("by", ["", "Mira Holt", "mira@quay.example", "x" * 65])
def test_a_name_that_may_be_a_persons_is_refused(by):
    """The log is kept for ever: pseudonyms only, no addresses."""
    with pytest.raises(InputError, match="who acts"):
        Act(by, NOON)


def test_an_instant_without_a_zone_is_refused():
    """It would be another instant on another machine."""
    with pytest.raises(InputError, match="time zone"):
        Act("reviewer-7", datetime(2026, 3, 1))  # noqa: DTZ001 - that is what is refused


# --- entries


def test_an_entry_comes_back_as_it_was_added(harbour, act):
    """With every field, the instants to the microsecond."""
    whole = entry(
        1, label="card", entity="Ash Lantern", note="found at the quay", source="Quay Watch", marking="red",
        valid_from=NOON, valid_until=NOON + DAY + timedelta(microseconds=7), more={"batch": [1, {"a": None}]},
    )  # fmt: skip
    row = harbour.add(whole, act)
    view = harbour.entry("harbour", "e1")
    assert (view.rowid, view.entry, view.opinions, view.disputed) == (row, whole, (), False)
    assert [(change.kind, change.by, change.at, change.reason) for change in view.history] == [
        ("added", act.by, act.at, act.reason)
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"entry_id": ""}, {"entry_id": "x" * 401}, {"entry_id": "a\nb"}, {"signal_type": "nose"}, {"value": b"short"},
        {"signal_type": "vpdq", "value": bytes(34)}, {"signal_type": "text", "value": b"\xff"},
        {"signal_type": "phrase", "value": b"  "}, {"status": "gone"}, {"marking": "white"}, {"label": "\ud800"},
        {"note": "a\0b"}, {"more": {"a": {1}}}, {"valid_from": NOON, "valid_until": NOON},
        {"valid_from": datetime(2026, 3, 1)},  # noqa: DTZ001 - that is what is refused
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_entry_is_refused_by_itself_and_in_a_list(harbour, act, fields):
    """With a reason that holds nothing of its value; the rest of the list goes in."""
    wrong = replace(entry(1), **fields)
    with pytest.raises(InputError):
        harbour.add(wrong, act)
    done = harbour.add_all("harbour", lines([entry(2), wrong]), act)
    assert counts(done) == (2, 1, 0, 0, 1)
    assert done.refusals[0].where == "line 2"


def test_an_id_is_taken_once(harbour, act):
    """By hand a second entry of one id is a slip, not a change."""
    harbour.add(entry(1), act)
    with pytest.raises(InputError, match="taken"):
        harbour.add(entry(1), act)


@pytest.mark.parametrize("signal_type", SIGNAL_BYTES)
def test_values_of_every_signal_type_are_kept_and_found(harbour, act, signal_type):
    """Long ones too: an index over whole values would refuse them."""
    size = SIGNAL_BYTES[signal_type]
    value = bytes(range(size)) if size else ("the ash lantern " * 9_900).encode()  # 158,400 bytes, 4,800 frames
    made = replace(entry(1), signal_type=signal_type, value=value)
    harbour.add(made, act)
    assert harbour.entries_with(signal_type, value) == [made]
    assert indexed(harbour, signal_type) == ["e1"]


def test_states_follow_the_acts(harbour, act):
    """Held and back, withdrawn and back; each change is one line."""
    harbour.add(entry(1), act)
    for do, status in (
        (harbour.hold, "held"), (harbour.release, "active"), (harbour.hold, "held"), (harbour.withdraw, "withdrawn"),
        (harbour.release, "withdrawn"), (harbour.hold, "withdrawn"), (harbour.reinstate, "active"),
    ):  # fmt: skip
        do("harbour", ["e1"], act)
        assert harbour.entry("harbour", "e1").entry.status == status
        assert indexed(harbour) == (["e1"] if status == "active" else [])
    assert kinds(harbour)[2:] == ["held", "released", "held", "withdrawn", "reinstated"]


def test_an_act_on_many_is_done_whole_or_not_at_all(harbour, act):
    """A wrong id in a list of ten would otherwise leave nine done and nobody knowing which."""
    harbour.add_all("harbour", lines(map(entry, range(3))), act)
    with pytest.raises(MissingError, match="e9"):
        harbour.withdraw("harbour", ["e0", "e9"], act)
    assert harbour.withdraw("harbour", ["e0", "e1", "e0"], act) == 2
    assert indexed(harbour) == ["e2"]


def test_people_may_differ_on_an_entry(harbour, act):
    """One opinion a person, the last one counts, the log has all; the entry goes on matching."""
    harbour.add(entry(1), act)
    other = replace(act, by="reviewer-8", reason="a newspaper's photograph")
    harbour.give_opinion("harbour", "e1", "confirmed", act)
    view = harbour.give_opinion("harbour", "e1", "deconfirmed", other)
    assert view.disputed
    assert [(o.by, o.opinion, o.reason) for o in view.opinions][1] == ("reviewer-8", "deconfirmed", other.reason)
    assert not harbour.give_opinion("harbour", "e1", "confirmed", other).disputed
    assert kinds(harbour)[2:] == ["confirmed", "deconfirmed", "confirmed"]
    assert indexed(harbour) == ["e1"]


# --- lists


def test_the_same_list_again_adds_nothing(harbour, act):
    """So an import that was cut off is simply run again."""
    entries = lines(map(entry, range(25)))
    assert counts(harbour.add_all("harbour", entries, act)) == (25, 25, 0, 0, 0)
    before = harbour.last_seq()
    assert counts(harbour.add_all("harbour", entries, act)) == (25, 0, 25, 0, 0)
    assert harbour.last_seq() == before


def test_a_batch_is_one_line_of_the_log(harbour, act):
    """With the rows that it is about, which the history of each of its entries has."""
    harbour.add_all("harbour", lines(map(entry, range(BATCH_ROWS + 5))), act)
    spans = [(change.first_row, change.last_row, change.entry_id) for change in harbour.changes_since(1)]
    assert spans == [(1, BATCH_ROWS, None), (BATCH_ROWS + 1, BATCH_ROWS + 5, None)]
    assert [change.first_row for change in harbour.entry("harbour", "e7").history] == [1]


def test_a_list_changes_what_differs(harbour, act):
    """And the log says which fields, not what stood in them."""
    harbour.add_all("harbour", lines([entry(1), entry(2)]), act)
    done = harbour.add_all("harbour", lines([entry(1), replace(entry(2), label="card", value=signal(3))]), act)
    assert counts(done) == (2, 0, 1, 1, 0)
    assert harbour.entry("harbour", "e2").entry.value == signal(3)
    assert harbour.changes_since()[-1].detail == {"fields": ["value", "label"]}


def test_a_list_does_not_undo_what_people_decided(harbour, act):
    """An entry that was withdrawn or held here stays so, though the list still has it."""
    entries = lines([entry(1), entry(2)])
    harbour.add_all("harbour", entries, act)
    harbour.withdraw("harbour", ["e1"], act)
    harbour.hold("harbour", ["e2"], act)
    assert counts(harbour.add_all("harbour", entries, act)) == (2, 0, 2, 0, 0)
    assert indexed(harbour) == []


def test_what_a_list_withdraws_is_withdrawn(harbour, act):
    """A retraction has to reach those who took the list over."""
    harbour.add_all("harbour", lines([entry(1)]), act)
    done = harbour.add_all("harbour", lines([entry(1, status="withdrawn")]), act)
    assert counts(done) == (1, 0, 0, 1, 0)
    assert kinds(harbour)[-1] == "withdrawn"
    assert indexed(harbour) == []


def test_an_id_that_stands_twice_counts_once(harbour, act):
    """Whether the two stand in one batch or far apart; otherwise each import would change it to and fro."""
    twice = [entry(1), replace(entry(1), label="other"), entry(1), *map(entry, range(2, BATCH_ROWS + 5))]
    entries = lines([*twice, replace(entry(1), label="third")])
    assert counts(harbour.add_all("harbour", entries, act)) == (BATCH_ROWS + 7, BATCH_ROWS + 4, 1, 0, 2)
    assert counts(harbour.add_all("harbour", entries, act)) == (BATCH_ROWS + 7, 0, BATCH_ROWS + 5, 0, 2)
    assert harbour.entry("harbour", "e1").entry.label is None


def test_progress_tells_what_is_committed(harbour, act):
    """Another process sees at least that many."""
    seen = []
    harbour.add_all(
        "harbour", lines(map(entry, range(2 * BATCH_ROWS + 1))), act,
        progress=lambda done: seen.append((done.added, harbour.view("harbour").total)),
    )  # fmt: skip
    assert seen == [(n, n) for n in (BATCH_ROWS, 2 * BATCH_ROWS, 2 * BATCH_ROWS + 1)]


def test_every_refusal_is_told_and_the_first_are_kept(harbour, act):
    """A list of nothing but faults must not fill the memory."""
    told = []
    done = harbour.add_all("harbour", ((str(n), "no entry") for n in range(1_500)), act, refused=told.append)
    assert (counts(done), len(told), len(done.refusals)) == ((1_500, 0, 0, 0, 1_500), 1_500, 1_000)


def test_a_list_that_breaks_off_leaves_whole_batches(harbour, act):
    """Whatever its reader raises."""

    def broken():
        yield from lines(map(entry, range(BATCH_ROWS + 50)))
        raise InputError("cut off", do="Get it whole.")

    with pytest.raises(InputError, match="cut off"):
        harbour.add_all("harbour", broken(), act)
    assert harbour.view("harbour").total == BATCH_ROWS


def test_a_bank_deleted_during_an_import_ends_it(harbour, act):
    """And the rest does not go to another one."""

    def entries():
        yield from lines(map(entry, range(BATCH_ROWS)))
        harbour.delete("harbour", act)
        yield from lines(map(entry, range(BATCH_ROWS, BATCH_ROWS + 5)))

    with pytest.raises(MissingError):
        harbour.add_all("harbour", entries(), act)
    assert indexed(harbour) == []


ids = st.sampled_from(["e1", "e2", "e3", "e4", "", "a\nb"])
values = st.one_of(st.sampled_from([signal(1), signal(2)]), st.binary(max_size=3))
statuses = st.sampled_from(["active", "held", "withdrawn", "gone"])
listed = st.lists(
    st.builds(BankEntry, st.just(""), ids, st.sampled_from(["md5", "phrase", "nose"]), values, status=statuses)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=listed, second=listed)
def test_the_totals_add_up_and_a_repeated_list_changes_nothing(tmp_path_factory, act, first, second):
    """For any two lists, good and bad entries mixed, ids standing twice."""
    with Register(tmp_path_factory.mktemp("register")) as register:
        store = BankStore(register)
        store.create(Bank("harbour"), act)
        for entries in (first, second, second):
            done = store.add_all("harbour", lines(entries), act)
            assert done.read == done.added + done.known + done.changed + done.refused == len(entries)
        assert done.added == done.changed == 0
        changes = store.changes_since()
        assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
        assert store.view("harbour").total == sum(c.last_row - c.first_row + 1 for c in changes if c.kind == "added")


# --- what an index reads


def test_active_entries_come_as_batches_in_the_order_of_their_rows(harbour, act):
    """Of all banks that are enabled; of others where it is asked."""
    harbour.create(Bank("quay"), act)
    harbour.add_all("harbour", lines(map(entry, range(3))), act)
    harbour.add(replace(entry(1), bank="quay"), act)
    harbour.withdraw("harbour", ["e0"], act)
    table = pa.Table.from_batches(harbour.entries_of("md5"), ENTRIES)
    assert table["rowid"].to_pylist() == [2, 3, 4]
    assert table["bank"].to_pylist() == ["harbour", "harbour", "quay"]
    assert table["value"].to_pylist() == [signal(1), signal(2), signal(1)]
    harbour.set_enabled("harbour", False, act)
    assert indexed(harbour) == ["e1"]
    assert indexed(harbour, disabled_too=True) == ["e1", "e2", "e1"]


def test_an_index_asks_for_what_is_new(harbour, act):
    """By the last row that it has."""
    harbour.add_all("harbour", lines(map(entry, range(3))), act)
    assert indexed(harbour, after=2) == ["e2"]
    assert indexed(harbour, after=3) == []


def test_pages_join_without_a_gap(harbour, act, monkeypatch):
    """No entry is left out or read twice where one page ends and the next begins."""
    monkeypatch.setattr("antiphon.storage.banks.READ_ROWS", 7)
    monkeypatch.setattr("antiphon.storage.banks.BATCH_ROWS", 7)
    harbour.add_all("harbour", lines(map(entry, range(22))), act)
    assert indexed(harbour) == [f"e{n}" for n in range(22)]
    assert [found.entry_id for found in harbour.entries("harbour")] == [f"e{n}" for n in range(22)]


@pytest.mark.parametrize(
    "read", [lambda s: s.entries_of("md5"), lambda s: s.entries("harbour")], ids=["index", "export"]
)
def test_no_page_is_sorted(tmp_path, act, read):
    """Sorting all for each page made an export of a million three times slower, and nothing but the plan shows it."""
    asked = []
    with Register(tmp_path) as register:
        store = BankStore(register)
        store.create(Bank("harbour"), act)
        store.add_all("harbour", lines(map(entry, range(50))), act)
        event.listen(register.engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
        list(read(store))
        pages = [(sql, values) for sql, values in asked if "FROM bank_entries" in sql]
        with register.reading() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in pages]
    assert plans
    assert "TEMP B-TREE" not in str(plans)


def test_validity_ends_and_begins_at_its_instant(harbour, act):
    """From the first instant on, up to but not including the last."""
    harbour.add(entry(1, valid_from=NOON, valid_until=NOON + DAY), act)
    moments = (NOON - timedelta(microseconds=1), NOON, NOON + DAY - timedelta(microseconds=1), NOON + DAY)
    assert [indexed(harbour, at=moment) for moment in moments] == [[], ["e1"], ["e1"], []]
    assert indexed(harbour) == ["e1"]


def test_entries_whose_time_came_are_told(harbour, act):
    """Nobody acts then, so no line of the log tells it."""
    harbour.add(entry(1, valid_from=NOON), act)
    harbour.add(entry(2, valid_until=NOON + DAY), act)
    assert harbour.turned(NOON - DAY, NOON) == [1]
    assert harbour.turned(NOON, NOON + DAY) == [2]


def test_following_the_log_gives_what_reading_anew_gives(harbour, act):
    """The promise to an index: the rows so far, then the changes since, lose and invent nothing."""
    harbour.add_all("harbour", lines(map(entry, range(6))), act)
    seq, kept = harbour.last_seq(), set(indexed(harbour))
    harbour.hold("harbour", ["e1", "e2"], act)
    harbour.release("harbour", ["e2"], act)
    harbour.withdraw("harbour", ["e3"], act)
    harbour.add_all("harbour", lines(map(entry, range(4, 9))), act)
    for change in harbour.changes_since(seq):
        for found in harbour.entries_at(range(change.first_row, change.last_row + 1)).values():
            (kept.add if found.status == "active" else kept.discard)(found.entry_id)
    assert sorted(kept) == sorted(indexed(harbour)) == ["e0", "e2", "e4", "e5", "e6", "e7", "e8"]


def test_the_log_can_be_read_in_parts(harbour, act):
    """It grows for ever."""
    harbour.create(Bank("quay"), act)
    for number in range(5):
        harbour.add(entry(number), act)
    first = harbour.changes_since(0, limit=4)
    assert [change.seq for change in [*first, *harbour.changes_since(first[-1].seq)]] == list(range(1, 8))
    assert [change.kind for change in harbour.changes_since(bank="quay")] == ["bank_created"]
    assert harbour.last_seq() == 7


# --- several writers


WRITER = """
import sys
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from antiphon.model.bank import BankEntry
from antiphon.storage.banks import Act, BankStore
from antiphon.storage.register import Register
where, prefix, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = BankStore(Register(where if "://" in where else Path(where)))
act = Act(prefix, datetime.now(UTC), "invented for a test")
items = ((str(n), BankEntry("", f"{prefix}{n}", "md5", md5(f"{prefix}{n}".encode()).digest())) for n in range(number))
print("ready", flush=True)
store.add_all("harbour", items, act, progress=lambda done: print(done.added + done.known, flush=True))
"""


def writer(address, prefix: str, number: int) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, str(address), prefix, str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_at_once(harbour, address):
    """Each gets its turn, all is there, and no number or row is given twice."""
    processes = [writer(address, prefix, 3 * BATCH_ROWS) for prefix in ("one", "two")]
    assert [process.communicate(timeout=120)[1] for process in processes] == ["", ""]
    changes = harbour.changes_since(1)
    rows = [row for change in changes for row in range(change.first_row, change.last_row + 1)]
    assert rows == list(range(1, 6 * BATCH_ROWS + 1))
    assert harbour.view("harbour").total == 6 * BATCH_ROWS
    assert {change.by for change in changes} == {"one", "two"}


KILLS = 24


@pytest.mark.slow
def test_imports_killed_at_random_moments_lose_nothing_and_are_completed(address, act):
    """What was told as committed is there, entries and log agree to the batch, and the same import again ends it."""
    rng, number, kills, rounds = random.Random(7), 6 * BATCH_ROWS, 0, 0
    with Register(address) as register:
        store = BankStore(register)
        while kills < KILLS:
            prefix, rounds = f"r{rounds}-", rounds + 1
            if "harbour" in store.list_banks():
                store.delete("harbour", act)
            store.create(Bank("harbour"), act)
            for _ in range(rng.randint(2, 6)):
                told = killed_after(writer(address, prefix, number), rng.uniform(0.0, 0.6))
                with register.writing():
                    pass  # a server may be about to finish what the killed one asked for
                total, kills = store.view("harbour").total, kills + 1
                assert told <= total
                assert total % BATCH_ROWS == 0
                assert total == in_the_log(store) == sum(batch.num_rows for batch in store.entries_of("md5"))
            assert writer(address, prefix, number).communicate(timeout=120)[1] == ""
            assert store.view("harbour").total == in_the_log(store) == number


def killed_after(process: subprocess.Popen, wait_s: float) -> int:
    """Kill an import a while after it began; return how many entries it told as committed."""
    assert process.stdout.readline() == "ready\n"
    time.sleep(wait_s)
    process.kill()
    told = process.communicate()[0].split()
    return int(told[-1]) if told else 0


def in_the_log(store: BankStore) -> int:
    """Return how many entries were added to the bank that is there now."""
    number = 0
    for change in store.changes_since(bank="harbour"):
        number = 0 if change.kind == "bank_created" else number
        number += change.last_row - change.first_row + 1 if change.kind == "added" else 0
    return number


def test_a_stamp_differs_once_an_entry_of_its_types_changes(store, act):
    """An index of words is built again then, and only then."""
    store.create(Bank("harbour"), act)
    entries = [BankEntry("harbour", f"e{n}", "phrase", f"phrase {n}".encode()) for n in range(3)]
    stamps = [store.stamp(["phrase", "text"])]
    for do in (
        lambda: store.add(entries[0], act),
        lambda: store.add(entries[1], act),
        lambda: store.withdraw("harbour", ["e0"], act),
        lambda: (store.withdraw("harbour", ["e1"], act), store.reinstate("harbour", ["e0"], act)),
    ):
        do()
        stamps.append(store.stamp(["phrase", "text"]))
    assert len(set(stamps)) == len(stamps)
    store.add(BankEntry("harbour", "other", "sha256", bytes(32)), act)
    assert store.stamp(["phrase", "text"]) == stamps[-1]
