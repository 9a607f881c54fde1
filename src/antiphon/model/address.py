"""Addresses: the canonical form by which the same page is known under its many spellings."""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import idna

if TYPE_CHECKING:
    from tldextract import TLDExtract

__all__ = ["address_digest", "canonical_url", "comparable_url", "host_of", "registrable_domain", "site"]

_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|igsh|mc_[ce]id|_hs\w+|vero_\w+|ref_src|ref_url|si)$",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 8_192
_HTTP = re.compile(r"https?:[/\\]*", re.IGNORECASE)
_BARE = re.compile(
    r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]+\.?(?::\d+)?(?:[/?#]|$)"
)  # www.gazette.example/a, by its last label
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+", re.IGNORECASE)
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH = re.compile(rb"%[0-9A-F]{2}|[A-Za-z0-9._~!$&'()*+,;=:@/-]+|(.)", re.DOTALL)
_QUERY = re.compile(rb"%[0-9A-F]{2}|[A-Za-z0-9._~!$&'()*+,;=:@/?-]+|(.)", re.DOTALL)


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


@lru_cache(maxsize=16_384)
def comparable_url(url: str) -> str | None:
    r"""Return the form of an address by which it is compared, None for what is not the address of a web page.

    It goes further than `canonical_url`, on which ids rest and which therefore stays as it is: percent-encoding has one
    form, dot segments are resolved, a host is written in ASCII and an IP address in its usual form. Stable: given
    back, it stays as it is. The order of a query's parts is kept, since a server may read meaning from it. A fragment
    goes, unless it is the address of a page inside a page (it begins with `!`, `/`, `@` or `?`). An address without
    scheme is read where it looks like one (`www.gazette.example/a`). Nothing is looked up: a shortened address is the
    shortener's.

    Source:
        RFC 3986 sections 5.2.4 and 6.2.2; UTS 46 for hosts; WHATWG URL Standard for numbers as IPv4 addresses,
        backslashes, and tabs and newlines inside.

    Example:
        >>> comparable_url("HTTP://B\xfccher.Example.:80/a/./b/../%7Euser?q=%c3%bc&utm_source=x")
        'https://xn--bcher-kva.example/a/~user?q=%C3%BC'
        >>> comparable_url("javascript:alert(1)")
    """
    split = _split(url)
    if split is None:
        return None
    host, port, parts = split
    authority = host if port in (None, 80, 443) else f"{host}:{port}"
    path = _without_dots(_escaped(parts.path, _PATH)).rstrip("/")
    kept = (p for p in parts.query.split("&") if p and not _TRACKING.match(unquote(p.partition("=")[0])))
    query = "&".join(_escaped(part, _QUERY) for part in kept)
    fragment = _escaped(parts.fragment, _QUERY) if parts.fragment.startswith(("!", "/", "@", "?")) else ""
    return urlunsplit(SplitResult("https", authority, path, query, fragment))


def host_of(url: str) -> str | None:
    """Return the host of a comparable address, None where `comparable_url` knows none.

    Example:
        >>> host_of("//News.Example/a")
        'news.example'
    """
    parts = _split(url)
    return parts[0] if parts else None


def _split(url: str) -> tuple[str, int | None, SplitResult] | None:
    """The host in its one form, the port, and the parts of an address; None where it is none."""
    text = re.sub(r"[\t\r\n]", "", url.strip())
    if not text or len(text) > _LONGEST or re.search(r"[\x00-\x20]", text):
        return None
    scheme = _HTTP.match(text)
    if scheme:
        text = text[scheme.end() :]
    elif text.startswith("//"):
        text = text.lstrip("/")
    elif not _BARE.match(text):
        return None
    head = re.match(r"[^?#]*", text)
    slashed = head[0].replace("\\", "/") + text[head.end() :] if head else text
    try:
        parts = urlsplit(f"https://{slashed}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:  # a port or bracket out of place; IDNA's errors are ValueErrors too
        return None
    return (host, port, parts) if host else None


def _host(host: str) -> str:
    """A host in ASCII, an IP address in its usual form, or nothing.

    Raises:
        ValueError: It is none.
    """
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host.partition('%')[0]).compressed}]"
    name = unquote(host)
    if not name.isascii():
        name = idna.uts46_remap(name, std3_rules=False)
        name = ".".join(label if label.isascii() else _a_label(label) for label in name.split("."))
    name = name.lower().removesuffix(".")
    if not re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", name):
        raise ValueError
    labels = name.split(".")
    return _ipv4(labels) if _NUMBER.fullmatch(labels[-1]) else name


def _a_label(label: str) -> str:
    """A label in ASCII; what IDNA 2008 leaves out (emoji) is encoded all the same, as browsers do."""
    return "xn--" + label.encode("punycode").decode("ascii")


def _ipv4(labels: list[str]) -> str:
    """The usual form of an IPv4 address that may be written in one to four numbers, each decimal, octal or hex."""
    numbers = [_number(label) for label in labels]
    last_bytes = 5 - len(numbers)
    if last_bytes < 1 or any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256**last_bytes:
        raise ValueError
    value = sum(number << (8 * (3 - place)) for place, number in enumerate(numbers[:-1])) + numbers[-1]
    return str(ipaddress.IPv4Address(value))


def _number(label: str) -> int:
    if label.lower().startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if len(label) > 1 and label.startswith("0") else int(label)


def _escaped(part: str, allowed: re.Pattern[bytes]) -> str:
    """Percent-encoding in one form: capitals, nothing encoded that needs none, everything else encoded."""

    def plain(match: re.Match[str]) -> str:
        byte = int(match[1], 16)
        return chr(byte) if byte in _UNRESERVED else match[0].upper()

    content = _ESCAPED.sub(plain, part).encode("utf-8", "replace")
    return allowed.sub(lambda m: b"%%%02X" % ord(m[1]) if m[1] else m[0], content).decode("ascii")


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4: `.` is where one is, `..` one up."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "".join(f"/{segment}" for segment in kept)


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


def address_digest(text: str) -> bytes:
    """Return the value by which the comparable form of an address, or its domain, stands in banks: BLAKE2b-128."""
    return blake2b(text.encode(), digest_size=16).digest()


@cache
def _suffixes() -> TLDExtract:
    """The public suffix list that comes with the package; it is never fetched, and loaded when it is first needed."""
    import tldextract

    return tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True
    )
