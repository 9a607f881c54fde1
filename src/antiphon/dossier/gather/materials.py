"""Materials as the page shows them: with their finding, their matches and how often they were copied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antiphon.dossier.content import Match, Material, Picture, Score, Shown
from antiphon.dossier.gather.reader import KNOWN_MATCHES, Reader, Row, instant, quoted
from antiphon.dossier.interface import Caps
from antiphon.dossier.text import Span, passage, plain, usable_spans
from antiphon.dossier.words import LANGUAGES, label, language
from antiphon.model.schemas import CONTEXTS, PROTECTED_CONTEXTS, SPEECH_ACTS

__all__ = ["Picked", "load_materials", "match_list", "pick_protected", "pick_review", "pick_unclear"]

# A text of many megabytes is read to here: no span of a built-in analyser lies further, and memory stays bounded.
_READ_CHARS = 200_000
_GROUPS = "(SELECT material_id, min(copy_group) AS grp FROM copies WHERE copy_kind <> 'image' GROUP BY 1)"
_ACTS = "greatest(" + ", ".join(f"coalesce(f.speech_acts.{act}, 0)" for act in SPEECH_ACTS) + ")"
_SHOWN_SCORES = 3
_MIN_SCORE = 0.05
_PICTURES_EACH = 4


@dataclass(frozen=True)
class Picked:
    """Ids of the materials to show, in order, and of how many they are the first."""

    ids: tuple[str, ...]
    total: int


def _pick(reader: Reader, where: str, order: str, limit: int) -> Picked:
    """Pick one material of each copy group: a reviewer reads the same words once."""
    base = (
        f"FROM {reader.findings} f LEFT JOIN {_GROUPS} g USING (material_id) WHERE {where} "
        "GROUP BY coalesce(g.grp, f.material_id)"
    )
    rows = reader.rows(
        f"SELECT arg_min(f.material_id, (-({order}), f.material_id)) AS material_id, max({order}) AS weight {base} "
        f"ORDER BY weight DESC, material_id LIMIT {limit}"
    )
    return Picked(tuple(row["material_id"] for row in rows), reader.number(f"SELECT count(*) FROM (SELECT 1 {base})"))


def pick_review(reader: Reader, limit: int) -> Picked:
    """Return the flagged materials that a reviewer should see first."""
    return _pick(reader, "f.flag", "f.review_priority", limit)


def pick_protected(reader: Reader, limit: int) -> Picked:
    """Return the protected materials, those first whose words come nearest to an act: where a mistake is likeliest."""
    return _pick(reader, "f.reading = 'protected' AND NOT f.flag", _ACTS, limit)


def pick_unclear(reader: Reader, limit: int) -> Picked:
    """Return the materials that the analyser does not know how to read and did not flag."""
    return _pick(reader, "f.abstained AND NOT f.flag", "f.review_priority", limit)


def match_list(reader: Reader, caps: Caps) -> tuple[tuple[tuple[Match, Material], ...], Shown]:
    """Return the nearest matches of each entry in turn, with their material, and how many there are in all."""
    rows = reader.rows(
        f"SELECT * FROM {KNOWN_MATCHES} "
        "ORDER BY row_number() OVER (PARTITION BY bank, entry_id ORDER BY distance, material_id, part), "
        "distance / greatest(threshold, 1), bank, entry_id, material_id, part "
        f"LIMIT {caps.matches}"
    )
    materials = load_materials(reader, [row["material_id"] for row in rows], 280)
    listed = tuple((_match(row), materials[row["material_id"]]) for row in rows if row["material_id"] in materials)
    return listed, Shown(len(listed), reader.number(f"SELECT count(*) FROM {KNOWN_MATCHES}"), "matches")


def load_materials(reader: Reader, ids: Sequence[str], text_chars: int) -> dict[str, Material]:
    """Return the materials of these ids, each with what the other tables say of it, in the order of `ids`."""
    wanted = quoted(dict.fromkeys(ids))
    found = {
        row["material_id"]: row
        for row in reader.rows(
            "SELECT material_id, source, kind, url, lang_declared, left(title, 2000) AS title, media, reach, "
            f"left(text, {_READ_CHARS}) AS text, length(text) AS text_chars, "
            f"epoch_us(published_at) AS published_us FROM materials WHERE material_id IN {wanted}"
        )
    }
    findings = {
        row["material_id"]: row
        for row in reader.rows(f"SELECT * FROM {reader.findings} f WHERE material_id IN {wanted}")
    }
    matches = _matches(reader, wanted)
    copies = _copies(reader, wanted)
    return {
        key: _material(found[key], findings.get(key, {}), matches[key], copies.get(key, (0, 0)), text_chars)
        for key in dict.fromkeys(ids)
        if key in found
    }


def _material(row: Row, finding: Row, matches: list[Match], copies: tuple[int, int], text_chars: int) -> Material:
    text = row["text"] or ""
    spans = usable_spans(text, (_span(span) for span in finding.get("spans") or ()))
    lang = language(finding.get("lang"), row["lang_declared"])
    contexts = _scores(finding.get("contexts"), CONTEXTS)
    return Material(
        material_id=row["material_id"],
        source=plain(row["source"], 120),
        kind=plain(row["kind"], 40),
        url=plain(row["url"], 400),
        published_at=instant(row["published_us"]),
        lang=lang,
        lang_name=LANGUAGES.get(lang, "language not known" if lang == "und" else lang),
        lang_score=finding.get("lang_score"),
        title=plain(row["title"], 240),
        text=passage(text, spans, text_chars, row["text_chars"]),
        text_chars=row["text_chars"] or 0,
        spans=tuple(spans),
        reading=finding.get("reading") or "unclear",
        directness=finding.get("directness"),
        flag=bool(finding.get("flag")),
        abstained=bool(finding.get("abstained")),
        reason=plain(finding.get("reason"), 600),
        review_priority=round(float(finding.get("review_priority") or 0.0), 3),
        acts=_top(_scores(finding.get("speech_acts"), SPEECH_ACTS)),
        contexts=_top(contexts),
        nearest_protected=next(
            (score for score in contexts if score.name in PROTECTED_CONTEXTS and score.score >= _MIN_SCORE), None
        ),
        analyser=" ".join(plain(finding.get(name), 60) for name in ("analyser", "version")).strip(),
        calibration_id=plain(finding.get("calibration_id"), 80),
        copies=copies[0],
        copy_sources=copies[1],
        matches=tuple(matches),
        pictures=tuple(_picture(media) for media in (row["media"] or [])[:_PICTURES_EACH]),
        reach={name: n for name, n in (row["reach"] or {}).items() if n is not None},
    )


def _span(row: Row) -> Span:
    return Span(row["start"] or 0, row["end"] or 0, plain(row["label"], 40), plain(row["reason"], 240))


def _scores(row: Mapping[str, float | None] | None, names: tuple[str, ...]) -> list[Score]:
    """The scores, strongest first; ties in the order of the schema."""
    scores = [Score(name, label(name), round(float((row or {}).get(name) or 0.0), 3)) for name in names]
    return sorted(scores, key=lambda score: -score.score)


def _top(scores: list[Score]) -> tuple[Score, ...]:
    return tuple(score for score in scores if score.score >= _MIN_SCORE)[:_SHOWN_SCORES]


def _picture(row: Row) -> Picture:
    return Picture(plain(row["mime"], 60) or "unknown type", row["bytes"], plain(row["role"], 40), row["sha256"])


def _match(row: Row) -> Match:
    return Match(
        material_id=row["material_id"],
        part=plain(row["part"], 60),
        signal_type=plain(row["signal_type"], 40),
        bank=plain(row["bank"], 80),
        entry_id=plain(row["entry_id"], 80),
        distance=row["distance"],
        threshold=row["threshold"],
        alignment=plain(row["alignment"], 140) or None,
        label=plain(row["label"], 120) or None,
        note=plain(row["note"], 240) or None,
    )


def _matches(reader: Reader, wanted: str) -> dict[str, list[Match]]:
    rows = reader.rows(
        f"SELECT * FROM {KNOWN_MATCHES} WHERE material_id IN {wanted} "
        "QUALIFY row_number() OVER (PARTITION BY material_id ORDER BY distance, bank, entry_id) <= 4 "
        "ORDER BY material_id, distance, bank, entry_id"
    )
    grouped: dict[str, list[Match]] = defaultdict(list)
    for row in rows:
        grouped[row["material_id"]].append(_match(row))
    return grouped


def _copies(reader: Reader, wanted: str) -> dict[str, tuple[int, int]]:
    """How many materials are the same words as each of these, and in how many sources; the largest group counts."""
    rows = reader.rows(
        "WITH mine AS (SELECT DISTINCT material_id AS id, copy_group, copy_kind FROM copies "
        f"WHERE material_id IN {wanted}), "
        "groups AS (SELECT copy_group, copy_kind, count(*) AS n, count(DISTINCT source) AS sources FROM copies "
        "SEMI JOIN mine USING (copy_group, copy_kind) GROUP BY 1, 2) "
        "SELECT id, max(n) AS n, max(sources) AS sources FROM mine JOIN groups USING (copy_group, copy_kind) GROUP BY 1"
    )
    return {row["id"]: (row["n"], row["sources"]) for row in rows}
