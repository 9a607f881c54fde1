"""What stands in a dossier, as plain data: the page is drawn from it and `dossier.json` is it.

No class here has a field for an author, in any form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from antiphon.dossier.text import Segment, Span

__all__ = [
    "Cluster",
    "Content",
    "CopyGroup",
    "CopyStep",
    "Counts",
    "Input",
    "Ledger",
    "Match",
    "Material",
    "Narrative",
    "Node",
    "Pair",
    "PathPoint",
    "Picture",
    "Quarantine",
    "Score",
    "Shown",
    "SourceRow",
    "SpreadEdge",
    "Timeline",
]  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """How many of how many stand in the page, and the table that has them all."""

    shown: int
    total: int
    table: str


@dataclass(frozen=True)
class Score:
    """A score of the analyser, 0–1, with its plain name."""

    name: str
    words: str
    score: float


@dataclass(frozen=True)
class Picture:
    """A file of a material. `thumbnail` and `veil` are keys of the page's pictures, None where there is no preview."""

    mime: str
    size_bytes: int | None
    role: str
    sha256: str | None


@dataclass(frozen=True)
class Match:
    """One match of a material's part with an entry of a bank."""

    material_id: str
    part: str
    signal_type: str
    bank: str
    entry_id: str
    distance: int
    threshold: int
    alignment: str | None
    label: str | None
    note: str | None


@dataclass(frozen=True)
class Material:
    """One material as the page shows it. Text is an excerpt; `text_chars` is its whole length."""

    material_id: str
    source: str
    kind: str
    url: str
    published_at: datetime | None
    lang: str
    lang_name: str
    lang_score: float | None
    title: str
    text: tuple[Segment, ...]
    text_chars: int
    spans: tuple[Span, ...]
    reading: str
    directness: str | None
    flag: bool
    abstained: bool
    reason: str
    review_priority: float
    acts: tuple[Score, ...]
    contexts: tuple[Score, ...]
    nearest_protected: Score | None
    analyser: str
    calibration_id: str
    copies: int
    copy_sources: int
    matches: tuple[Match, ...]
    pictures: tuple[Picture, ...]
    reach: dict[str, int]


@dataclass(frozen=True)
class Counts:
    """The numbers of the summary."""

    materials: int
    sources: int
    undated: int
    first_at: datetime | None
    last_at: datetime | None
    read: int
    flagged: int
    flagged_groups: int
    abstained: int
    readings: dict[str, int]
    langs: tuple[tuple[str, str, int], ...]
    matches: int
    matched_materials: int
    banks: tuple[tuple[str, str, int], ...]
    copy_groups: int
    copied_materials: int
    narratives: int
    spread_edges: int
    clusters: int
    clustered_sources: int


@dataclass(frozen=True)
class Input:
    """One input of the ledger; `adds_up` says whether found = kept + known + quarantined."""

    input: str
    reader: str | None
    size_bytes: int | None
    found: int
    kept: int
    known: int
    quarantined: int
    other: int
    other_detail: dict[str, int]
    gaps: tuple[str, ...]
    complete: bool
    adds_up: bool


@dataclass(frozen=True)
class Quarantine:
    """Records that a stage could not do, by reason, with one example of the detail."""

    stage: str
    reason: str
    records: int
    inputs: int
    example: str
    example_at: str


@dataclass(frozen=True)
class Ledger:
    """What was read and what was not, over all inputs."""

    inputs: int
    size_bytes: int
    found: int
    kept: int
    known: int
    quarantined: int
    other: int
    incomplete: int
    unread: int
    not_adding_up: int
    with_gaps: int
    rows: tuple[Input, ...]
    shown: Shown
    quarantine: tuple[Quarantine, ...]
    quarantine_shown: Shown


@dataclass(frozen=True)
class CopyStep:
    """The first sight of a copy in one source, and how many are there."""

    source: str
    first_at: datetime | None
    materials: int


@dataclass(frozen=True)
class CopyGroup:
    """Materials that are the same thing, with their path over sources."""

    copy_group: str
    copy_kind: str
    materials: int
    sources: int
    first_at: datetime | None
    last_at: datetime | None
    lang: str
    reading: str | None
    excerpt: str
    steps: tuple[CopyStep, ...]


@dataclass(frozen=True)
class Quote:
    """A quotation that represents a narrative."""

    material_id: str
    source: str
    published_at: datetime | None
    lang: str
    reading: str | None
    excerpt: str


@dataclass(frozen=True)
class Narrative:
    """Materials that tell the same thing. `timeline` has one count a bucket between the run's first and last day."""

    narrative_id: str
    title: str
    terms: tuple[str, ...]
    quotes: tuple[Quote, ...]
    materials: int
    sources: int
    langs: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    direct: int
    indirect: int
    protected: int
    countered_by: int
    timeline: tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """Materials by time and reading. `rows` are (bucket's beginning, reading, materials), empty buckets left out."""

    bucket_s: int
    bucket_words: str
    first_at: datetime | None
    last_at: datetime | None
    outside: int
    rows: tuple[tuple[datetime, str, int], ...]


@dataclass(frozen=True)
class SourceRow:
    """One source with its numbers."""

    source: str
    materials: int
    flagged: int
    protected: int
    copies: int
    first_copies: int


@dataclass(frozen=True)
class SpreadEdge:
    """Copies that went from one source to another."""

    from_source: str
    to_source: str
    copies: int
    median_delay_s: float | None


@dataclass(frozen=True)
class PathPoint:
    """The first sight of one copy group in one source."""

    path: str
    source: str
    at: datetime
    order: int
    excerpt: str


@dataclass(frozen=True)
class Pair:
    """Two sources that shared more of the same objects, near in time, than chance explains."""

    cluster_id: str
    source_a: str
    source_b: str
    shared_objects: int
    expected: float
    p_value: float
    window_s: int


@dataclass(frozen=True)
class Cluster:
    """Sources that acted together: a number for the page, their names, their strongest evidence."""

    number: int
    cluster_id: str
    sources: tuple[str, ...]
    pairs: int
    shared_objects: int
    min_p_value: float


@dataclass(frozen=True)
class Node:
    """A source in the network; `cluster` is a cluster's number, 0 for none. x and y are 0–1."""

    source: str
    cluster: int
    degree: int
    x: float
    y: float


@dataclass(frozen=True)
class Content:
    """Everything that stands in one dossier."""

    counts: Counts
    ledger: Ledger
    review: tuple[Material, ...]
    review_shown: Shown
    protected: tuple[Material, ...]
    protected_shown: Shown
    unclear: tuple[Material, ...]
    unclear_shown: Shown
    matches: tuple[tuple[Match, Material], ...]
    matches_shown: Shown
    copies: tuple[CopyGroup, ...]
    copies_shown: Shown
    narratives: tuple[Narrative, ...]
    narratives_shown: Shown
    timeline: Timeline
    sources: tuple[SourceRow, ...]
    sources_shown: Shown
    paths: tuple[PathPoint, ...]
    spread: tuple[SpreadEdge, ...]
    spread_shown: Shown
    clusters: tuple[Cluster, ...]
    pairs: tuple[Pair, ...]
    pairs_shown: Shown
    nodes: tuple[Node, ...]
