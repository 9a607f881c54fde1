"""BLAKE2b-128 of an address in its comparable form, and of the domain that somebody registered.

What has no signal: anything but http and https (`javascript:`, `data:`, `mailto:`, ...), a text that is more than one
address, an address without host. An IP address has a `url` but no `url_domain`; nor has a host of one label or a public
suffix by itself. Under a suffix that the Public Suffix List does not know, the domain is the last two labels, as the
list's own algorithm has it. Hosts that lend names to others (`blogspot.com`) are suffixes here: two blogs of one host
are two domains. The list is the one that came with the installed tldextract; nothing is ever fetched, and a shortened
address is not followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, ClassVar

from antiphon.fingerprints.interface import Digest, Signal
from antiphon.fingerprints.text_exact import decode_text
from antiphon.model.address import comparable_url, host_of

if TYPE_CHECKING:
    from tldextract import TLDExtract

__all__ = ["Url", "UrlDomain", "registrable_domain", "url_signals"]


@cache
def _suffixes() -> TLDExtract:
    """The public suffix list that comes with the package; it is never fetched, and loaded when it is first needed."""
    import tldextract

    return tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True
    )


class Url(Digest):
    """Signal type: BLAKE2b-128 of one address in its comparable form; only equal values match."""

    name: str = "url"
    version: str = "1"
    content: str = "text/uri-list"
    value_bytes: int = 16
    _examples: ClassVar[tuple[str, ...]] = (
        "https://gazette.example/harbour/ferry-leaves-at-nine?utm_source=square",
        "https://überfahrt.example:8443/%7Elighthouse/../fähre",
    )

    def fingerprint(self, content: bytes) -> Signal | None:
        """Return the digest of the address, or None where the text is not one address of a web page."""
        said = self._said(decode_text(content))
        return Signal(_digest(said), None) if said else None

    def examples(self) -> Sequence[bytes]:
        """Return invented addresses."""
        return tuple(example.encode() for example in self._examples)

    def _said(self, url: str) -> str | None:
        return comparable_url(url)


class UrlDomain(Url):
    """Signal type: BLAKE2b-128 of the registrable domain of one address; of no use for the hosts of great platforms."""

    name: str = "url_domain"

    def _said(self, url: str) -> str | None:
        return registrable_domain(url)


def url_signals(url: str) -> dict[str, bytes]:
    """Return the signals of an address by their names; one or both are missing where there is nothing to compare.

    Example:
        >>> sorted(url_signals("http://www.gazette.example/a"))
        ['url', 'url_domain']
        >>> sorted(url_signals("http://192.0.2.7/a")), url_signals("data:,a")
        (['url'], {})
    """
    said = {"url": comparable_url(url), "url_domain": registrable_domain(url)}
    return {name: _digest(text) for name, text in said.items() if text}


def registrable_domain(url: str) -> str | None:
    """Return the domain of an address that somebody registered, in ASCII, or None.

    Source:
        publicsuffix.org, "Algorithm", its default rule `*` for unknown suffixes included.

    Example:
        >>> registrable_domain("https://a.b.co.uk/x"), registrable_domain("https://co.uk/")
        ('b.co.uk', None)
    """
    host = host_of(url)
    return _registered(host) if host else None


@lru_cache(maxsize=16_384)
def _registered(host: str) -> str | None:
    if host.startswith("[") or host.replace(".", "").isdigit():
        return None
    found = _suffixes().extract_str(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else None


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
