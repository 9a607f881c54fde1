"""Web addresses and domains as entries: what lists write in the clear, banks hold as a digest.

The digests are those of the signal types `url` and `url_domain` in `antiphon.fingerprints`; a test holds the two
together, because no room imports another.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import tldextract

from antiphon.model.address import comparable_url, host_of

__all__ = ["ADDRESS_TYPES", "address_value"]

ADDRESS_TYPES = ("url", "url_domain")


def address_value(signal_type: str, address: str) -> bytes | None:
    """Return the value of an address or a domain, None where it has none.

    A host below a registered domain has none: materials are compared by the domain alone, so it would never match.
    """
    try:
        text = comparable_url(address) if signal_type == "url" else _registered(address)
        return blake2b(text.encode(), digest_size=16).digest() if text else None
    except ValueError:
        return None


def _registered(domain: str) -> str | None:
    name = domain.strip().strip(".").lower()
    host = host_of(f"https://{name}/") if name and "/" not in name else None
    if host is None or host.startswith("[") or host.replace(".", "").isdigit():
        return None
    found = _suffixes().extract_str(host)
    if found.suffix:
        return host if host == f"{found.domain}.{found.suffix}" else None
    return host if host.count(".") == 1 else None


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True
    )
