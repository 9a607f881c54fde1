"""Who signed a WACZ, and whether that holds: signature, certificate of the site, chain to a public authority."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from antiphon.model.material import Passed, Skipped

__all__ = ["check_signature"]

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def check_signature(signed: Mapping[str, Any]) -> Passed | Skipped:
    """Return what to say of the signature over a table of contents, as the WACZ authenticity draft has it.

    The certificate is held against the time at which the signer says it was made; the time stamp over that is not
    checked. A signature by a bare key names no one, and is only noted.

    Args:
        signed: `signedData` of `datapackage-digest.json`.

    Source:
        WACZ Signing and Verification, section 4 (domain-name identity and timestamp).
    """
    if not signed.get("domainCert"):
        return Passed("signature by a key without a name, not checked")
    try:
        chain = x509.load_pem_x509_certificates(str(signed["domainCert"]).encode("ascii"))
        signature = base64.b64decode(str(signed["signature"]), validate=True)
        made = datetime.fromisoformat(str(signed["created"])).astimezone(UTC)
        words = str(signed["hash"]).encode("ascii")
    except (KeyError, ValueError, binascii.Error):
        return Skipped("signature-broken", "the signature can't be read: nothing says who made this collection")
    if not _holds(chain[0], signature, words):
        return Skipped("signature-broken", "the signature is not over this table of contents: altered, or not theirs")
    if not _trusted(chain, str(signed.get("domain") or ""), made):
        why = "the signer's certificate leads to no known authority, was not valid then, or is for another site"
        return Skipped("signature-untrusted", f"{why}: ask who made this collection")
    return Passed("signature")


def _holds(leaf: x509.Certificate, signature: bytes, words: bytes) -> bool:
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, words, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _trusted(chain: Sequence[x509.Certificate], domain: str, made: datetime) -> bool:
    """Return whether the chain held for the site at a time, by the authorities that browsers trust."""
    try:
        verifier = PolicyBuilder().store(_authorities()).time(made).build_server_verifier(x509.DNSName(domain))
        verifier.verify(chain[0], list(chain[1:]))
    except (VerificationError, ValueError, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(maxsize=1)
def _authorities() -> Store:
    """Return the public authorities; one that is odd by today's rules costs itself, not the others."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for block in _PEM.findall(Path(certifi.where()).read_bytes()):
            with suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return Store(found)
