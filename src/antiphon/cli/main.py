"""The `antiphon` command: its groups of commands, its exit codes, and the one place where errors become them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator

import click

from antiphon import __version__
from antiphon.cli.analyse import analyse
from antiphon.cli.bank import bank
from antiphon.cli.demo import demo
from antiphon.cli.doctor import doctor
from antiphon.cli.evaluate import evaluate
from antiphon.cli.init import init
from antiphon.cli.match import match
from antiphon.cli.opinion import opinion
from antiphon.cli.sources import sources
from antiphon.errors import AntiphonError

__all__ = ["cli", "main"]

EXIT_CODES = """\b
Exit codes:
  0    done (quarantined records do not change it: the ledger tells)
  1    doctor found something that must be mended, or evaluate a regression
  2    the command was written wrongly
  65   an input, bank or mapping file is wrong
  66   a file, folder or plug-in does not exist
  70   a fault of the program
  74   a disk or an output folder could not be written
  77   a safeguard forbids it
  78   a setting, key or plug-in is wrong
  130  stopped by Ctrl-C; the same command goes on where it was"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="antiphon")
def cli() -> None:
    """From a pile of public posts to a dossier that people can read, check and share.

    \b
    Begin with:
      antiphon demo                        an invented world, analysed from end to end
      antiphon analyse exports/ -o out     your own exports, feeds and archives
      antiphon bank, antiphon match        lists of known material, and what they know
      antiphon sources                     what can be read

    Nothing leaves this machine unless you write a policy for `opinion`, and no result is a verdict: the
    machine proposes, people decide.

    \b
    Shell completion:
      bash:  eval "$(_ANTIPHON_COMPLETE=bash_source antiphon)"
      zsh:   eval "$(_ANTIPHON_COMPLETE=zsh_source antiphon)"
      fish:  _ANTIPHON_COMPLETE=fish_source antiphon | source
    """  # noqa: D301 - click reads the backspace as "do not wrap"


for command in (init, analyse, demo, bank, match, opinion, sources, doctor, evaluate):
    cli.add_command(command)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. Run the same command again to go on where it was.", err=True)
        code = 130
    except AntiphonError as error:
        code = _tell([error])
    except ExceptionGroup as group:
        code = _tell(list(_flat(group)))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away: nobody is left to tell
        code = 0
    except Exception as error:  # noqa: BLE001 - the last of the three doors: no traceback unless asked for
        code = _tell([error])
    sys.exit(code if isinstance(code, int) else 0)


def _flat(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _flat(error)
        else:
            yield error


def _tell(errors: list[Exception]) -> int:
    """Print what went wrong, where and what to do, for each error; return the exit code of the first."""
    for error in errors:
        if isinstance(error, AntiphonError):
            click.secho(
                f"antiphon: {error.where}: {error.what}" if error.where else f"antiphon: {error.what}", err=True
            )
            click.echo(f"  {error.do}", err=True)
        else:
            click.echo(f"antiphon: a fault of the program: {type(error).__name__}: {error}", err=True)
            click.echo("  Set ANTIPHON_DEBUG=1 to see where, and please report it.", err=True)
        if os.environ.get("ANTIPHON_DEBUG"):
            traceback.print_exception(error)
    first = errors[0]
    return first.exit_code if isinstance(first, AntiphonError) else 70
