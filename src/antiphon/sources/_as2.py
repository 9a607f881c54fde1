"""ActivityStreams 2.0 objects: their types, what is wrong with them, and the material that they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import InputError
from antiphon.model.address import site
from antiphon.model.material import Material, Media
from antiphon.sources.interface import ReadContext
from antiphon.sources.jsonrecords import Record
from antiphon.sources.markup import Markup, read_markup

__all__ = [
    "ACTIVITIES",
    "COLLECTIONS",
    "Addressed",
    "compact",
    "is_content",
    "listed",
    "material",
    "public_or_unaddressed",
    "require_valid",
    "types_of",
]

ACTIVITIES = frozenset(
    (
        "Accept", "Activity", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "EmojiReact", "Flag",
        "Follow", "Ignore", "IntransitiveActivity", "Invite", "Join", "Leave", "Like", "Listen", "Move", "Offer",
        "Read", "Reject", "Remove", "TentativeAccept", "TentativeReject", "Travel", "Undo", "Update", "View",
    )
)  # fmt: skip
COLLECTIONS = frozenset(("Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"))
_KINDS = {
    "Note": "post", "Question": "post", "Event": "post", "Article": "article", "Page": "article",
    "Document": "document", "Image": "image", "Video": "video", "Audio": "audio",
}  # fmt: skip
_FILES = frozenset(("Document", "Image", "Video", "Audio"))
_NO_CONTENT = frozenset(("Tombstone", "Place", "Relationship", "Link", "Mention", "Hashtag"))
_PUBLIC = frozenset(("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public",
                     "http://www.w3.org/ns/activitystreams#Public"))  # fmt: skip
_NAMESPACE = re.compile(r"^(?:https?://www\.w3\.org/ns/activitystreams#|as:)")
_EXPECTED = {"str": "text", "dict": "an object", "list": "a list"}
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# RFC 5646 section 2.1, the well-formed tags: language, script, region, variants, extensions, private use.
_LANG = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+|i-[a-z]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Addressed:
    """What an activity says about the object that it wraps, for where the object does not say it itself."""

    to: tuple[Any, ...] = ()
    actor: Any = None
    published: Any = None
    updated: Any = None

    def within(self, activity: Mapping[str, Any], *, edited: bool) -> Addressed:
        """Return what holds inside of an activity that stands within this one."""
        stamp = activity.get("published") or self.published
        return Addressed(
            tuple(_addressees(activity)) or self.to,
            activity.get("actor") or self.actor,
            None if edited else stamp,
            (activity.get("updated") or stamp or "edited") if edited else None,
        )


def compact(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON-LD document in the compact form: `@id` as `id`, no namespaces, values out of their wrappers.

    A document that is compact at its top is so all the way down, and comes back as it is.
    """
    if isinstance(value, dict) and any(_is_expanded(key) for key in value):
        return _inner_compact(value)
    return value


def _is_expanded(key: str) -> bool:
    return key.startswith(("@", "as:", "http")) and key not in ("@context", "@graph")


def _inner_compact(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_inner_compact(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return value["@value"] if "@value" in value else _compacted(value)


def _compacted(value: Mapping[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for key, inner in value.items():
        name = _NAMESPACE.sub("", key)
        expanded = name != key
        name = {"@id": "id", "@type": "type"}.get(name, name)
        found = inner if name == "@context" else _inner_compact(inner)
        if expanded and isinstance(inner, list):
            languages = {i["@language"]: i.get("@value") for i in inner if isinstance(i, dict) and "@language" in i}
            if languages:
                done[name + "Map"] = languages
            found = found[0] if len(found) == 1 else found
            if isinstance(found, dict) and found.keys() == {"id"}:
                found = found["id"]
        done[name] = found
    return done


def types_of(value: Mapping[str, Any]) -> frozenset[str]:
    """Return the types of an object without their namespace; empty where it names none."""
    found = value.get("type", value.get("@type"))
    names = found if isinstance(found, list) else [found]
    return frozenset(_NAMESPACE.sub("", name) for name in names if isinstance(name, str))


def listed(value: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values of a property, of which JSON-LD lets one stand without a list."""
    found = value.get(name)
    return found if isinstance(found, list) else [] if found is None else [found]


def is_content(types: frozenset[str]) -> bool:
    """Return whether one of the types is published content."""
    return not types.isdisjoint(_KINDS)


def require_valid(value: Mapping[str, Any], types: frozenset[str]) -> None:
    """Check the properties of an object against the types that the vocabulary gives them.

    Raises:
        InputError: the first property that is wrong.
    """
    _require(value, "@context", str, dict, list)
    _require(value, "type", str, list)
    _require(value, "id", str)
    names = (str, dict) if is_content(types) else (str,)  # drafts of the vocabulary had language maps in `name`
    _require(value, "name", *names)
    _require(value, "summary", *names)
    _require(value, "content", *names)
    for name in ("actor", "object", "attributedTo", "attachment", "url", "inReplyTo"):
        _require(value, name, str, dict, list)
    for name in ("published", "updated"):
        _require(value, name, str)
    for name in ("nameMap", "contentMap", "summaryMap"):
        _require_map(value, name)
    _require_collection(value, types)
    if types & _FILES and isinstance(value.get("url"), str) and not _URI.match(value["url"]):
        raise InputError("field url: a relative address", do="Write it with its scheme and host.")


def _require(value: Mapping[str, Any], name: str, *kinds: type) -> None:
    found = value.get(name)
    if found is not None and not isinstance(found, kinds):
        expected = " or ".join(_EXPECTED[kind.__name__] for kind in kinds)
        raise InputError(
            f"field {name}: got {type(found).__name__}, expected {expected}", do="Correct it, or leave it out."
        )


def _require_map(value: Mapping[str, Any], name: str) -> None:
    _require(value, name, dict)
    for tag, text in (value.get(name) or {}).items():
        if not _LANG.fullmatch(tag.replace("_", "-")) and not tag.startswith("@"):
            raise InputError(
                f"field {name}: {tag[:40]!r} is no language tag (RFC 5646)", do="Write it as `de` or `de-AT`."
            )
        if not isinstance(text, str):
            raise InputError(f"field {name}: got {type(text).__name__}, expected text", do="Give one text a language.")


def _require_collection(value: Mapping[str, Any], types: frozenset[str]) -> None:
    if not types & COLLECTIONS:
        return
    first = value.get("first")
    if isinstance(first, dict) and types_of(first) and not types_of(first) & (COLLECTIONS | {"Link"}):
        raise InputError(
            f"field first: got {min(types_of(first))[:40]}, expected a page of the collection",
            do="Give its first page.",
        )


def public_or_unaddressed(value: Mapping[str, Any], around: Addressed) -> bool:
    """Return whether an object is addressed to the public, or, like a page of a site, to nobody."""
    to = _addressees(value) or list(around.to)
    return not to or any(address in _PUBLIC for address in to)


def _addressees(value: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for name in ("to", "cc", "bto", "bcc", "audience"):
        found += [reference for reference in map(_reference, listed(value, name)) if reference is not None]
    return found


def material(value: Mapping[str, Any], record: Record, around: Addressed, context: ReadContext) -> Material:
    """Return the material that an object, or an Announce, is."""
    types = types_of(value)
    announces = "Announce" in types
    native_id, url = _text(value.get("id")), _page(value)
    author = _reference(value.get("attributedTo") or value.get("actor") or around.actor)
    markup = Markup("") if announces else _body(value)
    reply_to = _reference(value.get("inReplyTo"))
    updated = _text(value.get("updated"))
    published = _text(value.get("published")) or _text(around.published)
    return Material(
        source=_source(native_id, url, author),
        native_id=native_id,
        revision=_revision(updated, published) or _text(around.updated),
        url=url or (native_id if native_id and native_id.startswith("http") else None),
        kind="repost" if announces else _kind(types, reply_to),
        published_at=published or updated,
        author=author,
        lang_declared=_lang(value),
        title=None if announces else _title(value, markup),
        text=markup.text or None,
        links=_links(value, markup),
        media=_media(value, types, context),
        reply_to=reply_to,
        repost_of=_announced(value.get("object")) if announces else None,
        thread=_reference(value.get("conversation") or value.get("context")),
        views=_total(value.get("views")),
        reactions=_total(value.get("likes")),
        shares=_total(value.get("shares")),
        replies=_total(value.get("replies")),
        record=record.number,
        offset=record.offset,
        raw=record.raw,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _reference(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return the id of what a property names: an address, an object with an id, or the first of several."""
    if isinstance(value, list):
        return next((found for found in map(_reference, value) if found), None)
    if isinstance(value, dict):
        return _text(value.get("id")) or _text(value.get("href"))
    return _text(value)


def _announced(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return what is announced: a group announces the activity around its object."""
    if isinstance(value, dict) and types_of(value) & ACTIVITIES:
        return _announced(value.get("object"))
    return _reference(value)


def _source(*addresses: str | None) -> str:
    host = next((found for found in map(site, addresses) if found), None)
    return f"activitypub/{host}" if host else "activitypub"


def _kind(types: frozenset[str], reply_to: str | None) -> str:
    kind = next((_KINDS[name] for name in sorted(types & _KINDS.keys())), "post")
    return "reply" if reply_to and kind == "post" else kind


def _revision(updated: str | None, published: str | None) -> str | None:
    return updated if updated and published and updated != published else None


def _body(value: Mapping[str, Any]) -> Markup:
    """Return the text of an object, a question's options as lines below it."""
    content = _mapped(value, "content")
    if content is None:
        content = _mapped(value, "summary") if _mapped(value, "name") else None
    kind = _text(value.get("mediaType")) or "text/html"
    markup = Markup(content or "") if kind in ("text/plain", "text/markdown") else read_markup(content or "")
    options = [option for name in ("oneOf", "anyOf") for option in listed(value, name) if isinstance(option, dict)]
    lines = [markup.text, *(text for text in (_mapped(option, "name") for option in options) if text)]
    return Markup("\n".join(line for line in lines if line), markup.links)


def _title(value: Mapping[str, Any], markup: Markup) -> str | None:
    """Return the name; else the summary, in which fediverse servers put the content warning that readers see first."""
    name, summary = _mapped(value, "name"), _mapped(value, "summary")
    if name and types_of(value) <= {"Document", "Image"} and not markup.text:
        return read_markup(name).text or None
    return (name and read_markup(name).text) or (summary and read_markup(summary).text) or None


def _mapped(value: Mapping[str, Any], name: str) -> str | None:
    """Return a text that may stand in a language map: the first language, as the author gave it."""
    found = value.get(name)
    if isinstance(found, str):
        return found
    languages = found if isinstance(found, dict) else value.get(name + "Map")
    if isinstance(languages, dict):
        return next((text for text in languages.values() if isinstance(text, str)), None)
    return None


def _lang(value: Mapping[str, Any]) -> str | None:
    language = value.get("language") or value.get("inLanguage")
    if language:
        found = language.get("identifier") or language.get("id") if isinstance(language, dict) else language
        return _text(found)
    for name in ("contentMap", "nameMap"):
        tags = [str(tag) for tag in value.get(name) or {} if not tag.startswith("@")]
        if tags and (len(tags) == 1 or value.get(name.removesuffix("Map")) is None):
            return tags[0]
    contexts = value.get("@context")
    for context in contexts if isinstance(contexts, list) else [contexts]:
        tag = _text(context.get("@language")) if isinstance(context, dict) else None
        if tag and tag != "und":
            return tag
    return None


def _addresses(value: Any) -> list[tuple[str, str | None]]:  # noqa: ANN401 - JSON
    """Return (address, media type) of a `url` property: an address, a Link, or a list of them."""
    found = []
    for link in value if isinstance(value, list) else [value]:
        href = link.get("href") or link.get("url") if isinstance(link, dict) else link
        if isinstance(href, str) and href:
            mime = link.get("mediaType") if isinstance(link, dict) else None
            found.append((href, _text(mime)))
    return found


def _page(value: Mapping[str, Any]) -> str | None:
    """Return the address of the page that shows an object, not that of its file, where it has both."""
    addresses = _addresses(value.get("url"))
    pages = [href for href, mime in addresses if mime in (None, "text/html", "application/xhtml+xml")]
    return next(iter(pages), addresses[0][0] if addresses else None)


def _media(value: Mapping[str, Any], types: frozenset[str], context: ReadContext) -> list[Media]:
    own = _own_files(value) if types & _FILES else []
    attached = [media for found in listed(value, "attachment") for media in _attached(found, context)]
    previews = [
        Media(path=href, mime=mime, role="preview")
        for name in ("image", "icon", "preview")
        for found in listed(value, name)
        for href, mime in _files_of(found)
    ]
    return [*own, *attached, *previews]


def _own_files(value: Mapping[str, Any]) -> list[Media]:
    """Return the file that an Image, Video, Audio or Document is, without the page that shows it."""
    addresses = _addresses(value.get("url"))
    own = _text(value.get("mediaType"))
    kinds = [(href, mime or (own if own != "text/html" else None)) for href, mime in addresses if mime != "text/html"]
    return [Media(path=href, mime=mime, role="self") for href, mime in kinds]


def _attached(found: Any, context: ReadContext) -> list[Media]:  # noqa: ANN401 - JSON
    files = _files_of(found)
    return [
        Media(path=href, mime=mime) if _URI.match(href) else context.media(_in_export(href), mime=mime)
        for href, mime in files
    ]


def _files_of(found: Any) -> list[tuple[str, str | None]]:  # noqa: ANN401 - JSON
    if isinstance(found, str):
        return [(found, None)]
    if not isinstance(found, dict) or (types_of(found) & {"Link", "Page", "PropertyValue"} and not _is_file(found)):
        return []
    addresses = _addresses(found.get("url") or found.get("href"))
    return [(href, mime or _text(found.get("mediaType"))) for href, mime in addresses]


def _is_file(found: Mapping[str, Any]) -> bool:
    kind = _text(found.get("mediaType")) or ""
    return kind.startswith(("image/", "video/", "audio/"))


def _in_export(href: str) -> str:
    """Return where an export holds a file: below its own folder, whatever the server called the path."""
    place = href.find("media_attachments/")
    return href[place:] if place >= 0 else href.lstrip("/")


def _links(value: Mapping[str, Any], markup: Markup) -> list[str]:
    attached = [
        href
        for found in listed(value, "attachment")
        if isinstance(found, dict) and types_of(found) & {"Link", "Page"} and not _is_file(found)
        for href, _ in _addresses(found.get("href") or found.get("url"))
    ]
    quoted = [value.get(name) for name in ("quote", "quoteUrl", "quoteUri", "_misskey_quote")]
    return list(dict.fromkeys([*markup.links, *attached, *(link for link in quoted if isinstance(link, str))]))


def _total(value: Any) -> int | None:  # noqa: ANN401 - JSON
    """Return a counter: a number, or how many members a collection says it has."""
    found = value.get("totalItems") if isinstance(value, dict) else value
    return found if isinstance(found, int) and not isinstance(found, bool) else None
