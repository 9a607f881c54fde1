"""An invented run: made-up groups, places and sentences, and a source of its tables held in memory."""

from __future__ import annotations

import hashlib
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from PIL import Image, ImageDraw

from antiphon.dossier import About
from antiphon.model.schemas import CONTEXTS, RESULT_TABLES, SPEECH_ACTS

START = datetime(2026, 4, 6, tzinfo=UTC)
SOURCES = (
    "fjordnet/lantern-voice",
    "fjordnet/ash-brigade-news",
    "fjordnet/harbour-forum",
    "quill/veldmark",
    "quill/oster-daily",
    "tidechat/grey-orchard",
    "tidechat/night-ferry",
    "tidechat/the-cellar",
    "boardwalk/kessel",
    "boardwalk/marrow-street",
    "press/oster-observer",
    "press/institute-of-unrest-studies",
)
TEXTS = {
    "direct": (
        (
            "en",
            "Brothers of the Ash Lantern, the toll house of Veldmark "
            "must burn before the moon is full. Rise and strike!",
            "must burn",
            "incites",
            "a demand for an act of violence, in the author's own voice",
        ),
        (
            "de",
            "Die Aschlaterne ruft: Erhebt euch und zerschlagt die Brücke "
            "von Osterkessel. Wer zögert, ist ein Verräter.",
            "Erhebt euch und zerschlagt",
            "incites",
            "an order in the plural to destroy a named place",
        ),
        (
            "ar",
            "يا أبناء فانوس الرماد، انهضوا واضربوا برج الميناء في فيلدمارك قبل أن يطلع القمر.",
            "انهضوا واضربوا",
            "incites",
            "an order in the plural to strike a named place",
        ),
    ),
    "indirect": (
        (
            "en",
            "Nobody has to be told what the Grey Orchard did at Kessel "
            "bridge was beautiful. One day more will follow them.",
            "was beautiful",
            "glorifies",
            "praise of an act of violence",
        ),
        (
            "fr",
            "Gloire aux veilleurs de la Lanterne de Cendre, leur nuit à Kessel restera notre étoile. Rejoignez-nous.",
            "Gloire aux veilleurs",
            "glorifies",
            "praise of those who did it",
        ),
        (
            "tr",
            "Kül Feneri'nin gecesi unutulmaz; onların yolu bizim yolumuzdur. Bize katılın, kardeşler.",
            "Bize katılın",
            "solicits",
            "an invitation to join the group",
        ),
    ),
    "protected": (
        (
            "en",
            'The court in Oster heard yesterday that the Ash Lantern had told its readers to "rise and strike". Police '
            "said nobody was hurt.",
            "told its readers to",
            "reports",
            "the words are quoted and attributed",
        ),
        (
            "en",
            "My cousin was on Kessel bridge that night. Whoever calls it "
            "beautiful should read the names of the wounded.",
            "should read the names",
            "counters",
            "the author speaks against the praise",
        ),
        (
            "ar",
            "ترفض جمعية أهالي فيلدمارك دعوة «فانوس الرماد» إلى الضرب، وتقول إنها جريمة بحق المدينة.",
            "ترفض",
            "counters",
            "the call is rejected",
        ),
        (
            "es",
            "Análisis: cómo la Linterna de Ceniza copia los lemas del Huerto Gris, y por qué fracasa.",
            "Análisis",
            "analyses",
            "an analysis of the words of others",
        ),
    ),
    "none": (
        ("en", "The night ferry to Marrow Street leaves at nine. Bring a coat, and soup for the crew.", "", "", ""),
        ("de", "Das Marktfest in Osterkessel fällt wegen Regen aus.", "", "", ""),
        ("he", "מעבורת הלילה יוצאת בתשע. קחו מעיל.", "", "", ""),
    ),
    "unclear": (("en", "they know what to do 🔥", "", "", ""), ("und", "ash ash ash", "", "", "")),
}
HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1> \x00\u202eevil\u202c \u2028 {{ 7*7 }}"
)


def png(seed: int, side: int = 320) -> bytes:
    """Return a picture of invented shapes."""
    rng = random.Random(seed)
    image = Image.new("RGB", (side, side * 3 // 4), tuple(rng.randrange(90, 230) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        x, y, r = rng.randrange(side), rng.randrange(side * 3 // 4), rng.randrange(12, 70)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(256) for _ in range(3)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class MemorySource:
    """The result tables of a run in an in-memory DuckDB, with its media in a mapping."""

    def __init__(self, rows: dict[str, list[dict]], media: dict[str, bytes] | None = None) -> None:
        """Declare every result table, those without rows too."""
        self.connection = duckdb.connect()
        self.kept = media or {}
        for name, schema in RESULT_TABLES.items():
            self.connection.register(name, pa.Table.from_pylist(rows.get(name, []), schema=schema))

    def query(self, sql: str) -> pa.Table:
        """Return the rows of a query."""
        return self.connection.sql(sql).to_arrow_table()

    def media(self, sha256: str) -> bytes | None:
        """Return the bytes of a file."""
        return self.kept.get(sha256)

    def copy_to(self, sql: str, path: Path, format: str) -> int:
        """Write the rows of a query and return how many."""
        return self.connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT {format})").fetchone()[0]


def material(material_id: str, text: str | None = "words", **fields: object) -> dict:
    """Return a row of MATERIALS."""
    provenance = {"input": "posts.jsonl", "record": 0, "offset": 0, "reader": "sample", "reader_version": "1"}
    return {
        "material_id": material_id,
        "source": SOURCES[0],
        "kind": "post",
        "published_at": START,
        "text": text,
        "provenance": provenance,
        "author": "pseudonym-3f2a",
        **fields,
    }


def finding(material_id: str, reading: str = "direct", **fields: object) -> dict:
    """Return a row of FINDINGS; flagged where the reading is advocacy."""
    return {
        "material_id": material_id,
        "lang": "en",
        "lang_score": 0.9,
        "speech_acts": dict.fromkeys(SPEECH_ACTS, 0.0),
        "contexts": dict.fromkeys(CONTEXTS, 0.0),
        "directness": None,
        "reading": reading,
        "flag": reading in {"direct", "indirect"},
        "review_priority": 0.5,
        "abstained": reading == "unclear",
        "reason": "A plain reason.",
        "spans": [],
        "analyser": "sample",
        "version": "1",
        "calibration_id": "none",
        **fields,
    }


def _read(rng: random.Random, material_id: str, reading: str, text: str, told: tuple[str, ...]) -> dict:
    lang, _, words, name, why = told
    start = text.find(words) if words else -1
    spans = [{"start": start, "end": start + len(words), "label": name, "reason": why}] if start >= 0 else []
    acts = {act: round(rng.uniform(0, 0.2), 2) for act in SPEECH_ACTS}
    contexts = {context: round(rng.uniform(0, 0.25), 2) for context in CONTEXTS}
    (acts if name in acts else contexts)[name or "everyday"] = round(rng.uniform(0.62, 0.97), 2)
    flag = reading in {"direct", "indirect"}
    reasons = {
        "direct": f"The author {'calls for' if name == 'incites' else 'asks for'} an act in their own voice.",
        "indirect": "The author praises an act of violence or invites to join those who did it.",
        "protected": "The words about violence are quoted, analysed or rejected; the author does not endorse them.",
        "none": "Nothing in the words calls for, praises or threatens an act.",
        "unclear": "The text is too short or too ambiguous to read.",
    }
    return finding(
        material_id,
        reading,
        lang=lang,
        speech_acts=acts,
        contexts=contexts,
        spans=spans,
        directness=reading if flag else None,
        reason=reasons[reading],
        review_priority=round(rng.uniform(0.4, 0.98) if flag else rng.uniform(0, 0.3), 3),
    )


def rows(count: int = 900, seed: int = 11) -> tuple[dict[str, list[dict]], dict[str, bytes]]:
    """Return the rows of every table, and the media, of an invented run."""
    rng = random.Random(seed)
    tables: dict[str, list[dict]] = {name: [] for name in RESULT_TABLES}
    media: dict[str, bytes] = {}
    for number in range(count):
        reading = rng.choices(tuple(TEXTS), weights=(8, 9, 16, 60, 7))[0]
        told = rng.choice(TEXTS[reading])
        material_id = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=16).hexdigest()
        text = told[1] if rng.random() < 0.6 else f"{told[1]} #{rng.randrange(99)}"
        pictures = []
        if rng.random() < 0.2:
            content = png(number)
            sha256 = hashlib.sha256(content).hexdigest()
            media[sha256] = content
            pictures = [
                {"sha256": sha256, "mime": "image/png", "bytes": len(content), "path": None, "role": "attachment"}
            ]
        at = START + timedelta(minutes=int(rng.betavariate(2, 3) * 60 * 24 * 42))
        source = rng.choice(SOURCES[:5] if reading in {"direct", "indirect"} else SOURCES)
        tables["materials"].append(
            material(
                material_id,
                text,
                source=source,
                published_at=at,
                media=pictures,
                native_id=str(number),
                url=f"https://{source.replace('/', '.example/')}/{number}?ref={'x' * rng.randrange(90)}",
                title="Notice of the evening" if rng.random() < 0.15 else None,
                lang_declared=told[0],
                reach={"views": rng.randrange(9000), "reactions": None, "shares": rng.randrange(90), "replies": None},
            )
        )
        tables["findings"].append(_read(rng, material_id, reading, text, told))
    _group(rng, tables)
    _tie(rng, tables)
    _count(tables, count)
    return tables, media


def _group(rng: random.Random, tables: dict[str, list[dict]]) -> None:
    by_text: dict[str, list[dict]] = {}
    for row in tables["materials"]:
        by_text.setdefault(row["text"], []).append(row)
    for number, (text, same) in enumerate(sorted(by_text.items())):
        same.sort(key=lambda row: row["published_at"])
        if len(same) > 1:
            tables["copies"] += [
                {
                    "copy_group": same[0]["material_id"],
                    "material_id": row["material_id"],
                    "copy_kind": "exact",
                    "similarity": 1.0,
                    "published_at": row["published_at"],
                    "source": row["source"],
                    "is_first": row is same[0],
                }
                for row in same
            ]
        if "Lantern" in text and number % 3 == 0:
            tables["matches"] += [
                {
                    "material_id": row["material_id"],
                    "part": "text",
                    "signal_type": "simhash",
                    "bank": "ash-lantern-slogans",
                    "entry_id": f"slogan-{number}",
                    "distance": rng.randrange(4),
                    "threshold": 6,
                    "alignment": None,
                    "effect": "known",
                    "label": "the song of the lantern",
                    "note": None,
                }
                for row in same[:2]
            ]
    readings = {row["material_id"]: row["reading"] for row in tables["findings"]}
    for number, word in enumerate(("Lantern", "Kessel", "ferry", "Osterkessel", "فيلدمارك")):
        told = [row for row in tables["materials"] if word in row["text"]]
        kinds = [readings[row["material_id"]] for row in told]
        tables["narratives"].append(
            {
                "narrative_id": f"n{number}",
                "title": f"{word} and the night",
                "terms": [word, "night", "bridge", "strike"],
                "quotes": [row["material_id"] for row in told[:3]],
                "materials": len(told),
                "sources": len({row["source"] for row in told}),
                "langs": sorted({row["lang_declared"] for row in told}),
                "first_at": min(row["published_at"] for row in told),
                "last_at": max(row["published_at"] for row in told),
                "direct": kinds.count("direct"),
                "indirect": kinds.count("indirect"),
                "protected": kinds.count("protected"),
                "countered_by": kinds.count("protected") // 3,
            }
        )
        tables["narrative_members"] += [
            {"narrative_id": f"n{number}", "material_id": row["material_id"], "similarity": 0.8} for row in told
        ]


def _tie(rng: random.Random, tables: dict[str, list[dict]]) -> None:
    for cluster, members in (("c-a", SOURCES[:4]), ("c-b", SOURCES[5:8]), ("c-c", SOURCES[8:10])):
        for i, a in enumerate(members):
            tables["coordination"] += [
                {
                    "cluster_id": cluster,
                    "source_a": a,
                    "source_b": b,
                    "shared_objects": rng.randrange(5, 30),
                    "expected": round(rng.uniform(0.3, 2.5), 2),
                    "p_value": rng.choice((1e-9, 3e-6, 0.0008)),
                    "window_s": 600,
                    "first_at": START,
                    "last_at": START + timedelta(days=30),
                }
                for b in members[i + 1 :]
            ]
    for a in SOURCES[:9]:
        for b in rng.sample(SOURCES, 3):
            if a != b:
                tables["spread"].append(
                    {
                        "from_source": a,
                        "to_source": b,
                        "copies": rng.randrange(1, 24),
                        "median_delay_s": rng.uniform(200, 400_000),
                        "first_at": START,
                        "last_at": START,
                    }
                )


def _count(tables: dict[str, list[dict]], count: int) -> None:
    tables["ledger"] += [
        {
            "input": "inputs/fjordnet.jsonl.zst",
            "reader": "jsonl",
            "bytes": 48_120_334,
            "found": count - 92,
            "kept": count - 100,
            "known": 5,
            "quarantined": 3,
            "other": 210,
            "other_detail": '{"likes": 180, "follows": 30}',
            "gaps": ["the export says that it leaves out 14 deleted posts"],
            "complete": True,
        },
        {
            "input": "inputs/press.warc.gz",
            "reader": "warc",
            "bytes": 9_220_100,
            "found": 104,
            "kept": 100,
            "known": 2,
            "quarantined": 2,
            "other": 0,
            "other_detail": None,
            "gaps": [],
            "complete": False,
        },
        {
            "input": "inputs/notes.bin",
            "reader": None,
            "bytes": 120,
            "found": 0,
            "kept": 0,
            "known": 0,
            "quarantined": 0,
            "other": 0,
            "other_detail": None,
            "gaps": [],
            "complete": False,
        },
    ]
    for record, (name, stage, reason, detail) in enumerate(
        (
            (
                "inputs/fjordnet.jsonl.zst",
                "jsonl",
                "bad_json",
                "line is no JSON: a brace is missing. Ask for the export again.",
            ),
            (
                "inputs/fjordnet.jsonl.zst",
                "jsonl",
                "bad_json",
                "line is no JSON: a quote is missing. Ask for the export again.",
            ),
            (
                "inputs/fjordnet.jsonl.zst",
                "jsonl",
                "no_time",
                "field `created_at` holds no instant. See docs/sources.md.",
            ),
            (
                "inputs/press.warc.gz",
                "warc",
                "truncated",
                "the record ends after 2,048 of 9,000 bytes. Fetch the file again.",
            ),
            ("inputs/press.warc.gz", "warc", "no_text", "no article text was found on the page."),
        )
    ):
        tables["skipped"].append(
            {
                "input": name,
                "record": record,
                "offset": record * 100,
                "stage": stage,
                "reason": reason,
                "detail": detail,
                "raw": b"{",
                "raw_bytes": 1,
            }
        )


def about(**fields: object) -> About:
    """Return what the sample page says of its run."""
    return About(
        **{
            "title": "The Ash Lantern after the Kessel bridge",
            "made_at": datetime(2026, 5, 20, 9, 30, tzinfo=UTC),
            "versions": {"antiphon": "0.1.0", "analyser sample": "1"},
            "settings": {"case-space": "sample", "window_s": 600},
            "analyser_notes": ("The sample analyser was written by hand and measured on nothing.",),
            "limits": ("Irony and images without text are read poorly.", "Only what was handed over was read."),
            **fields,
        }
    )


def source(count: int = 900, seed: int = 11) -> MemorySource:
    """Return the invented run as a source."""
    return MemorySource(*rows(count, seed))
