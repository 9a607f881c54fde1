"""What a request can do wrong, each with its HTTP status, and errors as JSON.

HMA's clients read `message`; `what`, `where` and `do` are the same in three parts.
"""

from __future__ import annotations

import orjson
from starlette.responses import Response

from antiphon.errors import AntiphonError, InputError

__all__ = [
    "BadRequestError",
    "BusyError",
    "SlowError",
    "TokenError",
    "TooLargeError",
    "WrongHostError",
    "error_response",
]


class BadRequestError(InputError):
    """A parameter is missing, or is not what it should be."""

    http_status = 400


class TokenError(InputError):
    """The request has no token, or not the right one."""

    http_status = 401


class SlowError(InputError):
    """The request did not arrive in time."""

    http_status = 408


class TooLargeError(InputError):
    """The body is larger than the server takes."""

    http_status = 413


class WrongHostError(InputError):
    """The request was meant for another host: a web page may be behind it."""

    http_status = 421


class BusyError(AntiphonError):
    """There is more to do than can be done in time; try again."""

    http_status = 503


def error_response(error: AntiphonError, status: int | None = None) -> Response:
    """Return an error as JSON with its status."""
    body = {"message": f"{error.what}. {error.do}", "what": error.what, "where": error.where, "do": error.do}
    status = status or error.http_status
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "1"} if status == 503 else None
    return Response(orjson.dumps(body), status, headers, "application/json")
