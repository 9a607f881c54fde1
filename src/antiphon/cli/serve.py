"""Showing a dossier on this machine: one page on 127.0.0.1, to nobody else."""

from __future__ import annotations

import sys
import webbrowser
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click

__all__ = ["serve"]

_HOST = "127.0.0.1"


class _Page(BaseHTTPRequestHandler):
    """Answers `/` with the page, and everything else with 404: nothing beside it is shown."""

    def __init__(self, page: Path, *args: object) -> None:
        self._page = page
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send the page."""
        if self.path != "/":
            self.send_error(404)
            return
        body = self._page.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: who looks at what is nobody's business."""


def serve(page: Path) -> None:
    """Show a page in the browser until Ctrl-C; with neither a browser nor a terminal only say so."""
    if not _has_browser() and not sys.stdout.isatty():
        click.echo("There is no browser here; open the file in one.")
        return
    with ThreadingHTTPServer((_HOST, 0), partial(_Page, page)) as server:
        address = f"http://{_HOST}:{server.server_port}/"
        click.echo(f"Showing it on {address} (this machine only); Ctrl-C ends it.")
        webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("")


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
