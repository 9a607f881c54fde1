"""Running the look-up's server until it is told to end."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from antiphon.errors import ConfigError
from antiphon.node.lookup import open_look_up
from antiphon.node.signals import load_reader
from antiphon.web.app import make_app
from antiphon.web.guard import Limits, is_loopback

__all__ = ["MIN_TOKEN_CHARACTERS", "serve_look_up"]

MIN_TOKEN_CHARACTERS = 20
KEEP_ALIVE_S = 65
MAX_CONNECTIONS = 1_000
END_S = 10


def serve_look_up(
    home: Path, register: Path | str | None = None, *, host: str = "127.0.0.1", port: int = 5000,
    token: str | None = None, limits: Limits | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:  # fmt: skip
    """Answer look-ups until the process is interrupted.

    Args:
        home: The node's folder.
        register: Its register, where that is not in the folder; see `Settings.register`.
        host: The address to listen on; any but this machine's own needs a token.
        port: The port; 0 for any that is free.
        token: What each request must carry.
        limits: How much one request may take.
        ready: Told the server's address, once it listens.

    Raises:
        ConfigError: another machine could ask without a token, the token is short, or the port is taken.
    """
    _require_safe(host, token)
    with ExitStack() as stack:
        listener = stack.enter_context(_listening(host, port))
        look_up = stack.enter_context(open_look_up(home, register))
        look_up.warm()  # before anybody waits for it
        load_reader()
        config = uvicorn.Config(
            make_app(look_up, token=token, limits=limits), log_level="warning", access_log=False, server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S, limit_concurrency=MAX_CONNECTIONS, timeout_graceful_shutdown=END_S,
            ws="none", proxy_headers=False,
        )  # fmt: skip
        bound = listener.getsockname()[1]
        stack.enter_context(_nothing_old_collected())
        ready(f"http://{f'[{host}]' if ':' in host else host}:{bound}")
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _nothing_old_collected() -> Iterator[None]:
    """Let the collector pass over what is there: looking through modules and kernels held the loop for up to 228 ms."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _require_safe(host: str, token: str | None) -> None:
    if token is None and not is_loopback(host):
        raise ConfigError(f"anybody who reaches {host} could ask", where="--host", do="Set a token, see --token-file.")
    if token is not None and len(token) < MIN_TOKEN_CHARACTERS:
        raise ConfigError(
            f"the token has {len(token)} characters, expected {MIN_TOKEN_CHARACTERS} or more", where="token",
            do='Make one: python -c "import secrets; print(secrets.token_urlsafe(32))".',
        )  # fmt: skip


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; what connects waits in it until the look-up is open."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, number)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1_024)
        except OSError:
            listener.close()
            raise
    except OSError as fault:
        raise ConfigError(
            f"it can't listen there: {fault.strerror or fault}", where=f"{host}:{port}", do="Choose another --port."
        ) from fault
    return listener
