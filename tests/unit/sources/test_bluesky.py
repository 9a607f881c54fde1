"""Bluesky: posts and reposts out of the API's answers, of records, and of event streams."""

import base64
import hashlib
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read

from antiphon.errors import InputError
from antiphon.model.material import Gap, Material, Passed, Skipped
from antiphon.sources._atproto import place_of
from antiphon.sources.bluesky import Bluesky
from antiphon.sources.interface import LineBlock, ReadContext

SOURCE = Bluesky()
DID = "did:plc:quay"
POST = "app.bsky.feed.post"
CID = "bafkreic3cp5ky525vsukjvrzxsc2h3jka2gud74l2hgeatw2rhj2qycnmq"
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/jpeg", "size": 100}
RECORD = {"$type": POST, "createdAt": "2026-03-01T08:00:00Z", "text": "Low tide at nine", "langs": ["en", "fr"]}
VIEW = {
    "uri": f"at://{DID}/{POST}/3k2a", "cid": "bafy", "author": {"did": DID, "handle": "quay.example"}, "record": RECORD,
    "likeCount": 3, "repostCount": 2, "replyCount": 1, "indexedAt": "2026-03-01T08:00:01Z",
}  # fmt: skip


def view(rkey: str, **record: object) -> dict[str, object]:
    return VIEW | {"uri": f"at://{DID}/{POST}/{rkey}", "record": RECORD | record}


def event(collection: str, record: object, operation: str = "create", **more: object) -> dict[str, object]:
    commit = {"rev": "3k9", "operation": operation, "collection": collection, "rkey": "3k2a", "record": record}
    return {"did": DID, "time_us": 1_772_352_000_000_000, "kind": "commit", "commit": commit, **more}


def loaded(*values: object) -> list[object]:
    return read(SOURCE, "\n".join(map(json.dumps, values)).encode())


def only(value: object) -> Material:
    (found,) = loaded(value)
    assert isinstance(found, Material)
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_recognised_and_read(example):
    """What the source shows of itself is true."""
    assert SOURCE.recognise(example.content, example.name) >= 0.5
    assert len(materials(read(SOURCE, example.content))) == example.materials


def test_every_field_of_a_view_is_read():
    """A post as the API shows it fills all that the schema has a place for."""
    found = only({"posts": [VIEW]})
    assert (found.source, found.native_id, found.kind) == ("bluesky", VIEW["uri"], "post")
    assert (found.url, found.author) == (f"https://bsky.app/profile/{DID}/post/3k2a", DID)
    assert (found.published_at, found.lang_declared, found.text) == (RECORD["createdAt"], "en", RECORD["text"])
    assert (found.reactions, found.shares, found.replies) == (3, 2, 1)


def test_an_event_of_jetstream_is_the_same_material():
    """Where a post was read from does not change what it is."""
    found, shown = only(event(POST, RECORD)), only(VIEW)
    assert (found.native_id, found.url, found.author, found.text) == (
        shown.native_id, shown.url, shown.author, shown.text,
    )  # fmt: skip
    assert found.collected_at == 1_772_352_000_000_000


def test_links_come_whole_out_of_facets_cards_and_quotes():
    """The text shows addresses shortened; the record has them whole."""
    facet = {"index": {"byteStart": 0, "byteEnd": 9},
             "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://n.example/long"}]}  # fmt: skip
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://n.example/card", "thumb": BLOB}}
    found = only(event(POST, RECORD | {"facets": [facet], "embed": card}))
    assert found.links == ["https://n.example/long", "https://n.example/card"]
    assert [(m.role, m.mime) for m in found.media] == [("preview", "image/jpeg")]
    quote = {"$type": "app.bsky.embed.record", "record": {"uri": f"at://did:plc:pier/{POST}/3k1"}}
    assert only(event(POST, RECORD | {"embed": quote})).links == ["https://bsky.app/profile/did:plc:pier/post/3k1"]


def test_an_image_has_the_digest_of_its_bytes():
    """A content id of raw bytes is their SHA-256: the image is known without having it."""
    digest = hashlib.sha256(b"tide").digest()
    cid = "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().lower().rstrip("=")
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": BLOB | {"ref": {"$link": cid}}}]}
    (image,) = only(event(POST, RECORD | {"embed": embed})).media
    assert (image.sha256, image.bytes, image.mime) == (digest.hex(), 100, "image/jpeg")
    assert image.path == f"https://cdn.bsky.app/img/feed_fullsize/plain/{DID}/{cid}@jpeg"


def test_a_video_has_its_captions():
    """Words in a subtitle file are words of the post."""
    embed = {"$type": "app.bsky.embed.video", "video": BLOB | {"mimeType": "video/mp4"},
             "captions": [{"lang": "en", "file": BLOB | {"mimeType": "text/vtt"}}]}  # fmt: skip
    found = only(event(POST, RECORD | {"embed": embed}))
    assert [(m.role, m.mime) for m in found.media] == [("attachment", "video/mp4"), ("subtitle", "text/vtt")]


def test_an_answer_names_its_parent_and_its_thread():
    """The thread is known by its root."""
    reply = {"parent": {"uri": f"at://{DID}/{POST}/3b"}, "root": {"uri": f"at://{DID}/{POST}/3a"}}
    found = only(event(POST, RECORD | {"reply": reply}))
    assert (found.kind, found.reply_to, found.thread) == ("reply", f"at://{DID}/{POST}/3b", f"at://{DID}/{POST}/3a")


def test_a_repost_is_a_material_of_its_own():
    """Spreading is an act with its own time and author."""
    found = only(event("app.bsky.feed.repost", {"createdAt": "2026-03-01T09:00:00Z", "subject": {"uri": VIEW["uri"]}}))
    assert (found.kind, found.repost_of, found.author) == ("repost", VIEW["uri"], DID)
    assert found.native_id == f"at://{DID}/app.bsky.feed.repost/3k2a"


def test_a_feed_gives_reposts_posts_and_what_they_answer_once():
    """An entry of a feed holds up to three posts, and why it is there."""
    reason = {"$type": "app.bsky.feed.defs#reasonRepost", "by": {"did": "did:plc:pier"}, "indexedAt": "2026-03-02"}
    entry = {"post": view("3c"), "reply": {"parent": view("3a"), "root": view("3a")}, "reason": reason}
    items = loaded({"feed": [entry], "cursor": "x"})
    assert [m.native_id and m.native_id[-2:] for m in materials(items)] == [None, "3c", "3a"]
    assert (items[0].kind, items[0].author, items[0].repost_of) == ("repost", "did:plc:pier", view("3c")["uri"])
    assert isinstance(items[-1], Gap)


def test_a_thread_of_any_depth_is_read():
    """Threads nest; the reader must not."""
    thread = {"post": view("3k0")}
    for number in range(1, 400):
        thread = {"$type": "app.bsky.feed.defs#threadViewPost", "post": view(f"3k{number}"), "replies": [thread]}
    assert len({m.native_id for m in materials(loaded({"thread": thread}))}) == 400


def test_a_flat_thread_is_read():
    """`getPostThreadV2` gives the posts of a thread one after another."""
    item = {"$type": "app.bsky.unspecced.defs#threadItemPost", "post": VIEW}
    gone = {"$type": "app.bsky.unspecced.defs#threadItemBlocked"}
    items = loaded({"thread": [{"uri": VIEW["uri"], "depth": d, "value": v} for d, v in enumerate((item, gone))]})
    assert [type(item) for item in items] == [Material, Gap]


def test_a_post_that_is_gone_is_a_gap():
    """The thread itself says that something is missing."""
    gone = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": f"at://{DID}/{POST}/3z", "notFound": True}
    items = loaded({"thread": {"post": VIEW, "replies": [gone]}})
    assert [type(item) for item in items] == [Material, Gap]


def test_a_quoted_post_is_read_too():
    """What a view shows inside of another is a post of its own."""
    quoted = {"uri": f"at://did:plc:pier/{POST}/3q", "author": {"did": "did:plc:pier"}, "value": RECORD}
    items = loaded(VIEW | {"embed": {"$type": "app.bsky.embed.record#view", "record": quoted}})
    assert [m.author for m in materials(items)] == [DID, "did:plc:pier"]


def test_an_update_is_a_revision():
    """The same post again, with other words, is another edition."""
    assert only(event(POST, RECORD, "update")).revision == "3k9"


PASSED = {
    "a like": (event("app.bsky.feed.like", {}), "like"),
    "a deletion": (event(POST, None, "delete"), "delete"),
    "another lexicon": (event("org.example.tide", {}), "other-record"),
    "an identity": ({"did": DID, "time_us": 1, "kind": "identity", "identity": {}}, "identity"),
    "an account": ({"did": DID, "time_us": 1, "kind": "account", "account": {}}, "account"),
    "a profile": ({"did": DID, "handle": "quay.example"}, "profile"),
}


@pytest.mark.parametrize(("value", "what"), PASSED.values(), ids=PASSED.keys())
def test_what_is_no_public_content_is_passed(value, what):
    """Likes, follows and accounts say something about people, not about content."""
    assert loaded(value) == [Passed(what)]


def test_private_messages_go_unread():
    """Messages are no dissemination to the public (R-03)."""
    (found,) = loaded({"$type": "chat.bsky.convo.defs#messageView", "text": "psst"})
    assert (found.reason, found.keep_raw) == ("not-public", False)


def test_holes_in_the_sequence_of_a_firehose_are_gaps():
    """The relay numbers its events; a hole is something that was not recorded."""
    write = {"action": "create", "path": f"{POST}/3k2a", "record": RECORD}
    lines = [{"seq": seq, "repo": DID, "time": "2026-03-01T08:00:00Z", "ops": [write]} for seq in (7, 8, 12, 13)]
    items = loaded(*lines)
    assert len(materials(items)) == 4
    assert [item.what for item in items if isinstance(item, Gap)] == ["3 sequence numbers are missing, in 1 places"]


INVALID = {
    "no AT URI": (VIEW | {"uri": "at://quay"}, "uri"),
    "a text that is a number": (view("3a", text=4), "text"),
    "no text": ({"uri": VIEW["uri"], "record": {"$type": POST}}, "text"),
    "a counter that is a text": (VIEW | {"likeCount": "many"}, "likeCount"),
    "a commit without its record": (event(POST, None), "record"),
}


@pytest.mark.parametrize(("value", "field"), INVALID.values(), ids=INVALID.keys())
def test_a_wrong_field_is_named(value, field):
    """The quarantine says what to correct."""
    (found,) = loaded(value)
    assert isinstance(found, Skipped)
    assert f"field {field}" in found.detail.replace("commit.", "")


def test_a_real_jetstream_is_read_whole():
    """152 events of the network as its own server gives them: each is a material or has its name."""
    content = fixture("bluesky", "expected_v1.jsonl").read_bytes()
    items = read(SOURCE, content)
    counts = Counter(item.kind if isinstance(item, Material) else item.what for item in items)
    assert counts == {"post": 9, "reply": 8, "repost": 15, "like": 105, "follow": 6, "delete": 4, "block": 1,
                      "other-record": 1, "status": 1, "identity": 1, "account": 1}  # fmt: skip
    lines = [json.loads(line) for line in content.splitlines()]
    texts = [e["commit"]["record"]["text"] or None for e in lines if _is_post(e)]
    assert [m.text for m in materials(items) if m.kind != "repost"] == texts


def _is_post(event: dict) -> bool:
    commit = event.get("commit", {})
    return commit.get("collection") == POST and commit["operation"] == "create"


REAL = {
    "post_record.json": ["new text114"], "extended_post_record.json": ["regress test"], "custom_record.json": ["foo"],
    "thread_view_post_with_embed_media.json": [None, "test"], "like_record.json": [], "feed_record.json": [],
    "get_follows.json": [], "did_doc.json": [], "resolve_handle.json": [], "extended_like_record.json": [],
}  # fmt: skip


@pytest.mark.parametrize(("name", "texts"), REAL.items())
def test_real_answers_are_read_whole(name, texts):
    """Answers of the real API, every one recognised, none in quarantine."""
    content = fixture("bluesky", f"atproto_py/{name}").read_bytes()
    items = read(SOURCE, content)
    assert SOURCE.recognise(content, name) >= 0.5
    assert [m.text for m in materials(items)] == texts
    assert not [item for item in items if isinstance(item, Skipped)]


def test_addresses_are_told_apart_as_the_protocol_does():
    """The protocol's own lists of valid and invalid AT URIs."""
    assert all(_is_address(line) for line in _vectors("aturi_syntax_valid.txt"))
    assert not [line for line in _vectors("aturi_syntax_invalid.txt") if _is_address(line)]


def _vectors(name: str) -> list[str]:
    lines = fixture("bluesky", f"interop/{name}").read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def _is_address(uri: str) -> bool:
    try:
        return place_of(uri).uri == uri
    except InputError:
        return False


def test_blocks_of_lines_give_what_the_whole_gives():
    """An engine reads a stream on many cores; the places stay those of the input."""
    data = "\n".join(json.dumps(event(POST, RECORD)) for _ in range(3)).encode()
    cut = data.index(b"\n") + 1
    blocks = [LineBlock(data[:cut], 0, 0), LineBlock(data[cut:], 1, cut)]
    assert [m for block in blocks for m in SOURCE.read_block(block, ReadContext("x"))] == read(SOURCE, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(VIEW)), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*sorted(VIEW), *sorted(RECORD), "embed", "facets", "reply", "post", "thread"]), JSON)
def test_a_view_with_anything_in_a_field_is_accounted_for(field, value):
    """No shape of a field ends the run or makes the post vanish."""
    changed = view("3a", **{field: value}) if field in RECORD or field in ("facets", "reply") else VIEW | {field: value}
    for item in (items := loaded({"posts": [changed]})):
        assert isinstance(item, Material | Skipped | Passed | Gap)
    assert items
