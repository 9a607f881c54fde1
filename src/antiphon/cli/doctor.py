"""`antiphon doctor`: is the installation whole, and what to do if not."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from antiphon import node

__all__ = ["doctor"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Check this installation and say what to do. Exit code 1 where something must be mended."""
    checks = node.examine()
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.found}")
            if not check.ok:
                click.echo(f"      {check.do}")
    if not all(check.ok for check in checks):
        sys.exit(1)
