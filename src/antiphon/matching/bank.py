"""Bank files: curated signals of known material, read from CSV, JSON lines or plain text.

============  ==============================================================================================
CSV           a header with `entry_id`, `signal_type`, `value` and, if wanted, `label`
JSON lines    one object a line with the same names
TXT           one entry a line: signal type, a space or colon, value; `#` begins a comment; the line is its id
============  ==============================================================================================

Signal types: `pdq`, `sha256`, `text_exact`, `text_near` with the value in hex; `text` with a text, which becomes the
two text signals and is then forgotten.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson

from antiphon.errors import ConfigError, InputError, MissingError

__all__ = ["VALUE_BYTES", "Bank", "Entries", "TextSignals", "read_bank"]

VALUE_BYTES = {"pdq": 32, "sha256": 32, "text_exact": 16, "text_near": 128}
"""The signal types that a bank file may hold, and how long their values are."""

TextSignals = Callable[[str], Mapping[str, bytes]]
"""What turns a text into its signals by name; the fingerprints room has one."""

MAX_FAULTS = 100
COLUMNS = ("entry_id", "signal_type", "value")
_TXT_LINE = re.compile(r"^(\w+)(?:\s*:\s*|\s+)(.+)$", re.DOTALL)


@dataclass
class Entries:
    """Entries of one signal type: `ids` and `values` side by side, in the order of the file."""

    ids: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)


@dataclass
class Bank:
    """A named set of entries by signal type; `labels` says what the curators call an entry."""

    name: str
    entries: dict[str, Entries] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class _Row(NamedTuple):
    line: int
    cells: Mapping[str, object]


class _FaultError(Exception):
    """A fault in one cell: its column, what is wrong, what to do."""

    def __init__(self, column: str, what: str, do: str) -> None:
        super().__init__(what)
        self.column, self.what, self.do = column, what, do


def read_bank(path: Path, *, text_signals: TextSignals | None = None) -> Bank:
    """Return the bank that a file holds; its name is the file's, without the ending.

    Args:
        path: A `.csv`, `.jsonl` (or `.ndjson`) or `.txt` file in UTF-8.
        text_signals: What turns the texts of a bank into signals; only a bank with `text` entries needs it.

    Raises:
        MissingError: There is no such file.
        ConfigError: The bank has `text` entries and `text_signals` is None.
        ExceptionGroup: Of InputError, one for each fault with file, line and column; at most 100, then their number.
    """
    if not path.is_file():
        raise MissingError("there is no such bank file", where=str(path), do="Check the path given as bank.")
    bank, more = Bank(path.stem), 0
    faults: list[InputError] = []
    taken: set[tuple[str, str]] = set()
    rows = _rows(path)
    while True:
        line: int | None = None
        try:
            row = next(rows, None)
            if row is None:
                break
            line = row.line
            _add(bank, row.cells, taken, text_signals, path)
        except _FaultError as fault:
            more += len(faults) >= MAX_FAULTS
            if len(faults) < MAX_FAULTS:
                faults.append(_error(path, line, fault))
            if line is None:
                break
    if faults:
        count = f"{len(faults)} faults" + (f" and {more} more" if more else "")
        raise ExceptionGroup(f"bank {path}: {count}", faults)
    return bank


def _error(path: Path, line: int | None, fault: _FaultError) -> InputError:
    where = f"{path}" + (f", line {line}" if line else "") + (f", column {fault.column}" if fault.column else "")
    return InputError(fault.what, where=where, do=fault.do)


def _rows(path: Path) -> Iterator[_Row]:
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows, ".txt": _txt_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _FaultError("", "the ending is none of .csv, .jsonl, .txt", "Rename the file for what it holds.")
    yield from reader(path)


def _csv_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise _FaultError(
                missing[0],
                f"the header lacks {', '.join(missing)}",
                "Begin the file with the line entry_id,signal_type,value,label.",
            )
        try:
            for cells in reader:
                yield _Row(reader.line_num, cells)
        except csv.Error:
            what = f"the file is no CSV after line {reader.line_num}"
            raise _FaultError("", what, "Look for an unclosed quotation mark.") from None


def _json_rows(path: Path) -> Iterator[_Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                cells = orjson.loads(line)
            except orjson.JSONDecodeError:
                cells = None
            yield _Row(number, cells if isinstance(cells, dict) else {"not_json": True})


def _txt_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = _TXT_LINE.match(line.strip())
            kind, value = found.groups() if found else ("", "")
            yield _Row(number, {"entry_id": f"line-{number}", "signal_type": kind, "value": value})


def _add(
    bank: Bank,
    cells: Mapping[str, object],
    taken: set[tuple[str, str]],
    text_signals: TextSignals | None,
    path: Path,
) -> None:
    """Add one row to the bank: one entry, or the two of a text."""
    if "not_json" in cells:
        raise _FaultError("", "the line is no JSON object", 'Write one {"entry_id": ..., ...} a line.')
    entry_id, kind, value = (_cell(cells, name) for name in COLUMNS)
    signals = {kind: value} if kind != "text" else {}
    values = {name: _from_hex(name, text) for name, text in signals.items()}
    if kind == "text":
        values = _from_text(value, text_signals, path)
    for name, signal in values.items():
        if (entry_id, name) in taken:
            raise _FaultError("entry_id", f"the id stands twice for {name}", "Give every entry an id of its own.")
        taken.add((entry_id, name))
        entries = bank.entries.setdefault(name, Entries())
        entries.ids.append(entry_id)
        entries.values.append(signal)
    label = cells.get("label")
    if isinstance(label, str) and label:
        bank.labels[entry_id] = label


def _cell(cells: Mapping[str, object], column: str) -> str:
    value = cells.get(column)
    if isinstance(value, int) and column == "entry_id":
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise _FaultError(column, "the cell is empty or no text", f"Fill in the {column}.")
    return value.strip()


def _from_hex(kind: str, value: str) -> bytes:
    size = VALUE_BYTES.get(kind)
    if size is None:
        known = ", ".join([*VALUE_BYTES, "text"])
        raise _FaultError("signal_type", f"the signal type is none of {known}", "Leave out what can't be compared.")
    try:
        found = bytes.fromhex(value)
    except ValueError:
        raise _FaultError("value", f"the {kind} value is no hex number", "Write two digits a byte.") from None
    if len(found) != size:
        raise _FaultError("value", f"the {kind} value has {len(found)} bytes, expected {size}", "Copy it whole.")
    return found


def _from_text(value: str, text_signals: TextSignals | None, path: Path) -> dict[str, bytes]:
    if text_signals is None:
        raise ConfigError(
            "the bank holds texts, and nothing was given that fingerprints them",
            where=str(path),
            do="Hand `text_signals` to the stage; the node hands it the one of the fingerprints room.",
        )
    signals = dict(text_signals(value))
    if not signals:
        raise _FaultError("value", "the text is too short to tell apart", "Use texts of 12 letters or more.")
    return signals
