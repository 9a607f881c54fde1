"""Fingerprints: MATERIALS to SIGNALS, one module a signal type."""

from antiphon.fingerprints.interface import Signal, SignalType
from antiphon.fingerprints.md5 import Md5
from antiphon.fingerprints.pdq import Pdq
from antiphon.fingerprints.sha256 import Sha256
from antiphon.fingerprints.stage import FingerprintMaterials, fingerprint_text
from antiphon.fingerprints.text_exact import TextExact
from antiphon.fingerprints.text_near import TextNear
from antiphon.fingerprints.url import Url, UrlDomain
from antiphon.fingerprints.vpdq import Vpdq

__all__ = [
    "FingerprintMaterials",
    "Md5",
    "Pdq",
    "Sha256",
    "Signal",
    "SignalType",
    "TextExact",
    "TextNear",
    "Url",
    "UrlDomain",
    "Vpdq",
    "fingerprint_text",
]
