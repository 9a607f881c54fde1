"""How far the indexes of a look-up have followed the register, for who watches over a service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from antiphon.model.bank import SIGNAL_BYTES
from antiphon.node.lookup import LookUp

__all__ = ["IndexState", "index_state"]


class IndexState(NamedTuple):
    """What a look-up knows.

    Attributes:
        seq: Up to which number of the register's log.
        changed_at: When that change was made; None where nothing was done yet.
        entries: Signal type → how many active entries there are.
    """

    seq: int
    changed_at: datetime | None
    entries: Mapping[str, int]


def index_state(look_up: LookUp, known: IndexState | None = None) -> IndexState:
    """Return the state of a look-up after it has followed the register.

    Args:
        look_up: The look-up.
        known: An earlier state of it, which is still right where nothing was done since: counting reads every entry.
    """
    seq = look_up.follow()
    if known is not None and known.seq == seq:
        return known
    store, entries = look_up.banks.store, Counter[str]()
    last = store.changes_since(seq - 1, limit=1) if seq else []
    for kind, status, number, *_ in store.stamp(tuple(SIGNAL_BYTES)):
        if status == "active":
            entries[str(kind)] += int(str(number))
    return IndexState(seq, last[-1].at if last else None, entries)
