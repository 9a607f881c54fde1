"""The look-up over HTTP: HMA's paths and answers, and `/m/explain` for what HMA has no word for.

Only hits of known material are matches. What was decided to be no case, what such an entry holds back, and what a list
on trial finds are none, and `/m/explain` says so with its reason. Nothing here fetches an address or changes a bank.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from antiphon.errors import InputError, MissingError, SafeguardError
from antiphon.node.index_state import IndexState, index_state
from antiphon.node.lookup import Hit, LookUp
from antiphon.web.compare import compared, pairs_of
from antiphon.web.errors import BadRequestError
from antiphon.web.explain import explained
from antiphon.web.guard import Guard, Limits
from antiphon.web.indexes import built, built_from
from antiphon.web.lanes import Lanes
from antiphon.web.signals import CONTENT_TYPES, OF_WORDS, TYPES, WORDS, hashes_of, query_of, spelled
from antiphon.web.upload import Upload, uploaded

__all__ = ["Limits", "make_app"]

MAX_JSON_BYTES = 2 * 2**20
MAX_TOP = 10_000
FILES = 8
"""How many files are in memory at once; the others wait on their connections."""


def make_app(look_up: LookUp, *, token: str | None = None, limits: Limits | None = None) -> ASGIApp:
    """Return the ASGI application over a look-up that is open; it follows the register while it runs.

    Args:
        look_up: What is asked.
        token: What each request must carry; None where only this machine can reach the server.
        limits: How much one request may take.
    """
    lanes = Lanes(look_up)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with lanes:
            yield

    return Guard(Router(_Answers(lanes).routes(), lifespan=lifespan), limits or Limits(), token)


class _Answers:
    """One method a path."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._files = asyncio.Semaphore(FILES)
        self._state: IndexState | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/", _home),
            Route("/status", self.status),
            Route("/status/live", _works),
            Route("/readyz", self.status),
            Route("/livez", _alive),
            Route("/site-map", self.site_map),
            Route("/h/hash", self.hash_url, methods=["GET"]),
            Route("/h/hash", self.hash_file, methods=["POST"]),
            Route("/m/raw_lookup", self.raw_lookup),
            Route("/m/lookup", self.lookup, methods=["GET"]),
            Route("/m/lookup", self.lookup_file, methods=["POST"]),
            Route("/m/lookup_threshold", self.lookup_threshold),
            Route("/m/lookup_topk", self.lookup_topk),
            Route("/m/compare", _compare, methods=["POST"]),
            Route("/m/index/status", self.index_status),
            Route("/m/explain", self.explain, methods=["GET"]),
            Route("/m/explain", self.explain_sent, methods=["POST"]),
            Route("/c/banks", self.banks),
            Route("/c/bank/{name}", self.bank),
            Route("/c/bank/{name}/content/{number}", self.content),
            Route("/c/exchanges", _exchanges),
            Route("/c/signal_type", _signal_types),
            Route("/c/signal_type/index", self.signal_type_index),
            Route("/c/content_type", _content_types),
        ]

    # --- whether it works

    async def status(self, _: Request) -> Response:
        """Say that the server works, or that it knows nothing new, in HMA's words."""
        return PlainTextResponse("INDEX-STALE", 503) if self._lanes.is_stale else PlainTextResponse("I-AM-ALIVE")

    async def site_map(self, _: Request) -> Response:
        """Return all paths."""
        return _json(sorted({route.path for route in self.routes()}))

    async def index_status(self, request: Request) -> Response:
        """Return how many entries each signal type has, and from when the last change is that counts."""
        return _json(built(await self._indexes(), request.query_params.get("signal_type")))

    async def signal_type_index(self, request: Request) -> Response:
        """Return the same in the words in which HMA's curators ask for it."""
        return _json(built_from(await self._indexes(), request.query_params.get("signal_type")))

    async def _indexes(self) -> IndexState:
        self._state = await asyncio.to_thread(index_state, self._lanes.look_up, self._state)
        return self._state

    # --- hashing

    async def hash_url(self, request: Request) -> Response:
        """Say why no address is fetched."""
        _require_no_address(request)
        raise BadRequestError("there is no file", where="/h/hash", do="Send it with POST.")

    async def hash_file(self, request: Request) -> Response:
        """Return the signals of a file."""
        async with self._files:
            upload = await _sent_file(request)
            signals = await self._lanes.fingerprints(upload.content, CONTENT_TYPES[upload.content_type])
        return _json(_hashes(signals, upload, request.query_params.get("types")))

    # --- matching

    async def raw_lookup(self, request: Request) -> Response:
        """Return the numbers of the entries that a signal matches, with their distances where asked for."""
        matches = _matches(await self._asked(request), request)
        if _truth(request, "include_distance"):
            return _json({"matches": [_with_distance(hit) for hit in matches]})
        return _json({"matches": [hit.row for hit in matches]})

    async def lookup(self, request: Request) -> Response:
        """Return the matches of a signal by bank."""
        return _json(_by_bank(_matches(await self._asked(request), request)))

    async def lookup_file(self, request: Request) -> Response:
        """Return the matches of a file by signal type and bank."""
        found = await self._of_file(request)
        return _json({name: _by_bank(_matches(hits, request)) for name, hits in found.items()})

    async def lookup_threshold(self, request: Request) -> Response:
        """Return the matches of a signal that are as near as asked for; a bank's own limit holds too."""
        limit = _number(request, "threshold", 0, 2**31)
        hits = _matches(await self._asked(request), request)
        return _json({"matches": [_with_signal(hit) for hit in hits if hit.distance <= limit]})

    async def lookup_topk(self, request: Request) -> Response:
        """Return the nearest matches of a signal."""
        most = _number(request, "k", 1, MAX_TOP)
        hits = sorted(_matches(await self._asked(request), request), key=lambda hit: (hit.distance, hit.row))
        return _json({"matches": [_with_signal(hit) for hit in hits[:most]]})

    async def explain(self, request: Request) -> Response:
        """Return every hit of a signal with what it means and why."""
        return _json({"hits": [explained(hit) for hit in await self._asked(request)]})

    async def explain_sent(self, request: Request) -> Response:
        """Return every hit of a file, or of a signal or text that is sent as JSON and so stands in no log."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            found = await self._of_file(request)
            return _json({"hits": [explained(hit) for hits in found.values() for hit in hits]})
        kind, query = query_of(*_signal(await _sent(request)))
        return _json({"hits": [explained(hit) for hit in await self._lanes.ask(kind, query)]})

    # --- banks, to look at

    async def banks(self, _: Request) -> Response:
        """Return all banks."""
        banks = await asyncio.to_thread(self._lanes.look_up.banks.banks)
        return _json([_bank(known, entries) for known, entries in banks.values()])

    async def bank(self, request: Request) -> Response:
        """Return one bank."""
        banks = await asyncio.to_thread(self._lanes.look_up.banks.banks)
        name = request.path_params["name"]
        if name not in banks:
            raise _missing_bank()
        return _json(_bank(*banks[name]))

    async def content(self, request: Request) -> Response:
        """Return what is known of the entry with a number that a look-up gave."""
        number = request.path_params["number"]
        rows = [int(number)] if number.isdecimal() and len(number) <= 18 else []
        found = await asyncio.to_thread(self._lanes.look_up.banks.store.entries_at, rows)
        entry = found.get(rows[0]) if rows else None
        if entry is None or entry.bank != request.path_params["name"]:
            raise MissingError("there is no such entry in the bank", where="content", do="Look it up again.")
        about = {"id": rows[0], "bank": {"name": entry.bank}, "enabled": entry.status == "active"}
        told = {key: getattr(entry, key) for key in ("entry_id", "status", "label", "entity", "note", "source")}
        return _json(about | told | {"signals": {entry.signal_type: spelled(entry.signal_type, entry.value)}})

    # --- inside

    async def _asked(self, request: Request) -> list[Hit]:
        """Return all hits of the signal in a request's address."""
        _require_no_address(request)
        signal, name = request.query_params.get("signal"), request.query_params.get("signal_type")
        if signal is None or name is None:
            raise BadRequestError(
                "signal and signal_type are required", where=request.url.path,
                do="Send both; a file goes to /m/lookup with POST.",
            )  # fmt: skip
        kind, query = query_of(name, signal)
        return await self._lanes.ask(kind, query)

    async def _of_file(self, request: Request) -> dict[str, list[Hit]]:
        """Return all hits of a file by HMA's names of its signals."""
        wanted = request.query_params.get("types")
        async with self._files:
            upload = await _sent_file(request)
            kind, words = CONTENT_TYPES[upload.content_type], wanted is None or WORDS in wanted.split(",")
            found = await self._lanes.file(upload.content, kind, words=words)
        if upload.content_type == "photo" and wanted is not None and words:
            wanted = ",".join(name for name in wanted.split(",") if name != WORDS)
        names = {} if wanted == "" else _hashes(found.signals, upload, wanted)
        kinds = {name: {TYPES.get(name, name)} for name in names} | ({WORDS: OF_WORDS} if found.words else {})
        return {name: [hit for hit in found.hits if hit.entry.signal_type in some] for name, some in kinds.items()}


async def _sent_file(request: Request) -> Upload:
    _require_no_address(request)
    return await uploaded(request)


def _hashes(signals: Mapping[str, bytes], upload: Upload, wanted: str | None) -> dict[str, str]:
    if not signals:
        raise InputError("nothing in the file can be compared", where="body", do="Is it empty?")
    return hashes_of(signals, upload.content_type, wanted)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("OK")


async def _works(_: Request) -> Response:
    return PlainTextResponse("I-AM-ALIVE")


async def _home(_: Request) -> Response:
    return RedirectResponse("/status", 302)


async def _compare(request: Request) -> Response:
    pairs = pairs_of(await _sent(request))
    return _json(await asyncio.to_thread(compared, pairs))


async def _exchanges(_: Request) -> Response:
    return _json([])


async def _signal_types(_: Request) -> Response:
    return _json([{"name": name, "enabled_ratio": 1.0} for name in TYPES])


async def _content_types(_: Request) -> Response:
    return _json([{"name": name, "enabled": True} for name in CONTENT_TYPES])


def _require_no_address(request: Request) -> None:
    """Refuse to fetch: a server that does tells the other side that somebody looks, and can be sent inside a network.

    Raises:
        SafeguardError: the request names an address.
    """
    if "url" in request.query_params:
        raise SafeguardError(
            "this server fetches no addresses: that would show who looks, and could be turned on a network's inside",
            where="url", do="Read the file yourself and send it with POST.",
        )  # fmt: skip


async def _sent(request: Request) -> dict[str, Any]:
    """Return the object of a JSON body, an empty one where it is none."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_JSON_BYTES:
            break
    try:
        fields = orjson.loads(body) if len(body) <= MAX_JSON_BYTES else None
    except orjson.JSONDecodeError:
        fields = None
    return fields if isinstance(fields, dict) else {}


def _signal(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return the signal type and the signal that a JSON object asks for."""
    name, signal = (
        ("raw_text", fields["text"]) if "text" in fields else (fields.get("signal_type"), fields.get("signal"))
    )
    if not isinstance(name, str) or not isinstance(signal, str):
        raise BadRequestError(
            "the body is no JSON object with signal_type and signal, or with text", where="body",
            do=f"Send one, of at most {MAX_JSON_BYTES:,} bytes.",
        )  # fmt: skip
    return name, signal


def _matches(hits: Iterable[Hit], request: Request) -> list[Hit]:
    """Return what counts as a match, of the banks that were asked for."""
    banks = request.query_params.get("banks")
    wanted = None if not banks else set(banks.split(","))
    return [hit for hit in hits if hit.effect == "known" and (wanted is None or hit.bank.name in wanted)]


def _by_bank(hits: Iterable[Hit]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for hit in hits:
        found.setdefault(hit.bank.name, []).append(_with_distance(hit))
    return found


def _with_distance(hit: Hit) -> dict[str, Any]:
    return {"bank_content_id": hit.row, "distance": str(hit.distance)}  # HMA's distances are strings


def _with_signal(hit: Hit) -> dict[str, Any]:
    return _with_distance(hit) | {"signal": spelled(hit.entry.signal_type, hit.entry.value)}


def _bank(known: Any, entries: int) -> dict[str, Any]:  # noqa: ANN401
    matched = known.enabled and not known.shadow and known.purpose == "known"
    more = {key: getattr(known, key) for key in ("purpose", "enabled", "shadow", "marking", "source", "description")}
    return {"name": known.name, "matching_enabled_ratio": float(matched), "entries": entries} | more


def _missing_bank() -> MissingError:
    return MissingError("there is no such bank", where="bank", do="/c/banks lists all.")


def _truth(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false").lower()
    if given not in {"true", "1", "false", "0"}:
        raise BadRequestError("invalid boolean parameter", where=name, do="Say true or false.")
    return given in {"true", "1"}


def _number(request: Request, name: str, least: int, most: int) -> int:
    given = request.query_params.get(name, "")
    if not given.isdecimal() or len(given) > 10 or not least <= int(given) <= most:
        raise BadRequestError(f"{name} is no number from {least} to {most}", where=name, do="Send one.")
    return int(given)


def _json(content: Mapping[str, Any] | list[Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
