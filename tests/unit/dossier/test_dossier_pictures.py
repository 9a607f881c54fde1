"""Previews, sparklines, the network's places and the charts."""

import base64
import io
import struct
import zlib

import pytest
from dossier_sample import MemorySource, material, png, source
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from antiphon.dossier import Caps
from antiphon.dossier.content import Pair, SpreadEdge
from antiphon.dossier.draw.charts import charts_of, cluster_name
from antiphon.dossier.draw.network import place
from antiphon.dossier.draw.sparkline import sparkline
from antiphon.dossier.draw.thumbnails import thumbnail
from antiphon.dossier.gather import gather
from antiphon.dossier.gather.spread import gather_clusters


@pytest.fixture(scope="module")
def charts():
    return charts_of(gather(source(300), Caps()))


def opened(address):
    head, _, body = address.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def pair(a, b, cluster="c"):
    return Pair(cluster, a, b, 9, 1.0, 1e-6, 600)


def edge(a, b):
    return SpreadEdge(a, b, 3, 60.0)


def every(spec, key):
    if isinstance(spec, dict):
        yield from (spec[key],) if key in spec else ()
    for value in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from every(value, key)


def test_a_preview_is_small():
    """A page holds up to 120 of them."""
    made = thumbnail(png(1, side=2_000))
    assert max(opened(made.clear).size) == 160
    assert len(made.clear) + len(made.veil) < 24_000


def test_the_veil_is_grey_and_has_no_detail():
    """What shows unasked must be beyond recognition: no two neighbours differ much."""
    veil = opened(thumbnail(png(2)).veil)
    assert veil.mode == "L"
    grey = veil.load()
    steps = [abs(grey[x, y] - grey[x + 1, y]) for y in range(veil.height) for x in range(veil.width - 1)]
    assert max(steps) <= 12


def test_a_preview_carries_no_metadata():
    """A photograph may say where it was taken."""
    image, buffer = Image.new("RGB", (90, 60), "teal"), io.BytesIO()
    exif = image.getexif()
    exif[0x010E] = "Marrow Street 9"
    image.save(buffer, "JPEG", exif=exif)
    made = thumbnail(buffer.getvalue())
    assert b"Marrow" in buffer.getvalue()
    assert not opened(made.clear).getexif()


def bomb():
    """A PNG of a few hundred bytes that claims 40,000 by 40,000 pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content", [None, b"", b"no image", png(3)[:200], bomb()], ids=["absent", "empty", "no image", "cut short", "bomb"]
)
def test_what_is_no_usable_image_has_no_preview(content):
    """A broken or hostile file costs its preview and nothing else."""
    assert thumbnail(content) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_the_preview(content):
    """Media are strangers' files."""
    thumbnail(content)
    thumbnail(png(4)[:400] + content)


@given(st.lists(st.integers(0, 10_000), max_size=120))
def test_a_sparkline_has_a_stroke_for_each_count_above_zero(counts):
    """One material in a week of thousands is still seen."""
    line = sparkline(tuple(counts))
    assert (line.path.count("M") if line else 0) == sum(n > 0 for n in counts)


def test_places_lie_inside_the_picture_and_apart():
    """A source that hides another can't be read."""
    pairs = tuple(pair(f"s{i}", f"s{j}") for i in range(6) for j in range(i))
    nodes = place(gather_clusters(pairs), pairs, (edge("t1", "t2"),), 50)
    assert all(0 <= node.x <= 1 and 0 <= node.y <= 1 for node in nodes)
    assert len({(node.x, node.y) for node in nodes}) == len(nodes) == 8


def test_the_same_network_gives_the_same_picture():
    """Two readers of a run talk about one picture."""
    pairs = (pair("a", "b"), pair("b", "c"), pair("x", "y", "d"))
    first = place(gather_clusters(pairs), pairs, (edge("a", "x"),), 50)
    again = place(gather_clusters(pairs), pairs, (edge("a", "x"),), 50)
    assert first == again


def test_sources_in_clusters_are_kept_before_busy_ones():
    """The picture has room for some; those that acted together are why it is drawn."""
    edges = tuple(edge("hub", f"leaf{n}") for n in range(30))
    nodes = place(gather_clusters((pair("a", "b"),)), (pair("a", "b"),), edges, 3)
    assert {node.source for node in nodes} == {"a", "b", "hub"}


def test_each_chart_has_a_still_picture(charts):
    """Paper and a browser without script show the same."""
    assert set(charts) == {"timeline", "paths", "matrix", "network"}
    for chart in charts.values():
        assert b"<svg" in base64.b64decode(chart.still.partition(",")[2])[:200]


def test_charts_load_nothing(charts):
    """A dossier is read where no network may be touched."""
    assert [address for chart in charts.values() for address in every(chart.spec, "url")] == []


def test_what_colour_tells_a_sign_tells_too(charts):
    """Colour alone tells one reader in twelve nothing."""
    for name in ("paths", "network"):
        shapes = [shape["field"] for shape in every(charts[name].spec, "shape") if isinstance(shape, dict)]
        colours = [c["field"] for c in every(charts[name].spec, "color") if isinstance(c, dict) and "field" in c]
        assert set(colours) == set(shapes) != set()


def test_the_ninth_cluster_has_no_sign():
    """Eight signs can be told apart; the table has all clusters."""
    assert [cluster_name(n) for n in (0, 1, 9)] == ["no cluster", "cluster 1", "no cluster"]


def test_a_run_without_dates_copies_and_ties_has_no_charts():
    """An empty chart would look like a result."""
    undated = MemorySource({"materials": [material("a", published_at=None)]})
    assert charts_of(gather(undated, Caps())) == {}
