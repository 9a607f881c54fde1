"""Reddit: listings with their trees, dumps with their lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import materials, read

from antiphon.model.material import Gap, Media, Passed, Skipped
from antiphon.sources.interface import LineBlock, ReadContext
from antiphon.sources.reddit import RedditDump, RedditListing

LISTING, DUMP = RedditListing(), RedditDump()


def post(**fields):
    """Return a submission as the API gives it."""
    return {"id": "aa1", "name": "t3_aa1", "subreddit": "veyl", "title": "Rain", "selftext": "Until Thursday",
            "is_self": True, "permalink": "/r/veyl/comments/aa1/rain/", "author": "keeper",
            "created_utc": 1772355600.0} | fields  # fmt: skip


def comment(number=1, **fields):
    """Return a comment as a dump gives it."""
    return {"id": f"k{number}", "subreddit": "veyl", "body": "Indeed", "link_id": "t3_aa1", "parent_id": "t3_aa1",
            "author": "keeper", "created_utc": 1772355700} | fields  # fmt: skip


def listing(*children, after=None):
    """Return a listing of things."""
    return {"kind": "Listing", "data": {"after": after, "children": list(children)}}


def only(record):
    """Return the one material of a dump of one line."""
    (found,) = materials(read(DUMP, json.dumps(record).encode()))
    return found


@pytest.mark.parametrize("source", [LISTING, DUMP], ids=lambda source: source.name)
def test_examples_are_read_as_promised(source):
    """The examples are what the documentation shows."""
    for example in source.examples():
        assert source.recognise(example.content, example.name) >= 0.9
        assert len(materials(read(source, example.content))) == example.materials


def test_a_submission_finds_its_places():
    """What the schema has a place for must come out."""
    found = only(post(score=3, num_comments=2, num_crossposts=1, author_fullname="t2_5", edited=1772359200.0))
    assert (found.source, found.native_id, found.kind) == ("reddit/veyl", "t3_aa1", "post")
    assert (found.title, found.text, found.author) == ("Rain", "Until Thursday", "t2_5")
    assert (found.reactions, found.replies, found.shares) == (3, 2, 1)
    assert found.url == "https://www.reddit.com/r/veyl/comments/aa1/rain/"
    assert found.revision == "1772359200"


def test_a_comment_knows_its_parent_and_thread():
    """Trees are put together again by these ids."""
    found = only(comment(2, parent_id="t1_k1", body="Less than 5 &lt; 6 &amp; so on"))
    assert (found.kind, found.reply_to, found.thread) == ("comment", "t1_k1", "t3_aa1")
    assert found.text == "Less than 5 < 6 & so on"
    assert found.url == "https://www.reddit.com/comments/aa1/_/k2/"


def test_ids_that_a_dump_wrote_as_numbers_are_read():
    """Some dumps of 2022 hold the number behind the id: 13357 is `aa1` in base 36."""
    number = int("aa1", 36)
    found = only(comment(parent_id=number, link_id=number))
    assert (found.reply_to, found.thread) == ("t3_aa1", "t3_aa1")


@pytest.mark.parametrize("gone", ["[deleted]", "[removed]", "[ Removed by Reddit ]"])
def test_what_was_taken_away_stays_as_a_material_without_text(gone):
    """That it was there is still public; the mark is not its author's text."""
    found = only(post(selftext=gone, author="[deleted]"))
    assert (found.title, found.text, found.author) == ("Rain", None, None)


def test_a_page_of_an_account_is_no_outlet():
    """Its name is a person's: it must stand neither in the source nor in the address."""
    found = only(post(subreddit="u_somebody", subreddit_type="user", permalink="/r/u_somebody/comments/aa1/rain/"))
    assert (found.source, found.url) == ("reddit", "https://www.reddit.com/comments/aa1/")


def test_a_private_subreddit_needs_a_stated_basis():
    """It admits its readers one by one (R-03)."""
    line = json.dumps(post(subreddit_type="private")).encode()
    (item,) = read(DUMP, line)
    assert (item.reason, item.keep_raw) == ("not-public", False)
    assert len(materials(read(DUMP, line, public_basis="opened to all in 2026"))) == 1


def test_a_crosspost_gives_what_it_repeats_too():
    """Its own text is empty: the content is in the first one."""
    record = post(selftext="", crosspost_parent="t3_bb2", crosspost_parent_list=[post(id="bb2", name="t3_bb2")])
    found = materials(read(DUMP, json.dumps(record).encode()))
    assert [(m.native_id, m.kind, m.repost_of) for m in found] == [
        ("t3_aa1", "repost", "t3_bb2"),
        ("t3_bb2", "post", None),
    ]


def test_a_gallery_is_read_in_its_order():
    """Addresses of images are escaped in the API's answers."""
    image = lambda name: {"m": "image/png", "s": {"u": f"https://i.example/{name}?a=1&amp;b=2"}}  # noqa: E731
    order = {"items": [{"media_id": "b"}, {"media_id": "a"}]}
    found = only(post(is_self=False, media_metadata={"a": image("a"), "b": image("b")}, gallery_data=order))
    assert found.media == [Media(f"https://i.example/{name}?a=1&b=2", "image/png") for name in "ba"]


def test_comments_that_were_not_loaded_are_gaps():
    """The API folds what is deep or much."""
    more = {"kind": "more", "data": {"count": 7, "parent_id": "t1_k1", "children": ["k2"]}}
    deeper = {"kind": "more", "data": {"count": 0, "parent_id": "t1_k3", "children": []}}
    items = read(LISTING, json.dumps(listing(more, deeper)).encode())
    assert items == [Gap("7 comments under t1_k1 were not loaded"), Gap("deeper replies under t1_k3 were not loaded")]


def test_only_the_last_listing_can_miss_what_follows():
    """`after` on an earlier page leads to the next one."""
    pages = [listing({"kind": "t3", "data": post()}, after="t3_aa1"), listing()]
    assert len(read(LISTING, json.dumps(pages).encode())) == 1
    assert isinstance(read(LISTING, json.dumps(pages[:1]).encode())[-1], Gap)


@given(st.integers(1, 60))
def test_replies_are_read_however_deep(depth):
    """Each comment comes before its replies, and none is lost."""
    tree = ""
    for number in range(depth, 0, -1):
        tree = listing({"kind": "t1", "data": comment(number) | {"replies": tree}})
    found = materials(read(LISTING, json.dumps(tree).encode()))
    assert [m.native_id for m in found] == [f"t1_k{number}" for number in range(1, depth + 1)]


def test_accounts_and_messages_are_passed_over():
    """They are no public content."""
    things = [{"kind": "t2", "data": {"name": "somebody"}}, {"kind": "t4", "data": {"body": "hello"}}]
    assert read(LISTING, json.dumps(things).encode()) == [Passed("account"), Passed("private message")]


def test_lines_keep_their_places_and_a_bad_one_costs_one():
    """One dump is read by all cores, block by block."""
    lines = [json.dumps(comment(1)), "{", json.dumps({"subreddit": "veyl"}), json.dumps(comment(2, body=5))]
    items = list(DUMP.read_block(LineBlock("\n".join(lines).encode(), 5, 0), ReadContext("x")))
    assert [item.record for item in items] == [5, 6, 7, 8]
    assert [item.reason for item in items if isinstance(item, Skipped)] == [
        "json-broken",
        "field-invalid",
        "field-invalid",
    ]
    assert items[3].detail == "field body: got int, expected text"


def test_an_answer_of_a_dumps_own_api_is_read():
    """Pushshift and Arctic Shift answer with bare records under `data`."""
    content = json.dumps({"data": [comment(1), comment(2)], "error": None}, indent=1).encode()
    assert LISTING.recognise(content, "x.json") == 0.9
    assert [item.native_id for item in read(LISTING, content)] == ["t1_k1", "t1_k2"]
