"""Mastodon: statuses out of every answer of the API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.material import Gap, Material, Media, Passed, Skipped
from antiphon.sources.interface import LineBlock, ReadContext
from antiphon.sources.mastodon import Mastodon

SOURCE = Mastodon()
ACCOUNT = {"id": "7", "username": "ferry", "acct": "ferry", "url": "https://quay.example/@ferry", "note": ""}
STATUS = {
    "id": "11", "created_at": "2026-03-01T08:00:00.000Z", "in_reply_to_id": None, "visibility": "public",
    "language": "en", "spoiler_text": "", "uri": "https://quay.example/users/ferry/statuses/11",
    "url": "https://quay.example/@ferry/11", "replies_count": 1, "reblogs_count": 2, "favourites_count": 3,
    "edited_at": None, "content": '<p>Tide at <a href="https://n.example/t">nine</a></p>', "reblog": None,
    "account": ACCOUNT, "media_attachments": [], "card": None, "poll": None,
}  # fmt: skip


def status(**changes: object) -> dict[str, object]:
    return STATUS | changes


def only(value: object) -> Material:
    (found,) = read(SOURCE, json.dumps(value).encode())
    assert isinstance(found, Material)
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_recognised_and_read(example):
    """What the source shows of itself is true."""
    assert SOURCE.recognise(example.content, example.name) >= 0.5
    assert len(materials(read(SOURCE, example.content))) == example.materials


def test_every_field_of_a_status_is_read():
    """A status fills all that the schema has a place for."""
    found = only(STATUS)
    assert (found.source, found.native_id, found.kind) == ("mastodon/quay.example", "11", "post")
    assert (found.url, found.author) == ("https://quay.example/@ferry/11", "https://quay.example/@ferry")
    assert (found.published_at, found.lang_declared) == ("2026-03-01T08:00:00.000Z", "en")
    assert (found.text, found.links) == ("Tide at nine", ["https://n.example/t"])
    assert (found.reactions, found.shares, found.replies, found.views) == (3, 2, 1, None)
    assert (found.title, found.revision, found.reply_to, found.repost_of) == (None, None, None, None)


CHANGES = {
    "a warning is the title": ({"spoiler_text": "weather"}, "title", "weather"),
    "an edit is a revision": ({"edited_at": "2026-03-02T00:00:00Z"}, "revision", "2026-03-02T00:00:00Z"),
    "an answer is a reply": ({"in_reply_to_id": "10"}, "kind", "reply"),
    "an answer names what it answers": ({"in_reply_to_id": 10}, "reply_to", "10"),
    "a card is a link": (
        {"content": "x", "card": {"url": "https://n.example/c"}}, "links", ["https://n.example/c"],
    ),
    "a poll's options stand below": (
        {"content": "<p>When?</p>", "poll": {"options": [{"title": "nine"}, {"title": "ten"}]}}, "text",
        "When?\nnine\nten",
    ),
    "media keep their address and type": (
        {"media_attachments": [{"type": "image", "url": "https://f.example/a.png?x=1"}]}, "media",
        [Media(path="https://f.example/a.png?x=1", mime="image/png")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_what_a_status_may_hold(changes, field, value):
    """Each part of a status has its field."""
    assert getattr(only(status(**changes)), field) == value


def test_a_boost_gives_the_boost_and_what_it_boosts():
    """Spreading is an act of its own; what is spread is a material of its own."""
    original = status(id="9", url="https://pier.example/@b/9")
    boost, boosted = materials(read(SOURCE, json.dumps(status(id="12", reblog=original)).encode()))
    assert (boost.kind, boost.native_id, boost.repost_of) == ("repost", "12", "9")
    assert (boosted.kind, boosted.native_id, boosted.source) == ("post", "9", "mastodon/pier.example")


@pytest.mark.parametrize("visibility", ["private", "direct", "limited", "local"])
def test_what_is_not_public_goes_unread(visibility):
    """Only dissemination to the public is read, and not even its bytes are kept (R-03)."""
    (found,) = read(SOURCE, json.dumps(status(visibility=visibility)).encode())
    assert (found.reason, found.keep_raw, found.raw) == ("not-public", False, None)


def test_a_private_status_inside_of_a_boost_goes_unread():
    """What wraps a status does not publish it."""
    _, inner = read(SOURCE, json.dumps(status(id="12", reblog=status(visibility="private"))).encode())
    assert isinstance(inner, Skipped)


WRAPPED = {
    "array": [STATUS, status(id="12")],
    "search": {"accounts": [ACCOUNT], "statuses": [STATUS, status(id="12")], "hashtags": [{"name": "a"}]},
    "context": {"ancestors": [STATUS], "descendants": [status(id="12")]},
    "notifications": [
        {"id": "1", "type": "mention", "account": ACCOUNT, "status": s} for s in (STATUS, status(id="12"))
    ],
    "stream": [
        {"stream": ["public"], "event": "update", "payload": json.dumps(s)} for s in (STATUS, status(id="12"))
    ],
}  # fmt: skip


@pytest.mark.parametrize("document", WRAPPED.values(), ids=WRAPPED.keys())
def test_statuses_come_out_of_every_wrapping(document):
    """Each answer of the API holds statuses in its own place."""
    content = json.dumps(document).encode()
    assert SOURCE.recognise(content, "x") >= 0.5
    assert [m.native_id for m in materials(read(SOURCE, content))] == ["11", "12"]


def test_a_wrong_field_is_named():
    """The quarantine says what to correct; the status after it is read."""
    bad, good = read(SOURCE, json.dumps([status(content=4), STATUS]).encode())
    assert (bad.reason, bad.record) == ("field-invalid", 0)
    assert "field content" in bad.detail
    assert good.record == 1


FIXTURES = {
    "test_status.0.json": 1, "test_status.2.json": 1, "test_status_card.1.json": 1, "test_status_edit.0.json": 1,
    "test_status_edit.1.json": 1, "test_status_edit.4.json": 2, "test_status_edit.5.json": 1, "test_search.0.json": 0,
    "test_search.2.json": 0, "test_instance.0.json": 0,
}  # fmt: skip


@pytest.mark.parametrize(("name", "count"), FIXTURES.items())
def test_real_answers_are_read_whole(name, count):
    """Answers of a real server, every one recognised, none in quarantine."""
    content = fixture("mastodon", name).read_bytes()
    items = read(SOURCE, content, name)
    assert SOURCE.recognise(content[:65_536], name) >= 0.5
    assert len(materials(items)) == count
    assert not [item for item in items if isinstance(item, Skipped | Gap)]


def test_a_real_card_gives_its_link():
    """From the answer of a real server."""
    (found,) = materials(read(SOURCE, fixture("mastodon", "test_status_card.1.json").read_bytes()))
    assert (found.text, found.links) == ("http://example.org/", ["http://example.org/"])
    assert (found.source, found.reactions, found.shares, found.replies) == ("mastodon/localhost", 0, 0, 0)


def test_a_real_edit_history_has_its_editions():
    """Entries of a history have no id; their stamps tell them apart."""
    first, second = materials(read(SOURCE, fixture("mastodon", "test_status_edit.4.json").read_bytes()))
    assert (first.revision, second.revision) == ("2026-08-01T13:54:00.505Z", "2026-08-01T13:54:00.695Z")
    assert second.text == "the best editor? why, of course it is the KDE Advanced Text Editor, Kate"


def test_lines_have_their_place():
    """A finding leads back to the line that it came from."""
    data = (json.dumps(STATUS) + "\n" + json.dumps(STATUS) + "\n").encode()
    _, second = SOURCE.read_block(LineBlock(data, 5, 100), ReadContext("x"))
    assert (second.record, second.offset) == (6, 100 + len(data) // 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(STATUS)), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(STATUS)), JSON)
def test_a_status_with_anything_in_a_field_is_accounted_for(field, value):
    """No shape of a field ends the run or makes the record vanish."""
    items = read(SOURCE, json.dumps([status(**{field: value})]).encode())
    assert items
    assert all(isinstance(item, Material | Skipped | Passed) for item in items)
