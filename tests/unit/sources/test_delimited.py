"""Tables: the dialect found by content, columns by name, and every row accounted for."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import materials, read

from antiphon.errors import InputError
from antiphon.model.material import Material, Passed, Skipped
from antiphon.sources.delimited import Delimited

SOURCE = Delimited()


def texts(content: str | bytes, **context: object) -> list[str | None]:
    return [m.text for m in materials(table(content, **context))]


def table(content: str | bytes, **context: object) -> list[object]:
    return read(SOURCE, content.encode() if isinstance(content, str) else content, "posts.csv", **context)


def reasons(content: str | bytes) -> list[str]:
    return [item.reason for item in table(content) if isinstance(item, Skipped)]


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_recognised_and_read(example):
    """What the source shows of itself is true; a source that knows a table better may claim it first."""
    assert SOURCE.recognise(example.content, example.name) == 0.4
    assert len(materials(read(SOURCE, example.content))) == example.materials


def test_every_field_of_a_row_is_read():
    """A table may fill all that the schema has a place for."""
    header = (
        "id,edited_at,url,type,created_at,retrieved_at,author_id,lang,title,text,links,images,in_reply_to_id,"
        "retweeted_status_id,conversation_id,views,likes,shares,replies,platform,channel\n"
    )
    row = (
        "9,2026-03-02,https://b.example/9,reply,2026-03-01T08:00:00Z,2026-03-03,u7,en,Tides,Low tide,"
        '"https://n.example/1, https://n.example/2",https://f.example/a.png,8,5,1,"1,200",3,2,1,telegram,@harbour\n'
    )
    (found,) = materials(table(header + row))
    assert (found.native_id, found.revision, found.url, found.kind) == (
        "9",
        "2026-03-02",
        "https://b.example/9",
        "reply",
    )
    assert (found.published_at, found.collected_at) == ("2026-03-01T08:00:00Z", "2026-03-03")
    assert (found.author, found.lang_declared, found.title, found.text) == ("u7", "en", "Tides", "Low tide")
    assert (found.links, found.media[0].path) == (
        ["https://n.example/1", "https://n.example/2"],
        "https://f.example/a.png",
    )
    assert (found.reply_to, found.repost_of, found.thread) == ("8", "5", "1")
    assert (found.views, found.reactions, found.shares, found.replies) == (1200, 3, 2, 1)
    assert (found.source, found.record) == ("telegram/harbour", 0)


DIALECTS = {
    "commas": 'id,text\n1,"salt, bread"\n',
    "semicolons": 'id;text\n1;salt, bread\n',
    "tabs": "id\ttext\n1\tsalt, bread\n",
    "bars": "id|text\n1|salt, bread\n",
    "what Excel says first": 'sep=;\nid;text\n1;salt, bread\n',
    "line ends of Windows": 'id,text\r\n1,"salt, bread"\r\n',
    "line ends of an old Mac": 'id,text\r1,"salt, bread"\r',
    "an unnamed last column": 'id,text,\n1,"salt, bread",\n',
    "a note above the header": '# exported on Sunday\nid,text\n1,"salt, bread"\n',
    "an empty line": 'id,text\n\n1,"salt, bread"\n\n',
    "the last line without its end": 'id,text\n1,"salt, bread"',
}  # fmt: skip


@pytest.mark.parametrize("content", DIALECTS.values(), ids=DIALECTS.keys())
def test_dialects_are_found_by_content(content):
    """Nobody says how a table was written; its rows do."""
    assert SOURCE.recognise(content.encode(), "x") == 0.4
    assert [(m.native_id, m.text) for m in materials(table(content))] == [("1", "salt, bread")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_are_found_by_content(encoding):
    """Spreadsheets write each in its own way."""
    content = "id,text\n1,Größe der Brücke\n2,plain\n".encode(encoding)
    assert SOURCE.recognise(content, "x") == 0.4
    assert texts(content) == ["Größe der Brücke", "plain"]


def test_a_quoted_value_may_hold_anything():
    """Line breaks, quotes and delimiters inside of quotes are text."""
    assert texts('id,text\n1,"one\ntwo, ""three""\n\nfour"\n') == ['one\ntwo, "three"\n\nfour']
    assert texts('id,text\n1,"he said \\"hi\\""\n') == ['he said "hi"']


def test_a_table_of_tabs_may_know_no_quotes():
    """A quote at the start of a value is a letter there, and may not swallow the rows that follow."""
    assert texts('id\ttext\n1\t"Fog, he said\n2\tshe said "no"\n') == ['"Fog, he said', 'she said "no"']


def test_a_quote_that_never_closes_costs_its_own_row():
    """Without a second look, one typing error would turn the rest of the table into one text."""
    content = 'id,text\n1,"never closes\n' + "".join(f"{n},fine\n" for n in range(2, 60))
    assert reasons(content) == ["quote-open"]
    assert texts(content) == ["fine"] * 58


def test_a_row_of_another_width_is_skipped_with_its_bytes():
    """Values in the wrong columns are worse than no row."""
    items = table("id,text\n1,ok\n2,a,b\n3\n4,ok\n")
    assert texts("id,text\n1,ok\n2,a,b\n3\n4,ok\n") == ["ok", "ok"]
    assert [(s.reason, s.record, s.raw) for s in items if isinstance(s, Skipped)] == [
        ("row-width", 1, b"2,a,b\n"), ("row-width", 2, b"3\n"),
    ]  # fmt: skip


def test_broken_utf8_costs_its_row_where_the_table_is_utf8():
    """The bytes go to the quarantine as they are."""
    content = "id,text\n1,Größe\n".encode() + b"2,caf\xe9\n3,ok\n"
    assert texts(content) == ["Größe", "ok"]
    assert [s.raw for s in table(content) if isinstance(s, Skipped)] == [b"2,caf\xe9\n"]


def test_a_late_letter_of_windows_is_read():
    """A table that is ASCII for longer than a head may still be one of Windows."""
    content = b"id,text\n" + b"1,plain text of a row\n" * 4_000 + b"2,caf\xe9\n"
    assert texts(content)[-1] == "café"


NO_TABLES = {
    "prose": "The ferry, which was late, arrived.\nNobody, as usual, complained.\nThen, rain.\n",
    "prose with a fitting word": "Title\n\nIt was text, and it was a date; the url was gone.\n",
    "code": "import os, sys\n\ndef f(text, url):\n    return text, url\n\nx = f(1, 2)\n",
    "JSON": '{"id": 1,\n"text": "x"}\n',
    "a page": "<html><title>id,text</title></html>\n",
    "a PDF": "%PDF-1.7\nid,text\n",
    "nothing": "\n\n",
    "captions": "WEBVTT\n\n00:01.000 --> 00:02.000\nid, text\n",
}


@pytest.mark.parametrize("content", NO_TABLES.values(), ids=NO_TABLES.keys())
def test_what_is_no_table_is_left_to_others(content):
    """Commas alone make no table."""
    assert SOURCE.recognise(content.encode(), "x.txt") == 0.0


def test_bytes_are_no_table():
    """A picture is not read as text in some encoding."""
    assert SOURCE.recognise(bytes(range(256)) * 20, "x.csv") == 0.0


def test_a_mapping_names_the_columns():
    """What no name explains, a person can."""
    mapping = {"text": "b", "native_id": "a"}
    assert [(m.native_id, m.text) for m in materials(table("a|b|c\n1|x|y\n", mapping=mapping))] == [("1", "x")]


def test_a_wrong_mapping_is_an_error():
    """A typing error in a mapping must not cost the table in silence."""
    with pytest.raises(InputError, match="'textt'"):
        table("a,b\n1,x\n", mapping={"textt": "b"})


def test_a_table_without_known_columns_says_so():
    """The quarantine names the columns, so that a mapping can be written."""
    (found,) = table("alpha,beta\n1,2\n")
    assert found.reason == "columns-unknown"
    assert "alpha, beta" in found.detail


def test_ids_that_a_spreadsheet_rounded_are_dropped():
    """1.2E+18 stands for thousands of posts: as an id it would make them one."""
    found = materials(table('tweet_id,text\n1.23E+18,a\n123.0,b\n"=""456""",c\n'))
    assert [m.native_id for m in found] == [None, "123", "456"]


def test_date_and_time_in_two_columns_are_one_instant():
    """Older exports split them."""
    assert materials(table("date,time,tweet\n2026-03-01,10:22:03,hi\n"))[0].published_at == "2026-03-01 10:22:03"


def test_a_counter_that_is_none_is_named():
    """The quarantine says which column is wrong."""
    items = table("id,text,likes\n1,x,many\n2,y,1.5K\n")
    assert (items[0].reason, "field reactions" in items[0].detail) == ("field-invalid", True)
    assert items[1].reactions == 1_500


def test_headers_and_rules_between_rows_are_passed():
    """Tables are joined by hand, and copied out of documents."""
    assert Passed("header") in table("id,text\n1,a\nid,text\n2,b\n")
    assert Passed("rule") in table("| id | text |\n|----|------|\n| 1 | a |\n")


def test_a_row_without_content_is_skipped():
    """An id alone is no material."""
    assert reasons("id,text,likes\n1,,3\n2,ok,4\n") == ["field-invalid"]


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).filter(str.strip)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@given(rows=st.lists(st.tuples(st.integers(0, 10**6), WORDS), min_size=1, max_size=8))
def test_what_is_written_is_read(delimiter, rows):
    """Whatever a text holds, a table that quotes it gives it back."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "text"])
    writer.writerows(rows)
    assert [(m.native_id, m.text) for m in materials(table(out.getvalue()))] == [(str(n), t) for n, t in rows]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_skipped(data):
    """Bad input never ends a run."""
    for item in table(b"id,text\n" + data):
        assert isinstance(item, Material | Skipped | Passed)
