"""Caption files: what a viewer reads, and what could not be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import fixture, materials, read, read_file

from antiphon.model.material import Gap, Skipped
from antiphon.sources.captions import CaptionFile
from antiphon.sources.cues import read_cues

SOURCE = CaptionFile()

# What webvtt-py's own tests expect of these files: how many captions with text, and what is wrong with the rest.
REAL = {
    "captions_with_bom.vtt": (4, []),
    "comments.vtt": (3, []),
    "cue_tags.vtt": (3, []),
    "empty.vtt": (0, ["captions-empty"]),
    "invalid.vtt": (0, ["captions-malformed"]),
    "invalid_format1.srt": (0, ["captions-malformed"]),
    "invalid_format2.srt": (0, ["captions-malformed"]),
    "invalid_format3.srt": (0, ["captions-malformed"]),
    "invalid_format4.srt": (0, ["captions-malformed"]),
    "invalid_timeframe.sbv": (4, ["cue-timing-invalid"]),
    "invalid_timeframe.vtt": (6, ["cue-timing-invalid"]),
    "invalid_timeframe_in_cue_text.vtt": (3, ["cue-empty"]),
    "metadata_headers.vtt": (2, []),
    "metadata_headers_multiline.vtt": (2, []),
    "missing_caption_text.sbv": (4, ["cue-empty"]),
    "missing_caption_text.vtt": (4, ["cue-empty"]),
    "missing_timeframe.sbv": (4, ["cue-timing-missing"]),
    "missing_timeframe.srt": (4, ["cue-timing-missing"]),
    "missing_timeframe.vtt": (6, ["cue-timing-missing"]),
    "no_captions.vtt": (0, ["captions-empty"]),
    "one_caption.vtt": (1, []),
    "sample.sbv": (5, []),
    "sample.srt": (5, []),
    "sample.vtt": (16, []),
    "styles.vtt": (1, []),
    "using_identifiers.vtt": (6, []),
    "youtube_dl.vtt": (4, []),
}


@pytest.mark.parametrize("example", list(SOURCE.examples()), ids=lambda example: example.name)
def test_examples_are_read_as_promised(example):
    """The examples are what the documentation shows."""
    assert SOURCE.recognise(example.content, example.name) >= 0.9
    assert len(materials(read(SOURCE, example.content, example.name))) == example.materials


@pytest.mark.parametrize("name", REAL)
def test_real_files_give_their_cues_and_faults(name):
    """Valid files come out whole; of broken ones each broken cue is in the quarantine with its reason."""
    path = fixture("captions", name)
    cues, faults = REAL[name]
    items = read_file(SOURCE, path)
    assert SOURCE.recognise(path.read_bytes(), name) >= 0.5
    assert [item.reason for item in items if isinstance(item, Skipped)] == faults
    assert len(materials(items)) == (1 if cues else 0)
    assert read_cues(path.read_bytes(), name).cues == cues


def test_no_broken_cue_of_a_real_file_reaches_the_text():
    """Text whose timing is broken was never shown."""
    (found,) = materials(read_file(SOURCE, fixture("captions", "missing_timeframe.srt")))
    assert found.text == "\n".join(f"Caption text #{n}" for n in (1, 3, 4, 5))


def test_rolling_captions_say_each_line_once():
    """YouTube's automatic captions repeat the line before in every cue; a viewer reads it once."""
    (found,) = materials(read_file(SOURCE, fixture("captions", "youtube_dl.vtt")))
    assert found.text == "yeah\nwhat\nthis will happen is I'm telling"
    assert found.lang_declared == "en"


def test_a_line_that_is_said_twice_stays_twice():
    """A refrain is not a rolling caption."""
    cue = "00:0{0}.000 --> 00:0{0}.900\n{1}\n\n"
    content = "WEBVTT\n\n" + "".join(
        cue.format(n, text) for n, text in enumerate(["No!", "No!", "Why?", "Rain", "Rain"])
    )
    assert read_cues(content.encode(), "a.vtt").text == "No!\nNo!\nWhy?\nRain\nRain"


def test_markup_is_resolved():
    """Tags, entities and position marks are not what a viewer reads."""
    content = "1\n00:00:00,000 --> 00:00:01,000\n{\\an8}<i>Tea &amp; bread</i>\n<font color='red'>now</font>\n"
    assert read_cues(content.encode(), "a.srt").text == "Tea & bread\nnow"


def test_blank_lines_and_missing_ones_inside_a_srt_are_borne():
    """Both are common in files made by hand."""
    content = b"1\r\n00:00:00,000 --> 00:00:01,000\r\none\r\n\r\ntwo\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nthree\r\n"
    assert read_cues(content, "a.srt").text == "one\ntwo\nthree"


@pytest.mark.parametrize("number", ["1 ", "", "0001", "7"], ids=["padded", "missing", "zeros", "wrong"])
def test_the_number_of_a_srt_cue_does_not_matter(number):
    """Players ignore it, so people do too."""
    content = f"{number}\n00:00:01,000 --> 00:00:02,000 X1:1 X2:2\none\n\n\n{number}\n00:00:03,0 --> 00:00:04,0\ntwo\n"
    assert read_cues(content.encode(), "a.srt").text == "one\ntwo"


def test_a_timing_right_below_the_header_is_borne():
    """WebVTT's rules let a timing begin a block without a blank line."""
    assert read_cues(b"WEBVTT\n00:00.000 --> 00:01.000\none\n00:01.000 --> 00:02.000\ntwo", "a.vtt").text == "one\ntwo"


def test_a_utf16_file_is_read_by_its_mark():
    """Subtitle editors on Windows write it."""
    content = "1\n00:00:00,000 --> 00:00:01,000\nДождь\n".encode("utf-16")
    assert SOURCE.recognise(content, "a.srt") == 0.95
    assert read_cues(content, "a.srt").text == "Дождь"


def test_broken_utf8_is_replaced_where_the_format_says_so_and_refused_elsewhere():
    """WebVTT is UTF-8 by definition; a SubRip file in another encoding would be read wrongly without a word."""
    cue = b"00:00:00.000 --> 00:00:01.000\nca\xfe\n"
    vtt, srt = read_cues(b"WEBVTT\n\n" + cue, "a.vtt"), read_cues(b"1\n" + cue, "a.srt")
    assert (vtt.text, vtt.gaps) == ("ca\ufffd", [Gap("1 places are broken UTF-8; they are shown as U+FFFD")])
    assert (srt.text, [fault.reason for fault in srt.faults]) == (None, ["encoding-unknown"])


def test_substation_files_are_read_in_the_order_of_time():
    """Their events may stand in any order; comments are not shown."""
    fields = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    event = "{}: 0,0:00:0{}.00,0:00:0{}.90,Default,,0,0,0,,{}\n".format
    events = event("Dialogue", 2, 2, "two") + event("Dialogue", 0, 0, "{\\b1}one\\Nmore") + event("Comment", 1, 1, "no")
    content = f"[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: {fields}\n{events}"
    assert read_cues(content.encode(), "a.ass").text == "one\nmore\ntwo"


@pytest.mark.parametrize(
    ("name", "native_id"),
    [("Harbour [AAAAAAAAAAA].en-orig.vtt", "AAAAAAAAAAA/en-orig"), ("Harbour-AAAAAAAAAAA.vtt", "AAAAAAAAAAA/und")],
)
def test_the_id_in_a_files_name_names_the_video(name, native_id):
    """So yt-dlp and youtube-dl name their files."""
    (found,) = materials(read(SOURCE, b"WEBVTT\n\n00:00.000 --> 00:01.000\nRain\n", f"a/{name}"))
    assert (found.source, found.native_id, found.thread) == ("youtube", native_id, "AAAAAAAAAAA")


@given(
    st.lists(st.text("abc dé", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=12, unique_by=str.strip)
)
def test_what_is_written_is_what_is_read(lines):
    """The law: every line once, in its order."""
    cues = (f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},500\n{line}\n" for n, line in enumerate(lines))
    assert read_cues("\n".join(cues).encode(), "a.srt").text == "\n".join(line.strip() for line in lines)
