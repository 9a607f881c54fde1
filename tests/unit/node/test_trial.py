"""What a list on trial, or another threshold, would change: told, and then done, it comes to the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from antiphon import node
from antiphon.cli.main import cli
from antiphon.errors import InputError, MissingError
from antiphon.model.bank import Bank, BankEntry
from antiphon.node import asked
from antiphon.node.banks import text_entry
from antiphon.storage.lake import Lake

WHO = "k.vell"
TEXTS = (
    "The blue lantern is lit again on the pier of Varnholt",
    "A blue lantern for the harbour feast, says the harbour office",
    "Rain until Thursday, says the harbour office of Brask",
    "Nothing happened on the quay today",
)
TRIED = [
    {"bank": "trial"},
    {"bank": "trial", "signal_type": "pdq", "distance": 10},
    {"bank": "trial", "signal_type": "pdq", "distance": 60},
    {"bank": "tide", "signal_type": "pdq", "distance": 60},
    {"bank": "tide", "signal_type": "pdq", "distance": 5},
]


def flipped(bits: int) -> bytes:
    """Return a picture's signal so many bits from the first."""
    value = np.unpackbits(np.random.default_rng(3).integers(0, 256, 32, dtype=np.uint8))
    value[:bits] ^= 1
    return np.packbits(value).tobytes()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with a bank that matches, one on trial, and one of what was decided to be no case."""
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "home"))
    settings, _ = node.initialise()
    with node.open_banks(settings.home) as banks:
        for bank in (Bank("tide"), Bank("trial", shadow=True), Bank("cleared", purpose="negative")):
            banks.create(bank, WHO)
        for bank, words in (("tide", "blue lantern"), ("trial", "harbour office"), ("cleared", "office of brask")):
            banks.add(text_entry(BankEntry(bank, "", "phrase", b""), words, "phrase"), WHO)
        banks.add(BankEntry("trial", "picture", "pdq", flipped(0)), WHO)
        banks.add(BankEntry("tide", "picture", "pdq", flipped(80)), WHO)
    return settings.home


@pytest.fixture
def out(home: Path, tmp_path: Path) -> Path:
    """Four posts that were read and matched, each with a picture a little further from the entry."""
    posts = [{"id": n, "text": said, "date": f"2026-03-0{n + 1}T08:00:00Z"} for n, said in enumerate(TEXTS)]
    read = tmp_path / "posts.jsonl"
    read.write_bytes(b"\n".join(map(orjson.dumps, posts)))
    folder = tmp_path / "out"
    node.analyse(node.Options((read,), folder, 1, register=home, analyser="linear"), node.load_settings(home))
    with Lake(folder / "lake") as lake:
        signals = lake.query("SELECT * FROM numbered_signals")
        ids = lake.query("SELECT material_id FROM materials ORDER BY native_id").column(0).to_pylist()
        pictures = [
            {"material_id": one, "part": "media/0", "signal_type": "pdq", "value": flipped(20 * n), "commit": 0}
            for n, one in enumerate(ids)
        ]
        lake.replace("signals", signals.from_pylist(signals.to_pylist() + pictures, signals.schema))
    with node.open_look_up(home) as look_up:
        node.match_again(folder, look_up, full=True)
    return folder


def known(out: Path) -> set[str]:
    """The materials that match known material."""
    found = Lake(out / "lake").query("SELECT DISTINCT material_id FROM matches WHERE effect = 'known'")
    return set(found.column(0).to_pylist())


@pytest.mark.parametrize("tried", TRIED)
@pytest.mark.parametrize("rows", [1, 10_000])
def test_what_is_told_is_what_happens(out, home, monkeypatch, tried: Mapping[str, object], rows):
    """The law of a trial, whatever the size of a batch: nobody decides on figures that then turn out otherwise."""
    monkeypatch.setattr(asked, "_ROWS", rows)
    before = known(out)
    [trial] = node.shadow_report(out, home, **tried)
    with node.open_banks(home) as banks:
        if tried["bank"] == "trial":
            banks.shadow("trial", False, WHO)
        if "distance" in tried:
            banks.threshold(str(tried["bank"]), "pdq", tried["distance"], WHO)
    with node.open_look_up(home) as look_up:
        node.match_again(out, look_up)
    assert (trial.newly_known, trial.no_longer_known) == (len(known(out) - before), len(before - known(out)))


def test_a_trial_changes_nothing(out, home):
    """It is run to decide; until then it has no effect."""
    before = Lake(out / "lake").query("SELECT * FROM matches ORDER BY ALL")
    node.shadow_report(out, home, bank="trial", signal_type="pdq", distance=60)
    with node.open_look_up(home) as look_up:
        assert (node.match_again(out, look_up).new, look_up.banks.show("trial").bank.shadow) == (0, True)
    assert Lake(out / "lake").query("SELECT * FROM matches ORDER BY ALL").equals(before)


def test_examples_are_the_nearest_and_the_farthest(out, home):
    """One looks at both ends first."""
    with node.open_banks(home) as banks:
        for bank, kind in (("trial", "phrase"), ("tide", "pdq")):
            ids = [entry.entry_id for entry in banks.store.entries(bank) if entry.signal_type == kind]
            banks.withdraw(bank, ids, WHO, "not for this")
    with node.open_look_up(home) as look_up:
        node.match_again(out, look_up)
    [trial] = node.shadow_report(out, home, bank="trial", signal_type="pdq", distance=60)
    assert [one["distance"] for one in trial.nearest] == [40, 60]
    assert [one["distance"] for one in trial.farthest] == [60, 40]


def test_only_a_bank_on_trial_or_another_threshold_can_be_tried(out, home):
    """A report on a bank that has effect would tell of nothing."""
    with pytest.raises(InputError, match="not on trial"):
        node.shadow_report(out, home, bank="tide")
    with pytest.raises(MissingError, match="no such bank"):
        node.shadow_report(out, home, bank="ebb")


def test_the_command_line_tells_it(out, home):
    """Figures, then the share of protected readings, then examples."""
    told = CliRunner().invoke(cli, ["match", "shadow", str(out)]).output
    assert "If trial took effect" in told
    assert "newly known" in told
    [trial] = orjson.loads(CliRunner().invoke(cli, ["match", "shadow", str(out), "--json"]).output)
    assert trial["bank"] == "trial"
