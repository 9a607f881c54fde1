"""API 2 of X: pages, what they include, what they could not give."""

import json

import pytest
from reading import materials, read

from antiphon.model.material import Gap, Material, Media, Passed, Skipped
from antiphon.sources.x_api import XApi

SOURCE = XApi()


def tweet(number=1, **fields):
    """Return a tweet with its default fields."""
    return {
        "id": str(1900000000000000000 + number),
        "text": "Rain",
        "edit_history_tweet_ids": ["1"],
        "author_id": "5",
    } | fields


def page(*tweets, **beside):
    """Return a page as bytes."""
    return json.dumps({"data": list(tweets), **beside}).encode()


def only(fields, **beside):
    """Return the one material of a page."""
    (found,) = materials(read(SOURCE, page(tweet(**fields), **beside)))
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content))) == example.materials


@pytest.mark.parametrize(
    "content",
    [
        page(tweet(1), tweet(2)),
        b"\n".join(page(tweet(n)) for n in (1, 2)),
        json.dumps([tweet(1), tweet(2)]).encode(),
        json.dumps([json.loads(page(tweet(1))), json.loads(page(tweet(2)))], indent=1).encode(),
        json.dumps({"data": [tweet(1), tweet(2)]}, indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps({"data": [tweet(1), tweet(2)]}, indent=2).encode(),
        b"\n".join(json.dumps({"data": tweet(n), "matching_rules": []}).encode() for n in (1, 2)),
    ],
    ids=["one page", "page a line", "bare tweets", "array of pages", "indented page", "byte order mark", "stream"],
)
def test_every_way_of_keeping_pages_is_read(content):
    """Tools differ in how they write what the API answers."""
    assert SOURCE.recognise(content, "x.json") >= 0.9
    assert [item.native_id[-1] for item in read(SOURCE, content + b"\n")] == ["1", "2"]


def test_all_fields_of_a_tweet_find_their_place():
    """What the schema has a place for must come out."""
    found = only(
        {
            "created_at": "2026-03-01T09:00:00.000Z", "lang": "ar", "conversation_id": "9",
            "referenced_tweets": [{"type": "replied_to", "id": "8"}, {"type": "quoted", "id": "7"}],
            "public_metrics": {"impression_count": 4, "like_count": 3, "retweet_count": 2, "reply_count": 1},
        }
    )  # fmt: skip
    assert (found.kind, found.reply_to, found.thread, found.lang_declared) == ("reply", "8", "9", "ar")
    assert (found.views, found.reactions, found.shares, found.replies) == (4, 3, 2, 1)
    assert (found.author, found.url) == ("5", "https://x.com/i/status/1900000000000000001")


def test_the_long_text_is_preferred():
    """`text` is cut at 280 characters, the note is not."""
    url = {"url": "https://t.co/a", "expanded_url": "https://a.example/"}
    note = {"text": "All of it &amp; more https://t.co/a", "entities": {"urls": [url]}}
    found = only({"note_tweet": note})
    assert (found.text, found.links) == ("All of it & more https://a.example/", ["https://a.example/"])


def test_media_come_from_the_includes():
    """Tweets only carry keys; the best MP4 of a video is its file, the still its preview."""
    video = {"media_key": "7_1", "type": "video", "preview_image_url": "https://p.example/v.jpg", "variants": [
        {"bit_rate": 1, "content_type": "video/mp4", "url": "https://v.example/low.mp4"},
        {"bit_rate": 9, "content_type": "video/mp4", "url": "https://v.example/high.mp4"}]}  # fmt: skip
    found = only({"attachments": {"media_keys": ["7_1", "7_2"]}}, includes={"media": [video]})
    assert found.media == [
        Media("https://v.example/high.mp4", "video/mp4"),
        Media("https://p.example/v.jpg", "image/jpeg", role="preview"),
    ]


def test_included_tweets_are_read_once():
    """A tweet both on a page and in its includes is one."""
    items = read(SOURCE, page(tweet(1), includes={"tweets": [tweet(1), tweet(2)]}))
    assert [m.native_id[-1] for m in materials(items)] == ["1", "2"]


def test_a_flattened_tweet_gives_what_it_carries():
    """The tool twarc puts referenced tweets inside the one that refers to them."""
    inner = tweet(3, referenced_tweets=[])
    line = json.dumps(tweet(2, referenced_tweets=[{"type": "retweeted", **inner}]) | {"author": {"id": "5"}})
    found = materials(read(SOURCE, line.encode()))
    assert [(m.kind, m.repost_of) for m in found] == [("repost", inner["id"]), ("post", None)]


def test_an_error_of_the_api_is_in_the_quarantine_without_its_handle():
    """The API's own words may name an account."""
    error = {
        "title": "Not Found Error",
        "detail": "Could not find user: [somebody]",
        "resource_type": "user",
        "value": "somebody",
    }
    (item,) = read(SOURCE, json.dumps({"data": [], "errors": [error]}).encode())
    assert (item.reason, item.keep_raw) == ("api-error", False)
    assert "somebody" not in item.detail


def test_a_last_page_that_promises_more_is_a_gap():
    """Only the last page can promise what is not there."""
    more, last = {"meta": {"result_count": 1, "next_token": "t"}}, {"meta": {"result_count": 1}}
    assert [type(i) for i in read(SOURCE, page(tweet(1), **more))][1:] == [Gap]
    assert len(read(SOURCE, page(tweet(1), **more) + b"\n" + page(tweet(2), **last))) == 2


def test_protected_accounts_and_profiles_are_not_read():
    """Protected accounts admit their readers; a profile is no content."""
    users = [{"id": "5", "name": "A", "username": "a", "protected": True}]
    items = read(SOURCE, page(tweet(1), includes={"users": users}))
    assert [(i.reason, i.keep_raw) for i in items] == [("not-public", False)]
    assert read(SOURCE, page(*users)) == [Passed("user")]


def test_one_bad_tweet_costs_one_tweet():
    """The rest of its page is kept."""
    items = read(SOURCE, page(tweet(1, public_metrics=[1]), "x", tweet(3), includes=7, errors="x"))
    assert [getattr(item, "reason", "kept") for item in items] == ["field-invalid", "field-invalid", "kept"]
    assert items[0].detail.startswith("field public_metrics: got list")


def test_a_page_that_breaks_off_keeps_the_tweets_before():
    """Truncation is told, not hidden."""
    content = json.dumps({"data": [tweet(1), tweet(2)]}, indent=2).encode()[:-60]
    items = read(SOURCE, content)
    assert len(materials(items)) == 1
    assert isinstance(items[-1], Skipped)
    assert items[-1].reason == "json-truncated"


def test_pages_longer_than_the_head_are_read_line_by_line():
    """A page of a hundred tweets is longer than what is seen to recognise it."""
    pages = [page(*(tweet(n + 100 * p, text="Rain " * 200) for n in range(100))) for p in range(3)]
    content = b"\n".join(pages)
    assert SOURCE.recognise(content[:65_536], "x.jsonl") == 0.95
    assert [type(item) for item in read(SOURCE, content)] == [Material] * 300


def test_indented_pages_behind_each_other_are_read():
    """Tools append one answer after the other to a file."""
    content = b"\n".join(json.dumps({"data": [tweet(n)]}, indent=1).encode() for n in range(3))
    assert [type(item) for item in read(SOURCE, content)] == [Material] * 3
