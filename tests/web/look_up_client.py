"""A server of the look-up that runs for a test, and a client of the standard library that asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn

from antiphon.node.lookup import LookUp, open_look_up
from antiphon.web import Limits, make_app

BOUNDARY = "the-ninth-tide"


@dataclass
class Answer:
    """A status and what came with it."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


@dataclass
class Client:
    """Asks a server; `look_up` is the one inside it, to add entries to its banks."""

    port: int
    look_up: LookUp
    token: str | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        leave = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with contextlib.closing(connection):
            connection.request(method, path, body, leave | (headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})

    def get(self, path: str, **query: object) -> Answer:
        """Ask with the parameters in the address."""
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def send(self, path: str, content: bytes, field: str = "photo") -> Answer:
        """Send a file as HMA's clients do: a multipart field named by the content type."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

    def until(self, wanted: bool, path: str, **query: object) -> float:
        """Ask until there is a match, or none; return how many seconds that took."""
        begun = time.monotonic()
        while bool(self.get(path, **query).json["matches"]) is not wanted:
            assert time.monotonic() - begun < 10
            time.sleep(0.02)
        return time.monotonic() - begun


@contextlib.contextmanager
def serving(home: Path, *, token: str | None = None, limits: Limits | None = None) -> Iterator[Client]:
    """Give a client of a server on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener, open_look_up(home) as look_up:
        app = make_app(look_up, token=token, limits=limits)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Client(listener.getsockname()[1], look_up, token)
        finally:
            server.should_exit = True
            thread.join()
