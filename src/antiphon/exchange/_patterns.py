"""STIX patterns that name a thing, and no more: hashes of a file, an address, a domain.

What a pattern may say beyond that (paths, sizes, sequences, negation) is no signal of a bank and is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from antiphon.exchange._lossless import UnfitError

__all__ = ["Comparison", "comparisons", "pattern_of"]

_OBJECT = (
    r"(?:file:hashes\.(?:'(?P<quoted>[^'\\]{1,40})'|(?P<plain>[A-Za-z0-9_-]{1,40}))|(?P<named>url|domain-name):value)"
)
_COMPARISON = re.compile(rf"\s*{_OBJECT}\s*=\s*'(?P<text>(?:[^'\\]|\\.)*)'\s*", re.DOTALL)
_JOINT = re.compile(r"(AND|OR)\b")
_KINDS = {"md5": "md5", "sha256": "sha256", "pdq": "pdq", "url": "url", "domainname": "url_domain"}
_HASH_NAMES = {"md5": "MD5", "sha256": "'SHA-256'", "pdq": "PDQ"}
_OBJECT_NAMES = {"url": "url:value", "url_domain": "domain-name:value"}
_BEYOND = "its pattern says more than that a file has a hash, or an address a value"


class Comparison(NamedTuple):
    """One thing that a pattern names: the signal type, None where there is none for it, and the text of the value."""

    signal_type: str | None
    text: str


def comparisons(pattern: str) -> list[Comparison]:
    """Return what a pattern names, any one of which makes it match.

    Hashes joined by AND are of one file, so each of them names it too.

    Raises:
        UnfitError: it says more than that.
    """
    found: list[Comparison] = []
    at, joint = 0, "OR"
    while True:
        at, inside = _observation(pattern, at, found)
        if inside and any(one.signal_type in _OBJECT_NAMES for one in found[-inside:]):
            raise UnfitError(_BEYOND)
        at = _spaces(pattern, at)
        if at == len(pattern):
            return found
        joined = _JOINT.match(pattern, at)
        joint = joined[1] if joined else ""
        if joint != "OR":
            raise UnfitError(_BEYOND)
        at = _spaces(pattern, at + 2)


def _observation(pattern: str, at: int, found: list[Comparison]) -> tuple[int, int]:
    """Read `[...]`; return where it ends, and how many things it joins by AND, 0 where it joins by OR alone."""
    at = _spaces(pattern, at)
    if pattern[at : at + 1] != "[":
        raise UnfitError(_BEYOND)
    before, all_of = len(found), False
    at += 1
    while (one := _COMPARISON.match(pattern, at)) is not None:
        name = (one["quoted"] or one["plain"] or one["named"]).lower().replace("-", "").replace("_", "")
        found.append(Comparison(_KINDS.get(name), re.sub(r"\\(.)", r"\1", one["text"], flags=re.DOTALL)))
        at = one.end()
        if pattern[at : at + 1] == "]":
            return at + 1, len(found) - before if all_of else 0
        joint = _JOINT.match(pattern, at)
        if joint is None:
            break
        all_of, at = all_of or joint[1] == "AND", joint.end()
    raise UnfitError(_BEYOND)


def _spaces(pattern: str, at: int) -> int:
    while pattern[at : at + 1].isspace():
        at += 1
    return at


def pattern_of(signal_type: str, text: str) -> str | None:
    """Return the pattern for a value, None where no STIX object has such a value.

    Example:
        >>> pattern_of("md5", "00ff")
        "[file:hashes.MD5 = '00ff']"
    """
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    if signal_type in _HASH_NAMES:
        return f"[file:hashes.{_HASH_NAMES[signal_type]} = '{quoted}']"
    return f"[{_OBJECT_NAMES[signal_type]} = '{quoted}']" if signal_type in _OBJECT_NAMES else None
