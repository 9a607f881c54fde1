"""The plain words of the page: labels, readings, languages, units."""

from __future__ import annotations

import re

from antiphon.model.schemas import SPEECH_ACTS

__all__ = ["LABELS", "LANGUAGES", "READING_WORDS", "is_act", "label", "language", "language_tag"]

LABELS: dict[str, str] = {
    "incites": "calls for an act of violence",
    "glorifies": "praises an act of violence",
    "solicits": "asks for support or to join",
    "instructs": "tells how to do it",
    "threatens": "threatens",
    "reports": "news report",
    "analyses": "research or analysis",
    "educates": "teaching",
    "creates": "art, fiction or satire",
    "counters": "speaks against it",
    "testifies": "witness account",
    "debates": "political debate",
    "protests": "protest",
    "warns": "warning to others",
    "figurative": "figure of speech",
    "devotional": "devotional",
    "everyday": "everyday talk",
}
"""Each speech act and context as a reviewer would say it."""

READING_WORDS: dict[str, str] = {
    "direct": "advocacy, put plainly",
    "indirect": "advocacy, put indirectly",
    "protected": "protected speech",
    "none": "none of these",
    "unclear": "unclear: the analyser abstains",
}
"""Each nearest reading as a reviewer would say it."""

_NAMED_LANGUAGES = (
    "af=Afrikaans am=Amharic ar=Arabic az=Azerbaijani be=Belarusian bg=Bulgarian bn=Bengali bs=Bosnian "
    "ca=Catalan cs=Czech cy=Welsh da=Danish de=German el=Greek en=English eo=Esperanto es=Spanish "
    "et=Estonian eu=Basque fa=Persian fi=Finnish fr=French ga=Irish gl=Galician gu=Gujarati ha=Hausa "
    "he=Hebrew hi=Hindi hr=Croatian hu=Hungarian hy=Armenian id=Indonesian is=Icelandic it=Italian "
    "ja=Japanese ka=Georgian kk=Kazakh km=Khmer kn=Kannada ko=Korean ku=Kurdish ky=Kyrgyz lb=Luxembourgish "
    "lo=Lao lt=Lithuanian lv=Latvian mk=Macedonian ml=Malayalam mn=Mongolian mr=Marathi ms=Malay mt=Maltese "
    "my=Burmese nb=Norwegian ne=Nepali nl=Dutch nn=Nynorsk no=Norwegian pa=Punjabi pl=Polish ps=Pashto "
    "pt=Portuguese ro=Romanian ru=Russian sd=Sindhi si=Sinhala sk=Slovak sl=Slovenian so=Somali sq=Albanian "
    "sr=Serbian sv=Swedish sw=Swahili ta=Tamil te=Telugu tg=Tajik th=Thai ti=Tigrinya tk=Turkmen tl=Tagalog "
    "tr=Turkish tt=Tatar ug=Uyghur uk=Ukrainian ur=Urdu uz=Uzbek vi=Vietnamese yo=Yoruba zh=Chinese zu=Zulu "
)

LANGUAGES: dict[str, str] = {pair[:2]: pair[3:] for pair in _NAMED_LANGUAGES.split()}
"""ISO 639-1 codes that the page names; any other code is shown as it stands."""

_PRIMARY = re.compile(r"[a-z]{2,3}")


def is_act(name: str) -> bool:
    """Return whether a label names a speech act; every other label is a context."""
    return name in SPEECH_ACTS


def label(name: str) -> str:
    """Return a label in plain words; a label of a newer analyser is shown as it stands.

    Example:
        >>> label("reports"), label("sings")
        ('news report', 'sings')
    """
    return LABELS.get(name, name)


def language(found: str | None, declared: str | None) -> str:
    """Return the code of a material's language: as found, else as declared, else `und`.

    Example:
        >>> language("und", "de-AT"), language("ar", "en"), language(None, "??")
        ('de', 'ar', 'und')
    """
    for code in (found, declared):
        primary = _PRIMARY.match((code or "").lower())
        if primary and primary.group() != "und":
            return primary.group()
    return "und"


def language_tag(code: str) -> str | None:
    """Return a value for HTML's `lang`, or None: a wrong one makes a screen reader speak the wrong language."""
    return code if code in LANGUAGES else None
