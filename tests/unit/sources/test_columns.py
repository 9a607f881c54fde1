"""Column names: what other people's tables call the fields of a material."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.sources.columns import COLUMN_ALIASES, FIELDS, count_of, kind_of, list_of, normal_name, resolve, source_of

HEADERS = {
    "a plain export": (
        ["id", "created_at", "username", "text", "lang", "likes"],
        {"id": "native_id", "created_at": "published_at", "username": "author", "text": "text",
         "lang": "lang_declared", "likes": "reactions"},
    ),
    "camel case and spaces": (
        ["tweetId", "Post Created", "Full Text", "Retweet Count"],
        {"tweetId": "native_id", "Post Created": "published_at", "Full Text": "text", "Retweet Count": "shares"},
    ),
    "the stable account id before the name": (
        ["username", "user_id", "body"], {"user_id": "author", "body": "text"},
    ),
    "an own id before that of the thread": (
        ["post_id", "id", "message"], {"post_id": "thread", "id": "native_id", "message": "text"},
    ),
    "a page and what it links to": (["URL", "Link", "Message"], {"URL": "url", "Link": "links", "Message": "text"}),
    "a title is no text": (["title", "description"], {"title": "title", "description": "text"}),
    "nothing known": (["alpha", "beta"], {}),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_columns_are_known_by_name(columns, expected):
    """Which column feeds which field is decided by its name and by the others beside it."""
    assert resolve(columns) == expected


@given(st.lists(st.one_of(st.sampled_from(sorted(COLUMN_ALIASES)), st.text(max_size=12)), max_size=30))
def test_no_field_is_fed_twice(columns):
    """Two columns for one field would let the second overwrite the first."""
    fields = list(resolve(columns).values())
    assert len(fields) == len(set(fields))
    assert set(fields) <= set(FIELDS)


@given(st.text(max_size=40))
def test_a_normal_name_stays_as_it_is(name):
    """Names are compared in one form, so making it twice changes nothing."""
    assert normal_name(normal_name(name)) == normal_name(name)


def test_a_mapping_wins_over_the_names():
    """A person who names a column knows the table better than its header."""
    assert resolve(["text", "original"], {"text": "original"}) == {"original": "text"}


WRONG = {
    "a field that there is not": ({"words": "text"}, "'words'"),
    "a column that there is not": ({"text": "boddy"}, "'boddy'"),
    "one column for two fields": ({"text": "text", "title": "text"}, "both"),
}


@pytest.mark.parametrize(("mapping", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_mapping_says_what_is_wrong(mapping, said):
    """A typing error in a mapping must not empty a column in silence."""
    with pytest.raises(InputError, match=said):
        resolve(["text", "id"], mapping)


SOURCES = {
    "neither": (None, None, "posts"),
    "an outlet": (None, "Lantern Board", "posts/Lantern Board"),
    "a platform": ("Twitter", None, "x"),
    "both": ("telegram", "@harbour_news", "telegram/harbour_news"),
    "the platform inside of the outlet": (None, "telegram/harbour_news", "telegram/harbour_news"),
    "the outlet is a platform": (None, "reddit", "reddit"),
    "an address": (None, "https://www.gazette.example/a", "posts/gazette.example"),
    "a client's anchor": ("x", '<a href="https://app.example">App</a>', "x"),
    "a subreddit": ("Reddit", "r/harbour", "reddit/harbour"),
    "empty words": ("n/a", "null", "posts"),
}


@pytest.mark.parametrize(("platform", "outlet", "expected"), SOURCES.values(), ids=SOURCES.keys())
def test_a_source_is_platform_and_outlet(platform, outlet, expected):
    """Every material was published somewhere; two columns say where."""
    assert source_of(platform, outlet) == expected


COUNTS = {"1,204": 1204, "1 204": 1204, "3.5K": 3500, "2M": 2_000_000, " 7 ": 7, "": None, "NaN": None, "12.0": 12}


@pytest.mark.parametrize(("written", "count"), COUNTS.items())
def test_counters_are_read_as_written(written, count):
    """Exports group digits and shorten thousands."""
    assert count_of(written) == count


@pytest.mark.parametrize("value", ["many", "1,2,3", [1], "--"])
def test_a_counter_that_is_none_is_refused(value):
    """A wrong counter is a wrong column: the row must be seen, not read as zero."""
    with pytest.raises(ValueError, match="number"):
        count_of(value)


LISTS = {
    "JSON": '["https://a.example/1", "https://a.example/2"]',
    "Python": "['https://a.example/1', 'https://a.example/2']",
    "bare": "[https://a.example/1, https://a.example/2]",
    "commas": "https://a.example/1,https://a.example/2",
    "spaces": "https://a.example/1 https://a.example/2",
    "bars": "https://a.example/1|https://a.example/2",
    "entities": '[{"expanded_url": "https://a.example/1"}, {"url": "https://a.example/2"}]',
}


@pytest.mark.parametrize("written", LISTS.values(), ids=LISTS.keys())
def test_lists_of_addresses_are_read(written):
    """One cell holds many addresses, each tool in its own way."""
    assert list_of(written) == ["https://a.example/1", "https://a.example/2"]


def test_an_address_with_a_comma_stays_whole():
    """A comma is a letter of addresses; only before the next address it separates."""
    assert list_of("https://a.example/1,2?x=1,2") == ["https://a.example/1,2?x=1,2"]


def test_kinds_have_their_own_words():
    """`type` says what a record is only where its value is a kind."""
    assert [kind_of(value) for value in ("Reply", "retweet", "sponsored", None)] == ["reply", "repost", None, None]
