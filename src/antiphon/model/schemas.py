"""The Arrow schemas where the rooms of Antiphon meet, and the one place that says what each field means.

Every field carries its meaning in its metadata; `docs/data-dictionary.md` is generated from here. Result tables are
written beside the dossier under the names in `RESULT_TABLES` and join on `material_id`.

No schema has a field for a person's name, handle, account id, phone, face, voice or position: the unit is the material.
"""

from __future__ import annotations

import pyarrow as pa

from antiphon.errors import InputError

__all__ = [
    "CONTEXTS",
    "COORDINATION",
    "COPIES",
    "FINDINGS",
    "INSTANT",
    "KINDS",
    "LEDGER",
    "MATCHES",
    "MATERIALS",
    "NARRATIVES",
    "NARRATIVE_MEMBERS",
    "PROTECTED_CONTEXTS",
    "READINGS",
    "RESULT_TABLES",
    "SIGNALS",
    "SKIPPED",
    "SPEECH_ACTS",
    "SPREAD",
    "TIMELINE",
    "doc",
    "empty",
    "require_schema",
]

INSTANT = pa.timestamp("us", tz="UTC")

KINDS = (
    "post", "reply", "repost", "article", "comment", "caption", "document", "image", "video", "audio",
)  # fmt: skip
"""What a material is, as it was published."""

SPEECH_ACTS = ("incites", "glorifies", "solicits", "instructs", "threatens")
"""What the words do, after the limbs of Regulation (EU) 2021/784 Art 2(7)."""

CONTEXTS = (
    "reports", "analyses", "educates", "creates", "counters", "testifies", "debates", "protests", "warns",
    "figurative", "devotional", "everyday",
)  # fmt: skip
"""What surrounds the words and can protect them."""

PROTECTED_CONTEXTS = CONTEXTS[:9]
"""The contexts that are protected speech when the author does not endorse the act."""

READINGS = ("direct", "indirect", "protected", "none", "unclear")
"""The nearest reading of a material: advocacy put plainly, put indirectly, speech about it that is protected, none of
these, or an abstention."""


def _field(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"doc": meaning})


def _scores(names: tuple[str, ...]) -> pa.DataType:
    return pa.struct([pa.field(name, pa.float32()) for name in names])


_MEDIA = pa.struct(
    [
        _field("sha256", pa.string(), "SHA-256 of the bytes, hex; null where only an address was given"),
        _field("mime", pa.string(), "media type, recognised from the bytes where they were read"),
        _field("bytes", pa.int64(), "size in bytes"),
        _field("path", pa.string(), "where the bytes were read, or the address they were published at"),
        _field("role", pa.string(), "attachment, preview, self (the material is the file) or subtitle"),
    ]
)
_REACH = pa.struct(
    [
        _field("views", pa.int64(), "times shown, as the platform counts"),
        _field("reactions", pa.int64(), "likes, favourites, votes"),
        _field("shares", pa.int64(), "reposts, boosts, forwards"),
        _field("replies", pa.int64(), "answers, comments"),
    ]
)
_PROVENANCE = pa.struct(
    [
        _field("input", pa.string(), "the input as named on the command line; `!/` enters a container"),
        _field("record", pa.int64(), "number of the record in the input, from 0"),
        _field("offset", pa.int64(), "byte offset of the record in the decompressed input; null where it has none"),
        _field("reader", pa.string(), "the source plug-in that read it"),
        _field("reader_version", pa.string(), "version of that plug-in"),
    ]
)

MATERIALS = pa.schema(
    [
        _field("material_id", pa.string(), "BLAKE2b-128, hex, over platform, native id (or address, or content) and "
               "revision: the same post read twice is the same material", nullable=False),
        _field("source", pa.string(), "where it was published: `platform` or `platform/outlet`, an outlet being a "
               "channel, instance, forum or site, never a person", nullable=False),
        _field("native_id", pa.string(), "the platform's own id of the material"),
        _field("revision", pa.string(), "which edition of it; null for the first or only one"),
        _field("url", pa.string(), "its public address"),
        _field("kind", pa.string(), "one of " + ", ".join(KINDS), nullable=False),
        _field("published_at", INSTANT, "when it was published, as the platform says"),
        _field("collected_at", INSTANT, "when it was collected, where the input says so"),
        _field("author", pa.string(), "keyed pseudonym of the author, different in every case-space; null if unknown"),
        _field("lang_declared", pa.string(), "language as declared by platform or page, BCP 47"),
        _field("title", pa.string(), "title or headline"),
        _field("text", pa.string(), "the text as read, markup resolved, nothing else changed"),
        _field("links", pa.list_(pa.string()), "addresses it links to"),
        _field("media", pa.list_(_MEDIA), "its images, videos and other files"),
        _field("reply_to", pa.string(), "native id of the material it answers"),
        _field("repost_of", pa.string(), "native id of the material it repeats"),
        _field("thread", pa.string(), "native id of the thread it stands in"),
        _field("reach", _REACH, "counters as they stood when collected"),
        _field("provenance", _PROVENANCE, "from which record of which input, by which reader", nullable=False),
    ]
)  # fmt: skip

SIGNALS = pa.schema(
    [
        _field("material_id", pa.string(), "the material", nullable=False),
        _field(
            "part",
            pa.string(),
            "`text`, `media/N` for its Nth file, or `media/N/words` for the words in that picture",
            nullable=False,
        ),
        _field("signal_type", pa.string(), "the algorithm", nullable=False),
        _field("value", pa.binary(), "the comparable value", nullable=False),
        _field("quality", pa.float32(), "0–1: how much there was to tell apart; null where the type has no measure"),
    ]
)

MATCHES = pa.schema(
    [
        _field("material_id", pa.string(), "the material", nullable=False),
        _field("part", pa.string(), "which part of it matched", nullable=False),
        _field("signal_type", pa.string(), "by which signal type", nullable=False),
        _field("bank", pa.string(), "name of the bank", nullable=False),
        _field("entry_id", pa.string(), "entry of the bank", nullable=False),
        _field("distance", pa.int32(), "how far apart, in the signal type's unit (bits for PDQ); 0 is equal",
               nullable=False),
        _field("threshold", pa.int32(), "the largest distance that was a match", nullable=False),
        _field("alignment", pa.string(), "which part of the material is which part of the entry, in plain words"),
        _field("effect", pa.string(), "known: to be looked at; negative: near material once decided to be no case; "
               "held_back: known, but as near to a negative entry; shadow: in a list on trial, which leads to nothing",
               nullable=False),
        _field("label", pa.string(), "what the curators call the entry"),
        _field("note", pa.string(), "why the entry is in the bank, as the curators wrote it"),
    ]
)  # fmt: skip

_SPAN = pa.struct(
    [
        _field("start", pa.int32(), "first character of the text, from 0"),
        _field("end", pa.int32(), "one past the last"),
        _field("label", pa.string(), "a speech act or a context"),
        _field("reason", pa.string(), "why these words count, in plain language"),
    ]
)

FINDINGS = pa.schema(
    [
        _field("material_id", pa.string(), "the material", nullable=False),
        _field("lang", pa.string(), "language found, ISO 639-1; `und` where the text is too short or readers differ"),
        _field("lang_score", pa.float32(), "0–1, confidence in the language"),
        _field("speech_acts", _scores(SPEECH_ACTS), "0–1 each: the act stands in the words"),
        _field("contexts", _scores(CONTEXTS), "0–1 each: the words stand in this context"),
        _field("directness", pa.string(), "direct, indirect, or null where no act was found"),
        _field("reading", pa.string(), "the nearest reading: " + ", ".join(READINGS), nullable=False),
        _field("flag", pa.bool_(), "a reviewer should see it: an act in the words that the author endorses",
               nullable=False),
        _field("review_priority", pa.float32(), "0–1, order of the queue; never a verdict", nullable=False),
        _field("abstained", pa.bool_(), "the analyser does not know", nullable=False),
        _field("reason", pa.string(), "the finding in one plain sentence"),
        _field("spans", pa.list_(_SPAN), "the words that led there"),
        _field("analyser", pa.string(), "the analyser", nullable=False),
        _field("version", pa.string(), "its version", nullable=False),
        _field("calibration_id", pa.string(), "which calibration turns its scores into probabilities", nullable=False),
    ]
)  # fmt: skip

COPIES = pa.schema(
    [
        _field(
            "copy_group",
            pa.string(),
            "id of the group: its first material, or for pictures `material/media/N`",
            nullable=False,
        ),
        _field("material_id", pa.string(), "the material", nullable=False),
        _field("copy_kind", pa.string(), "exact, near or image", nullable=False),
        _field("similarity", pa.float32(), "0–1, to the first of the group", nullable=False),
        _field("published_at", INSTANT, "when it was published"),
        _field("source", pa.string(), "where", nullable=False),
        _field("is_first", pa.bool_(), "the earliest sight of this copy", nullable=False),
    ]
)  # fmt: skip

NARRATIVES = pa.schema(
    [
        _field("narrative_id", pa.string(), "id of the narrative", nullable=False),
        _field("title", pa.string(), "readable title, taken from its own words", nullable=False),
        _field("terms", pa.list_(pa.string()), "terms that tell it from the rest, strongest first"),
        _field("quotes", pa.list_(pa.string()), "material ids of up to three quotations that represent it"),
        _field("materials", pa.int64(), "how many materials tell it", nullable=False),
        _field("sources", pa.int64(), "how many sources", nullable=False),
        _field("langs", pa.list_(pa.string()), "languages, most used first"),
        _field("first_at", INSTANT, "first sight"),
        _field("last_at", INSTANT, "last sight"),
        _field("direct", pa.int64(), "materials read as direct advocacy", nullable=False),
        _field("indirect", pa.int64(), "materials read as indirect advocacy", nullable=False),
        _field("protected", pa.int64(), "materials read as protected speech", nullable=False),
        _field("countered_by", pa.int64(), "materials of it that counter it", nullable=False),
    ]
)

NARRATIVE_MEMBERS = pa.schema(
    [
        _field("narrative_id", pa.string(), "the narrative", nullable=False),
        _field("material_id", pa.string(), "a material that tells it", nullable=False),
        _field("similarity", pa.float32(), "0–1, to the centre of the narrative", nullable=False),
    ]
)

SPREAD = pa.schema(
    [
        _field("from_source", pa.string(), "the source that had the copy before", nullable=False),
        _field("to_source", pa.string(), "the source that had it next", nullable=False),
        _field("copies", pa.int64(), "copy groups that went this way", nullable=False),
        _field("median_delay_s", pa.float64(), "median time from one to the next, seconds"),
        _field("first_at", INSTANT, "first time"),
        _field("last_at", INSTANT, "last time"),
    ]
)

COORDINATION = pa.schema(
    [
        _field("cluster_id", pa.string(), "sources that shared the same objects together", nullable=False),
        _field("source_a", pa.string(), "one source", nullable=False),
        _field("source_b", pa.string(), "the other", nullable=False),
        _field("shared_objects", pa.int64(), "different objects both shared within the window", nullable=False),
        _field("expected", pa.float64(), "how many the null model expects", nullable=False),
        _field(
            "p_value",
            pa.float64(),
            "probability under the null model of so many occasions (shared moments more than a day apart) by chance",
            nullable=False,
        ),
        _field("window_s", pa.int64(), "the window in seconds", nullable=False),
        _field("first_at", INSTANT, "first such sharing"),
        _field("last_at", INSTANT, "last such sharing"),
    ]
)  # fmt: skip

TIMELINE = pa.schema(
    [
        _field("bucket_at", INSTANT, "beginning of the hour or day, UTC", nullable=False),
        _field("bucket_s", pa.int64(), "length of the bucket in seconds: 3,600 or 86,400", nullable=False),
        _field("reading", pa.string(), "the nearest reading; null where the material has no finding"),
        _field("lang", pa.string(), "language found; null where the material has no finding"),
        _field("materials", pa.int64(), "how many were published then", nullable=False),
    ]
)

SKIPPED = pa.schema(
    [
        _field("input", pa.string(), "the input", nullable=False),
        _field("record", pa.int64(), "number of the record, from 0; null for the input as a whole"),
        _field("offset", pa.int64(), "byte offset in the decompressed input, where known"),
        _field("stage", pa.string(), "the reader or stage that could not do it", nullable=False),
        _field("reason", pa.string(), "short code of the reason", nullable=False),
        _field("detail", pa.string(), "what was wrong, with the field, and what to do", nullable=False),
        _field("raw", pa.binary(), "the raw bytes, at most 64 KiB; null where keeping them is not allowed"),
        _field("raw_bytes", pa.int64(), "how many raw bytes there were"),
    ]
)

LEDGER = pa.schema(
    [
        _field("input", pa.string(), "the input", nullable=False),
        _field("reader", pa.string(), "the source plug-in that read it; null where none recognised it"),
        _field("bytes", pa.int64(), "size of the input in bytes"),
        _field("found", pa.int64(), "records found: kept + known + quarantined", nullable=False),
        _field("kept", pa.int64(), "new materials", nullable=False),
        _field("known", pa.int64(), "records whose material was known already", nullable=False),
        _field("quarantined", pa.int64(), "records in quarantine, each with its reason", nullable=False),
        _field("other", pa.int64(), "things that are no public content (likes, follows, settings)", nullable=False),
        _field("other_detail", pa.string(), "what they were: JSON object of counts"),
        _field("gaps", pa.list_(pa.string()), "what the input itself says is missing"),
        _field("complete", pa.bool_(), "read to its end", nullable=False),
    ]
)

RESULT_TABLES: dict[str, pa.Schema] = {
    "materials": MATERIALS,
    "signals": SIGNALS,
    "matches": MATCHES,
    "findings": FINDINGS,
    "copies": COPIES,
    "narratives": NARRATIVES,
    "narrative_members": NARRATIVE_MEMBERS,
    "spread": SPREAD,
    "coordination": COORDINATION,
    "timeline": TIMELINE,
    "skipped": SKIPPED,
    "ledger": LEDGER,
}


def doc(field: pa.Field) -> str:
    """Return what a field of these schemas means."""
    return str((field.metadata or {}).get(b"doc", b"").decode())


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of no rows."""
    return pa.RecordBatch.from_pylist([], schema=schema)


def require_schema(batch: pa.RecordBatch | pa.Table, schema: pa.Schema, *, where: str) -> None:
    """Check that a batch has the names and types of a schema.

    Raises:
        InputError: the first field that is missing, too many or of another type.
    """
    got = {field.name: field.type for field in batch.schema}
    for field in schema:
        if got.get(field.name) != field.type:
            raise InputError(
                f"field {field.name!r} is {got.get(field.name, 'missing')}, expected {field.type}",
                where=where,
                do="Hand over a batch of the declared schema; docs/data-dictionary.md lists it.",
            )
