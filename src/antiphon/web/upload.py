"""The file in a request: kept in memory alone, read once and forgotten."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from antiphon.web.errors import BadRequestError
from antiphon.web.signals import CONTENT_TYPES

__all__ = ["Upload", "uploaded"]

_HOW = "Send one file as multipart/form-data in a field named `photo` or `video`."


class Upload(NamedTuple):
    """A file, and whether HMA calls it a `photo` or a `video`."""

    content: bytes
    content_type: str


class _InMemory(MultiPartParser):
    """Writes no part to disk: nothing of a material stays where nobody looks after it."""

    spool_max_size = 2**40


async def uploaded(request: Request) -> Upload:
    """Return the file of a request.

    Raises:
        BadRequestError: there is not exactly one, or its field is no content type.
        TooLargeError: it is too large.
        SlowError: it does not arrive.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadRequestError("Missing multipart/form-data file upload", where="body", do=_HOW)
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError) as fault:
        raise BadRequestError("the form can't be read, or has more than one file", where="body", do=_HOW) from fault
    try:
        found = [(name, part) for name, part in form.multi_items() if isinstance(part, UploadFile)]
        if len(found) != 1:
            raise BadRequestError("Missing multipart/form-data file upload", where="body", do=_HOW)
        name, part = found[0]
        if name not in CONTENT_TYPES:
            raise BadRequestError(f"no such content_type: {name[:40]!r}", where="body", do=_HOW)
        return Upload(await part.read(), name)
    finally:
        await form.close()
