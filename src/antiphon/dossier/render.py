"""Draws the content of a dossier as one HTML file that needs nothing from anywhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from antiphon.dossier.content import Content, Material
from antiphon.dossier.draw.charts import Chart, charts_of, cluster_name, javascript
from antiphon.dossier.draw.sparkline import sparkline
from antiphon.dossier.draw.thumbnails import Thumbnail
from antiphon.dossier.interface import About
from antiphon.dossier.text import plain
from antiphon.dossier.words import LANGUAGES, READING_WORDS, is_act, label, language_tag

__all__ = ["render", "script_json"]

_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def render(content: Content, about: About, pictures: Mapping[str, Thumbnail]) -> str:
    """Return the page. Same content, same bytes."""
    charts = charts_of(content)
    style, script = _asset("dossier.css"), _asset("dossier.js")
    library = _inline_script(javascript()) if charts else ""
    scripts = [text for text in (library, script) if text]
    template = _environment().get_template("dossier.html.j2")
    return template.render(
        c=content,
        about=about,
        pictures=pictures,
        charts=charts,
        specs=Markup(script_json(_specs(charts))),  # noqa: S704  escaped for a script element by script_json
        policy=_policy(style, scripts),
        style=Markup(style),  # noqa: S704  our own file
        scripts=[Markup(text) for text in scripts],  # noqa: S704  our own file and the chart library's
    )


def script_json(value: object) -> str:
    r"""Return JSON that can stand in a script element whatever its strings say.

    Example:
        >>> script_json({"a": "</script>"})
        '{"a":"\\u003c/script\\u003e"}'
    """
    text = orjson.dumps(value).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _specs(charts: Mapping[str, Chart]) -> dict[str, Any]:
    return {name: chart.spec for name, chart in charts.items()}


def _asset(name: str) -> str:
    return resources.files("antiphon.dossier").joinpath("templates", name).read_text(encoding="utf-8")


def _inline_script(text: str) -> str:
    """Keep a library's own strings from ending the script element that holds it."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _policy(style: str, scripts: list[str]) -> str:
    """A content security policy that lets run what we wrote, by its hash, and lets load nothing."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(style)}",
            "script-src " + " ".join(_hash(script) for script in scripts),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("antiphon.dossier", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(_FILTERS)
    environment.tests["act"] = is_act
    environment.globals.update(READING_WORDS=READING_WORDS, LANGUAGES=LANGUAGES)
    return environment


def _named(code: str) -> tuple[str, str]:
    return code, LANGUAGES.get(code, "not known" if code == "und" else code)


def _opening(material: Material) -> str:
    """The first words of a material on one line, its title where it has no text."""
    return plain("".join(s.text for s in material.text if s.kind != "gap") or material.title, 200)


def _by_reading(rows: list[tuple[datetime, str, int]]) -> dict[str, int]:
    return {reading: n for _, reading, n in rows}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


def _counted(value: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 material`, `2,000 materials`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def _when(at: datetime | None) -> str:
    return "time not known" if at is None else f"{at.day} {at:%b %Y, %H:%M} UTC"


def _day(at: datetime | None) -> str:
    return "not known" if at is None else f"{at.day} {at:%b %Y}"


def _size(value: int | None) -> str:
    if value is None:
        return "size not known"
    size, step = float(value), 0
    while size >= 1000 and step < len(_SIZES) - 1:
        size, step = size / 1000, step + 1
    return f"{size:.0f} {_SIZES[step]}" if step == 0 or size >= 100 else f"{size:.1f} {_SIZES[step]}"


def _delay(seconds: float | None) -> str:
    """A stretch of time in the unit that a reader would choose."""
    if seconds is None:
        return "not known"
    for unit_s, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * unit_s:
            return f"{seconds / unit_s:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _share(part: int, whole: int) -> str:
    """A part of a whole in percent; never 0 % for something nor 100 % for not all."""
    if whole <= 0:
        return "0 %"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def _p_value(value: float) -> str:
    return "under 0.0001" if value < 0.0001 else f"{value:.4f}"


_FILTERS = {
    "by_reading": _by_reading, "cluster_name": cluster_name, "counted": _counted, "day": _day, "delay": _delay,
    "label": label, "n": _number, "named": _named, "opening": _opening, "p_value": _p_value, "share": _share,
    "size": _size, "sparkline": sparkline, "tag": language_tag, "when": _when,
}  # fmt: skip
