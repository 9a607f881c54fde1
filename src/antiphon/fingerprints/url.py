"""BLAKE2b-128 of an address in its comparable form, and of the domain that somebody registered.

What has no signal: anything but http and https (`javascript:`, `data:`, `mailto:`, ...), a text that is more than one
address, an address without host. An IP address has a `url` but no `url_domain`; nor has a host of one label or a public
suffix by itself. Under a suffix that the Public Suffix List does not know, the domain is the last two labels, as the
list's own algorithm has it. Hosts that lend names to others (`blogspot.com`) are suffixes here: two blogs of one host
are two domains. The list is the one that came with the installed tldextract; nothing is ever fetched, and a shortened
address is not followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from antiphon.fingerprints.interface import Digest, Signal
from antiphon.fingerprints.text_exact import decode_text
from antiphon.model.address import address_digest, comparable_url, registrable_domain

__all__ = ["Url", "UrlDomain", "url_signals"]


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
        return Signal(address_digest(said), None) if said else None

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
    return {name: address_digest(text) for name, text in said.items() if text}
