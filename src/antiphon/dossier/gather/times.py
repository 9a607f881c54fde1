"""Time cut into buckets that fit a chart, and materials counted by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from antiphon.dossier.content import Timeline
from antiphon.dossier.gather.reader import Reader, instant

__all__ = ["Buckets", "buckets_of", "gather_timeline"]

_MAX_BUCKETS = 120
_DAY_S = 86_400
_MONDAY_S = 4 * _DAY_S
_WIDTHS: dict[int, str] = {
    600: "ten minutes",
    3_600: "hour",
    21_600: "six hours",
    _DAY_S: "day",
    7 * _DAY_S: "week",
    28 * _DAY_S: "four weeks",
    91 * _DAY_S: "quarter of a year",
    364 * _DAY_S: "year of 52 weeks",
    3_640 * _DAY_S: "ten years",
}
# A single post dated 1970 must not press all others into one bar: dates far from the middle 98 % count as outside
# where they would make the chart more than four times as long.
_STRETCH = 4


@dataclass(frozen=True)
class Buckets:
    """Equal stretches of time: where the first begins (seconds since 1970), how long one is, how many there are."""

    start_s: int
    width_s: int
    count: int

    @property
    def words(self) -> str:
        """The length of one bucket in words."""
        return _WIDTHS[self.width_s]

    def at(self, number: int) -> datetime | None:
        """Return when a bucket begins."""
        return instant((self.start_s + number * self.width_s) * 1_000_000)

    def number_sql(self, column: str) -> str:
        """Return SQL for the number of the bucket that an instant lies in."""
        return f"(epoch_us({column}) // 1000000 - {self.start_s}) // {self.width_s}"

    def inside_sql(self, column: str) -> str:
        """Return SQL for whether an instant lies in any bucket."""
        end = self.start_s + self.width_s * self.count
        return f"epoch_us({column}) >= {self.start_s * 1_000_000} AND epoch_us({column}) < {end * 1_000_000}"


def buckets_of(reader: Reader) -> Buckets:
    """Return buckets over the time of all materials, at most 120, and none where no material has a date."""
    row = reader.row(
        "SELECT min(us) AS low, max(us) AS high, quantile_disc(us, 0.01) AS q01, quantile_disc(us, 0.99) AS q99 "
        "FROM (SELECT epoch_us(published_at) AS us FROM materials WHERE published_at IS NOT NULL)"
    )
    if row["low"] is None:
        return Buckets(0, _DAY_S, 0)
    low, high = row["low"] // 1_000_000, row["high"] // 1_000_000
    inner_low, inner_high = row["q01"] // 1_000_000, row["q99"] // 1_000_000
    inner = max(inner_high - inner_low, _DAY_S)
    if high - low > _STRETCH * inner:
        low, high = max(low, inner_low - inner // 2), min(high, inner_high + inner // 2)
    width = next((w for w in _WIDTHS if (high - low) // w < _MAX_BUCKETS - 1), max(_WIDTHS))
    start = (low - _MONDAY_S) // width * width + _MONDAY_S
    return Buckets(start, width, min((high - start) // width + 1, _MAX_BUCKETS))


def gather_timeline(reader: Reader, buckets: Buckets) -> Timeline:
    """Return materials by bucket and reading; materials without a finding are read as `unclear`."""
    if not buckets.count:
        return Timeline(buckets.width_s, buckets.words, None, None, 0, ())
    rows = reader.rows(
        f"SELECT {buckets.number_sql('m.published_at')} AS bucket, coalesce(f.reading, 'unclear') AS reading, "
        f"count(*) AS n FROM materials m LEFT JOIN {reader.findings} f USING (material_id) "
        f"WHERE {buckets.inside_sql('m.published_at')} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    outside = reader.number(
        f"SELECT count(*) FROM materials WHERE published_at IS NOT NULL AND NOT ({buckets.inside_sql('published_at')})"
    )
    counted = [(buckets.at(row["bucket"]), row["reading"], row["n"]) for row in rows]
    return Timeline(
        buckets.width_s,
        buckets.words,
        buckets.at(0),
        buckets.at(buckets.count),
        outside,
        tuple((at, reading, n) for at, reading, n in counted if at is not None),
    )
