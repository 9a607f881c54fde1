"""The chain end to end: read what is new, match it, group it, and keep it so that the next run need not."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from antiphon import __version__, plugins
from antiphon.analysis.interface import Analyser
from antiphon.engines.local import Done, LocalEngine, TaskFailed
from antiphon.errors import ConfigError, InputError, MissingError
from antiphon.fingerprints.interface import SignalType
from antiphon.fingerprints.stage import FingerprintMaterials, fingerprint_text
from antiphon.matching.stage import MatchSignals
from antiphon.model.material import Skipped, skipped_batch
from antiphon.model.pseudonym import case_key
from antiphon.model.schemas import MATCHES, SKIPPED
from antiphon.model.stage import Stage, TableStage
from antiphon.narratives.copies import GroupCopies
from antiphon.narratives.narratives import TellNarratives
from antiphon.node.known import KnownIds
from antiphon.node.media import MediaStore
from antiphon.node.planning import Place, Planner
from antiphon.node.reading import SOURCES, Part, ReadChain
from antiphon.node.settings import Settings, has_register
from antiphon.node.signals import SIGNALS_GROUP
from antiphon.node.writing import Writer
from antiphon.sources.interface import Source
from antiphon.sources.opening import Input
from antiphon.spread.coordination import FindCoordination
from antiphon.spread.paths import TraceSpread
from antiphon.spread.timeline import CountTimeline
from antiphon.storage.lake import Lake, Tables

__all__ = ["ANALYSERS", "Analysis", "Options", "Progress", "analyse"]

ANALYSERS = "antiphon.analysers"
_CHAIN_NOTE = "chain.json"
_DONE_NOTE = "done.json"
_CASE_NOTE = "case.json"


@dataclass(frozen=True)
class Options:
    """What a run is asked to do.

    Attributes:
        paths: Files and folders to read.
        out: Folder of the lake and the results.
        workers: Worker processes.
        banks: Bank files to match against.
        register: The register of banks that are matched too, see `Settings.register`; None for bank files alone.
        home: Where the indexes of these banks are; beside the results if not given.
        mapping: Field → column, for tables and JSON records.
        public_basis: Why closed channels count as public, where a person says so (R-03).
        case_space: Name of the case-space; pseudonyms differ between two. Empty: one of its own for this folder.
        analyser: Which analyser.
    """

    paths: tuple[Path, ...]
    out: Path
    workers: int = 2
    banks: tuple[Path, ...] = ()
    register: Path | str | None = None
    home: Path | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    public_basis: str | None = None
    case_space: str = ""
    analyser: str = "cascade"


@dataclass
class Progress:
    """Told while a run goes on; every call may be ignored."""

    begun: Callable[[Input], None] = lambda found: None
    part: Callable[[Part], None] = lambda part: None
    done: Callable[[Input], None] = lambda found: None
    phase: Callable[[str], None] = lambda name: None


@dataclass(frozen=True)
class Analysis:
    """The results of a run, to be queried; what a dossier is written from. The same `state`, the same results."""

    out: Path
    media_root: Path
    tables: Tables
    settings: Mapping[str, Any]
    stages: Mapping[str, str]
    changed: bool
    state: str

    @property
    def versions(self) -> dict[str, str]:
        """Component → version: the program, its stages, its readers."""
        sources = plugins.load(SOURCES, Source)
        readers = {f"source {name}": source.version for name, source in sources.items()}
        return {"antiphon": __version__, **self.stages, **readers}

    def query(self, sql: str) -> pa.Table:
        """Return what a query over the result tables gives."""
        return self.tables.query(sql)

    def media(self, sha256: str) -> bytes | None:
        """Return the bytes of an image that was kept, or None."""
        return MediaStore(self.media_root).read(sha256)

    def copy_to(self, sql: str, path: Path, format: str) -> int:
        """Stream the rows of a query to a file; return how many."""
        return self.tables.copy_to(sql, path, format)


def analyse(options: Options, settings: Settings, progress: Progress | None = None) -> Analysis:
    """Return the results over everything that was ever read into the output folder.

    Inputs that were read before and have not changed are not read again; a run that was cut off goes on where it was.

    Raises:
        MissingError: a path does not exist.
        ConfigError: the folder was made by another version or for another case-space.
        StorageError: another run is writing there, or the disk is full.
    """
    progress = progress or Progress()
    _require_paths(options.paths)
    matcher = _matcher(options)
    lake = Lake(options.out / "lake")
    with lake:
        stages = _stages(options, lake)
        versions = {stage.name: stage.version for stage in stages.values()}
        _require_same_stages(lake, versions)
        chain = ReadChain(
            stages, case_key(settings.key, _case_space(lake, options.case_space)), lake.folder / "media",
            options.mapping, options.public_basis,
        )  # fmt: skip
        _read(options, lake, chain, progress)
        changed = _finish(options, lake, matcher, progress)
        state = json.dumps(lake.noted(_DONE_NOTE), sort_keys=True)
    tables, shown = Tables(lake.connect()), _settings_shown(options)
    return Analysis(options.out, lake.folder / "media", tables, shown, versions, changed, state)


def _read(options: Options, lake: Lake, chain: ReadChain, progress: Progress) -> None:
    progress.phase("read")
    planner = Planner(partial(plugins.load, SOURCES, Source), _places(lake), done=progress.done, begun=progress.begun)
    with ExitStack() as stack:
        writer: Writer | None = None
        for result in LocalEngine(options.workers).run(chain, planner.tasks(options.paths, options.out)):
            if isinstance(result, Done):
                continue
            # the known ids are read only where there is something new
            writer = writer or stack.enter_context(closing(_writer(lake)))
            part = _failed(result) if isinstance(result, TaskFailed) else result
            writer.take(part)
            progress.part(part)
        if writer is not None:
            writer.flush()


def _finish(options: Options, lake: Lake, matcher: MatchSignals, progress: Progress) -> bool:
    """Match and group what is in the lake, unless that was done already; return whether it was done now."""
    state = _state(options, lake)
    if lake.noted(_DONE_NOTE) == state:
        return False
    progress.phase("match")
    skipped = [SKIPPED.empty_table()]
    lake.replace("matches", _matches(matcher, options, lake))
    for stage in _table_stages():
        progress.phase(stage.name)
        with lake.connect() as tables:
            made = stage.run(tables)
        for name, table in made.items():
            if name == "skipped":
                skipped.append(table)
            else:
                lake.replace(name, table)
    lake.replace("stage_skipped", pa.concat_tables(skipped))
    lake.note(_DONE_NOTE, state)
    return True


def _state(options: Options, lake: Lake) -> dict[str, Any]:
    """Return what the table stages depend on."""
    stages = {stage.name: stage.version for stage in _table_stages()}
    banks = [_digest(path) for path in options.banks]
    return {"commits": lake.version(), "banks": banks, "register": _register_seq(options.register), "stages": stages}


def _table_stages() -> tuple[TableStage, ...]:
    return GroupCopies(), TellNarratives(), TraceSpread(), FindCoordination(), CountTimeline()


def _stages(options: Options, lake: Lake) -> dict[str, Stage]:
    analysers = plugins.load(ANALYSERS, Analyser)
    if options.analyser not in analysers:
        raise MissingError(
            f"there is no analyser {options.analyser!r}", do="Choose one of: " + ", ".join(sorted(analysers))
        )
    signals = list(plugins.load(SIGNALS_GROUP, SignalType).values())
    return {
        "signals": FingerprintMaterials(lake.folder / "media", signals),
        "findings": analysers[options.analyser],
    }


def _matcher(options: Options) -> MatchSignals:
    """Return the matching stage with its banks read, so that a faulty bank is told before anything is done."""
    matcher = MatchSignals(options.banks, text_signals=fingerprint_text)
    if options.banks:  # without one there is nothing to read, and no kernel to load
        matcher.open()
    return matcher


def _matches(matcher: MatchSignals, options: Options, lake: Lake) -> pa.Table:
    found = [MATCHES.empty_table()]
    if matcher.bank_paths:
        with lake.connect() as tables:
            for batch in tables.sql("SELECT * FROM signals").to_arrow_reader(20_000):
                found += [
                    pa.Table.from_batches([out]) for out in matcher.run(batch.cast(matcher.reads)) if out.num_rows
                ]
    if options.register is not None and has_register(options.register):
        from antiphon.node.lookup import open_look_up  # the register's libraries cost a start that has no register
        from antiphon.node.matches import bank_matches

        with open_look_up(options.home or lake.folder, options.register) as look_up:
            found += bank_matches(look_up, lake)
    return pa.concat_tables(found)


def _register_seq(register: Path | str | None) -> int:
    """Return up to where the log of the banks goes, 0 where there are none."""
    if register is None or not has_register(register):
        return 0
    from antiphon.node.banks import open_banks

    with open_banks(register) as banks:
        return banks.store.last_seq()


def _writer(lake: Lake) -> Writer:
    known = KnownIds()
    for ids in lake.ids():
        known.add_new(ids)
    return Writer(lake, known, _attached(lake))


def _attached(lake: Lake) -> set[str]:
    """Return the paths of all files that are attachments of materials in the lake."""
    rows = lake.query(
        """SELECT DISTINCT p.path AS input, m.path AS file
           FROM (SELECT provenance.input AS input, unnest(media) AS m FROM materials WHERE len(media) > 0) AS t
           JOIN (SELECT DISTINCT input, path FROM parts) AS p USING (input) WHERE m.path IS NOT NULL"""
    ).to_pylist()
    return {f"{row['input'].rpartition('/')[0]}/{row['file']}" for row in rows}


def _places(lake: Lake) -> dict[str, Place]:
    """Return how far each input was read."""
    rows = lake.query(
        "SELECT path, bytes, modified_ns, part, next_record, next_offset, last FROM parts ORDER BY path, commit, part"
    ).to_pylist()
    places = {}
    for path, reading in groupby(rows, key=lambda row: row["path"]):
        *_, end = reading
        edition = (end["bytes"], end["modified_ns"])
        places[path] = Place(edition, end["part"] + 1, end["next_record"], end["next_offset"], end["last"])
    return places


def _failed(result: TaskFailed) -> Part:
    """Return the part that enters a task which broke its worker."""
    found: Input = result.task.input
    number = getattr(result.task, "part", getattr(result.task, "first_part", 0) + result.parts)
    part = Part(found, number, getattr(result.task, "source", None), found=1, quarantined=1)
    part.last = getattr(result.task, "last", True)
    part.next_record, part.next_offset = getattr(result.task, "next_record", 0), getattr(result.task, "next_offset", 0)
    skipped = Skipped(
        "worker-died", f"{found.name}: {result.detail} while reading it; report it with the file's format"
    )
    part.tables["skipped"] = [skipped_batch([skipped], found.name, f"sources/{part.reader}")]
    return part


def _require_paths(paths: tuple[Path, ...]) -> None:
    missing = [path for path in paths if not path.exists() and not path.is_symlink()]
    if missing:
        faults = [MissingError("there is no such file or folder", where=str(p), do="Check the path.") for p in missing]
        raise faults[0] if len(faults) == 1 else ExceptionGroup("some paths do not exist", faults)


def _require_same_stages(lake: Lake, versions: Mapping[str, str]) -> None:
    """Refuse a lake of other stages; a reader may be another, for its version stands in each material's provenance."""
    before = lake.noted(_CHAIN_NOTE)
    if before and before != dict(versions):
        differs = ", ".join(sorted(k for k in {*before, *versions} if before.get(k) != versions.get(k)))
        raise ConfigError(
            f"it was made with other versions of: {differs}", where=str(lake.folder),
            do="Choose a new output folder: results of two versions do not mix.",
        )  # fmt: skip
    if not before:
        lake.note(_CHAIN_NOTE, versions)


def _case_space(lake: Lake, asked: str) -> str:
    before = lake.noted(_CASE_NOTE).get("case_space")
    if before is None:
        before = asked or f"folder-{secrets.token_hex(8)}"
        lake.note(_CASE_NOTE, {"case_space": before})
    elif asked and asked != before:
        raise ConfigError(
            f"it belongs to case-space {before!r}, not {asked!r}", where=str(lake.folder),
            do="Choose an output folder of its own for each case-space.",
        )  # fmt: skip
    return str(before)


def _settings_shown(options: Options) -> dict[str, Any]:
    return {
        "inputs": [path.name for path in options.paths],
        "banks": [path.name for path in options.banks],
        "analyser": options.analyser,
        "closed channels read, because": options.public_basis or "none were read",
    }


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise InputError(f"the bank can't be read: {fault.strerror}", where=str(path), do="Check the path.") from fault


def load_mapping(path: Path) -> dict[str, str]:
    """Return a mapping file: a JSON object, field of the material → column or key of the input.

    Raises:
        InputError: it is no such object.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as fault:
        raise InputError(f"no JSON could be read: {fault}", where=str(path), do=_MAPPING_HELP) from fault
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise InputError("expected an object of texts", where=str(path), do=_MAPPING_HELP)
    return value


_MAPPING_HELP = 'Write it as {"text": "body", "published_at": "when"}: field, then the name of its column.'
