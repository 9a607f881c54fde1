"""Plug-ins: found by entry point, held to their interface, named when they fail."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from antiphon.errors import ConfigError, MissingError

__all__ = ["load", "load_named"]


@lru_cache(maxsize=8)
def load(group: str, interface: type) -> dict[str, Any]:
    """Return the plug-ins of a group by name, each an instance that has the interface.

    Args:
        group: The entry-point group, such as `antiphon.sources`.
        interface: A runtime-checkable protocol.

    Raises:
        ConfigError: a plug-in can't be imported, or is not what the group promises.
    """
    return {point.name: _instance(point, interface) for point in sorted(entry_points(group=group), key=_by_name)}


@lru_cache(maxsize=64)
def load_named(group: str, name: str, interface: type) -> Any:  # noqa: ANN401 - an instance of the interface
    """Return one plug-in of a group, without importing the others.

    Raises:
        MissingError: there is none of that name.
        ConfigError: it can't be imported, or is not what the group promises.
    """
    found = list(entry_points(group=group, name=name))
    if not found:
        raise MissingError(f"there is no plug-in {name!r} in {group}", do="`antiphon doctor` lists all plug-ins.")
    return _instance(found[0], interface)


def _by_name(point: EntryPoint) -> str:
    return point.name


def _instance(point: EntryPoint, interface: type) -> object:
    try:
        made = point.load()()
    except Exception as fault:  # a plug-in may raise anything; this is one of the three doors that catch it
        raise ConfigError(
            f"it can't be loaded: {type(fault).__name__}: {fault}",
            where=f"plug-in {point.name} ({point.value})",
            do="Install it again, or remove it; `antiphon doctor` lists all plug-ins.",
        ) from fault
    if not isinstance(made, interface):
        raise ConfigError(
            f"it has not all that a {interface.__name__} has",
            where=f"plug-in {point.name} ({point.value})",
            do=f"See {interface.__module__}.{interface.__name__} for what is expected.",
        )
    return made
