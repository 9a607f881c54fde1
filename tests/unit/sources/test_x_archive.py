"""X archives and API 1.1: tweets are read, the rest of an account is not."""

import io
import json

import pytest
from reading import fixture, materials, read, read_file

from antiphon.model.material import Media, Passed, Skipped
from antiphon.sources.interface import LineBlock, ReadContext
from antiphon.sources.x_archive import XArchive, XStatusLines

SOURCE, LINES = XArchive(), XStatusLines()
CREATED = "Sun Mar 01 09:00:00 +0000 2026"


def tweets(*statuses, part="tweets"):
    """Return a script of an archive."""
    return f"window.YTD.{part}.part0 = ".encode() + json.dumps([{"tweet": s} for s in statuses]).encode()


def status(**fields):
    """Return a status of an archive."""
    return {"id_str": "1900000000000000001", "created_at": CREATED, "full_text": "Rain", "entities": {}} | fields


def only(**fields):
    """Return the one material of a status."""
    (found,) = materials(read(SOURCE, tweets(status(**fields))))
    return found


@pytest.mark.parametrize("source", [SOURCE, LINES], ids=lambda source: source.name)
def test_examples_are_read_as_promised(source):
    """The examples are what the documentation shows."""
    for example in source.examples():
        assert source.recognise(example.content, example.name) >= 0.9
        assert len(materials(read(source, example.content))) == example.materials


def test_real_statuses_come_out_whole():
    """Three statuses of twitter-to-sqlite, with the one reposted and the one quoted: five materials."""
    found = materials(read_file(SOURCE, fixture("twitter_archive", "tweets.json")))
    assert [m.native_id for m in found] == [
        "1169246717864136705", "1169242008432644097", "1169196446043664385", "1168529001599533057",
        "861696799362478085",
    ]  # fmt: skip
    assert [m.kind for m in found] == ["repost", "post", "reply", "post", "post"]
    assert [m.author for m in found] == ["12497", "22737278", "12497", "12497", "14148390"]
    assert found[0].repost_of == found[1].native_id
    assert found[2].links == [
        "http://www.owlsnearme.com",
        "https://24ways.org/2018/observable-notebooks-and-inaturalist/",
    ]
    assert found[2].media == [Media("https://pbs.twimg.com/media/BwEmlDHCMAEGwu_.jpg", "image/jpeg")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("account.js", [Passed("account")]),
        ("account-suspension.js", []),
        ("app.js", [Passed("app")]),
        ("follower.js", [Passed("follower", 2)]),
        ("following.js", [Passed("following", 2)]),
        ("saved-search.js", [Passed("saved-search", 2)]),
    ],
)
def test_real_files_about_the_account_are_counted_only(name, expected):
    """Whom someone follows is nobody's business here."""
    path = fixture("twitter_archive", name)
    assert SOURCE.recognise(path.read_bytes(), name) >= 0.9
    assert read_file(SOURCE, path) == expected


def test_shortened_links_are_written_out_and_entities_decoded():
    """A reader of t.co links learns nothing."""
    url = {"url": "https://t.co/a1", "expanded_url": "https://market.example/", "display_url": "market.example"}
    found = only(full_text="Tea &amp; bread &lt;3 https://t.co/a1", entities={"urls": [url]})
    assert found.text == "Tea & bread <3 https://market.example/"
    assert found.links == ["https://market.example/"]


def test_the_address_of_a_picture_does_not_name_the_author():
    """The long form of a picture's link has the author's handle in it."""
    shown = {"url": "https://t.co/p1", "display_url": "pic.twitter.com/p1", "media_url_https": "https://pbs.example/p.jpg",
             "expanded_url": "https://twitter.com/somebody/status/1/photo/1"}  # fmt: skip
    found = only(full_text="Look https://t.co/p1", entities={"media": [shown]})
    assert found.text == "Look pic.twitter.com/p1"
    assert found.url == "https://x.com/i/status/1900000000000000001"


def test_media_files_of_the_archive_are_found_by_the_tweets_id():
    """The archive names them `tweets_media/<tweet id>-<file>`; a video is there in one of its qualities."""
    video = {"variants": [
        {"bitrate": "1", "content_type": "video/mp4", "url": "https://v.example/low.mp4?tag=1"},
        {"bitrate": "9", "content_type": "video/mp4", "url": "https://v.example/high.mp4"},
        {"content_type": "application/x-mpegURL", "url": "https://v.example/list.m3u8"},
    ]}  # fmt: skip
    content = tweets(status(id_str="5", extended_entities={"media": [{"type": "video", "video_info": video}]}))
    held = {"tweets_media/5-low.mp4": b"film"}
    found = materials(read(SOURCE, content, sibling=lambda name: io.BytesIO(held[name]) if name in held else None,
                           keep_media=lambda stream, path, role: Media(path, sha256="00", role=role)))  # fmt: skip
    assert found[0].media == [Media("tweets_media/5-low.mp4", sha256="00")]


def test_the_owner_of_an_archive_is_the_author():
    """Tweets of an archive carry no user; the account file beside them does."""
    account = b'window.YTD.account.part0 = [{"account": {"accountId": "501", "email": "a@b.example"}}]'
    (found,) = materials(
        read(SOURCE, tweets(status()), sibling=lambda name: io.BytesIO(account) if name == "account.js" else None)
    )
    assert found.author == "501"


def test_a_reposts_mark_counts_in_an_archive():
    """Archives cut a repost to its text: the mark is all that is left."""
    assert only(full_text="RT @market: Open").kind == "repost"


def test_a_protected_account_is_not_read():
    """Only admitted followers see it (R-03)."""
    (item,) = read(SOURCE, json.dumps([status(user={"id_str": "9", "protected": True})]).encode())
    assert (item.reason, item.keep_raw) == ("not-public", False)


def test_deleted_tweets_are_passed_over():
    """They are no longer public."""
    assert read(SOURCE, tweets(status(), part="deleted_tweets")) == [Passed("deleted-tweets")]


def notes(text, created="2026-03-01T09:00:00.000Z"):
    """Return a file of long texts."""
    note = {"noteTweet": {"noteTweetId": "77", "createdAt": created, "core": {"text": text}}}
    return b"window.YTD.note_tweet.part0 = " + json.dumps([note]).encode()


def test_a_long_tweet_has_its_whole_text():
    """Archives cut a tweet at 280 characters and keep the rest in a file of its own, tied by the time alone."""
    whole = "Rain until Thursday, says the harbour office of Veyl &amp; " + "more " * 60
    held = {"note-tweet.js": notes(whole)}
    cut = whole[:120] + "… https://t.co/x"
    content = tweets(status(full_text=cut), status(full_text="Rain is another matter in Veyl, they say"))
    found = materials(read(SOURCE, content, sibling=lambda name: io.BytesIO(held[name]) if name in held else None))
    assert found[0].text == whole.replace("&amp;", "&")
    assert found[1].text == "Rain is another matter in Veyl, they say"


def test_long_texts_are_read_by_themselves_only_where_no_tweets_are():
    """Read with their tweets they are no second material."""
    (found,) = materials(read(SOURCE, notes("Long &amp; wide")))
    assert (found.native_id, found.text, found.published_at) == ("77", "Long & wide", "2026-03-01T09:00:00.000Z")
    assert read(SOURCE, notes("Long"), siblings=lambda: ["tweets.js"]) == [Passed("note-tweet")]


def test_a_time_that_is_left_out_is_in_the_id():
    """X's ids hold the millisecond of posting; this one's post says Wed Sep 04 13:51:55 +0000 2019 itself."""
    assert only(id_str="1169246717864136705", created_at=None).published_at // 1000 == 1567605115


def test_the_streams_long_form_is_preferred():
    """The streaming API cut `text` and put the whole beside it."""
    long = {"full_text": "All of it", "entities": {}}
    line = json.dumps(status(full_text=None, text="All…", truncated=True, extended_tweet=long)).encode()
    assert [m.text for m in materials(read(LINES, line))] == ["All of it"]


def test_lines_are_read_with_their_offsets_and_a_broken_one_costs_one():
    """One input is read by all cores, block by block."""
    data = json.dumps(status()).encode() + b"\n\xff{\n" + json.dumps(status()).encode() + b"\n"
    items = list(LINES.read_block(LineBlock(data, 10, 1000), ReadContext("x")))
    assert [item.record for item in items] == [10, 11, 12]
    assert isinstance(items[1], Skipped)
    assert data[items[2].offset - 1000 :].startswith(b'{"id_str"')


def test_an_archive_that_breaks_off_keeps_the_tweets_before():
    """Truncation is told, not hidden."""
    items = read(SOURCE, tweets(status(), status(id_str="2"))[:-30])
    assert len(materials(items)) == 1
    assert items[-1].reason == "json-truncated"


def test_a_wrong_type_names_the_field():
    """The quarantine must say what to look at."""
    (item,) = read(SOURCE, tweets(status(full_text=["x"])))
    assert item.detail == "field full_text: got list, expected text"


@pytest.mark.parametrize("tail", [b"", b";", b" ;\n", b";\n" * 60], ids=["none", "semicolon", "spaced", "many"])
def test_a_semicolon_behind_the_array_is_borne(tail):
    """Some tools write scripts as scripts are written."""
    content = tweets(*(status(id_str=str(n)) for n in range(900)))
    assert len(read(SOURCE, content + tail)) == 900


def test_an_archive_turned_into_plain_json_is_read():
    """Tools cut the assignment off and leave the elements as they are."""
    content = json.dumps([{"tweet": {"id_str": "5", "full_text": "RT @a: Rain"}}]).encode()
    assert SOURCE.recognise(content, "tweets.json") == 0.9
    assert [m.kind for m in materials(read(SOURCE, content))] == ["repost"]


def test_a_single_status_is_read():
    """The API answers one status as one object."""
    content = json.dumps(status(user={"id_str": "9"}), indent=1).encode()
    assert SOURCE.recognise(content, "status.json") == 0.85
    assert [m.author for m in materials(read(SOURCE, content))] == ["9"]
