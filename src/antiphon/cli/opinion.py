"""`antiphon opinion`: ask a larger model about what the analysis could not decide."""

from __future__ import annotations

import json
from pathlib import Path

import click

from antiphon import node
from antiphon.cli.show import console, json_option, rows_table

__all__ = ["opinion"]


@click.command()
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--policy",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file: endpoint, model, decided_by, reason, at_most; see docs/analysis.md.",
)
@json_option
def opinion(out: Path, policy: Path, as_json: bool) -> None:
    """Ask a larger model about the materials of an output folder on which the analysis abstained.

    Off unless a person wrote a policy. Texts are sent to the endpoint that it names. Answers stand beside the findings,
    in `opinions.jsonl`, and change none of them; an answer that is not what was asked for is refused and kept as such.
    """
    told = node.read_policy(policy)
    rows = []
    for record in node.ask_opinions(out, told):
        said = record.get("opinion", {})
        rows.append({
            "material": record["material_id"], "act": said.get("speech_act"), "context": said.get("context"),
            "words": said.get("words"), "refused": record.get("refused"),
        })  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    console.print(rows_table(f"Second opinions of {told.model}", rows))
    click.echo(f"All that was asked and answered is in {out / 'opinions.jsonl'}.")
