"""yt-dlp's descriptions: videos, playlists, comments, captions."""

import io
import json

import pytest
from reading import fixture, materials, read, read_file

from antiphon.model.instants import instant_us
from antiphon.model.material import Gap, Media, Passed, Skipped
from antiphon.sources.captions import CaptionFile
from antiphon.sources.youtube import YoutubeInfo

SOURCE = YoutubeInfo()
VTT = b"WEBVTT\n\n00:00.000 --> 00:02.000\nThe boats leave.\n"


def info(**fields):
    """Return a video's description."""
    return {"id": "AAAAAAAAAAA", "title": "Harbour", "extractor_key": "Youtube", "_type": "video"} | fields


def only(**fields):
    """Return the one material of a description."""
    (found,) = materials(read(SOURCE, json.dumps(info(**fields), indent=1).encode()))
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content))) == example.materials


def test_a_real_description_is_read_with_its_captions():
    """As yt-dlp wrote it: a video of a page, and the captions beside it."""
    video, caption = materials(read_file(SOURCE, fixture("youtube_infojson", "index-1.info.json")))
    assert (video.kind, video.title, video.url) == (
        "video", "Door knob test clip (1)", "http://127.0.0.1:18765/index.html",
    )  # fmt: skip
    assert (video.published_at, video.collected_at) == (1795480237, 1795480241)
    assert caption.text == "A hand turns a door knob.\nThe door stays shut."
    assert (caption.lang_declared, caption.thread) == ("en", video.native_id)


def test_captions_read_twice_are_one_material():
    """By themselves or with their video, captions get the same name."""
    described = materials(read_file(SOURCE, fixture("youtube_infojson", "index-1.info.json")))[1]
    (alone,) = materials(read_file(CaptionFile(), fixture("youtube_infojson", "index-1.en.vtt")))
    assert (alone.source, alone.native_id, alone.text) == (described.source, described.native_id, described.text)


def test_every_real_answer_of_youtube_is_read_whole():
    """46 descriptions that yt-dlp's own tests expect; their matchers stand for what changes."""
    expected = json.loads(fixture("youtube_infojson", "youtube_expected_fields.json").read_bytes())
    for given in (entry["info_dict"] for entry in expected):
        whole = {k: v for k, v in given.items() if k not in ("comments", "chapters")} | {"extractor_key": "Youtube"}
        whole["title"] = given.get("title", "Untitled")
        found = materials(read(SOURCE, json.dumps(whole, indent=1).encode()))
        assert [m.native_id for m in found] == [given["id"]]
        assert instant_us(found[0].published_at) == instant_us(given.get("timestamp") or given["upload_date"])
        assert (found[0].author, found[0].text) == (given.get("channel_id"), given["description"] or None)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"availability": "public"}, 1),
        ({"availability": "unlisted"}, 1),
        ({"availability": "needs_auth", "age_limit": 18}, 1),
        ({"availability": "needs_auth", "age_limit": 0}, 0),
        ({"availability": "private"}, 0),
        ({"availability": "subscriber_only"}, 0),
        ({"title": "[Private video]"}, 0),
    ],
    ids=[
        "public",
        "unlisted",
        "behind an age limit",
        "needs a login",
        "private",
        "for members",
        "private in a playlist",
    ],
)
def test_availability_decides_whether_a_video_is_read(fields, kept):
    """Behind an age limit a video is public to every adult; what is admitted one by one is not (R-03)."""
    items = read(SOURCE, json.dumps(info(**fields), indent=1).encode())
    assert len(materials(items)) == kept
    assert [item.reason for item in items if isinstance(item, Skipped)] == ["not-public"] * (1 - kept)


def test_reach_and_language_find_their_places():
    """What the schema has a place for must come out."""
    found = only(view_count=4, like_count=3, comment_count=1, language="de", thumbnail="https://i.example/t.jpg")
    assert (found.views, found.reactions, found.replies, found.lang_declared) == (4, 3, 1, "de")
    assert found.media == [Media("https://i.example/t.jpg", role="preview")]
    assert found.url == "https://www.youtube.com/watch?v=AAAAAAAAAAA"


def test_the_expiring_address_of_a_stream_is_not_kept():
    """It carries the network address of whoever collected it."""
    assert only(url="https://rr1.googlevideo.example/videoplayback?ip=192.0.2.1", ext="mp4").media == []


def test_files_beside_the_description_are_its_media():
    """yt-dlp writes them under one stem."""
    held = {"Harbour [A].mp4": b"film", "Harbour [A].webp": b"still", "Harbour [A].de.vtt": VTT, "Other.en.vtt": VTT}
    found = materials(
        read(SOURCE, json.dumps(info(ext="mp4")).encode(), "media/Harbour [A].info.json", siblings=lambda: list(held),
             sibling=lambda name: io.BytesIO(held[name]) if name in held else None,
             keep_media=lambda stream, path, role: Media(path, sha256="00", role=role))
    )  # fmt: skip
    assert [(m.path, m.role) for m in found[0].media] == [("Harbour [A].mp4", "self"), ("Harbour [A].webp", "preview")]
    assert [(m.native_id, m.lang_declared) for m in found[1:]] == [("AAAAAAAAAAA/de", "de")]


def test_comments_know_what_they_answer():
    """`root` is the video, anything else a comment."""
    comments = [{"id": "c1", "parent": "root", "text": "First"}, {"id": "c2", "parent": "c1", "text": "Second"}]
    found = materials(read(SOURCE, json.dumps(info(comments=comments), indent=1).encode()))[:2]
    assert [(m.kind, m.reply_to, m.thread) for m in found] == [
        ("comment", "AAAAAAAAAAA", "AAAAAAAAAAA"),
        ("comment", "c1", "AAAAAAAAAAA"),
    ]


def test_comments_that_were_not_fetched_are_a_gap():
    """The platform counts more than yt-dlp fetched."""
    items = read(SOURCE, json.dumps(info(comment_count=9, comments=[{"id": "c1", "text": "x"}]), indent=1).encode())
    assert items[-1] == Gap("1 of 9 comments are here")


def test_a_playlist_gives_its_entries_and_tells_its_gaps():
    """Entries that could not be fetched are null; the playlist itself is passed over."""
    whole = {"_type": "playlist", "id": "PL", "title": "All", "playlist_count": 4, "extractor_key": "YoutubeTab",
             "entries": [info(), None, info(id="BBBBBBBBBBB")]}  # fmt: skip
    items = read(SOURCE, json.dumps(whole, indent=1).encode())
    assert [m.native_id for m in materials(items)] == ["AAAAAAAAAAA", "BBBBBBBBBBB"]
    assert items[1] == Gap("entry 2 of the playlist could not be fetched")
    assert items[-2:] == [Passed("playlist"), Gap("the playlist has 4 entries, 3 of them are here")]


def test_a_dump_with_a_video_a_line_is_read():
    """`yt-dlp --dump-json` writes lines."""
    lines = b"\n".join(json.dumps(info(id=name * 11)).encode() for name in "AB")
    assert [m.native_id for m in materials(read(SOURCE, lines))] == ["A" * 11, "B" * 11]


def test_descriptions_longer_than_the_head_are_read_one_behind_the_other():
    """A real description is half a megabyte long, most of it formats."""
    formats = [{"format_id": str(n), "url": "https://v.example/" + "x" * 200} for n in range(400)]
    lines = b"\n".join(json.dumps(info(id=name * 11, formats=formats)).encode() for name in "ABC")
    assert SOURCE.recognise(lines[:65_536], "x.jsonl") >= 0.9
    assert [item.native_id for item in read(SOURCE, lines + b"\n")] == ["A" * 11, "B" * 11, "C" * 11]


def test_other_sites_are_named_by_their_extractor():
    """An id is only unique on its own site."""
    assert only(extractor_key="Rumble", id="v1").source == "rumble"
    page = only(extractor_key="Generic", id="clip", webpage_url="https://news.example/a")
    assert (page.source, page.native_id) == ("web/news.example", "news.example/clip")


def test_a_description_that_breaks_off_is_told():
    """What came before the break is kept."""
    items = read(SOURCE, json.dumps(info(description="x", zz="y" * 100), indent=1).encode()[:-40])
    assert [type(item).__name__ for item in items] == ["Material", "Skipped"]
    assert items[-1].reason == "json-truncated"


def test_a_description_is_known_by_whatever_of_it_comes_first():
    """Older versions wrote the keys in any order; the captions' addresses alone fill the head."""
    content = json.dumps({"automatic_captions": {"de": [{"url": "x" * 70_000}]}} | info()).encode()
    assert SOURCE.recognise(content[:65_536], "x") == 0.9
    assert [item.native_id for item in read(SOURCE, content)] == ["A" * 11]
