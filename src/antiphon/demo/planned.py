"""What is planned before anything is written: outlets, posts, and the records that are broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

__all__ = ["START", "Broken", "Outlet", "Post", "Writing", "moment"]

START = datetime(2026, 3, 2, tzinfo=UTC)
"""First day of the world."""


def moment(at_us: int) -> datetime:
    """Return microseconds since the first day as an instant."""
    return START + timedelta(microseconds=at_us)


@dataclass(frozen=True)
class Outlet:
    """A place where posts appear: a channel, board, instance, subreddit or site.

    Attributes:
        format: Which writer writes it.
        name: Its name as the export spells it.
        lang: Its language, or "" for one where all are spoken.
        beat: `talk`, `news`, or `fringe` where advocacy is more common.
    """

    format: str
    name: str
    lang: str
    beat: str


@dataclass(slots=True)
class Post:
    """One post with its truth. The writer of its format fills in the ids by which it can be found again."""

    number: int
    kind: str
    lang: str
    text: str
    at_us: int
    outlet: Outlet
    author: int
    title: str = ""
    copy_group: str = ""
    copied_from: str = ""
    campaign: str = ""
    burst: str = ""
    image: str = ""
    bank_entry: str = ""
    platform: str = ""
    native_id: str = ""
    url: str = ""
    sha256: str = ""

    @property
    def at(self) -> datetime:
        """Return when it was published."""
        return moment(self.at_us)


@dataclass(frozen=True)
class Broken:
    """A record that is broken on purpose, so that the quarantine has something to show."""

    input: str
    record: int | None
    """Number of the record in its input, from 0; None for the input as a whole."""
    fault: str


@dataclass
class Writing:
    """What the writers of formats share: where they write, and what they broke."""

    seed: int
    broken: list[Broken] = field(default_factory=list)
