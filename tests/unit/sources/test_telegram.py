"""Telegram Desktop exports: what is read of a chat, and which chats are not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.model.instants import instant_us
from antiphon.model.material import Gap, Media, Passed, Skipped
from antiphon.sources.telegram import TelegramExport

SOURCE = TelegramExport()


def chat(*messages, kind="public_channel", **root):
    """Return an export of one chat, as bytes."""
    return json.dumps({"name": "Veyl", "type": kind, "id": 7, **root, "messages": list(messages)}).encode()


def message(number=1, **fields):
    """Return a plain message."""
    return {"id": number, "type": "message", "date_unixtime": "1772355600", "from_id": "user5", "text": "Rain"} | fields


def only(*messages, **root):
    """Return the one material of a chat."""
    (found,) = materials(read(SOURCE, chat(*messages, **root)))
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content))) == example.materials


@pytest.mark.parametrize("name", ["test_single_export.json", "test_batch_export.json"])
def test_real_exports_give_what_their_own_project_expects(name):
    """Author, time and text as chat-miner's target.json has them, for both kinds of root."""
    expected = json.loads(fixture("telegram_export", "target.json").read_bytes())
    content = fixture("telegram_export", name).read_bytes()
    found = materials(read(SOURCE, content))
    assert SOURCE.recognise(content, name) >= 0.9
    assert [(m.author, m.text) for m in found] == [(e["author"], e["message"]) for e in expected]
    assert [instant_us(m.published_at) for m in found] == [instant_us(e["timestamp"]) for e in expected]


def test_a_real_personal_chat_is_never_read():
    """Private messages are no public content, and no byte of them may be kept (R-03)."""
    items = read(SOURCE, fixture("telegram_export", "tgparser_personal_chat.json").read_bytes(), public_basis="x")
    skipped = [item for item in items if isinstance(item, Skipped)]
    assert [item.reason for item in skipped] == ["not-public"] * 4
    assert not any(item.keep_raw or item.raw for item in skipped)
    assert items[-1] == Passed("service: phone_call")


def test_a_real_closed_group_is_read_only_on_a_stated_basis():
    """Whether a closed group counts as public is for a person to say, not for the machine."""
    content = fixture("telegram_export", "tgparser_supergroup_with_topics.json").read_bytes()
    assert materials(read(SOURCE, content)) == []
    found = materials(read(SOURCE, content, public_basis="anyone may join by the link on the group's site"))
    assert [m.native_id for m in found] == [f"987654321/{n}" for n in (3, 5, 6, 7)]
    assert [m.thread for m in found] == ["987654321/2", "987654321/4", "987654321/4", None]
    assert [m.reactions for m in found] == [None, None, 3, None]


@pytest.mark.parametrize("kind", ["saved_messages", "bot_chat", "replies", "verify_codes", "a_kind_of_tomorrow"])
def test_kinds_of_chat_that_are_not_known_as_public_stay_closed(kind):
    """A new kind of chat must not be read by accident."""
    (item,) = read(SOURCE, chat(message(), kind=kind), public_basis="stated")
    assert (item.reason, item.keep_raw) == ("not-public", False)


def test_a_type_that_comes_after_the_messages_still_counts():
    """No exporter writes it in this order, but privacy must not hang on it."""
    content = json.dumps({"messages": [message()], "name": "A Friend", "type": "personal_chat"}).encode()
    assert [item.reason for item in read(SOURCE, content)] == ["not-public"]


def test_styled_text_is_joined_and_its_addresses_are_kept():
    """A text link shows words and hides an address; both belong to the material."""
    parts = [
        "See ",
        {"type": "bold", "text": "this"},
        {"type": "text_link", "text": " page", "href": "https://a.example/"},
    ]
    found = only(message(text=parts))
    assert (found.text, found.links) == ("See this page", ["https://a.example/"])


def test_an_edited_message_is_another_revision():
    """An edit can change everything that was said."""
    assert only(message(edited_unixtime="1772359200")).revision == "1772359200"
    assert only(message(edited="1970-01-01T03:00:00")).revision is None


def test_a_forward_is_a_repost_and_keeps_no_name():
    """The name behind a forward may be a person's."""
    found = only(message(forwarded_from="Somebody", reply_to_message_id=None))
    assert (found.kind, found.repost_of) == ("repost", None)
    assert "Somebody" not in repr((found.source, found.native_id, found.title, found.text, found.author))


def test_a_reply_points_into_its_own_or_another_chat():
    """Replies across chats carry the peer's id."""
    assert only(message(2, reply_to_message_id=1)).reply_to == "7/1"
    assert only(message(2, reply_to_message_id=1, reply_to_peer_id="channel99")).reply_to == "99/1"


def test_a_file_that_was_left_out_is_named_only():
    """Telegram writes a sentence in place of the path."""
    left_out = "(File not included. Change data exporting settings to download.)"
    found = only(message(text="", file=left_out, file_name="map.pdf", mime_type="application/pdf", file_size=9))
    assert found.media == [Media(path="map.pdf", mime="application/pdf", bytes=9)]
    assert found.text is None


def test_a_poll_is_read_with_its_answers():
    """What a poll asks is content."""
    poll = {"question": "When?", "closed": False, "total_voters": 3, "answers": [{"text": "Now", "voters": 3}]}
    assert only(message(text="", poll=poll)).text == "When?\n- Now"


def test_a_contact_card_is_passed_over():
    """A phone number and a name are personal data, no content."""
    card = {"first_name": "A", "last_name": "B", "phone_number": "000"}
    assert read(SOURCE, chat(message(text="", contact_information=card))) == [Passed("contact or location")]


def test_holes_in_the_numbering_are_told_per_chat():
    """Message ids of a channel are a sequence: what is not there was deleted or left out."""
    items = read(SOURCE, chat(*(message(n) for n in (3, 4, 7, 9))))
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert "3 of 7 message ids" in gap.what
    assert gap.what.endswith("5-6, 8")


@given(st.sets(st.integers(1, 300), min_size=1))
def test_missing_and_present_ids_add_up(present):
    """The law of the gap report: present and missing ids together are the whole range."""
    items = read(SOURCE, chat(*(message(n) for n in sorted(present))))
    span = max(present) - min(present) + 1
    told = [int(item.what.split(": ")[1].split()[0]) for item in items if isinstance(item, Gap)]
    assert sum(told) == span - len(present)


@given(st.integers(1, 400))
def test_a_truncated_export_keeps_every_whole_message(cut):
    """A broken download costs what is missing, and says so."""
    whole = chat(message(1), message(2), message(3))
    items = read(SOURCE, whole[:-cut])
    assert any(isinstance(item, Skipped) and item.reason.startswith("json-") for item in items)
    assert len(materials(items)) <= 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"text": 5}, "text"), ({"id": {}}, "id"), ({"reactions": "x"}, "reactions"), ({"from_id": [1]}, "from_id")],
    ids=["text is a number", "id is an object", "reactions are text", "author is a list"],
)
def test_a_wrong_type_costs_one_message_and_names_the_field(fields, field):
    """The quarantine must say what to look at."""
    items = read(SOURCE, chat(message(1, **fields), message(2)))
    (skipped,) = [item for item in items if isinstance(item, Skipped)]
    assert skipped.reason == "field-invalid"
    assert skipped.detail.startswith(f"field {field}:")
    assert len(materials(items)) == 1


def test_a_path_that_leads_out_of_the_export_is_never_opened():
    """A hostile export must not read the files of whoever reads it."""
    opened = []
    content = chat(message(file="../../../secret.pdf", file_name="a.pdf", thumbnail="/etc/x.jpg"))
    (found,) = materials(read(SOURCE, content, sibling=opened.append))
    assert opened == []
    assert found.media == [Media("a.pdf"), Media(None, role="preview")]


def test_an_array_of_messages_alone_is_read():
    """People cut the messages out of an export; they can't be tied to a chat then."""
    content = json.dumps([message(1), message(2)]).encode()
    assert SOURCE.recognise(content, "messages.json") == 0.8
    assert [(m.source, m.native_id) for m in materials(read(SOURCE, content))] == [("telegram", None)] * 2


def test_what_is_counted_holds_no_text():
    """Counts and reasons go to logs; a hostile export must not bring its text there."""
    items = read(SOURCE, chat(message(type="service", action="join us now"), kind="public_channel"))
    assert items == [Passed("service: unknown")]
    (closed,) = read(SOURCE, chat(message(), kind="come to the square"))
    assert "square" not in closed.detail
