"""`antiphon init`: make this node's key."""

from __future__ import annotations

import click

from antiphon.node import initialise

__all__ = ["init"]


@click.command()
def init() -> None:
    """Make this node's secret key, from which author pseudonyms come. A key that is there is never replaced.

    It lies in $ANTIPHON_HOME, or in your user data folder. Keep a backup: without it the same author gets another
    pseudonym. It is never written to a result.
    """
    settings, made = initialise()
    click.echo(f"{'Made a new key' if made else 'There is a key already'} in {settings.home}")
