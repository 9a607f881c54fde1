"""The questions that the encoder answers, by the names of its outputs."""

from __future__ import annotations

from antiphon.model.schemas import CONTEXTS, SPEECH_ACTS

__all__ = ["ACTS", "CONTEXTS_OF_AUTHOR", "HEADS", "IMPLICIT_CLASSES", "TAGS"]

ACTS = (*SPEECH_ACTS, "none")
"""What the author does."""

CONTEXTS_OF_AUTHOR = (*CONTEXTS, "endorses")
"""What the author's text is."""

TAGS = ("none", "act", "quoted", "who")
"""What a piece of the text is: words of the author's own act, words quoted or denied, who is quoted."""

IMPLICIT_CLASSES = ("white_grievance", "incitement", "inferiority", "irony", "stereotypical", "threatening")
"""The finer classes of the set implicit-hate; a head for them is trained and measured, and no finding uses it."""

HEADS: dict[str, int] = {
    "flag": 1, "direct": 1, "hateful": 1, "forum": 1, **dict.fromkeys(SPEECH_ACTS, 1),
    "act": len(ACTS), "context": len(CONTEXTS_OF_AUTHOR), "implicit": 3, "implicit_class": len(IMPLICIT_CLASSES),
}  # fmt: skip
"""Each question of a text, and how many numbers answer it: one for yes or no, else one for each choice."""
