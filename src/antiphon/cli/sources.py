"""`antiphon sources`: what can be read."""

from __future__ import annotations

import json

import click

from antiphon import node

__all__ = ["sources"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sources(as_json: bool) -> None:
    """List the formats that can be read. They are told apart by content; gzip, zstd, bzip2, xz and zip are opened."""
    rows = node.known_sources()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['title']}")
