"""Small things with laws: normal form, addresses, pseudonyms, schemas."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ConfigError, InputError
from antiphon.model.address import canonical_url, site
from antiphon.model.pseudonym import Pseudonyms, case_key
from antiphon.model.schemas import LEDGER, MATERIALS, RESULT_TABLES, doc, empty, require_schema
from antiphon.model.text import normalise

FORBIDDEN = ("name", "handle", "username", "screen_name", "account", "phone", "email", "face", "voice", "latitude",
             "longitude", "gps")  # fmt: skip


def fields_of(kind: pa.DataType | pa.Schema, path: str = ""):
    """Yield (path, field) for all fields, nested ones too."""
    for field in kind:
        yield f"{path}{field.name}", field
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(inner):
            yield from fields_of(inner, f"{path}{field.name}.")


@given(st.text())
def test_the_normal_form_is_a_fixed_point(text):
    """Normalising twice changes nothing, so signals of it are stable."""
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Ash\u200bLantern", "ashlantern"),
        ("ＡＳＨ", "ash"),
        ("كتـــابٌ", "كتاب"),
        ("Straße", "STRASSE"),
        ("a \n b", "a b"),
    ],
)
def test_the_same_words_have_one_normal_form(one, two):
    """Zero-width marks, widths, tatweel and vowel points, case, white space."""
    assert normalise(one) == normalise(two)


@given(st.text(max_size=60))
def test_any_text_has_a_canonical_address_and_it_is_stable(text):
    """Never an exception; canonical twice is canonical."""
    assert canonical_url(canonical_url(text)) == canonical_url(text)


def test_a_site_is_a_host_without_www():
    """What `web/site` is made of."""
    assert [site("https://www.gazette.example:8080/a"), site("no address"), site(None)] == [
        "gazette.example",
        None,
        None,
    ]


def test_the_same_author_in_two_case_spaces_has_unrelated_pseudonyms():
    """R-76: no join of authors across cases."""
    node = bytes(range(32))
    here, there = (Pseudonyms(case_key(node, case)) for case in ("harbour", "valley"))
    assert here("x", "anna") == here("x", "anna") != there("x", "anna")
    assert here("x", "anna") != here("mastodon", "anna")


def test_a_short_key_is_refused():
    """A key of another length is a damaged file."""
    with pytest.raises(ConfigError, match="31 bytes"):
        Pseudonyms(bytes(31))


@pytest.mark.parametrize("table", RESULT_TABLES)
def test_no_schema_has_a_place_for_a_person(table):
    """R-75: content, not people."""
    names = {field.name.lower() for _, field in fields_of(RESULT_TABLES[table])}
    assert not names.intersection(FORBIDDEN)


@pytest.mark.parametrize("table", RESULT_TABLES)
def test_every_field_says_what_it_means(table):
    """The data dictionary is generated from these words."""
    assert all(doc(field) for field in RESULT_TABLES[table])


def test_another_schema_is_refused_with_the_field():
    """Stages meet at schemas; a mistake is named at the door."""
    with pytest.raises(InputError, match="material_id"):
        require_schema(empty(LEDGER), MATERIALS, where="test")
