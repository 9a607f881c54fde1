"""`antiphon evaluate`: how good the analysis is, measured on labelled sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from antiphon import node
from antiphon.cli.show import console, rows_table

__all__ = ["evaluate"]


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("../shared/data"),
    show_default=True,
    help="Folder of the labelled sets.",
)
@click.option("--analyser", default="cascade", show_default=True, help="Which analyser to measure.")
@click.option(
    "--released",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Figures to compare with, as --json prints them; those of the last release where not given. What is worse by "
    "more than chance fails the command.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def evaluate(data: Path, analyser: str, released: Path | None, as_json: bool) -> None:
    """Print how often the analyser is right, per data set and functionality, with 95% intervals."""
    with console.status("opening") as status:
        rows = node.evaluate(data, analyser, lambda name: status.update(f"reading {name}"))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        console.print(rows_table("Quality of the analysis", rows))
    before = json.loads(released.read_text(encoding="utf-8")) if released else node.released_figures(analyser)
    worse = node.regressions(before, rows)
    for line in worse:
        click.echo(f"worse than released: {line}", err=True)
    if worse:
        raise SystemExit(1)
