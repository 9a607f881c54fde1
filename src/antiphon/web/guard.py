"""What stands before every request: who may ask, how much and how long; and behind it, that nothing leaks.

Written as plain ASGI, so that it holds for whatever is routed behind it.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.errors import AntiphonError, MissingError
from antiphon.web.errors import (
    BadRequestError,
    BusyError,
    SlowError,
    TokenError,
    TooLargeError,
    WrongHostError,
    error_response,
)

__all__ = ["OPEN_PATHS", "Guard", "Limits", "is_loopback"]

OPEN_PATHS = frozenset({"/status", "/livez", "/readyz"})
"""What needs no token: it says only whether the server works, for those who watch it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How much one request may take.

    Attributes:
        body_bytes: The largest body.
        body_s: How long a body may take to arrive.
        answer_s: How long an answer may take in all.
    """

    body_bytes: int = 64 * 2**20
    body_s: float = 30.0
    answer_s: float = 60.0


class Guard:
    """Lets a request through or answers it with what is wrong.

    Args:
        app: What is behind.
        limits: How much one request may take.
        token: What a request must carry; None where only this machine can reach the server.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None = None) -> None:
        self._app, self._limits = app, limits
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, scope["app"] = False, self  # with an app the router raises what it can't route, and does not answer it

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            self._require_leave(scope)
            async with asyncio.timeout(self._limits.answer_s):
                await self._app(scope, self._limited(receive), sending)
        except HTTPException as fault:
            await error_response(_no_such_page(fault, scope["method"]), fault.status_code)(scope, receive, send)
        except Exception as fault:  # one of the three doors: an answer never holds a traceback
            if begun:
                raise
            await error_response(_told(fault))(scope, receive, send)

    def _require_leave(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:18]) > self._limits.body_bytes:
            raise self._too_large()
        if self._token is None:
            _require_own_host(headers.get("host", ""))
        elif scope["path"] not in OPEN_PATHS:
            given = headers.get("authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, b"Bearer " + self._token):
                raise TokenError("the token is missing or wrong", do="Send it as `Authorization: Bearer TOKEN`.")

    def _limited(self, receive: Receive) -> Receive:
        """Return what receives a body, and stops where it is too large or too slow."""
        read, ended = 0, False

        async def limited() -> Message:
            nonlocal read, ended
            if ended:
                return await receive()  # waits for the end of the connection, which has no limit
            try:
                async with asyncio.timeout(self._limits.body_s):
                    message = await receive()
            except TimeoutError:
                raise SlowError(
                    f"the body did not go on for {self._limits.body_s:g} s", do="Send it again, without a pause."
                ) from None
            read += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if read > self._limits.body_bytes:
                raise self._too_large()
            return message

        return limited

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"the body has more than {self._limits.body_bytes:,} bytes",
            do="Send the file's hash instead, or let the server take more with --max-mib.",
        )


def is_loopback(host: str) -> bool:
    """Return whether an address reaches this machine alone.

    Example:
        >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "198.51.100.7")]
        [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_own_host(host: str) -> None:
    """Refuse a name that merely leads here: a web page could read the answers through one (DNS rebinding)."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    if not is_loopback(name.lower()):
        raise WrongHostError(
            "the request names another host", where="Host", do="Ask 127.0.0.1 or localhost, or serve with a token."
        )


def _no_such_page(fault: HTTPException, method: str) -> AntiphonError:
    if fault.status_code == 405:
        do = "Look things up with GET; banks are changed by people, with `antiphon bank`."
        return BadRequestError("this is not done here", where=method, do=do)
    return MissingError("there is no such path", where="path", do="/site-map lists all.")


def _told(fault: Exception) -> AntiphonError:
    if isinstance(fault, AntiphonError):
        return fault
    if isinstance(fault, TimeoutError):
        return BusyError("the answer took too long", do="Try again later.")
    _log.error("a fault of the program: %s", type(fault).__name__, exc_info=fault)
    return AntiphonError("a fault of the program", do="Please report it; the server's log says where it was.")
