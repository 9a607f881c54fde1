"""Who is called coordinated, and above all who is not."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spread_world import World, whole_world

from antiphon.errors import ConfigError
from antiphon.model.schemas import COORDINATION, SKIPPED
from antiphon.model.stage import TableStage
from antiphon.spread import FindCoordination
from antiphon.spread import coordination as coordination_module
from antiphon.spread._null import significant


def called(world, **settings_of):
    """The called pairs of a world."""
    return FindCoordination(**settings_of).run(world.connection())["coordination"].to_pylist()


@pytest.fixture(scope="module")
def found():
    """A world with everything in it, who was planted, and what was called."""
    world, planted = whole_world()
    return world, planted, FindCoordination().run(world.connection())["coordination"].to_pylist()


def test_the_three_planted_campaigns_are_found(found):
    """Each is one cluster, and no more than one of its members is missing."""
    _, planted, rows = found
    clusters: dict[str, set[str]] = {}
    for row in rows:
        clusters.setdefault(row["cluster_id"], set()).update((row["source_a"], row["source_b"]))
    assert len(clusters) == 3
    for members in planted.values():
        assert any(cluster <= members and len(members - cluster) <= 1 for cluster in clusters.values())


def test_nobody_else_is_called(found):
    """Neither newsrooms that copy a storm warning, nor who cheers at a final, nor who passes on what others wrote."""
    _, planted, rows = found
    pairs = {frozenset((row["source_a"], row["source_b"])) for row in rows}
    assert all(any(pair <= members for members in planted.values()) for pair in pairs)


@pytest.mark.parametrize("seed", range(4))
def test_a_world_without_campaigns_has_no_coordination(seed):
    """A large final, and a storm of fifteen warnings that every newsroom copies within nine minutes."""
    world = World(seed=50 + seed)
    world.ordinary(3000)
    world.final(3000)
    world.storm(warnings=15)
    assert called(world) == []


def test_what_is_written_can_be_checked(found):
    """Fewer expected than seen, a small probability, an order of names, and the window."""
    world, _, rows = found
    for row in rows:
        assert row["expected"] < row["shared_objects"]
        assert 0 < row["p_value"] < 0.05
        assert row["source_a"] < row["source_b"]
        assert row["first_at"] <= row["last_at"]
    table = FindCoordination(window_s=120).run(world.connection())["coordination"]
    assert table.schema == COORDINATION
    assert set(table["window_s"].to_pylist()) == {120}


def test_the_order_of_the_rows_makes_no_difference():
    """The lake gives them as it likes."""
    world, _ = whole_world(posts=2000)
    tables = [FindCoordination().run(world.connection(order))["coordination"] for order in (0, 1, 2)]
    assert tables[0].num_rows > 0
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def pair_world(times, apart_s, links=0):
    """Two channels among twenty, that share so many texts, so far apart."""
    world = World(seed=9)
    world.ordinary(2000)
    for number in range(times):
        shared = tuple(f"https://example.org/page/{number}/{at}" for at in range(links))
        for place, source in enumerate(("telegram/en-3", "telegram/en-4")):
            world.post(source, "en", (3 + 2 * number) * 86_400 + place * apart_s, f"pair-{number}", shared)
    return world


@pytest.mark.parametrize(
    ("times", "apart_s", "pairs"),
    [(2, 10, 0), (5, 10, 1), (8, 300, 1), (8, 301, 0)],
    ids=["twice", "five times", "at the window's end", "just past it"],
)
def test_a_pair_needs_repeated_sharing_within_the_window(times, apart_s, pairs):
    """Two are chance, and a window is a window."""
    assert len(called(pair_world(times, apart_s))) == pairs


@pytest.mark.parametrize(("least", "pairs"), [(5, 1), (6, 0)], ids=["just enough", "one too few"])
def test_the_fewest_occasions_can_be_set(least, pairs):
    """Whoever wants stronger evidence asks for more of it."""
    assert len(called(pair_world(5, 10), min_occasions=least)) == pairs


def test_one_post_with_many_addresses_is_one_act():
    """Two posts with five addresses each share five objects by two acts, which is not enough."""
    assert called(pair_world(2, 10, links=5)) == []


def test_addresses_shared_together_count_without_a_copied_text():
    """A campaign may write its own words around the same pages; the source's own pages are no evidence."""
    worlds = [World(seed=9), World(seed=9)]
    for world, host in zip(worlds, ("example.org", "en-3"), strict=True):
        world.ordinary(2000)
        for number, source in product(range(6), ("telegram/en-3", "telegram/en-4")):
            link = f"https://{host}/page/{number}?utm_source={source}#top"
            world.post(source, "en", (3 + 2 * number) * 86_400, links=(link,))
    assert [len(called(world)) for world in worlds] == [1, 0]


def test_what_too_many_share_is_left_out_and_reported(monkeypatch):
    """A text of a million sharers must not make a billion pairs, and nobody should wonder where it went."""
    monkeypatch.setattr(coordination_module, "MAX_PAIRS_PER_OBJECT", 100)
    world = World()
    for number in range(50):
        world.post(f"telegram/en-{number}", "en", number, "everybody")
    skipped = FindCoordination().run(world.connection())["skipped"]
    assert skipped.schema == SKIPPED
    assert skipped["reason"].to_pylist() == ["object-too-common"]


def test_an_empty_world_has_no_coordination():
    """An empty case is a case."""
    assert isinstance(FindCoordination(), TableStage)
    assert called(World()) == []


@pytest.mark.parametrize("wrong", [{"window_s": 0}, {"min_occasions": 1}, {"false_discovery_rate": 1.0}])
def test_settings_without_sense_are_refused(wrong):
    """One shared object can't be repeated sharing."""
    with pytest.raises(ConfigError, match="expected"):
        FindCoordination(**wrong)


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 50))
def test_the_false_discovery_rate_is_that_of_the_definition(p_values, more):
    """Benjamini and Hochberg: the largest k with p(k) <= k q / m, and all before it."""
    tests = len(p_values) + more
    ranked = sorted(p_values)
    passed = [k for k in range(1, len(ranked) + 1) if ranked[k - 1] <= 0.05 * k / max(tests, 1)]
    expected = max(passed, default=0)
    assert np.count_nonzero(significant(np.array(p_values), tests, 0.05)) == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), sharers=st.integers(2, 6))
def test_when_all_who_could_share_do_the_model_expects_every_pair(seed, sharers):
    """Six of six newsrooms are no wonder, however often and however fast."""
    world = World(seed=seed)
    for number in range(10):
        for name in range(sharers):
            world.post(f"news/en-{name}", "en", number * 2 * 86_400 + name, f"warning-{number}")
    assert called(world) == []
