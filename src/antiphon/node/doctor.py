"""Is this installation whole? Each check says what it found, and what to do where that is not enough."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from antiphon import plugins
from antiphon.analysis.interface import Analyser
from antiphon.errors import AntiphonError
from antiphon.fingerprints.interface import SignalType
from antiphon.node.reading import SOURCES
from antiphon.node.runs import ANALYSERS
from antiphon.node.settings import home_folder, load_settings
from antiphon.node.signals import SIGNALS_GROUP, reader_version
from antiphon.sources.interface import Source

__all__ = ["Check", "examine", "known_sources"]

_LEAST_FREE_GB = 2


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    do: str = ""


def examine() -> list[Check]:
    """Return all checks, in the order in which to mend what fails."""
    return [_python(), *_packages(), *_plugins(), _words(), _key(), _space(), _machine()]


def known_sources() -> list[dict[str, str]]:
    """Return name, version and title of each source plug-in."""
    found = plugins.load(SOURCES, Source)
    return [{"name": name, "version": s.version, "title": s.title} for name, s in found.items()]


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check("Python", ok, platform.python_version(), "Install Python 3.11 or newer, then run make install again.")


def _packages() -> Iterator[Check]:
    missing = []
    every = importlib.metadata.requires("antiphon") or []
    wanted = [
        requirement for requirement in every if "extra ==" not in requirement
    ]  # extras are there for who wants them
    for requirement in wanted:
        name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    found = f"{len(wanted)} packages there" if not missing else "missing: " + ", ".join(missing)
    yield Check("packages", not missing, found, "Run: make install")


def _plugins() -> Iterator[Check]:
    for word, group, interface in (
        ("sources", SOURCES, Source), ("signal types", SIGNALS_GROUP, SignalType), ("analysers", ANALYSERS, Analyser),
    ):  # fmt: skip
        try:
            names = plugins.load(group, interface)
        except AntiphonError as error:
            yield Check(word, False, f"{error.where}: {error.what}", error.do)
        else:
            yield Check(word, bool(names), ", ".join(names) or "none", "Run: make install")


def _words() -> Check:
    reader = reader_version()
    return Check("words in pictures", True, reader or "not read; the extra `ocr` reads Latin and Chinese script")


def _key() -> Check:
    try:
        load_settings()
    except AntiphonError as error:
        return Check("node key", False, f"{error.where}: {error.what}", error.do)
    return Check("node key", True, f"in {home_folder()}")


def _space() -> Check:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free / 1e9
    return Check("disk", free > _LEAST_FREE_GB, f"{free:.0f} GB free for temporary files", f"Free space in {folder}.")


def _machine() -> Check:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return Check("machine", pages > 1.5, f"{os.cpu_count()} cores, {pages:.0f} GB of memory", "2 GB are needed.")
