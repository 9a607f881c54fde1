"""ActivityPub: content out of objects, activities and collections; the official examples of the vocabulary."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FIXTURES, fixture, materials, read

from antiphon.model.material import Gap, Material, Media, Passed, Skipped
from antiphon.sources.activitypub import ActivityPub

SOURCE = ActivityPub()
AS = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS}#Public"
FOLLOWERS = "https://quay.example/u/7/followers"
NOTE = {
    "@context": AS, "id": "https://quay.example/n/1", "type": "Note", "published": "2026-03-01T08:00:00Z",
    "attributedTo": "https://quay.example/u/7", "to": [PUBLIC], "cc": [FOLLOWERS],
    "url": "https://quay.example/@ferry/1", "conversation": "tag:quay.example,2026:c1",
    "content": '<p>Tide at <a href="https://n.example/t">nine</a></p>', "contentMap": {"en": "<p>Tide at nine</p>"},
    "likes": {"type": "Collection", "totalItems": 4}, "shares": {"totalItems": 2}, "replies": {"totalItems": 1},
}  # fmt: skip
CREATE = {"@context": AS, "type": "Create", "actor": "https://quay.example/u/7", "to": [PUBLIC], "object": NOTE}


def note(**changes: object) -> dict[str, object]:
    return NOTE | changes


def loaded(value: object) -> list[object]:
    return read(SOURCE, json.dumps(value).encode())


def only(value: object) -> Material:
    (found,) = loaded(value)
    assert isinstance(found, Material)
    return found


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_recognised_and_read(example):
    """What the source shows of itself is true."""
    assert SOURCE.recognise(example.content, example.name) >= 0.5
    assert len(materials(read(SOURCE, example.content))) == example.materials


def test_every_field_of_a_note_is_read():
    """A note fills all that the schema has a place for."""
    found = only(NOTE)
    assert (found.source, found.native_id, found.kind) == (
        "activitypub/quay.example",
        "https://quay.example/n/1",
        "post",
    )
    assert (found.url, found.author) == ("https://quay.example/@ferry/1", "https://quay.example/u/7")
    assert (found.published_at, found.lang_declared) == ("2026-03-01T08:00:00Z", "en")
    assert (found.text, found.links, found.title) == ("Tide at nine", ["https://n.example/t"], None)
    assert (found.reactions, found.shares, found.replies) == (4, 2, 1)
    assert (found.thread, found.revision) == ("tag:quay.example,2026:c1", None)


CHANGES = {
    "an answer": ({"inReplyTo": "https://pier.example/n/9"}, "kind", "reply"),
    "what it answers": ({"inReplyTo": {"id": "https://pier.example/n/9"}}, "reply_to", "https://pier.example/n/9"),
    "an article": ({"type": "Article", "name": "Tides"}, "title", "Tides"),
    "a warning": ({"summary": "weather"}, "title", "weather"),
    "an edit": ({"updated": "2026-03-02T00:00:00Z"}, "revision", "2026-03-02T00:00:00Z"),
    "one of several types": ({"type": ["Article", "ext:Thing"]}, "kind", "article"),
    "an unknown type with content": ({"type": "Review"}, "kind", "post"),
    "options of a question": (
        {"type": "Question", "content": "When?", "oneOf": [{"name": "nine"}, {"name": "ten"}]}, "text",
        "When?\nnine\nten",
    ),
    "text in a map alone": ({"content": None, "contentMap": {"cs": "Odliv"}}, "text", "Odliv"),
    "markdown stays as it is": ({"content": "<b> *a*", "mediaType": "text/markdown"}, "text", "<b> *a*"),
    "an attached file": (
        {"attachment": [{"type": "Document", "mediaType": "image/png", "url": "https://f.example/a.png"}]}, "media",
        [Media(path="https://f.example/a.png", mime="image/png")],
    ),
    "a file inside of an export": (
        {"attachment": {"type": "Image", "url": "/system/media_attachments/files/1/a.png"}}, "media",
        [Media(path="media_attachments/files/1/a.png")],
    ),
    "an attached page is a link": (
        {"content": "x", "attachment": [{"type": "Link", "href": "https://n.example/p"}]}, "links",
        ["https://n.example/p"],
    ),
    "a quote is a link": (
        {"content": "x", "quoteUrl": "https://pier.example/n/9"}, "links", ["https://pier.example/n/9"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_what_an_object_may_hold(changes, field, value):
    """Each property of the vocabulary that the schema has a place for is read."""
    assert getattr(only(note(**changes)), field) == value


def test_a_video_has_its_page_and_its_file():
    """PeerTube gives a list of addresses: one shows the video, the others are its files."""
    urls = [
        {"type": "Link", "mediaType": "text/html", "href": "https://reel.example/w/1"},
        {"type": "Link", "mediaType": "video/mp4", "href": "https://reel.example/1.mp4"},
    ]
    found = only(note(type="Video", url=urls, views=12, language={"identifier": "fr"}))
    assert (found.url, found.kind, found.views, found.lang_declared) == ("https://reel.example/w/1", "video", 12, "fr")
    assert found.media == [Media(path="https://reel.example/1.mp4", mime="video/mp4", role="self")]


ADDRESSED = {
    "to the public": ({"to": PUBLIC, "cc": None}, 1),
    "unlisted": ({"to": [FOLLOWERS], "cc": [PUBLIC]}, 1),
    "by its short name": ({"to": "as:Public", "cc": []}, 1),
    "to nobody, as a page is": ({"to": None, "cc": None}, 1),
    "to followers": ({"to": [FOLLOWERS], "cc": []}, 0),
    "to one": ({"to": {"type": "Person", "id": "https://pier.example/u/2"}, "cc": []}, 0),
    "to followers, and broken": ({"to": [FOLLOWERS], "cc": [], "content": 4}, 0),
}


@pytest.mark.parametrize(("changes", "count"), ADDRESSED.values(), ids=ADDRESSED.keys())
def test_only_what_is_addressed_to_the_public_is_read(changes, count):
    """ActivityPub 5.6; what is not public is not kept, not even in the quarantine (R-03)."""
    items = loaded(note(**changes))
    assert len(materials(items)) == count
    assert [(i.reason, i.keep_raw, i.raw) for i in items if isinstance(i, Skipped)] == [("not-public", False, None)] * (
        1 - count
    )


def test_an_announce_gives_the_repost_and_what_it_repeats():
    """A group of Lemmy announces the activity around the page; the page is what it repeats."""
    announce = {"@context": AS, "id": "https://quay.example/a/1", "type": "Announce", "to": [PUBLIC],
                "actor": "https://quay.example/c/harbour", "object": CREATE}  # fmt: skip
    repost, original = loaded(announce)
    assert (repost.kind, repost.repost_of, repost.text) == ("repost", NOTE["id"], None)
    assert (original.kind, original.author, original.native_id) == ("post", NOTE["attributedTo"], NOTE["id"])


def test_an_object_takes_from_its_activity_what_it_does_not_say():
    """The spec lets the activity carry author, time and addressees."""
    bare = {"type": "Note", "content": "Fog"}
    found = only({**CREATE, "published": "2026-03-01T09:00:00Z", "object": bare})
    assert (found.author, found.published_at, found.text) == ("https://quay.example/u/7", "2026-03-01T09:00:00Z", "Fog")
    (private,) = loaded({**CREATE, "to": [FOLLOWERS], "object": bare})
    assert private.reason == "not-public"


def test_an_update_is_a_revision():
    """The same object again, with other words, is another edition of it."""
    found = only({**CREATE, "type": "Update", "published": "2026-03-05T00:00:00Z"})
    assert (found.native_id, found.revision) == (NOTE["id"], "2026-03-05T00:00:00Z")
    assert found.published_at == NOTE["published"]


def test_the_outbox_of_an_export_is_read():
    """Mastodon's `outbox.json`: notes, boosts by address, and likes."""
    boost = {"type": "Announce", "id": "https://quay.example/a/2", "to": [PUBLIC], "object": "https://pier.example/n/9"}
    like = {"type": "Like", "object": "https://pier.example/n/9"}
    items = loaded(
        {"@context": AS, "type": "OrderedCollection", "totalItems": 3, "orderedItems": [CREATE, boost, like]}
    )
    assert [type(item) for item in items] == [Material, Material, Passed]
    assert [item.record for item in items[:2]] == [0, 1]


GAPS = {
    "all are here": ({"totalItems": 1, "orderedItems": [NOTE]}, []),
    "fewer than it says": (
        {"totalItems": 3, "orderedItems": [NOTE]}, ["the collection says 3 members, 1 are here"],
    ),
    "a page follows": ({"next": "https://quay.example/o?page=2", "orderedItems": [NOTE]},
                       ["a further page of the collection is not here"]),
    "only the way to its first page": (
        {"totalItems": 30, "first": "https://quay.example/o?page=1"}, ["the collection says 30 members, 0 are here"],
    ),
    "its first page inside": (
        {"totalItems": 1, "first": {"type": "OrderedCollectionPage", "orderedItems": [NOTE]}}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("collection", "gaps"), GAPS.values(), ids=GAPS.keys())
def test_what_a_collection_lacks_is_said(collection, gaps):
    """A collection says how much it has; what is not here is a gap, not silence."""
    items = loaded({"@context": AS, "type": "OrderedCollection", **collection})
    assert [item.what for item in items if isinstance(item, Gap)] == gaps


def test_expanded_json_ld_is_read_as_well():
    """The same object with full names, as JSON-LD processors write it."""
    expanded = [{
        "@id": NOTE["id"], "@type": [f"{AS}#Note"], f"{AS}#content": [{"@value": "Fog", "@language": "en"}],
        f"{AS}#to": [{"@id": PUBLIC}], f"{AS}#attributedTo": [{"@id": "https://quay.example/u/7"}],
        f"{AS}#published": [{"@value": "2026-03-01T08:00:00Z"}],
    }]  # fmt: skip
    found = only(expanded)
    assert (found.native_id, found.text, found.lang_declared) == (NOTE["id"], "Fog", "en")
    assert (found.author, found.published_at) == ("https://quay.example/u/7", "2026-03-01T08:00:00Z")


def test_other_linked_data_is_left_to_others():
    """A page's schema.org has types of the same names."""
    page = json.dumps({"@context": "https://schema.org", "@type": "Article", "name": "x", "headline": "y"}).encode()
    assert SOURCE.recognise(page, "x.json") == 0.0


INVALID = {
    "number-as-actor.json": "field actor", "number-as-content.json": "field content", "number-as-id.json": "field id",
    "number-as-object.json": "field object", "number-as-type.json": "field type", "namemap-as-name.json": "field name",
    "number-as-context.json": "field @context", "relative-uri-for-url.json": "field url",
    "content-map-with-invalid-language-tag.json": "field contentMap", "bad-character-set.json": "UTF-8",
    "collection-with-non-page-first.json": "field first", "ordered-collection-with-non-page-first.json": "field first",
    "ordered-collection-with-items.json": "field items", "number-at-top.json": "got int",
    "string-at-top.json": "got str",
    "unordered-collection-with-ordered-items.json": "field orderedItems",
}  # fmt: skip


@pytest.mark.parametrize(("name", "said"), INVALID.items())
def test_invalid_documents_are_quarantined_for_what_is_wrong(name, said):
    """The invalid documents of the W3C's own tests, each with its fault."""
    skipped = [item for item in read(SOURCE, fixture("activitypub", name).read_bytes()) if isinstance(item, Skipped)]
    assert len(skipped) == 1
    assert said in skipped[0].detail


UNCLAIMED = {"empty.json", "package.json", "simple0001.json", "simple0003.json", *INVALID}
OFFICIAL = sorted(p.name for p in (FIXTURES / "activitypub").glob("*.json") if p.name not in UNCLAIMED)


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_examples_are_recognised_and_read(name):
    """Every valid example of the vocabulary is read, or passed as no content; only what is private is skipped."""
    content = fixture("activitypub", name).read_bytes()
    items = read(SOURCE, content)
    assert SOURCE.recognise(content, name) >= 0.5
    assert items
    assert {item.reason for item in items if isinstance(item, Skipped)} <= {"not-public"}


def test_content_of_the_official_examples_comes_out_whole():
    """A few of them, with all that they say."""
    question = only(json.loads(fixture("activitypub", "vocabulary-ex190-jsonld.json").read_text()))
    assert question.title == "A question about robots"
    assert question.text.endswith("Which platform is best?\narduino\nraspberry pi")
    image = only(json.loads(fixture("activitypub", "vocabulary-ex50-jsonld.json").read_text()))
    assert [(m.path, m.mime, m.role) for m in image.media] == [
        ("http://example.org/image.jpeg", "image/jpeg", "self"), ("http://example.org/image.png", "image/png", "self"),
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(NOTE)), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*sorted(NOTE), "attachment", "inReplyTo", "oneOf", "image", "first", "items"]), JSON)
def test_an_object_with_anything_in_a_property_is_accounted_for(name, value):
    """No shape of a property ends the run or makes the object vanish."""
    for item in (items := loaded([note(**{name: value})])):
        assert isinstance(item, Material | Skipped | Passed | Gap)
    assert items
