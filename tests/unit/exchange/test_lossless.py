"""What all forms promise: nothing is lost, nothing raises, the same bank gives the same bytes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from invented import BANK, FORMS, NEGATIVE, entries, read, several, written

from antiphon.errors import InputError
from antiphon.exchange import Exchange, Refused
from antiphon.model.bank import BankEntry

every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
ENTRY = BankEntry("ash-lantern", "a1", "md5", bytes(16))
# The first use loads the list of public suffixes, which takes longer than an example may.
slow_start = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@every_form
@slow_start
@given(made=several(BANK))
@example(made=[replace(ENTRY, label="", note="", source="", entity="\r\n")])
def test_what_is_written_is_read_again(form, made):
    """Every field of our own survives every form, those for which it has no place too."""
    assert read(form, written(form, BANK, made)) == made


@every_form
@slow_start
@given(made=several(NEGATIVE))
def test_a_bank_of_what_is_no_case_survives_too(form, made):
    """There the same status stands differently in the forms of others."""
    assert read(form, written(form, NEGATIVE, made)) == made


@slow_start
@given(made=several(BANK), path=st.permutations(FORMS))
def test_a_list_may_go_through_all_forms(made, path):
    """What one form keeps for itself passes through the others."""
    passed = made
    for form in path:
        passed = read(form, written(form, BANK, passed))
    assert passed == made


@every_form
@slow_start
@given(made=several(BANK))
def test_the_same_bank_gives_the_same_bytes(form, made):
    """So that an export can be compared with the one before."""
    assert written(form, BANK, made) == written(form, BANK, iter(made))


@every_form
@slow_start
@given(made=several(BANK), cut=st.integers(1, 2_000))
def test_a_cut_file_keeps_what_was_whole(form, made, cut):
    """The entries before the cut come out, then at most one refusal of what is not whole."""
    data = written(form, BANK, made)
    try:
        found = read(form, data[: max(len(data) - cut, 0)])
    except InputError:
        return
    whole = [one for one in found if isinstance(one, BankEntry)]
    assert [one.entry_id for one in whole[: len(made)]] == [one.entry_id for one in made[: len(whole)]]
    assert sum(isinstance(one, Refused) for one in found) <= 1


@every_form
@slow_start
@given(made=several(BANK).filter(bool), data=st.data())
def test_whatever_a_file_holds_reading_does_not_raise(form, made, data):
    """A row is refused with its reason; only a file that is none of the form raises, and only an InputError."""
    raw = bytearray(written(form, BANK, made))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b'"', b"{", b"]", b"\xff", b"7", b"\\"])
        )
    try:
        found = read(form, bytes(raw))
    except InputError:
        return
    assert all(one.reason and one.where for one in found if isinstance(one, Refused))


@every_form
def test_an_entry_that_is_none_is_not_written(form):
    """A value of the wrong length would be refused by everybody who reads the file."""
    with pytest.raises(InputError, match="15 bytes"):
        written(form, BANK, [replace(ENTRY, value=bytes(15))])


@every_form
def test_an_id_that_stands_twice_is_refused_the_second_time(form):
    """Which of two rows holds would hang on their order."""
    first, second = read(form, written(form, BANK, [ENTRY, replace(ENTRY, label="again")]))
    assert first == ENTRY
    assert "id" in second.reason


@every_form
def test_a_file_is_recognised_by_its_form_alone(form):
    """Whoever imports need not say what it is."""
    head = written(form, BANK, [ENTRY, replace(ENTRY, entry_id="a2", label="Poster")])
    assert form.recognise(head, "bank") == 1.0
    assert [other.name for other in FORMS if other.recognise(head, "bank") >= 0.5] == [form.name]


@every_form
def test_the_bank_comes_along_where_the_form_can_say_it(form):
    """Licence, marking and thresholds of a list are worth as much as its rows."""
    found = form.read_bank(io.BytesIO(written(form, BANK, [ENTRY])))
    assert found == (None if form.name in ("csv", "jsonl") else BANK)


@every_form
def test_a_form_is_an_exchange(form):
    """What the node asks of a plug-in."""
    assert isinstance(form, Exchange)


@every_form
def test_another_file_is_told_from_a_bad_row(form):
    """Nobody wants a million refusals for a picture."""
    with pytest.raises(InputError):
        read(form, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")


@slow_start
@given(made=entries())
def test_the_entries_of_these_tests_are_sound(made):
    """The laws above would say nothing about entries that no bank takes."""
    from antiphon.model.bank import entry_fault

    assert entry_fault(made) is None
