"""Addresses: the canonical form by which the same page is known under its many spellings."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["canonical_url", "site"]

_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|igsh|mc_[ce]id|_hs\w+|vero_\w+|ref_src|ref_url|si)$",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=16_384)
def canonical_url(url: str) -> str:
    """Return the address without what does not tell pages apart; an address that can't be read comes back as it is.

    Scheme and host in lower case, `https` for `http`, no default port, no fragment, no tracking parameters, no lone
    slash at the end.

    Source:
        RFC 3986 section 6.2 (normalisation and comparison).

    Example:
        >>> canonical_url("HTTP://News.Example:80/a/?utm_source=x&id=7#top")
        'https://news.example/a?id=7'
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        return url.strip()
    host = parts.hostname if port in (None, 80, 443) else f"{parts.hostname}:{port}"
    query = "&".join(p for p in parts.query.split("&") if p and not _TRACKING.match(p.partition("=")[0]))
    return urlunsplit(SplitResult("https", host, parts.path.rstrip("/"), query, ""))


@lru_cache(maxsize=16_384)
def site(url: str | None) -> str | None:
    """Return the host of an address, without `www.`, or None where it has none.

    Example:
        >>> site("https://www.harbour-gazette.example/a")
        'harbour-gazette.example'
    """
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None
