"""What the columns and keys of other people's tables mean: names found in exports, mapped to the fields of a material.

Shared by the readers of tables and of JSON records. `resolve` decides once per input which column feeds which field;
the small converters read what such columns hold. Two fields are no fields of `Material`: `platform` and `outlet`, which
`source_of` joins to its `source`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from antiphon.errors import InputError
from antiphon.model.address import site
from antiphon.model.schemas import KINDS

__all__ = [
    "COLUMN_ALIASES",
    "DEFAULT_PLATFORM",
    "FIELDS",
    "count_of",
    "kind_of",
    "list_of",
    "normal_name",
    "resolve",
    "source_of",
]

DEFAULT_PLATFORM = "posts"
"""The platform of a record that does not say where it was published."""

_ALIASES: dict[str, str] = {
    "native_id": "native_id comment_id tweet_id tweetid status_id message_id msg_id toot_id item_id uri id_str guid id "
    "post_id postid submission_id video_id article_id doc_id document_id record_id uid ids _id",
    "revision": "revision edited_at edit_date edited last_edited_at version",
    "url": "url permalink post_url tweet_url post_link tweet_link message_url status_url article_url page_url "
    "canonical_url permalink_url link webpage_url source_url web_url href address",
    "kind": "kind post_type content_type type media_type",
    "published_at": "published_at created_at published created posted_at post_created created_time create_time "
    "created_utc published_date publish_date publication_date pub_date pubdate date_published date_created "
    "created_date post_date posted date_utc datetime date_time timestamp timestamp_utc tweet_time tweet_created_at "
    "message_date comment_date unix_timestamp epoch date time post_created_date datum fecha fecha_publicacion дата",
    "collected_at": "collected_at retrieved_at retrieved_utc retrieved_on scraped_at crawled_at fetched_at "
    "collection_time collected scraped_on date_collected scrape_date crawl_date",
    "author": "author_id user_id userid from_id sender_id account_id channel_id_author facebook_id author_fullname "
    "author_did did author user username user_name screen_name user_screen_name author_username handle from sender "
    "account poster posted_by nickname from_user from_name author_name user_username account_name acct byline creator "
    "autor auteur автор",
    "lang_declared": "lang_declared lang language tweet_language language_code lang_code post_language langs languages "
    "sprache idioma langue",
    "title": "title headline subject post_title article_title video_title spoiler_text titel titre titulo заголовок",
    "text": "full_text text body content message tweet_text tweet post_text message_text comment_text comment_body "
    "comment caption selftext raw_content rawcontent article_text status_text post_content text_content plain_text "
    "cleaned_text clean_text maintext main_text post_body post toot transcript article sentence document "
    "post_message description summary inhalt texto contenido texte contenu текст",
    "reply_to": "reply_to reply_to_id in_reply_to_id in_reply_to_status_id in_reply_to_status_id_str in_reply_to "
    "in_reply_to_tweetid in_reply_to_tweet_id reply_to_message_id reply_to_msg_id replied_to_id parent_id parent "
    "referenced_tweets_replied_to_id inreplyto in_reply_to_tweet replyto",
    "repost_of": "repost_of retweeted_status_id retweeted_status_id_str retweet_tweetid retweet_id retweeted_tweet_id "
    "retweeted_id reblog_of reblog_of_id boost_of referenced_tweets_retweeted_id shared_post_id forwarded_from_id",
    "thread": "thread conversation_id thread_id conversationid topic_id link_id root_id conversation threadid post_id "
    "video_id",
    "views": "views view_count views_count impressions impression_count viewcount play_count plays post_views "
    "public_metrics_impression_count video_views total_views",
    "reactions": "reactions likes like_count likes_count favorite_count favourites_count favorites favourites "
    "favorites_count favourite_count likecount nlikes reaction_count reactions_count upvotes ups digg_count "
    "public_metrics_like_count total_reactions score points hearts",
    "shares": "shares share_count shares_count retweets retweet_count retweets_count reposts repost_count "
    "reposts_count reblogs reblogs_count retweetcount nretweets boosts forwards forward_count forwards_count "
    "public_metrics_retweet_count",
    "replies": "replies reply_count replies_count comments comment_count comments_count num_comments replycount "
    "nreplies number_of_comments public_metrics_reply_count answers",
    "links": "links urls outlinks external_links expanded_urls link_urls entities_urls link expanded_url shared_link "
    "domain_links",
    "media": "media images image photos photo media_urls media_url image_urls image_url attachments video video_url "
    "photo_url picture thumbnail thumbnail_url",
    "platform": "platform network social_network service",
    "outlet": "outlet source board channel channel_name channel_username channel_title subreddit instance site forum "
    "group group_name chat chat_name chat_title community sub server publication publisher newspaper source_name "
    "source_domain domain website host feed section",
}  # fmt: skip

_CLAIMS: dict[str, list[tuple[int, str]]] = {}
for _field, _names in _ALIASES.items():
    for _rank, _name in enumerate(_names.split()):
        _CLAIMS.setdefault(_name, []).append((_rank, _field))

COLUMN_ALIASES: dict[str, str] = {name: min(claims)[1] if len(claims) > 1 else claims[0][1]
                                  for name, claims in _CLAIMS.items()}  # fmt: skip
"""Normalised column or key name → field of `Material`, or `platform` or `outlet`."""

FIELDS = tuple(_ALIASES)
"""Every field that a mapping may name."""

_PLATFORMS = {
    "twitter": "x", "x.com": "x", "twitter.com": "x", "tweet": "x", "tweets": "x", "t.me": "telegram",
    "reddit.com": "reddit", "youtube.com": "youtube", "facebook.com": "facebook", "fb": "facebook", "bsky": "bluesky",
    "bsky.app": "bluesky", "rss": "feed", "vkontakte": "vk", "vk.com": "vk", "instagram.com": "instagram",
    "tiktok.com": "tiktok",
} | {
    name: name
    for name in (
        "posts", "telegram", "mastodon", "activitypub", "bluesky", "x", "reddit", "youtube", "feed", "web", "pdf",
        "image", "facebook", "instagram", "tiktok", "vk", "gab", "parler", "discord", "whatsapp", "4chan", "8kun",
        "rumble", "odysee", "bitchute", "threads", "tumblr", "pinterest", "snapchat", "gettr", "truthsocial", "lemmy",
        "pixelfed", "peertube", "mewe", "minds", "weibo", "wechat", "line", "viber", "signal", "twitch", "soundcloud",
    )
}  # fmt: skip
_KINDS = dict.fromkeys(("tweet", "status", "submission", "toot", "note", "message"), "post") | {
    "retweet": "repost", "boost": "repost", "reblog": "repost", "share": "repost", "forward": "repost",
    "photo": "image", "picture": "image", "podcast": "audio", "subtitle": "caption", "news": "article",
} | {kind: kind for kind in KINDS}  # fmt: skip
_EMPTY = frozenset(("", "null", "none", "nan", "n/a", "na", "nil", "-", "\\n", "undefined", "<na>", "nat"))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"\W+")
_COUNT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([kKmMbB])?")
_GROUPED = re.compile(r"\d{1,3}(?:[, '\u00a0\u202f]\d{3})+$")
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_SLUG = re.compile(r"[^a-z0-9._-]+")
_SPLIT = re.compile(r"[\s|]+|[,;](?=\s|https?:)")


@lru_cache(maxsize=4_096)
def normal_name(column: str) -> str:
    """Return a column's name as the aliases spell it: lower case, words joined by `_`.

    Example:
        >>> normal_name("Created At"), normal_name("createdAt"), normal_name("user.screen_name")
        ('created_at', 'created_at', 'user_screen_name')
    """
    return _NO_WORD.sub("_", _HUMP.sub("_", column.strip().lstrip("\ufeff"))).strip("_").lower() or column.strip()


def resolve(columns: Iterable[str], mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return which column feeds which field; columns that mean nothing to a material are left out.

    Args:
        columns: Names as the input spells them.
        mapping: Field → column, where a person has said so; it wins over the names. `source` stands for `outlet`.

    Returns:
        Column → field, each field at most once: the alias that stands first in this module wins, and a column that
        lost its first field takes its next one (`link` is the address, or one of the links where `url` is there too).

    Raises:
        InputError: the mapping names a field that there is not, or a column that the input does not have.

    Example:
        >>> resolve(["tweetId", "url", "link", "weight"])
        {'tweetId': 'native_id', 'url': 'url', 'link': 'links'}
    """
    names = list(dict.fromkeys(columns))
    fixed = _fixed(names, mapping or {})
    claims = sorted(
        (rank, position, column, field)
        for position, column in enumerate(names)
        for rank, field in _CLAIMS.get(normal_name(column), ())
    )
    found, taken = dict(fixed), set(fixed.values())
    for _, _, column, field in claims:
        if column not in found and field not in taken:
            found[column] = field
            taken.add(field)
    return {column: found[column] for column in names if column in found}


def _fixed(names: list[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return what a mapping file says, checked against the fields and the columns."""
    fixed: dict[str, str] = {}
    for given, column in mapping.items():
        field = "outlet" if given == "source" else given
        if field not in FIELDS:
            raise InputError(
                f"the mapping names field {given!r}, which a material does not have",
                do="Use one of: " + ", ".join(FIELDS) + ".",
            )
        if column not in names:
            raise InputError(
                f"the mapping names column {column!r}, which the input does not have",
                do="Use one of its columns: " + ", ".join(names[:40]) + ".",
            )
        if column in fixed:
            raise InputError(
                f"the mapping gives column {column!r} to both {fixed[column]!r} and {given!r}",
                do="Give each column to one field.",
            )
        fixed[column] = field
    return fixed


@lru_cache(maxsize=65_536)
def source_of(platform: str | None, outlet: str | None) -> str:
    """Return `platform` or `platform/outlet` for what two columns say; `posts` where neither names a platform.

    Example:
        >>> source_of(None, "Lantern Board"), source_of("Twitter", None), source_of(None, "telegram/harbour_news")
        ('posts/Lantern Board', 'x', 'telegram/harbour_news')
    """
    known = _platform(platform)
    place = _outlet(outlet)
    if place is None:
        return known or DEFAULT_PLATFORM
    first, slash, rest = place.partition("/")
    if slash and rest and first.lower() in _PLATFORMS:
        return f"{_PLATFORMS[first.lower()]}/{rest}"
    if not slash and place.lower() in _PLATFORMS and known in (None, _PLATFORMS[place.lower()]):
        return _PLATFORMS[place.lower()]
    return f"{known or DEFAULT_PLATFORM}/{place}"


def _platform(value: str | None) -> str | None:
    name = (value or "").strip().lower()
    slug = "" if name in _EMPTY else _SLUG.sub("-", name).strip("-")
    return _PLATFORMS.get(slug, slug) or None


def _outlet(value: str | None) -> str | None:
    """Return an outlet as one line: the host of an address, a channel without its `@`; None for an app's anchor."""
    text = " ".join((value or "").split())
    if text.lower() in _EMPTY or text.startswith("<"):  # X fills `source` with an anchor of the client's name
        return None
    if "://" in text:
        return site(text)
    text = text.removeprefix("r/") if text.startswith("r/") else text
    return text.lstrip("@#").strip("/ ")[:200] or None


def kind_of(value: object) -> str | None:
    """Return the kind that a value names, or None where it names none: most columns called `type` mean another thing.

    Example:
        >>> kind_of("Reply"), kind_of("retweet"), kind_of("sponsored")
        ('reply', 'repost', None)
    """
    return _KINDS.get(value.strip().lower()) if isinstance(value, str) else None


def count_of(value: object) -> int | None:
    """Return a counter as tables write it, or None for an empty cell.

    Raises:
        ValueError: it is no number.

    Example:
        >>> count_of("1,204"), count_of("3.5K"), count_of(7.0), count_of("")
        (1204, 3500, 7, None)
    """
    if value is None or isinstance(value, int):
        return None if value is None else int(value)
    if isinstance(value, float):
        return None if value != value else int(value)  # noqa: PLR0124 - NaN: pandas' empty cell
    if not isinstance(value, str):
        raise ValueError(f"got {type(value).__name__}, expected a number")  # noqa: TRY004 - one family for the caller
    text = value.strip()
    if text.lower() in _EMPTY:
        return None
    if _GROUPED.match(text):
        return int(re.sub(r"\D", "", text))
    match = _COUNT.fullmatch(text)
    if match is None:
        raise ValueError("no number")
    number, scale = match[1], (match[2] or "").lower()
    return int(number) if not scale and "." not in number else round(float(number) * _SCALE[scale])


def list_of(value: object) -> list[str]:
    """Return the addresses in a cell: a JSON or Python list, or addresses set apart by space, comma, `;` or `|`.

    Example:
        >>> list_of("['https://a.example/1', 'https://a.example/2']") == list_of("https://a.example/1, https://a.example/2")
        True
    """
    if isinstance(value, list | tuple):
        return [item for item in value if isinstance(item, str) and item]
    if not isinstance(value, str) or value.strip().lower() in _EMPTY:
        return []
    text = value.strip()
    if text.startswith("[") and text.endswith("]"):
        return list_of(_literal(text))
    return [part for part in _SPLIT.split(text) if part]


def _literal(text: str) -> list[object]:
    """Return a list written as JSON or as Python writes it, or as bare words between brackets."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text) if len(text) < 65_536 else None
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            found = None
    if isinstance(found, list):
        return [_address(item) for item in found]
    return [part.strip(" '\"") for part in text[1:-1].split(",")]


def _address(item: object) -> object:
    """Return what an element of a list of links points to: entities hold it under several names."""
    if isinstance(item, dict):
        return next((item[key] for key in ("expanded_url", "unwound_url", "url", "fullUrl", "href") if key in item), "")
    return item
