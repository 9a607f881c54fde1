"""Writes a dossier: the page, its content as data, and whole tables for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
import pyarrow as pa

from antiphon.dossier.content import Content
from antiphon.dossier.draw.thumbnails import Thumbnail, thumbnail
from antiphon.dossier.gather import gather
from antiphon.dossier.interface import About, Caps, DossierSource
from antiphon.dossier.render import render
from antiphon.errors import InputError, StorageError
from antiphon.model.schemas import RESULT_TABLES

__all__ = ["export_tables", "write_dossier"]

_FORMATS = ("parquet", "csv", "json")
# What tables made for others leave out: a key to group material by its author, and raw records, which may name
# people. The Parquet tables are the node's own and whole.
_WITHHELD = {("materials", "author"), ("skipped", "raw")}
# A spreadsheet runs a cell that begins so as a formula, and the text of a material is a stranger's.
_FORMULA = r"^[=+\-@\t\r]"


def write_dossier(tables: DossierSource, out: Path, about: About, caps: Caps | None = None) -> list[Path]:
    """Return the two files written: the page and the same content as data.

    Args:
        tables: The result tables of a run.
        out: Folder to write `dossier.html` and `dossier.json` into; made where it is absent.
        about: What the page says of the run.
        caps: How much of each list to show; the defaults keep a page under about 6 MB whatever the corpus.

    Raises:
        StorageError: a file could not be written.
    """
    caps = caps or Caps()
    content = gather(tables, caps)
    page = render(content, about, _pictures(tables, content, caps.pictures))
    document = {"about": about, "caps": caps, "content": content}
    files = {
        "dossier.html": page.encode("utf-8", "replace"),
        "dossier.json": orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS),
    }
    return [_written(out / name, body) for name, body in files.items()]


def export_tables(tables: DossierSource, out: Path, formats: Iterable[str] = ("parquet", "csv")) -> list[Path]:
    """Return the files of the whole result tables, streamed, one a table and format.

    Author pseudonyms and raw quarantined records are left empty in CSV and JSON. In CSV, nested fields are JSON text,
    binary fields are hexadecimal, and a text that a spreadsheet would run as a formula begins with an apostrophe.

    Raises:
        InputError: a format is none of parquet, csv and json.
        StorageError: the folder could not be made.
    """
    formats = tuple(formats)
    for format in formats:
        if format not in _FORMATS:
            raise InputError(
                f"format {format!r} is not known", where="export of tables", do=f"Choose from {', '.join(_FORMATS)}."
            )
    _made(out)
    paths: list[Path] = []
    for table, schema in RESULT_TABLES.items():
        for format in formats:
            path = out / f"{table}.{format}"
            tables.copy_to(f"SELECT {', '.join(_columns(table, schema, format))} FROM {table}", path, format)
            paths.append(path)
    return paths


def _columns(table: str, schema: pa.Schema, format: str) -> Iterable[str]:
    for field in schema:
        if format != "parquet" and (table, field.name) in _WITHHELD:
            kind = "BLOB" if pa.types.is_binary(field.type) else "VARCHAR"
            yield f'NULL::{kind} AS "{field.name}"'
        else:
            yield f'{_expression(field, format)} AS "{field.name}"'


def _expression(field: pa.Field, format: str) -> str:
    name, kind = f'"{field.name}"', field.type
    if format == "parquet":
        return name
    if pa.types.is_binary(kind):
        return f"lower(hex({name}))"
    if pa.types.is_timestamp(kind):
        return f"strftime(make_timestamp(epoch_us({name})), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return _cell(name, kind) if format == "csv" else name


def _cell(name: str, kind: pa.DataType) -> str:
    """What a spreadsheet can hold: nested fields as JSON text, and no formula."""
    if pa.types.is_nested(kind):
        return f"to_json({name})"
    if pa.types.is_string(kind):
        return f"CASE WHEN regexp_matches({name}, '{_FORMULA}') THEN '''' || {name} ELSE {name} END"
    return name


def _pictures(tables: DossierSource, content: Content, limit: int) -> Mapping[str, Thumbnail]:
    """Previews of the images of the materials that the page shows, by SHA-256, at most `limit`."""
    wanted = dict.fromkeys(
        picture.sha256
        for material in (*content.review, *content.protected, *content.unclear)
        for picture in material.pictures
        if picture.sha256 and picture.mime.startswith("image/")
    )
    pictures: dict[str, Thumbnail] = {}
    for sha256 in wanted:
        if len(pictures) >= limit:
            break
        if (made := thumbnail(tables.media(sha256))) is not None:
            pictures[sha256] = made
    return pictures


def _plain(value: object) -> object:
    """Anything that a setting or a version may hold and JSON doesn't know."""
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _written(path: Path, body: bytes) -> Path:
    """Write beside and then put in place, so that a reader never meets half a file."""
    _made(path.parent)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(body)
        beside.replace(path)
    except OSError as error:
        raise StorageError(
            f"could not be written: {error.strerror}", where=str(path), do="Free space or choose another folder."
        ) from error
    return path


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"could not be made: {error.strerror}", where=str(folder), do="Choose a folder that can be written."
        ) from error
