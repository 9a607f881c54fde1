"""The way of copies, and counts in time."""

from datetime import timedelta

import pytest
from spread_world import START, World

from antiphon.model.schemas import SPREAD, TIMELINE
from antiphon.model.stage import TableStage
from antiphon.spread import CountTimeline, TraceSpread


def traced(*posts):
    """The ways of posts given as source, seconds, group."""
    world = World()
    for source, at_s, group in posts:
        world.post(source, "en", at_s, group)
    return TraceSpread().run(world.connection())["spread"]


def test_a_copy_goes_from_source_to_source_in_time():
    """Each step is from the source that had it before to the one that had it next."""
    rows = traced(("b", 60, "g"), ("a", 0, "g"), ("c", 100, "g")).to_pylist()
    ways = [(row["from_source"], row["to_source"], row["copies"], row["median_delay_s"]) for row in rows]
    assert ways == [("a", "b", 1, 60.0), ("b", "c", 1, 40.0)]
    assert rows[0]["first_at"] == START + timedelta(seconds=60)


def test_only_the_first_sight_at_a_source_counts():
    """A source that repeats itself passes nothing on."""
    rows = traced(("a", 0, "g"), ("a", 5, "g"), ("b", 10, "g"), ("a", 20, "g")).to_pylist()
    assert [(row["from_source"], row["to_source"], row["median_delay_s"]) for row in rows] == [("a", "b", 10.0)]


def test_the_same_way_is_counted_and_its_delay_is_the_middle_one():
    """One slow copy must not make a fast way slow."""
    posts = [
        (source, at, group)
        for group, late in (("g", 10), ("h", 20), ("i", 9000))
        for source, at in (("a", 0), ("b", late))
    ]
    (row,) = traced(*posts).to_pylist()
    assert (row["copies"], row["median_delay_s"]) == (3, 20.0)


def test_the_order_of_the_rows_makes_no_difference():
    """The lake gives them as it likes."""
    world = World(seed=2)
    world.ordinary(600)
    tables = [TraceSpread().run(world.connection(order))["spread"] for order in (0, 1)]
    assert tables[0].num_rows > 50
    assert tables[0].equals(tables[1])
    assert tables[0].schema == SPREAD


def timeline(world, zone="UTC"):
    """The counts of a world, for a connection that thinks in some time zone."""
    connection = world.connection()
    connection.execute(f"SET TimeZone = '{zone}'")
    return CountTimeline().run(connection)["timeline"]


def test_days_and_hours_count_every_material_of_known_time():
    """Both sum to the same, by reading and language."""
    world = World(seed=2)
    world.ordinary(300)
    table = timeline(world)
    assert table.schema == TIMELINE
    for bucket_s in (86_400, 3600):
        assert sum(row["materials"] for row in table.to_pylist() if row["bucket_s"] == bucket_s) == len(world.rows)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_days_are_those_of_utc_wherever_the_node_stands(zone):
    """Two nodes must count the same day."""
    world = World()
    for at_s in (0, 86_399, 86_400):
        world.post("a", "en", at_s)
    rows = [row for row in timeline(world, zone).to_pylist() if row["bucket_s"] == 86_400]
    assert [(row["bucket_at"] - START, row["materials"]) for row in rows] == [(timedelta(0), 2), (timedelta(days=1), 1)]


def test_they_are_table_stages():
    """The node asks for nothing else."""
    assert isinstance(TraceSpread(), TableStage)
    assert isinstance(CountTimeline(), TableStage)
