import csv
import hashlib
import io
import json
from collections import Counter

import pytest
import zstandard
from PIL import Image
from warcio.archiveiterator import ArchiveIterator

from antiphon.demo import World, generate
from antiphon.errors import InputError, MissingError


def _digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(world, tmp_path):
    """Anyone can make the world that a figure was measured on."""
    again = generate(tmp_path / "again", 3_000, seed=3, days=40)
    assert _digests(again.folder) == _digests(world.folder)


def test_nothing_in_the_material_tells_the_truth(material):
    """What the analysis reads must not hold what it is measured by."""
    names = {path.name for path in material.rglob("*")}
    assert not names & {"truth.parquet", "broken.json", "known.csv"}
    text = (material / "plaza/posts.jsonl").read_text(encoding="utf-8", errors="replace")
    assert not any(word in text for word in ('"kind"', '"campaign"', '"copy_group"', '"reading"'))


def test_every_key_of_the_truth_names_one_row(world):
    """Two rows under one key would count one post twice."""
    rows = world.truth_table().to_pylist()
    ids = Counter((row["platform"], row["native_id"]) for row in rows if row["native_id"])
    pages = Counter(row["url"] for row in rows if not row["native_id"])
    assert ids.most_common(1)[0][1] == 1
    assert pages.most_common(1)[0][1] == 1
    assert all(row["native_id"] or row["url"] for row in rows)


def test_at_least_six_formats_carry_posts(world):
    """One format would only show one reader."""
    formats = Counter(world.truth_table()["format"].to_pylist())
    assert set(formats) >= {
        "plaza",
        "riverside",
        "mastodon",
        "bluesky",
        "telegram",
        "x",
        "reddit",
        "feed",
        "web",
        "image",
    }


def test_broken_records_are_listed_and_broken(world, material):
    """The quarantine is measured against this list."""
    lines = (material / "plaza/posts.jsonl").read_bytes().split(b"\n")
    listed = [one for one in world.broken if one.input == "plaza/posts.jsonl"]
    assert len(listed) == 6
    unread = [one for one in listed if one.fault.startswith(("a line", "broken"))]
    for one in unread:
        with pytest.raises(ValueError, match=r".+"):
            json.loads(lines[one.record])
    assert {one.input for one in world.broken if one.record is None} >= {"comments/riverside-march.csv"}


def test_whole_lines_of_the_forum_are_all_in_the_truth(world, material):
    """A post without a label would count as nothing."""
    known = set(world.truth_table()["native_id"].to_pylist())
    bad = {one.record for one in world.broken if one.input == "plaza/posts.jsonl"}
    lines = (material / "plaza/posts.jsonl").read_bytes().split(b"\n")[:-1]
    assert all(json.loads(line)["id"] in known for at, line in enumerate(lines) if at not in bad)


def test_all_images_open_but_the_one_that_is_cut(material):
    """A broken file where none is meant would be a fault of the generator."""
    files = [*material.rglob("*.jpg"), *material.rglob("*.png")]
    whole = [path for path in files if path.name != "cut-off.jpg"]
    for path in whole:
        Image.open(path).load()
    with pytest.raises(OSError, match=r".+"):
        Image.open(material / "images/cut-off.jpg").load()
    assert len(whole) > 100


def test_photos_of_channels_lie_where_their_export_says(material):
    """A reader follows the path in the export."""
    seen = 0
    for export in material.glob("telegram/*/result.json"):
        for message in json.loads(export.read_bytes())["messages"]:
            if "photo" in message:
                seen += (export.parent / message["photo"]).is_file()
                assert message["photo_file_size"] == (export.parent / message["photo"]).stat().st_size
    assert seen > 20


def test_the_texts_of_a_channel_are_plain_or_in_parts(material):
    """Telegram writes a list where a text has a link or a tag."""
    kinds = Counter()
    for export in material.glob("telegram/*/result.json"):
        for message in json.loads(export.read_bytes())["messages"]:
            kinds[type(message["text"])] += 1
            whole = "".join(entity["text"] for entity in message["text_entities"])
            assert isinstance(message["text"], list) or message["text"] == whole
    assert kinds[str] > 0
    assert kinds[list] > 0


def test_the_crawl_is_a_sound_warc(material):
    """Digests in the records are computed by the library; reading checks them."""
    with (material / "crawl/news.warc.gz").open("rb") as file:
        kinds = Counter()
        for record in ArchiveIterator(file, check_digests=True):
            record.content_stream().read()
            kinds[record.rec_type] += record.digest_checker.passed is not False
    assert kinds["warcinfo"] == 1
    assert kinds["response"] >= 3


def test_reddit_files_are_lines_under_zstd(material):
    """Pushshift's shape: one object a line, an id without its prefix."""
    content = zstandard.ZstdDecompressor().decompress((material / "reddit/comments.zst").read_bytes())
    first = json.loads(content.split(b"\n")[0])
    assert first["link_id"].startswith("t3_")
    assert not first["id"].startswith("t1_")


def test_the_bank_holds_three_sorts_of_signals(world):
    """Matching is shown by picture, by file and by text."""
    rows = list(csv.DictReader(io.StringIO(world.bank.read_text(encoding="utf-8"))))
    assert Counter(row["signal_type"] for row in rows) == {"pdq": 12, "sha256": 6, "text": 6}
    assert len({row["entry_id"] for row in rows}) == len(rows)
    wanted = set(filter(None, world.truth_table()["bank_entry"].to_pylist()))
    assert wanted <= {row["entry_id"] for row in rows}


def test_a_world_can_be_found_again(world):
    """The demo reads a world that was made before."""
    assert World.at(world.folder) == world


def test_no_world_is_written_over_files(tmp_path):
    """The folder might be somebody's work."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        generate(tmp_path, 600)


def test_an_empty_folder_is_no_world(tmp_path):
    """The message names the folder."""
    with pytest.raises(MissingError, match=r"no world"):
        World.at(tmp_path)
