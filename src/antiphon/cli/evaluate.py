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
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def evaluate(data: Path, as_json: bool) -> None:
    """Print how often the analyser is right, per data set and functionality, with 95% intervals."""
    rows = node.evaluate(data)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        console.print(rows_table("Quality of the analysis", rows))
