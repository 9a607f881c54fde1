"""Reading in tests: a source over bytes, and over a folder of real files."""

import io
from pathlib import Path

import pytest

from antiphon.model.material import Item, Material
from antiphon.sources.interface import ReadContext, Source

FIXTURES = Path(__file__).parents[3] / "../shared/fixtures"


def read(source: Source, content: bytes, name: str = "input", **context: object) -> list[Item]:
    """Return all that a source yields for some bytes."""
    return list(source.read(io.BytesIO(content), ReadContext(name, **context)))


def read_file(source: Source, path: Path, **context: object) -> list[Item]:
    """Return all that a source yields for a file, with the files beside it in reach."""
    folder = path.parent
    beside = {
        "sibling": lambda name: (folder / name).open("rb") if (folder / name).is_file() else None,
        "siblings": lambda: [entry.name for entry in folder.iterdir()],
    }
    return read(source, path.read_bytes(), str(path), **(beside | context))


def fixture(folder: str, name: str = "") -> Path:
    """Return a real file of the sibling folder; the test is skipped where it is not there."""
    path = FIXTURES / folder / name
    if not path.exists():
        pytest.skip(f"the real files of {folder} are not beside this checkout")
    return path


def materials(items: list[Item]) -> list[Material]:
    """Return the materials among what was read."""
    return [item for item in items if isinstance(item, Material)]
