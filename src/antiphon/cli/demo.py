"""`antiphon demo`: an invented world, analysed from end to end, and how much of its planted truth was found."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import click

from antiphon import node
from antiphon.cli.serve import serve
from antiphon.cli.show import console, ledger_table, progress_shown, rows_table
from antiphon.cli.write import write_results
from antiphon.demo.score import Score, score
from antiphon.demo.world import World, generate
from antiphon.model.schemas import RESULT_TABLES

__all__ = ["demo"]


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo-out"), show_default=True,
              help="Folder of the world and its results.")  # fmt: skip
@click.option("--posts", type=click.IntRange(2_000), default=20_000, show_default=True, help="About how many posts.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives another world.")
@click.option("--browser/--no-browser", default=True, help="Show the dossier on 127.0.0.1 when it is done.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON; no progress, no browser.")
def demo(out: Path, posts: int, seed: int, browser: bool, as_json: bool) -> None:
    """Make an invented world with planted truth, analyse it, and tell how much of the truth was found.

    Groups, places and events are fictional. The truth lies outside of the folder that is analysed and is only read to
    count what was found.
    """
    settings, _ = node.initialise()
    world = _world(out, posts, seed)
    workers = os.cpu_count() or 2
    options = node.Options((world.material,), out / "results", workers, register=_banks(out, world), case_space="demo")
    with progress_shown([world.material], quiet=as_json) as progress:
        analysis = node.analyse(options, settings, progress)
        found = _score(world, analysis)
        write_results(analysis, "Demo: an invented world", progress, found.rows())
    (out / "score.json").write_bytes(found.to_json())
    page = out / "results" / "dossier.html"
    if as_json:
        ledger = analysis.query("SELECT * FROM ledger ORDER BY input").to_pylist()
        click.echo(json.dumps({"ledger": ledger, "score": json.loads(found.to_json()), "dossier": str(page)}))
        return
    console.print(ledger_table(analysis.query("SELECT * FROM ledger ORDER BY input").to_pylist()))
    console.print(rows_table("How much of the planted truth was found", found.rows()))
    click.echo(f"The dossier is {page}")
    if browser:
        serve(page)


def _world(out: Path, posts: int, seed: int) -> World:
    """Return the world in the output folder, made anew where it is not the one that is asked for."""
    folder, asked = out / "world", {"posts": posts, "seed": seed}
    note = out / "world.json"
    if not note.exists() or json.loads(note.read_text()) != asked:
        for stale in (folder, out / "results", out / "banks"):
            shutil.rmtree(stale, ignore_errors=True)
        world = generate(folder, posts, seed)
        note.write_text(json.dumps(asked))
        return world
    return World.at(folder)


def _banks(out: Path, world: World) -> Path:
    """Return a folder with a register that knows the world's bank, beside the node's own."""
    folder = out / "banks"
    folder.mkdir(parents=True, exist_ok=True)
    with node.open_banks(folder) as banks:
        if "known" not in banks.banks():
            banks.create(node.Bank("known", source="the demo", description="what a partner knew before"), by="demo")
        banks.import_file("known", world.bank, by="demo")
    return folder


def _score(world: World, analysis: node.Analysis) -> Score:
    results = {name: analysis.query(f"SELECT * FROM {name}") for name in RESULT_TABLES}
    return score(world.truth_table(), results, world.broken, world.bank_texts())
