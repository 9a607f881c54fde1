"""The charts of the page: Vega-Lite specifications for the reader's hand, and still pictures of them for paper.

No chart tells anything by colour alone: readings stand in rows of their own, paths and clusters have shapes, cells
have their number written in them.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import altair as alt
import vl_convert

from antiphon.dossier.content import Content, Node, Pair, PathPoint, SpreadEdge, Timeline
from antiphon.dossier.words import READING_WORDS

__all__ = ["Chart", "charts_of", "javascript"]

WIDTH_PX = 840
"""Width of the widest view; the page's script, which knows this number, makes it less on a narrow screen."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
_INK, _MUTED, _LINE = "#24292f", "#57606a", "#d5d2c8"
_READING_COLOURS = {
    "direct": "#b4432f", "indirect": "#b5791a", "protected": "#2a7f78", "unclear": "#7a5ea8", "none": "#76808e",
}  # fmt: skip
_PALETTE = ("#1f6f8b", "#b4532f", "#4f8a3c", "#8a5aa8", "#b5791a", "#2f62b0", "#a8446f", "#5f6b2d")
_HEXAGON = "M-0.87,-0.5L0,-1L0.87,-0.5L0.87,0.5L0,1L-0.87,0.5Z"
_SHAPES = ("square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left", _HEXAGON)
_NO_CLUSTER = "no cluster"
_MATRIX_SIDE = 14
_LABELLED_NODES = 45


@dataclass(frozen=True)
class Chart:
    """A specification, and its still picture as a data address."""

    name: str
    spec: dict[str, Any]
    still: str


def charts_of(content: Content) -> dict[str, Chart]:
    """Return the charts that the content has data for, by name: timeline, paths, matrix, network."""
    charts = {
        "timeline": timeline_chart(content.timeline) if content.timeline.rows else None,
        "paths": paths_chart(content.paths) if content.paths else None,
        "matrix": matrix_chart(content.spread) if content.spread else None,
        "network": network_chart(content.nodes, content.pairs, content.spread) if content.nodes else None,
    }
    return {name: _finished(name, chart) for name, chart in charts.items() if chart is not None}


@functools.cache
def javascript() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, from the package that draws the still pictures too."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=_vl_version()))


def timeline_chart(timeline: Timeline) -> alt.TopLevelMixin:
    """Return materials over time, a row for each reading, and an overview below to choose a stretch from."""
    width = timedelta(seconds=timeline.bucket_s)
    values = [
        {
            "from": _iso(at),
            "to": _iso(at + width),
            "reading": READING_WORDS.get(name, name),
            "materials": n,
            "said": f"{_said(at)}, {READING_WORDS.get(name, name)}: {n:,}",
        }
        for at, name, n in timeline.rows
    ]
    present = {name for _, name, _ in timeline.rows}
    order = [name for name in _READING_COLOURS if name in present]
    words = [READING_WORDS[name] for name in order]
    colour = alt.Color(
        "reading:N", legend=None, scale=alt.Scale(domain=words, range=[_READING_COLOURS[name] for name in order])
    )
    brush = alt.selection_interval(name="stretch", encodings=["x"])
    data = alt.Data(values=values)
    rows = (
        alt.Chart(data)
        .mark_bar(orient="vertical", clip=True)
        .encode(
            x=alt.X("from:T", title=None, scale=alt.Scale(type="utc", domain=brush), axis=_time_axis()),
            x2="to:T",
            y=alt.Y("materials:Q", title=None, axis=alt.Axis(tickCount=2, tickMinStep=1, grid=True)),
            color=colour,
            description="said:N",
            tooltip=[_time_tip("from", "from"), alt.Tooltip("reading:N"), alt.Tooltip("materials:Q", format=",")],
        )
        .properties(width=WIDTH_PX, height=54)
        .facet(row=alt.Row("reading:N", sort=words, title=None, header=_row_header()), spacing=8)
        .resolve_scale(y="independent")
    )
    return alt.vconcat(rows, _overview(data, brush), spacing=14)


def _overview(data: alt.Data, brush: alt.Parameter) -> alt.Chart:
    """All materials over time in one low row, to choose a stretch from."""
    drawn: alt.Chart = (
        alt.Chart(data)
        .mark_bar(orient="vertical", color=_MUTED, aria=False)
        .encode(
            x=alt.X("from:T", title="All materials. Drag here to choose a stretch of time", axis=_time_axis(),
                    scale=alt.Scale(type="utc")),
            x2="to:T",
            y=alt.Y("sum(materials):Q", title=None, axis=alt.Axis(tickCount=2, tickMinStep=1)),
        )
        .properties(width=WIDTH_PX, height=44)
        .add_params(brush)
    )  # fmt: skip
    return drawn


def paths_chart(points: Sequence[PathPoint]) -> alt.TopLevelMixin:
    """Return when each copy was first seen in which source, a line for each copy."""
    values = [
        {"copy": p.path, "source": p.source, "at": _iso(p.at), "order": p.order, "words": p.excerpt,
         "said": f"{p.path}, place {p.order}: {p.source}, {_said(p.at)}"}
        for p in points
    ]  # fmt: skip
    first = {p.source: p.at for p in sorted(points, key=lambda p: (p.at, p.source), reverse=True)}
    sources = sorted(first, key=lambda name: (first[name], name))
    names = list(dict.fromkeys(p.path for p in points))
    chosen = alt.selection_point(name="chosen", fields=["copy"], bind="legend")
    look = alt.when(chosen).then(alt.value(1.0)).otherwise(alt.value(0.12))
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("at:T", title="first seen (UTC)", scale=alt.Scale(type="utc"), axis=_time_axis()),
        y=alt.Y("source:N", title=None, sort=sources, axis=alt.Axis(grid=True, labelLimit=190)),
        color=alt.Color("copy:N", sort=names, scale=alt.Scale(domain=names, range=list(_PALETTE[: len(names)])),
                        legend=_legend("copy (choose one)")),
        opacity=look,
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=1.6, aria=False).encode(order="order:Q", detail="copy:N")
    marks = base.mark_point(filled=True, size=70, opacity=1).encode(
        shape=alt.Shape("copy:N", sort=names, scale=alt.Scale(domain=names, range=list(_SHAPES[: len(names)])),
                        legend=_legend("copy (choose one)")),
        description="said:N",
        tooltip=[alt.Tooltip("copy:N"), alt.Tooltip("source:N"), _time_tip("at", "first seen"),
                 alt.Tooltip("order:Q", title="place in the path"), alt.Tooltip("words:N", title="begins")],
    )  # fmt: skip
    return (
        alt.layer(lines, marks).add_params(chosen).properties(width=WIDTH_PX - 160, height=max(120, 22 * len(sources)))
    )


def matrix_chart(edges: Sequence[SpreadEdge]) -> alt.TopLevelMixin:
    """Return how many copies went from which source to which, the number written in each cell."""
    weight: dict[str, int] = {}
    for edge in edges:
        for name in (edge.from_source, edge.to_source):
            weight[name] = weight.get(name, 0) + edge.copies
    kept = set(sorted(weight, key=lambda name: (-weight[name], name))[:_MATRIX_SIDE])
    values = [
        {
            "from": e.from_source,
            "to": e.to_source,
            "copies": e.copies,
            "hours": None if e.median_delay_s is None else round(e.median_delay_s / 3600, 1),
            "said": f"from {e.from_source} to {e.to_source}: {e.copies:,}",
        }
        for e in edges
        if e.from_source in kept and e.to_source in kept
    ]
    top = max((int(str(v["copies"])) for v in values), default=1)
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("to:N", title="to", axis=alt.Axis(orient="top", labelAngle=-50, labelLimit=170, domain=False)),
        y=alt.Y("from:N", title="from", axis=alt.Axis(labelLimit=170, domain=False)),
        description="said:N",
        tooltip=[alt.Tooltip("from:N"), alt.Tooltip("to:N"), alt.Tooltip("copies:Q", format=","),
                 alt.Tooltip("hours:Q", title="median delay (hours)")],
    )  # fmt: skip
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color("copies:Q", legend=None, scale=alt.Scale(domain=[0, top], range=["#eef5f6", "#6ea6ba"]))
    )
    numbers = base.mark_text(fontSize=11, aria=False, color=_INK).encode(text=alt.Text("copies:Q", format=","))
    return alt.layer(cells, numbers).properties(width=alt.Step(30), height=alt.Step(26))


def network_chart(nodes: Sequence[Node], pairs: Sequence[Pair], spread: Sequence[SpreadEdge]) -> alt.TopLevelMixin:
    """Return the sources with what ties them: shared objects beyond chance (whole lines), copies (broken lines)."""
    spots = {node.source: node for node in nodes}
    named = sorted(nodes, key=lambda node: (node.cluster == 0, -node.degree, node.source))[:_LABELLED_NODES]
    labels = {node.source for node in named}
    points = [
        {"source": n.source, "x": n.x, "y": 1 - n.y, "cluster": cluster_name(n.cluster), "ties": n.degree,
         "name": n.source.rsplit("/", 1)[-1][:22] if n.source in labels else "",
         "said": f"{n.source}, {cluster_name(n.cluster)}, tied to {n.degree:,}"}
        for n in nodes
    ]  # fmt: skip
    names = [cluster_name(number) for number in sorted({n.cluster for n in nodes} - {0})][: len(_PALETTE)]
    hover = alt.selection_point(name="hover", fields=["source"], on="pointerover", clear="pointerout", empty=False)
    axis: dict[str, Any] = {"axis": None, "scale": alt.Scale(domain=[-0.02, 1.02], nice=False, zero=False)}
    lines = _edges(spots, pairs, spread, axis)
    domain, colours, shapes = (
        [*names, _NO_CLUSTER],
        [*_PALETTE[: len(names)], "#76808e"],
        [*_SHAPES[: len(names)], "circle"],
    )
    base = alt.Chart(alt.Data(values=points)).encode(x=alt.X("x:Q", **axis), y=alt.Y("y:Q", **axis))
    dots = (
        base.mark_point(filled=True, opacity=1, strokeWidth=2.5)
        .encode(
            color=alt.Color("cluster:N", scale=alt.Scale(domain=domain, range=colours), legend=_legend("cluster")),
            shape=alt.Shape("cluster:N", scale=alt.Scale(domain=domain, range=shapes), legend=_legend("cluster")),
            description="said:N",
            size=alt.Size("ties:Q", legend=None, scale=alt.Scale(range=[80, 260])),
            tooltip=[alt.Tooltip("source:N"), alt.Tooltip("cluster:N"), alt.Tooltip("ties:Q")],
        )
        .add_params(hover)
    )
    halo = base.mark_text(dy=-14, fontSize=11, aria=False, stroke="white", strokeWidth=4, strokeJoin="round")
    text = base.mark_text(dy=-14, fontSize=11, aria=False, color=_INK)
    layered: alt.TopLevelMixin = alt.layer(lines, halo.encode(text="name:N"), dots, text.encode(text="name:N"))
    return layered.properties(width=WIDTH_PX, height=430)


def cluster_name(number: int) -> str:
    """Return how the page calls a cluster; the picture has eight signs, the table has all."""
    if number == 0:
        return _NO_CLUSTER
    return f"cluster {number}" if number <= len(_PALETTE) else _NO_CLUSTER


def _edges(
    spots: dict[str, Node], pairs: Sequence[Pair], spread: Sequence[SpreadEdge], axis: dict[str, Any]
) -> alt.Chart:
    ends = [(p.source_a, p.source_b, "shared beyond chance", p.shared_objects) for p in pairs]
    ends += [(e.from_source, e.to_source, "copies went", e.copies) for e in spread]
    values = [
        {
            "a": a,
            "b": b,
            "tie": tie,
            "n": n,
            "x": spots[a].x,
            "y": 1 - spots[a].y,
            "x2": spots[b].x,
            "y2": 1 - spots[b].y,
        }
        for a, b, tie, n in ends
        if a in spots and b in spots and a != b
    ]
    kinds = ["shared beyond chance", "copies went"]
    touched = "!isValid(hover.source) || indexof([datum.a, datum.b], hover.source[0]) >= 0"
    rules: alt.Chart = (
        alt.Chart(alt.Data(values=values))
        .mark_rule(aria=False)
        .encode(
            x=alt.X("x:Q", **axis),
            y=alt.Y("y:Q", **axis),
            x2="x2:Q",
            y2="y2:Q",
            strokeDash=alt.StrokeDash("tie:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [3, 4]]),
                                      legend=_legend("tie")),
            strokeWidth=alt.StrokeWidth("n:Q", legend=None, scale=alt.Scale(range=[1, 4])),
            opacity=alt.when(touched).then(alt.value(0.6)).otherwise(alt.value(0.08)),
            color=alt.value("#6b7480"),
        )
    )  # fmt: skip
    return rules


def _finished(name: str, chart: alt.TopLevelMixin) -> Chart:
    spec = chart.configure(**_config()).to_dict()
    svg = _renumbered(vl_convert.vegalite_to_svg(spec, vl_version=_vl_version()))
    return Chart(name, spec, "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode())


def _renumbered(svg: str) -> str:
    """Count the picture's own ids from 1: the renderer counts on from picture to picture, and bytes would differ."""
    ids = dict.fromkeys(re.findall(r"(?:clip|gradient_|pattern_)\d+", svg))
    names = {name: f"i{number}" for number, name in enumerate(ids, 1)}
    return re.sub(r"(?:clip|gradient_|pattern_)\d+", lambda found: names[found.group()], svg)


def _config() -> dict[str, Any]:
    """How every chart looks on paper; the page's script puts other inks over it on a dark screen."""
    axis = {
        "labelColor": _MUTED, "titleColor": _MUTED, "gridColor": "#e7e4da", "domainColor": _LINE, "tickColor": _LINE,
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
    }  # fmt: skip
    return {
        "font": _FONT,
        "background": "#ffffff",
        "axis": axis,
        "view": {"stroke": None},
        "legend": {"labelColor": _INK, "titleColor": _MUTED, "labelFontSize": 11.5, "titleFontSize": 11,
                   "titleFontWeight": "normal", "labelLimit": 220},
        "header": {"labelColor": _INK, "labelFontSize": 12, "labelFontWeight": 600},
    }  # fmt: skip


def _vl_version() -> str:
    """The version of Vega-Lite that this Altair writes, as vl-convert names it."""
    return ".".join(str(alt.SCHEMA_VERSION).lstrip("v").split(".")[:2])


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _said(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _time_axis() -> alt.Axis:
    return alt.Axis(tickCount=8, grid=False, labelOverlap=True)


def _time_tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"utcyearmonthdatehoursminutes({field}):T", title=title, format="%Y-%m-%d %H:%M UTC")


def _row_header() -> alt.Header:
    return alt.Header(labelOrient="top", labelAnchor="start", labelPadding=2)


def _legend(title: str) -> alt.Legend:
    return alt.Legend(title=title, orient="bottom", columns=4, symbolOpacity=1)
