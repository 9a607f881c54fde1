"""Web addresses and domains as entries: what lists write in the clear, banks hold as a digest."""

from __future__ import annotations

from antiphon.model.address import address_digest, comparable_url, host_of, registrable_domain

__all__ = ["ADDRESS_TYPES", "address_value"]

ADDRESS_TYPES = ("url", "url_domain")


def address_value(signal_type: str, address: str) -> bytes | None:
    """Return the value of an address or a domain, None where it has none.

    A host below a registered domain has none: materials are compared by the domain alone, so it would never match.
    """
    try:
        text = comparable_url(address) if signal_type == "url" else _registered(address)
        return address_digest(text) if text else None
    except ValueError:
        return None


def _registered(domain: str) -> str | None:
    name = domain.strip().strip(".").lower()
    host = host_of(f"https://{name}/") if name and "/" not in name else None
    return host if host and registrable_domain(f"https://{name}/") == host else None
