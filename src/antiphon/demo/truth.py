"""The planted truth: what each post is, keyed by what survives reading; and the bank of known material."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon import plugins
from antiphon.demo.kinds import KINDS
from antiphon.demo.pictures import base_picture
from antiphon.demo.planned import Broken, Post
from antiphon.model.schemas import INSTANT

__all__ = ["TRUTH", "fill_bank", "read_broken", "read_truth", "truth_table", "write_truth"]

TRUTH = pa.schema(
    [
        pa.field("platform", pa.string(), nullable=False),  # first part of MATERIALS.source
        pa.field("native_id", pa.string()),  # with platform: the key; for pages the url is, for images the sha256
        pa.field("url", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("outlet", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("lang", pa.string()),
        pa.field("published_at", INSTANT),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("speech_act", pa.string()),
        pa.field("context", pa.string()),
        pa.field("reading", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("burst", pa.string()),
        pa.field("copy_group", pa.string()),
        pa.field("image", pa.string()),
        pa.field("bank_entry", pa.string()),
    ]
)
"""What is planted. An image by itself has kind `image` and reading `none`."""

_PDQ_PICTURES = ("01", "02", "03", "05", "06", "09", "20", "21", "22", "23", "26", "27")
_FILES_OF = ("30", "31", "33", "34", "35", "37")
_TEXT_CAMPAIGN = "column"
_TEXTS = 6
_PATH = "truth.parquet"
_BROKEN = "broken.json"


def fill_bank(path: Path, posts: Sequence[Post], images: Sequence[tuple[str, str]], seed: int) -> Mapping[str, str]:
    """Write the bank of known material, mark the posts that are in it, and return SHA-256 → entry for loose images.

    The bank holds PDQ values of some pictures, SHA-256 of single files, and texts of one campaign.
    """
    rows = [
        (f"picture-{name}", "pdq", _pdq(f"image-{name}", seed), "poster, known since January") for name in _PDQ_PICTURES
    ]
    rows += _file_rows(images)
    rows += _text_rows(posts)
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerows([("entry_id", "signal_type", "value", "label"), *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    _mark(posts)
    files = {value: entry for entry, kind, value, _ in rows if kind == "sha256"}
    return {digest: files.get(digest, _picture_entry(name)) for name, digest in images}


def truth_table(
    posts: Sequence[Post], images: Sequence[tuple[str, str]] = (), entries: Mapping[str, str] | None = None
) -> pa.Table:
    """Return the truth of posts and loose images as rows of TRUTH, nulls where something does not apply."""
    rows = [_row(post) for post in posts]
    rows += [
        {
            "platform": "image", "native_id": f"sha256:{digest}", "sha256": digest, "outlet": "", "format": "image",
            "kind": "image", "reading": "none", "image": name, "bank_entry": (entries or {}).get(digest) or None,
        }
        for name, digest in images
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=TRUTH)


def write_truth(folder: Path, table: pa.Table, broken: Sequence[Broken]) -> Path:
    """Write the truth and the list of broken records into a folder, and return the truth's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / _PATH, compression="zstd")
    (folder / _BROKEN).write_bytes(orjson.dumps([asdict(one) for one in broken], option=orjson.OPT_INDENT_2))
    return folder / _PATH


def read_broken(folder: Path) -> list[Broken]:
    """Return the broken records that `write_truth` listed in a folder."""
    return [Broken(**one) for one in orjson.loads((folder / _BROKEN).read_bytes())]


def read_truth(path: Path) -> pa.Table:
    """Return the truth that was written to a file."""
    return pq.read_table(path, schema=TRUTH)


def _row(post: Post) -> dict[str, object]:
    kind = KINDS[post.kind]
    return {
        "platform": post.platform, "native_id": post.native_id or None, "url": post.url or None,
        "sha256": post.sha256 or None, "outlet": post.outlet.name, "format": post.outlet.format, "lang": post.lang,
        "published_at": post.at, "kind": post.kind, "speech_act": kind.speech_act, "context": kind.context,
        "reading": kind.reading, "campaign": post.campaign or None, "burst": post.burst or None,
        "copy_group": post.copy_group or None, "image": post.image or None, "bank_entry": post.bank_entry or None,
    }  # fmt: skip


def _pdq(name: str, seed: int) -> str:
    out = io.BytesIO()
    base_picture(name, seed).save(out, "PNG")
    pdq = plugins.load_named("antiphon.signals", "pdq", object)  # doors reach no room of the stages
    value: bytes = pdq.fingerprint(out.getvalue()).value
    return value.hex()


def _file_rows(images: Sequence[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    first: dict[str, str] = {}
    for name, digest in images:
        first.setdefault(name, digest)
    wanted = [(name, first[f"image-{name}"]) for name in _FILES_OF if f"image-{name}" in first]
    return [(f"file-{name}", "sha256", digest, "exact file, handed over by a partner") for name, digest in wanted]


def _text_rows(posts: Sequence[Post]) -> list[tuple[str, str, str, str]]:
    texts: dict[str, str] = {}
    for post in posts:
        if post.campaign == _TEXT_CAMPAIGN:
            texts.setdefault(post.copy_group, post.text)
    chosen = sorted(texts)[:_TEXTS]
    return [(f"text-{group}", "text", texts[group], "leaflet of the Vharn Column") for group in chosen]


def _mark(posts: Sequence[Post]) -> None:
    texts = {row[0].removeprefix("text-") for row in _text_rows(posts)}
    for post in posts:
        if post.copy_group in texts:
            post.bank_entry = f"text-{post.copy_group}"
        elif post.image and post.sha256:
            post.bank_entry = _picture_entry(post.image)


def _picture_entry(name: str) -> str:
    number = name.removeprefix("image-")
    return f"picture-{number}" if number in _PDQ_PICTURES else ""
