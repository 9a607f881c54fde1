"""`antiphon analyse`: read, analyse, write the dossier."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from antiphon import node
from antiphon.cli.show import console, ledger_table, progress_shown
from antiphon.cli.write import write_results

__all__ = ["analyse"]

_Readable = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_Readable, metavar="PATH...")
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of results.")
@click.option(
    "--bank",
    "banks",
    multiple=True,
    type=_Readable,
    help="Bank file to match against, beside the banks of this node; may be repeated.",
)
@click.option("--mapping", type=_Readable, help="JSON file: field of the material → column or key of your files.")
@click.option("--case", "case_space", default="", help="Name of the case-space; pseudonyms differ between two.")
@click.option(
    "--public-basis",
    metavar="REASON",
    help="Why exports of closed channels count as publicly disseminated. Without it they are not read; private chats "
    "never are.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=os.cpu_count() or 2, show_default="one a core")
@click.option(
    "--analyser",
    default="cascade",
    show_default=True,
    help="Which analyser reads the texts; `linear` is the cascade's first look alone, faster and far weaker.",
)
@click.option("--title", default="Dossier", show_default=True, help="Title of the dossier.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON on standard output; no progress.")
def analyse(  # noqa: PLR0917 - click passes every option by name
    paths: tuple[Path, ...], out: Path, banks: tuple[Path, ...], mapping: Path | None, case_space: str,
    public_basis: str | None, workers: int, analyser: str, title: str, as_json: bool,
) -> None:  # fmt: skip
    """Read everything under PATH..., analyse it, and write the dossier into a folder.

    PATH may be a file, a folder or an archive that mixes formats; they are told apart by content. Run it again with
    more paths to add to the same results: what was read before is not read again. Ctrl-C is safe, the same command
    goes on.

    \b
    Examples:
      antiphon analyse exports/ -o out
      antiphon analyse posts.jsonl.zst feeds.zip -o out --bank known.csv
      antiphon analyse table.csv -o out --mapping mapping.json
    """  # noqa: D301 - click reads the backspace as "do not wrap"
    settings, made = node.initialise()
    if made:
        click.echo(f"Made this node's key in {settings.home}; keep a backup.", err=True)
    options = node.Options(
        paths, out, workers, banks, settings.register, settings.home,
        node.load_mapping(mapping) if mapping else {}, public_basis, case_space, analyser,
    )  # fmt: skip
    with progress_shown(paths, quiet=as_json) as progress:
        analysis = node.analyse(options, settings, progress)
        written = write_results(analysis, title, progress)
    ledger = analysis.query("SELECT * FROM ledger ORDER BY input").to_pylist()
    if as_json:
        click.echo(json.dumps({"ledger": ledger, "changed": analysis.changed, "written": list(map(str, written))}))
        return
    console.print(ledger_table(ledger))
    click.echo(f"The dossier is {out / 'dossier.html'}; open it in any browser. The tables lie beside it.")
