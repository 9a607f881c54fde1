"""The files of a dossier."""

import csv
import json
import re

import duckdb
import pytest
from dossier_sample import MemorySource, about, finding, material, source

from antiphon.dossier import Caps, export_tables, write_dossier
from antiphon.errors import InputError, StorageError
from antiphon.model.schemas import RESULT_TABLES


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dossier") / "new"
    write_dossier(source(300), folder, about(settings={"folder": folder}))
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    tables = {
        "materials": [material("a", '=HYPERLINK("x")'), material("b", "plain, words\nof two lines")],
        "findings": [finding("a"), finding("b")],
        "skipped": [{"input": "i", "stage": "s", "reason": "r", "detail": "d", "raw": b"@someone", "raw_bytes": 8}],
        "signals": [{"material_id": "a", "part": "text", "signal_type": "t", "value": b"\x00\xff", "quality": None}],
    }
    export_tables(MemorySource(tables), folder, ("parquet", "csv", "json"))
    return folder


def test_a_dossier_is_a_page_and_its_data(out):
    """Nothing else is left in the folder."""
    assert sorted(path.name for path in out.iterdir()) == ["dossier.html", "dossier.json"]


def test_the_data_are_what_the_page_shows(out):
    """Whoever reads the data reads the dossier."""
    content = json.loads((out / "dossier.json").read_bytes())["content"]
    page = (out / "dossier.html").read_text(encoding="utf-8")
    assert page.count('id="review-') - 3 >= len(content["review"]) > 0
    assert all(found["material_id"] in page for found in content["review"] + content["protected"])


def test_the_data_have_no_author(out):
    """Pseudonyms tie materials together by person (R-77)."""
    assert "pseudonym-3f2a" not in (out / "dossier.json").read_text(encoding="utf-8")


def test_pictures_stand_veiled_in_the_page(out):
    """The image itself is no element of the page until it is asked for."""
    page = (out / "dossier.html").read_text(encoding="utf-8")
    assert page.count("data-clear=") > 3
    assert not re.search(r'<img[^>]+class="clear"', page)
    assert page.count('aria-pressed="false"') == page.count("data-clear=")


def test_the_number_of_pictures_is_capped(tmp_path):
    """Previews are the heaviest part of a page."""
    page, _ = write_dossier(source(300), tmp_path, about(), Caps(pictures=2))
    assert page.read_text(encoding="utf-8").count("data-clear=") == 2


def test_a_page_that_cannot_be_written_says_what_to_do(tmp_path):
    """The folder is a file here."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="Choose a folder"):
        write_dossier(MemorySource({}), tmp_path / "file", about())


def test_every_table_is_exported_in_every_format(exported):
    """The page points to them for all that it doesn't show."""
    wanted = {f"{table}.{format}" for table in RESULT_TABLES for format in ("parquet", "csv", "json")}
    assert {path.name for path in exported.iterdir()} == wanted


def test_parquet_keeps_the_declared_columns(exported):
    """The next program finds what the data dictionary says."""
    for table, schema in RESULT_TABLES.items():
        assert duckdb.read_parquet(str(exported / f"{table}.parquet")).columns == schema.names


def test_authors_and_raw_records_do_not_leave(exported):
    """Neither a pseudonym nor a raw record, which may hold a handle, is in a table made for others."""
    for path in [*exported.glob("*.csv"), *exported.glob("*.json")]:
        assert b"pseudonym-3f2a" not in path.read_bytes()
        assert b"@someone" not in path.read_bytes()


def test_the_parquet_tables_are_whole(exported):
    """They are the node's own: pseudonyms and the quarantine's raw bytes stand in them."""
    assert duckdb.sql(f"SELECT count(author) > 0 FROM '{exported}/materials.parquet'").fetchall() == [(True,)]


def test_a_formula_is_text_in_csv_and_untouched_in_parquet(exported):
    """A spreadsheet would run it; a program must get what was published."""
    with (exported / "materials.csv").open(newline="", encoding="utf-8") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    parquet = duckdb.sql(f"SELECT text FROM '{exported}/materials.parquet'").fetchall()
    assert texts == ["'" + parquet[0][0], "plain, words\nof two lines"]


def test_nested_and_binary_fields_can_be_read_from_csv(exported):
    """A column that no program can parse is no export."""
    with (exported / "findings.csv").open(newline="", encoding="utf-8") as lines:
        assert json.loads(next(csv.DictReader(lines))["speech_acts"])["incites"] == 0.0
    with (exported / "signals.csv").open(newline="", encoding="utf-8") as lines:
        assert next(csv.DictReader(lines))["value"] == "00ff"


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    """Half an export would be found too late."""
    with pytest.raises(InputError, match="parquet, csv, json"):
        export_tables(MemorySource({}), tmp_path / "out", ("parquet", "xlsx"))
    assert not (tmp_path / "out").exists()
