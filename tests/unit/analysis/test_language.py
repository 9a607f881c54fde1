"""Language identification: right on plain sentences, silent on what says nothing, offline by construction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.analysis.language import UNDETERMINED, find_languages

SENTENCES = {
    "ar": "متى تغلق الصيدلية في المدينة اليوم",
    "bn": "আজ সারাদিন বৃষ্টি হয়েছে আমাদের শহরে",
    "de": "der bus kommt heute schon wieder zu spät",
    "en": "the bus is late again and it is raining",
    "es": "el autobús llega tarde otra vez y está lloviendo",
    "fr": "le bus est encore en retard et il pleut",
    "id": "bus ke kota terlambat lagi dan hujan turun deras",
    "ru": "автобус опять опаздывает и идёт дождь",
    "sw": "basi la mjini limechelewa tena na mvua inanyesha",
    "tr": "otobüs yine geç kaldı ve yağmur yağıyor",
    "it": "l'autobus è di nuovo in ritardo e sta piovendo",
}


@pytest.mark.parametrize("lang", SENTENCES)
def test_a_plain_sentence_is_recognised(lang):
    """A reviewer who reads the language is found by it."""
    codes, scores = find_languages([SENTENCES[lang]])
    assert codes == [lang]
    assert scores[0] > 0.3


@pytest.mark.parametrize("text", ["", "42 1000", "😂😂😂", "http://example.org/a/b", "@name #tag", "ok"])
def test_what_says_nothing_is_undetermined(text):
    """Digits, links, mentions and pictures have no language; guessing one would send them to the wrong reader."""
    assert find_languages([text])[0] == [UNDETERMINED]


@given(st.lists(st.text(max_size=60), max_size=5))
@settings(deadline=None)
def test_any_text_gets_a_code_and_a_score(texts):
    """Hostile text must not stop a batch: one answer each, scores from 0 to 1."""
    codes, scores = find_languages([" ".join(text.split()) for text in texts])
    assert len(codes) == len(scores) == len(texts)
    assert all(2 <= len(code) <= 3 for code in codes)
    assert all(0 <= score <= 1 for score in scores)
