"""`/m/compare`: two hashes held against one another, with no bank in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.errors import InputError
from antiphon.node.lookup import Query
from antiphon.node.signals import compare
from antiphon.web.errors import BadRequestError
from antiphon.web.signals import query_of

__all__ = ["compared", "pairs_of"]

_HOW = 'Send a JSON object such as {"pdq": ["...", "..."]}.'


def pairs_of(fields: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the two hashes of each signal type of a request's object.

    Raises:
        BadRequestError: there is none, or what stands under a name is no list of two texts.
    """
    if not fields:
        raise BadRequestError("the body is no JSON object with hashes", where="body", do=_HOW)
    for pair in fields.values():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            raise BadRequestError("the hashes of a signal type are no list of exactly two", where="body", do=_HOW)
    return {name: (left, right) for name, (left, right) in fields.items()}


def compared(pairs: Mapping[str, tuple[str, str]]) -> dict[str, tuple[bool, dict[str, float]]]:
    """Return for each signal type whether its two hashes match, and how far they lie apart.

    Raises:
        BadRequestError: there is no such type, a hash is none of it, or a text has too few letters.
    """
    return {name: _compared(name, left, right) for name, (left, right) in pairs.items()}


def _compared(name: str, left: str, right: str) -> tuple[bool, dict[str, float]]:
    (_, one), (_, other) = query_of(name, left), query_of(name, right)
    try:
        found = compare(_signals(one), _signals(other))
    except InputError as fault:
        raise BadRequestError(f"invalid {name} hash: {fault.what}", where="body", do=fault.do) from fault
    if found is None:
        raise BadRequestError(f"a {name} has too few letters to compare", where="body", do="Compare longer texts.")
    shares = {} if found.shares is None else dict(zip(_OF_VIDEOS, found.shares, strict=True))
    return found.is_match, {"distance": found.distance, **{key: 100 * share for key, share in shares.items()}}


_OF_VIDEOS = ("query_match_percent", "compared_match_percent")


def _signals(query: Query) -> Mapping[str, bytes]:
    return query.signals if query.text is None else Query.of_text(query.text).signals
