"""Records of the AT Protocol: their addresses, their files, and the material that a post or a repost is."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import InputError
from antiphon.model.material import Material, Media
from antiphon.sources.jsonrecords import Record, count_field, list_field, object_field, text_field

__all__ = [
    "POST",
    "REPOST",
    "Place",
    "place_of",
    "post_material",
    "quoted_views",
    "record_word",
    "repost_material",
    "type_of",
]

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
_WORDS = {
    "like": "like", "follow": "follow", "block": "block", "profile": "profile", "list": "list", "listitem": "list-item",
    "listblock": "block", "generator": "feed-generator", "threadgate": "threadgate", "postgate": "postgate",
    "starterpack": "starter-pack", "verification": "verification", "status": "status", "repost": "repost",
    "labeler": "labeler", "declaration": "declaration",
}  # fmt: skip
_AT_URI = re.compile(
    r"at://(?P<did>did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]|(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+"
    r"[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"
    r"(?:/(?P<collection>[a-zA-Z](?:[a-zA-Z0-9-]*)(?:\.[a-zA-Z0-9-]+)*\.[a-zA-Z][a-zA-Z0-9]*)"
    r"(?:/(?P<rkey>(?!\.{1,2}$)[A-Za-z0-9._:~-]{1,512}))?)?"
)
_CIDV1_RAW_SHA256 = b"\x01\x55\x12\x20"
_CDN = "https://cdn.bsky.app/img/feed_fullsize/plain"
_VIDEO = "https://video.bsky.app/watch"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: its AT URI and what that says."""

    uri: str
    did: str
    collection: str
    rkey: str

    @property
    def url(self) -> str | None:
        """The page that shows the post."""
        return f"https://bsky.app/profile/{self.did}/post/{self.rkey}" if self.collection == POST else None


def place_of(uri: str) -> Place:
    """Return where a record lies.

    Raises:
        InputError: it is no AT URI.

    Example:
        >>> place_of("at://did:plc:quay/app.bsky.feed.post/3k2a").url
        'https://bsky.app/profile/did:plc:quay/post/3k2a'
    """
    match = _AT_URI.fullmatch(uri)
    if match is None or len(uri) > 8_192:
        raise InputError("field uri: no AT URI", do="Write it as at://did:plc:…/app.bsky.feed.post/….")
    return Place(uri, match["did"], match["collection"] or "", match["rkey"] or "")


def type_of(value: Mapping[str, Any]) -> str:
    """Return the `$type` of a record, empty where it has none."""
    found = value.get("$type")
    return found if isinstance(found, str) else ""


def record_word(collection: str) -> str:
    """Return what the ledger calls the records of a collection.

    Example:
        >>> record_word("app.bsky.graph.follow"), record_word("org.example.tide.table")
        ('follow', 'other-record')
    """
    if not collection.startswith(("app.bsky.", "chat.bsky.")):
        return "other-record"
    return _WORDS.get(collection.rpartition(".")[2], "other-record")


def post_material(
    post: Mapping[str, Any], place: Place | None, view: Mapping[str, Any], record: Record,
    collected_at: Any = None, revision: str | None = None,  # noqa: ANN401 - JSON
) -> Material:  # fmt: skip
    """Return the material that a post's record is, with the counters of the view around it where there is one."""
    author = object_field(view, "author")
    did = text_field(author, "did") or (place.did if place else None)
    reply = object_field(post, "reply")
    parent = text_field(object_field(reply, "parent"), "uri")
    langs = list_field(post, "langs")
    text = text_field(post, "text")
    if text is None:
        raise InputError("field text: missing, expected text", do="A post has a text, which may be empty.")
    return Material(
        source="bluesky",
        native_id=place.uri if place else None,
        revision=revision,
        url=place.url if place else None,
        kind="reply" if parent else "post",
        published_at=text_field(post, "createdAt"),
        collected_at=collected_at,
        author=did or text_field(author, "handle"),
        lang_declared=text_field({"langs": langs[0]}, "langs") if langs else None,
        text=text or None,
        links=list(dict.fromkeys(link for link in _links(post) if link)),
        media=list(_media(post, view, did)),
        reply_to=parent,
        thread=text_field(object_field(reply, "root"), "uri"),
        reactions=count_field(view, "likeCount"),
        shares=count_field(view, "repostCount"),
        replies=count_field(view, "replyCount"),
        record=record.number,
        offset=record.offset,
        raw=record.raw,
    )


def repost_material(
    repost: Mapping[str, Any], place: Place | None, record: Record, collected_at: Any = None  # noqa: ANN401 - JSON
) -> Material:  # fmt: skip
    """Return the material that a repost's record is."""
    subject = text_field(object_field(repost, "subject"), "uri")
    if subject is None:
        raise InputError("field subject: missing, expected what is reposted", do="Export the record again.")
    return Material(
        source="bluesky",
        native_id=place.uri if place else None,
        kind="repost",
        published_at=text_field(repost, "createdAt"),
        collected_at=collected_at,
        author=place.did if place else None,
        repost_of=subject,
        record=record.number,
        offset=record.offset,
        raw=record.raw,
    )


def quoted_views(view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the posts that a view shows as quoted within it."""
    embeds = [view.get("embed"), *(view["embeds"] if isinstance(view.get("embeds"), list) else [])]
    for embed in embeds:
        found = embed.get("record") if isinstance(embed, dict) else None
        if isinstance(found, dict) and isinstance(found.get("record"), dict) and "uri" not in found:
            found = found["record"]  # a quote with media wraps it once more
        uri = found.get("uri") if isinstance(found, dict) else None
        if isinstance(found, dict) and isinstance(uri, str) and f"/{POST}/" in uri and "value" in found:
            yield found


def _links(post: Mapping[str, Any]) -> Iterator[str]:
    """Yield the full addresses: the text shows them shortened, its facets and the card hold them whole."""
    for facet in list_field(post, "facets"):
        for feature in list_field(facet, "features"):
            if type_of(feature).endswith("#link"):
                yield text_field(feature, "uri") or ""
    for embed in _embeds(post.get("embed")):
        external = object_field(embed, "external")
        yield text_field(external, "uri") or ""
        quoted = object_field(embed, "record")
        quoted = object_field(quoted, "record") or quoted
        uri = text_field(quoted, "uri")
        if uri is not None:
            yield place_of(uri).url or uri


def _embeds(embed: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield an embed, and the media that stand beside a quote in it."""
    if isinstance(embed, dict):
        yield embed
        if isinstance(embed.get("media"), dict):
            yield embed["media"]


def _media(post: Mapping[str, Any], view: Mapping[str, Any], did: str | None) -> Iterator[Media]:
    shown = list(_embeds(view.get("embed")))
    for embed in _embeds(post.get("embed")):
        pages = [
            text_field(image, "fullsize")
            for seen in shown
            for image in list_field(seen, "images")
            if "fullsize" in image
        ]
        for index, image in enumerate(list_field(embed, "images")):
            blob = object_field(image, "image")
            yield _file(blob, pages[index] if index < len(pages) else _address(_CDN, did, blob, "@jpeg"))
        if "video" in embed:
            yield from _video(embed, shown, did)
        blob = object_field(object_field(embed, "external"), "thumb") if _has_blob(embed) else {}
        if blob:
            yield _file(blob, _address(_CDN, did, blob, "@jpeg"), "preview")


def _has_blob(embed: Mapping[str, Any]) -> bool:
    external = embed.get("external")
    return isinstance(external, dict) and isinstance(external.get("thumb"), dict)


def _video(embed: Mapping[str, Any], shown: list[dict[str, Any]], did: str | None) -> Iterator[Media]:
    blob = object_field(embed, "video")
    playlist = next((text_field(seen, "playlist") for seen in shown if "playlist" in seen), None)
    yield _file(blob, playlist or _address(_VIDEO, did, blob, "/playlist.m3u8"))
    for caption in list_field(embed, "captions"):
        file = object_field(caption, "file")
        yield _file(file, _cid(file), "subtitle")


def _file(blob: Mapping[str, Any], path: str | None, role: str = "attachment") -> Media:
    return Media(path=path, mime=text_field(blob, "mimeType"), sha256=_digest(_cid(blob)), bytes=_size(blob), role=role)


def _size(blob: Mapping[str, Any]) -> int | None:
    size = count_field(blob, "size")
    return size if size is not None and size >= 0 else None


def _cid(blob: Mapping[str, Any]) -> str | None:
    """Return the content id of a file; before 2023 it stood in the record without a wrapper."""
    reference = blob.get("ref")
    found = reference.get("$link") if isinstance(reference, dict) else reference or blob.get("cid")
    return found if isinstance(found, str) else None


def _address(base: str, did: str | None, blob: Mapping[str, Any], tail: str) -> str | None:
    cid = _cid(blob)
    return f"{base}/{did}/{cid}{tail}" if did and cid else cid


def _digest(cid: str | None) -> str | None:
    """Return the SHA-256 that a content id of raw bytes holds, hex; None for another kind of id.

    Source:
        github.com/multiformats/cid, CIDv1: base32 `b`, version 1, codec raw 0x55, multihash sha2-256 0x12 0x20.
    """
    if cid is None or not cid.startswith("b"):
        return None
    try:
        raw = base64.b32decode(cid[1:].upper() + "=" * (-len(cid[1:]) % 8))
    except (binascii.Error, ValueError):
        return None
    return raw[4:].hex() if raw.startswith(_CIDV1_RAW_SHA256) and len(raw) == 36 else None
