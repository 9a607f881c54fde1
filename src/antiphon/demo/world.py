"""Writes the invented world: material as exporters hand it over, beside it the truth and a bank of known material."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from antiphon.demo.formats.fediverse import write_bluesky, write_mastodon
from antiphon.demo.formats.handover import write_cut_image, write_images, zipped
from antiphon.demo.formats.platforms import write_reddit, write_x_archive, write_x_pages, write_youtube
from antiphon.demo.formats.tables import write_plaza, write_riverside
from antiphon.demo.formats.telegram import channels_of, write_channel
from antiphon.demo.formats.web import write_feeds, write_pages, write_warc
from antiphon.demo.pictures import base_names
from antiphon.demo.plan import plan
from antiphon.demo.planned import Broken, Post, Writing
from antiphon.demo.truth import fill_bank, read_broken, read_truth, truth_table, write_truth
from antiphon.errors import InputError, MissingError

__all__ = ["World", "generate"]

_ZIPPED = 6  # every sixth channel and a sixth of the comments lie in the zip
_LEAST_POSTS = 500


@dataclass(frozen=True)
class World:
    """A world on disk.

    Attributes:
        folder: The folder of all of it.
        material: What is to be analysed; nothing in it tells the truth.
        truth: The planted truth, Parquet of `truth.TRUTH`.
        bank: Known material, a CSV bank file.
        posts: How many posts and loose images can be read.
        broken: The records that are broken on purpose.
    """

    folder: Path
    material: Path
    truth: Path
    bank: Path
    posts: int
    broken: tuple[Broken, ...]

    @classmethod
    def at(cls, folder: Path) -> World:
        """Return the world that `generate` wrote into a folder.

        Raises:
            MissingError: there is no such world.
        """
        path = folder / "truth/truth.parquet"
        if not path.is_file():
            raise MissingError("there is no world here", where=str(folder), do="Generate one into this folder.")
        return cls(
            folder, folder / "material", path, folder / "bank/known.csv", read_truth(path).num_rows,
            tuple(read_broken(path.parent)),
        )  # fmt: skip

    def bank_texts(self) -> dict[str, str]:
        """Return the texts of the bank by entry."""
        with self.bank.open(encoding="utf-8", newline="") as file:
            return {row["entry_id"]: row["value"] for row in csv.DictReader(file) if row["signal_type"] == "text"}

    def truth_table(self) -> pa.Table:
        """Return the planted truth."""
        return read_truth(self.truth)


def generate(folder: Path, posts: int = 20_000, seed: int = 1, days: int = 60) -> World:
    """Write an invented world and return where it lies. Same arguments, same bytes.

    Args:
        folder: An empty folder, or one that there is not yet.
        posts: About how many posts; a small world keeps its campaigns, so 500 is the least.
        seed: Another seed gives another world.
        days: How many days it covers, 14 or more.

    Raises:
        InputError: the folder is not empty, or the world would be too small for what is planted in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("the folder is not empty", where=str(folder), do="Name an empty folder for the demo.")
    if posts < _LEAST_POSTS or days < 14:
        raise InputError(
            f"got {posts} posts over {days} days, expected {_LEAST_POSTS} over 14 or more", do="Ask for a larger world."
        )
    writing, planned, material = Writing(seed), plan(posts, seed, days), folder / "material"
    readable = _write_posts(material, planned, writing)
    uses = {name: 2 + number % 3 for number, name in enumerate(base_names())}
    images = write_images(material / "images", uses, writing)
    write_cut_image(material / "images", writing)
    entries = fill_bank(folder / "bank/known.csv", readable, images, seed)
    write_truth(folder / "truth", truth_table(readable, images, entries), writing.broken)
    return World.at(folder)


def _write_posts(material: Path, planned: Sequence[Post], writing: Writing) -> list[Post]:
    """Write all posts and return those that can be read."""
    by_format: dict[str, list[Post]] = defaultdict(list)
    for post in planned:
        by_format[post.outlet.format].append(post)
    by_format["plaza"] = write_plaza(material, by_format["plaza"], writing)
    write_mastodon(material, by_format["mastodon"], writing)
    write_bluesky(material, by_format["bluesky"], writing)
    write_reddit(material, by_format["reddit"], writing)
    write_feeds(material, by_format["feed"], writing)
    _write_x(material, by_format["x"], writing)
    _write_web(material, by_format["web"], writing)
    _write_shared(material, by_format, writing)
    return [post for posts in by_format.values() for post in posts]


def _write_x(material: Path, posts: Sequence[Post], writing: Writing) -> None:
    archived = [post for post in posts if post.lang == "en" and post.kind == "everyday"][::4]
    taken = {post.number for post in archived}
    write_x_archive(material, archived, writing)
    write_x_pages(material, [post for post in posts if post.number not in taken], writing)


def _write_web(material: Path, posts: Sequence[Post], writing: Writing) -> None:
    write_pages(material, posts[::3], writing)
    write_youtube(material, posts[1::24], writing)
    films = {post.number for post in posts[1::24]}
    write_warc(material, [post for at, post in enumerate(posts) if at % 3 and post.number not in films], writing)


def _write_shared(material: Path, by_format: dict[str, list[Post]], writing: Writing) -> None:
    """Write what lies partly in folders of its own and partly in the zip."""
    comments, channels = by_format["riverside"], list(channels_of(by_format["telegram"]).items())
    write_riverside(material, comments[len(comments) // _ZIPPED :], writing)
    for number, (name, posts) in enumerate(channels):
        if number % _ZIPPED:
            path = f"telegram/ChatExport_2026-05-02 ({number})"
            broken = f"{path}/result.json" if number == 1 else ""
            write_channel(material / path, name, posts, writing, broken)
    handed = comments[: len(comments) // _ZIPPED]
    fill = partial(_fill_zip, channels=channels[::_ZIPPED], comments=handed, writing=writing)
    zipped(material / "handover/valley-team.zip", fill)


def _fill_zip(
    folder: Path, channels: Sequence[tuple[str, list[Post]]], comments: Sequence[Post], writing: Writing
) -> None:
    for number, (name, posts) in enumerate(channels):
        write_channel(folder / f"telegram/ChatExport_2026-05-03 ({number})", name, posts, writing)
    write_riverside(folder, comments, writing, "handed-over")
