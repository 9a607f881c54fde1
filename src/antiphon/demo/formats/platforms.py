"""X as pages of its web interface and as an account's archive, Reddit as Pushshift files, YouTube as downloads."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from random import Random
from typing import Any

import orjson
import zstandard

from antiphon.demo.formats.common import account, code, iso_ms, pages, reach, title_of, write
from antiphon.demo.planned import Post, Writing

__all__ = ["write_reddit", "write_x_archive", "write_x_pages", "write_youtube"]

_PAGE = 100
_X_EPOCH_MS = 1_288_834_974_657
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def write_x_pages(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as a recent search of X's API, version 2: a page a line, as collection tools keep them."""
    rng = Random(f"x {writing.seed}")
    last = (len(posts) - 1) // _PAGE + 1
    lines = []
    for number, page in pages(posts, _PAGE):
        data = [_x_post(post, rng) for post in page]
        users = sorted({post.author for post in page})
        meta = {"newest_id": data[-1]["id"], "oldest_id": data[0]["id"], "result_count": len(data)}
        if number < last:
            meta["next_token"] = code("page", number, 19)
        content = {"data": data, "includes": {"users": [_x_user(author) for author in users]}, "meta": meta}
        lines.append(orjson.dumps(content))
    write(folder / "x/search.jsonl", b"\n".join(lines) + b"\n")


def write_x_archive(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as the archive of one account (a library that passes on what it reads)."""
    rng = Random(f"x archive {writing.seed}")
    tweets = [{"tweet": _archived(post, rng)} for post in reversed(posts)]
    content = orjson.dumps(tweets, option=orjson.OPT_INDENT_2)
    write(folder / "x-archive/data/tweets.js", b"window.YTD.tweets.part0 = " + content)
    followers = [{"follower": {"accountId": str(9_000_000 + n)}} for n in range(12)]
    write(folder / "x-archive/data/follower.js", b"window.YTD.follower.part0 = " + orjson.dumps(followers))


def write_reddit(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as Pushshift writes them: submissions and comments, one a line, compressed with zstd."""
    rng = Random(f"reddit {writing.seed}")
    submissions: list[bytes] = []
    comments: list[bytes] = []
    threads: dict[str, str] = {}
    for post in posts:
        name = post.outlet.name
        if name not in threads or rng.random() < 0.4:
            threads[name] = _base36(post.number)
            submissions.append(orjson.dumps(_submission(post, rng)))
        else:
            comments.append(orjson.dumps(_comment(post, threads[name], rng)))
    for kind, lines in (("submissions", submissions), ("comments", comments)):
        content = zstandard.ZstdCompressor(level=9).compress(b"\n".join(lines) + b"\n")
        write(folder / f"reddit/{kind}.zst", content)


def write_youtube(folder: Path, posts: Sequence[Post], writing: Writing) -> None:
    """Write posts as videos: what a downloader keeps of each (info.json) and its captions."""
    rng = Random(f"youtube {writing.seed}")
    for post in posts:
        key = code("video", post.number, 11)
        post.platform, post.native_id, post.url = "youtube", key, f"https://www.youtube.com/watch?v={key}"
        title = title_of(post.text)
        stem = f"youtube/video {post.number} [{key}]"
        write(folder / f"{stem}.info.json", orjson.dumps(_video(post, key, title, rng)))
        write(folder / f"{stem}.{post.lang}.vtt", _captions(post).encode())


def _x_id(post: Post) -> str:
    return str((int(post.at.timestamp() * 1000) - _X_EPOCH_MS << 22) | post.number % (1 << 22))


def _place_on_x(post: Post) -> str:
    post.platform, post.native_id = "x", _x_id(post)
    post.url = f"https://x.com/i/status/{post.native_id}"
    return post.native_id


def _x_post(post: Post, rng: Random) -> dict[str, Any]:
    native_id, counts = _place_on_x(post), reach(rng)
    return {
        "id": native_id, "text": escape(post.text, quote=False), "created_at": iso_ms(post.at), "lang": post.lang,
        "author_id": str(5_000_000 + post.author), "conversation_id": native_id, "edit_history_tweet_ids": [native_id],
        "possibly_sensitive": False, "reply_settings": "everyone",
        "public_metrics": {
            "retweet_count": counts.shares, "reply_count": counts.replies, "like_count": counts.reactions,
            "quote_count": 0, "bookmark_count": 0, "impression_count": counts.views,
        },
    }  # fmt: skip


def _x_user(author: int) -> dict[str, str]:
    return {"id": str(5_000_000 + author), "name": account(author).title(), "username": account(author)}


def _archived(post: Post, rng: Random) -> dict[str, Any]:
    native_id, counts = _place_on_x(post), reach(rng)
    return {
        "edit_info": {"initial": {"editTweetIds": [native_id], "editableUntil": iso_ms(post.at)}}, "retweeted": False,
        "source": '<a href="https://mobile.x.example" rel="nofollow">Web App</a>', "truncated": False,
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
        "display_text_range": ["0", str(len(post.text))], "favorite_count": str(counts.reactions),
        "retweet_count": str(counts.shares), "id_str": native_id, "id": native_id, "favorited": False,
        "created_at": post.at.strftime("%a %b %d %H:%M:%S +0000 %Y"), "full_text": escape(post.text, quote=False),
        "lang": post.lang,
    }  # fmt: skip


def _base36(number: int) -> str:
    value, digits = 78_364_164_096 + number, ""  # 36**7: seven digits, as ids have today
    while value:
        value, digit = divmod(value, 36)
        digits = _BASE36[digit] + digits
    return digits


def _submission(post: Post, rng: Random) -> dict[str, Any]:
    key, name, counts = _base36(post.number), post.outlet.name, reach(rng)
    post.platform, post.native_id = "reddit", f"t3_{key}"
    post.url = f"https://www.reddit.com/r/{name}/comments/{key}/post/"
    return {
        "id": key, "name": post.native_id, "subreddit": name, "subreddit_id": "t5_" + code("sub", len(name), 6),
        "subreddit_type": "public", "author": account(post.author),
        "author_fullname": "t2_" + code("a", post.author, 7),
        "title": title_of(post.text), "selftext": post.text, "is_self": True, "domain": f"self.{name}",
        "permalink": f"/r/{name}/comments/{key}/post/", "url": post.url, "created_utc": int(post.at.timestamp()),
        "retrieved_on": int(post.at.timestamp()) + 86_400, "score": counts.reactions, "num_comments": counts.replies,
        "over_18": False, "stickied": False, "locked": False,
    }  # fmt: skip


def _comment(post: Post, thread: str, rng: Random) -> dict[str, Any]:
    key, name = _base36(post.number), post.outlet.name
    post.platform, post.native_id = "reddit", f"t1_{key}"
    post.url = f"https://www.reddit.com/r/{name}/comments/{thread}/post/{key}/"
    return {
        "id": key, "name": post.native_id, "subreddit": name, "subreddit_id": "t5_" + code("sub", len(name), 6),
        "subreddit_type": "public", "author": account(post.author),
        "author_fullname": "t2_" + code("a", post.author, 7),
        "body": post.text, "link_id": f"t3_{thread}", "parent_id": f"t3_{thread}",
        "permalink": f"/r/{name}/comments/{thread}/post/{key}/", "created_utc": int(post.at.timestamp()),
        "retrieved_on": int(post.at.timestamp()) + 86_400, "score": reach(rng).reactions, "controversiality": 0,
    }  # fmt: skip


def _video(post: Post, key: str, title: str, rng: Random) -> dict[str, Any]:
    counts = reach(rng)
    return {
        "id": key, "title": title, "fulltitle": title, "description": post.text, "webpage_url": post.url,
        "original_url": post.url, "extractor": "youtube", "extractor_key": "Youtube", "_type": "video",
        "channel": account(post.author), "channel_id": "UC" + code("channel", post.author, 22),
        "uploader_id": "@" + account(post.author), "timestamp": int(post.at.timestamp()),
        "upload_date": post.at.strftime("%Y%m%d"), "epoch": int(post.at.timestamp()) + 90_000, "duration": 24,
        "view_count": counts.views, "like_count": counts.reactions, "comment_count": 0, "availability": "public",
        "language": post.lang, "subtitles": {post.lang: [{"ext": "vtt", "url": f"{post.url}&fmt=vtt"}]},
        "automatic_captions": {}, "ext": "mp4", "formats": [],
    }  # fmt: skip


def _captions(post: Post) -> str:
    """Return the text as WebVTT, six words a cue."""
    words, cues = post.text.split(), []
    for number, start in enumerate(range(0, len(words), 6)):
        begin, end = (f"00:{at // 60:02d}:{at % 60:02d}.000" for at in (number * 3, number * 3 + 3))
        cues.append(f"{begin} --> {end}\n" + escape(" ".join(words[start : start + 6]), quote=False))
    return f"WEBVTT\nKind: captions\nLanguage: {post.lang}\n\n" + "\n\n".join(cues) + "\n"
