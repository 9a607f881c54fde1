import itertools
import json
from collections import Counter

import pytest

from antiphon.demo.phrases import LANGS
from antiphon.demo.posts import json_posts, write_jsonl
from antiphon.errors import InputError


def _posts(count, seed=1):
    return [json.loads(line) for line in json_posts(count, seed)]


def test_a_file_has_as_many_lines_as_were_asked_for(tmp_path):
    """A benchmark divides by the number it asked for."""
    size = write_jsonl(tmp_path / "posts.jsonl", 4_321)
    content = (tmp_path / "posts.jsonl").read_bytes()
    assert len(content) == size
    assert content.count(b"\n") == 4_321


def test_the_same_seed_gives_the_same_lines():
    """Two runs of a benchmark must read the same file."""
    assert list(json_posts(300, 7)) == list(json_posts(300, 7))
    assert list(json_posts(300, 7)) != list(json_posts(300, 8))


def test_a_longer_stream_begins_like_a_shorter_one():
    """Posts come one by one: nothing is kept until the end."""
    assert list(itertools.islice(json_posts(10**9, 1), 200)) == list(json_posts(200, 1))


def test_posts_are_of_the_size_of_real_ones():
    """Throughput depends on bytes as much as on posts."""
    sizes = [len(line) for line in json_posts(3_000, 2)]
    assert 380 < sum(sizes) / len(sizes) < 520


def test_ids_are_unique_and_time_goes_forward():
    """Two posts of one id would be one material."""
    posts = _posts(2_000)
    assert len({post["id"] for post in posts}) == 2_000
    assert [post["published_at"] for post in posts] == sorted(post["published_at"] for post in posts)
    assert {post["lang"] for post in posts} == set(LANGS)


def test_about_one_post_in_twenty_repeats_another():
    """Grouping has work to do, and not only that."""
    texts = Counter(post["text"] for post in _posts(20_000))
    repeated = 1 - len(texts) / 20_000
    assert 0.015 < repeated < 0.05  # half of the repeats are word for word, the others are changed


def test_a_negative_number_is_refused(tmp_path):
    """It would write an empty file and call it a benchmark."""
    with pytest.raises(InputError, match="-1"):
        write_jsonl(tmp_path / "posts.jsonl", -1)
