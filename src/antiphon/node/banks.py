"""The banks of this node: opens its register and does one act a call, with the clock and the name of who acts."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from pathlib import Path
from typing import BinaryIO, Literal

import orjson

from antiphon import plugins
from antiphon.errors import InputError, MissingError, StorageError
from antiphon.exchange.interface import HEAD_BYTES, Exchange, Refused
from antiphon.exchange.listfile import EntryLines, EntryTable, PlainList
from antiphon.fingerprints.url import url_signals
from antiphon.model.bank import Bank, BankEntry, Status
from antiphon.node.signals import signals_of
from antiphon.storage.banks import (
    Act,
    BankStore,
    BankView,
    Change,
    EntryView,
    Imported,
    Located,
    Refusal,
)
from antiphon.storage.register import Register

__all__ = [
    "FORMATS_GROUP",
    "Bank",
    "BankEntry",
    "BankView",
    "Banks",
    "Change",
    "EntryView",
    "ImportOptions",
    "Imported",
    "Refusal",
    "address_entry",
    "formats",
    "open_banks",
    "text_entry",
]

FORMATS_GROUP = "antiphon.exchanges"
MAX_FILE_BYTES = 512 * 2**20


def _now() -> datetime:
    return datetime.now(UTC)


def open_banks(register: Path | str, *, clock: Callable[[], datetime] = _now) -> Banks:
    """Return the banks of a register; use it with `with`.

    Args:
        register: Its folder, or the URL of a database, see `Settings.register`.
        clock: What time it is.

    Raises:
        StorageError: the register can't be opened.
        ConfigError: it was made by a newer version, or the URL is none.
    """
    return Banks(Register(register), clock)


@dataclass(frozen=True)
class ImportOptions:
    """How a list is read.

    Attributes:
        format: Name of its form; None to tell by its beginning.
        signal_type: Of which type the values of a plain list are.
        label: What entries without a label are called.
        source: Who contributed entries that do not say so.
        refused_to: File for what is no entry, as JSON lines with place and reason; None: only counted.
    """

    format: str | None = None
    signal_type: str | None = None
    label: str | None = None
    source: str | None = None
    refused_to: Path | None = None


@dataclass
class Banks:
    """What may be done with banks, one method an act; `by` is a reviewer's pseudonym, `reason` stands in the log.

    Errors are those of `BankStore`: MissingError for what there is not, InputError for what can't be.
    """

    register: Register
    clock: Callable[[], datetime] = _now
    store: BankStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = BankStore(self.register)

    def __enter__(self) -> Banks:
        return self

    def __exit__(self, *_: object) -> None:
        self.register.close()

    def banks(self) -> dict[str, tuple[Bank, int]]:
        """Return all banks by name, each with the number of its entries."""
        return self.store.list_banks()

    def show(self, bank: str) -> BankView:
        """Return a bank and its entries counted by signal type and status."""
        return self.store.view(bank)

    def entry(self, bank: str, entry_id: str) -> EntryView:
        """Return an entry with its opinions and its history."""
        return self.store.entry(bank, entry_id)

    def log(self, since: int = 0, *, bank: str | None = None, limit: int = 10_000) -> list[Change]:
        """Return the changes after a number, oldest first."""
        return self.store.changes_since(since, limit=limit, bank=bank)

    def create(self, bank: Bank, by: str, reason: str = "") -> None:
        """Make an empty bank."""
        self.store.create(bank, self._act(by, reason))

    def delete(self, bank: str, by: str, reason: str) -> int:
        """Remove a bank and return how many entries it had; needs a reason."""
        return self.store.delete(bank, self._act(by, reason, needed=True))

    def enable(self, bank: str, by: str, reason: str = "") -> bool:
        """Let a bank be matched; return whether it was not before."""
        return self.store.set_enabled(bank, True, self._act(by, reason))

    def disable(self, bank: str, by: str, reason: str = "") -> bool:
        """Let a bank be matched no longer; return whether it was before."""
        return self.store.set_enabled(bank, False, self._act(by, reason))

    def shadow(self, bank: str, shadow: bool, by: str, reason: str = "") -> bool:
        """Let a bank's matches only be counted, or count fully again; return whether that changed anything."""
        return self.store.set_shadow(bank, shadow, self._act(by, reason))

    def threshold(self, bank: str, signal_type: str, distance: int | None, by: str, reason: str = "") -> bool:
        """Set the largest distance that is a match, None for the type's own; return whether that changed anything."""
        return self.store.set_threshold(bank, signal_type, distance, self._act(by, reason))

    def hold(self, bank: str, entry_ids: Sequence[str], by: str, reason: str) -> int:
        """Keep active entries back; return how many that changed; needs a reason."""
        return self.store.hold(bank, entry_ids, self._act(by, reason, needed=True))

    def release(self, bank: str, entry_ids: Sequence[str], by: str, reason: str = "") -> int:
        """Let held entries match again; return how many that changed."""
        return self.store.release(bank, entry_ids, self._act(by, reason))

    def withdraw(self, bank: str, entry_ids: Sequence[str], by: str, reason: str) -> int:
        """Let entries match no longer; return how many that changed; needs a reason."""
        return self.store.withdraw(bank, entry_ids, self._act(by, reason, needed=True))

    def reinstate(self, bank: str, entry_ids: Sequence[str], by: str, reason: str) -> int:
        """Let withdrawn entries match again; return how many that changed; needs a reason."""
        return self.store.reinstate(bank, entry_ids, self._act(by, reason, needed=True))

    def give_opinion(
        self, bank: str, entry_id: str, opinion: Literal["confirmed", "deconfirmed"], by: str, reason: str
    ) -> EntryView:
        """Record what a person holds of an entry, and return it; needs a reason."""
        return self.store.give_opinion(bank, entry_id, opinion, self._act(by, reason, needed=True))

    def add(self, entry: BankEntry, by: str, reason: str = "") -> int:
        """Add one entry and return its row."""
        return self.store.add(entry, self._act(by, reason))

    def add_file(self, template: BankEntry, path: Path, by: str, reason: str = "") -> list[BankEntry]:
        """Add every signal of a file, each as an entry of its own, and return those that were new.

        Args:
            template: The bank and what is known of the entries; id, type and value are the file's.
            path: A picture, a video or any file; it is read, and not kept.
            by: Who.
            reason: Why.
        """
        entries = [
            replace(template, entry_id=f"{template.entry_id or digest[:32]}-{name}", signal_type=name, value=value)
            for digest, name, value in _signals(path)
        ]
        found: list[BankEntry] = []
        for entry in entries:
            done = self.store.add_all(entry.bank, [(entry.signal_type, entry)], self._act(by, reason))
            found += [entry] if done.added else []
        return found

    def import_file(
        self, bank: str, path: Path, by: str, reason: str = "", options: ImportOptions | None = None,
        progress: Callable[[Imported, int], None] = lambda done, position: None,
    ) -> Imported:  # fmt: skip
        """Take a list into a bank, batch by batch, and return what became of it; the same again adds nothing.

        Args:
            bank: Into which bank.
            path: The list.
            by: Who.
            reason: Why; the file's name where nothing is said.
            options: How it is read.
            progress: Told what is committed, and how many bytes were read.
        """
        options = options or ImportOptions()
        act = self._act(by, reason or f"import of {path.name}")
        with ExitStack() as stack:
            stream = stack.enter_context(_reading(path))
            form = _recognised(stream, path.name, options)
            refused = _quarantine(stack, options.refused_to)
            entries = _completed(_located(form.read(stream)), options)
            return self.store.add_all(
                bank, entries, act, refused=refused, progress=lambda done: progress(done, _position(stream))
            )

    def export_file(
        self, bank: str, path: Path, format: str | None = None, *, signal_type: str | None = None,
        statuses: Sequence[Status] = ("active", "held", "withdrawn"),
    ) -> int:  # fmt: skip
        """Write the entries of a bank to a file, whole or not at all, and return how many there are."""
        form = _form_for(path, format, signal_type)
        known, counter = self.store.view(bank).bank, _Counter()
        fresh = path.with_name(path.name + ".part")
        try:
            with fresh.open("wb") as stream:
                entries = counter.counted(self.store.entries(bank, statuses=statuses), signal_type)
                form.write(bank=known, entries=entries, stream=stream)
            fresh.replace(path)
        except OSError as fault:
            raise StorageError(
                f"the file can't be written: {fault.strerror}", where=str(path), do="Choose another place."
            ) from fault
        finally:
            fresh.unlink(missing_ok=True)
        return counter.number

    def _act(self, by: str, reason: str, *, needed: bool = False) -> Act:
        if needed and not reason.strip():
            raise InputError("a reason is missing", where="reason", do="Say why, for those who read the log later.")
        return Act(by, self.clock(), reason.strip())


class _Counter:
    """Counts what passes."""

    def __init__(self) -> None:
        self.number = 0

    def counted(self, entries: Iterator[BankEntry], signal_type: str | None) -> Iterator[BankEntry]:
        for entry in entries:
            if signal_type in {None, entry.signal_type}:
                self.number += 1
                yield entry


def text_entry(template: BankEntry, text: str, signal_type: Literal["text", "phrase"]) -> BankEntry:
    """Return the entry of some words; its id, where none is given, hangs on the words alone and does not show them."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=b"antiphon-id").hexdigest()
    value = text.encode("utf-8", "surrogatepass")
    return replace(template, entry_id=template.entry_id or digest, signal_type=signal_type, value=value)


def address_entry(template: BankEntry, address: str, signal_type: Literal["url", "url_domain"]) -> BankEntry:
    """Return the entry of a web address or of its registered domain; the address stays in `more`, to be given on.

    Raises:
        InputError: there is nothing in it to compare.
    """
    value = url_signals(address if "://" in address else f"https://{address}").get(signal_type)
    if value is None:
        raise InputError(
            "it is no web address, or its domain is not registered", where=signal_type,
            do="Write it as https://host/path; a domain as the registered one alone.",
        )  # fmt: skip
    more = {**template.more, "address": address}
    return replace(template, entry_id=template.entry_id or value.hex(), signal_type=signal_type, value=value, more=more)


def _signals(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield the digest of a file, the name of a signal type that can read it, and its signal, for each."""
    with _reading(path) as stream:
        if os.fstat(stream.fileno()).st_size > MAX_FILE_BYTES:
            raise InputError(f"the file has over {MAX_FILE_BYTES} bytes", where=str(path), do="Add its digest instead.")
        content = stream.read()
    kind = mimetypes.guess_type(path.name)[0] or ""
    digest = sha256(content).hexdigest()
    for name, signal in signals_of(content, kind).items():
        yield digest, name, signal.value


def _completed(entries: Iterator[Located], options: ImportOptions) -> Iterator[Located]:
    """Fill in what a list does not say of its entries."""
    for where, item in entries:
        if isinstance(item, str) or (options.label is None and options.source is None):
            yield where, item
        else:
            yield where, replace(item, label=item.label or options.label, source=item.source or options.source)


def _quarantine(stack: ExitStack, path: Path | None) -> Callable[[Refusal], None]:
    """Return what writes refusals to a file that the stack closes."""
    if path is None:
        return lambda refusal: None
    try:
        file = stack.enter_context(path.open("wb"))
    except OSError as fault:
        raise StorageError(
            f"the file can't be written: {fault.strerror}", where=str(path), do="Choose another place."
        ) from fault

    def write(refusal: Refusal) -> None:
        file.write(orjson.dumps({"where": refusal.where, "reason": refusal.reason}, option=orjson.OPT_APPEND_NEWLINE))

    return write


def _reading(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as fault:
        raise MissingError(
            f"the file can't be read: {fault.strerror}", where=str(path), do="Check the path and its permissions."
        ) from fault


def _position(stream: BinaryIO) -> int:
    return 0 if stream.closed else os.lseek(stream.fileno(), 0, os.SEEK_CUR)


def formats(signal_type: str | None = None) -> dict[str, Exchange]:
    """Return all forms of lists by name: those that need no entry point, then those of `antiphon.exchanges`.

    Args:
        signal_type: Of which type the values of a plain list are.

    Raises:
        ConfigError: a plug-in can't be loaded.
    """
    forms: tuple[Exchange, ...] = (EntryTable(), EntryLines(), PlainList(signal_type))
    own = {form.name: form for form in forms}
    # ours first: where an ending or a beginning fits several, the form that holds every field is taken
    return own | {name: form for name, form in plugins.load(FORMATS_GROUP, Exchange).items() if name not in own}


def _recognised(stream: BinaryIO, name: str, options: ImportOptions) -> Exchange:
    """Return the form that was chosen, or that a file looks like; the stream stays at its beginning."""
    known = formats(options.signal_type)
    if options.format is not None:
        return _chosen(known, options.format)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    scores = {form.name: form.recognise(head, name) for form in known.values()}
    best = max(scores, key=lambda form: scores[form])
    if scores[best] <= 0:
        raise InputError("the file looks like no list that can be read", where=name, do="Say which form: --format.")
    return known[best]


def _form_for(path: Path, name: str | None, signal_type: str | None) -> Exchange:
    """Return the form that was chosen, or that the ending of a file says."""
    known = formats(signal_type)
    if name is not None:
        return _chosen(known, name)
    for form in known.values():
        if path.suffix.lower() in form.suffixes:
            return form
    raise InputError("the ending says no format", where=str(path), do="Say which: --format.")


def _chosen(known: Mapping[str, Exchange], name: str) -> Exchange:
    if name not in known:
        raise MissingError(f"there is no format {name!r}", do="Choose one of: " + ", ".join(sorted(known)))
    return known[name]


def _located(items: Iterable[BankEntry | Refused]) -> Iterator[Located]:
    """Yield what a form read, each with where it stood."""
    for number, item in enumerate(items, 1):
        if isinstance(item, BankEntry):
            yield f"entry {number}", item
        else:
            yield item.where or f"entry {number}", item.reason
