"""`/m/index/status` and `/c/signal_type/index`: what the look-up knows, by HMA's names of signal types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from antiphon.node.index_state import IndexState
from antiphon.web.errors import BadRequestError
from antiphon.web.signals import OF_WORDS, TYPES, WORDS

__all__ = ["built", "built_from"]

_NEVER = -1


def built(state: IndexState, name: str | None) -> dict[str, dict[str, Any]]:
    """Return for one signal type, or for all, what `/m/index/status` tells of it.

    Raises:
        BadRequestError: there is no such signal type.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in _named(name):
        size = _entries(state, one)
        found[one] = {"present": size > 0, "built_to": _built_to(state) if size else _NEVER, "size": size}
    return found


def built_from(state: IndexState, name: str | None) -> dict[str, dict[str, Any]]:
    """Return for one signal type, or for all, what `/c/signal_type/index` tells of it; it follows before it answers.

    Raises:
        BadRequestError: there is no such signal type.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in _named(name):
        size, at = _entries(state, one), _built_to(state)
        found[one] = {
            "db_size": size, "index_size": size, "index_out_of_date": False, "newest_db_item": at, "index_built_to": at,
        }  # fmt: skip
    return found


def _named(name: str | None) -> Iterable[str]:
    if name is None:
        return TYPES
    if name not in TYPES:
        raise BadRequestError(
            f"No such signal type {name[:40]!r}", where="signal_type", do="Use one of: " + ", ".join(TYPES) + "."
        )
    return [name]


def _entries(state: IndexState, name: str) -> int:
    kinds = OF_WORDS if name == WORDS else {TYPES[name]}
    return sum(state.entries.get(kind, 0) for kind in kinds)


def _built_to(state: IndexState) -> int:
    return _NEVER if state.changed_at is None else int(state.changed_at.timestamp())
