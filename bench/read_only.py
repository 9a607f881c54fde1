"""Reads an input into a lake with no stage behind the reader: what reading alone costs."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from antiphon import plugins
from antiphon.engines.local import Done, LocalEngine, TaskFailed
from antiphon.node.known import KnownIds
from antiphon.node.planning import Planner
from antiphon.node.reading import SOURCES, ReadChain
from antiphon.node.writing import Writer
from antiphon.sources.interface import Source
from antiphon.storage.lake import Lake


def main(posts: Path, out: Path) -> None:
    """Read the posts into the lake and print how many were found."""
    found = 0
    with Lake(out) as lake, closing(Writer(lake, KnownIds(), set())) as writer:
        planner = Planner(partial(plugins.load, SOURCES, Source), {})
        for result in LocalEngine(2).run(ReadChain({}, bytes(32), out / "media"), planner.tasks([posts])):
            if isinstance(result, TaskFailed):
                sys.exit(result.detail)
            if not isinstance(result, Done):
                writer.take(result)
                found += result.found
        writer.flush()
    print(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
