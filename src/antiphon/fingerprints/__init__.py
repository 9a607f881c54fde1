"""Fingerprints: MATERIALS to SIGNALS, one module a signal type."""

from antiphon.fingerprints.interface import Signal, SignalType
from antiphon.fingerprints.pdq import Pdq
from antiphon.fingerprints.sha256 import Sha256
from antiphon.fingerprints.stage import FingerprintMaterials, fingerprint_text
from antiphon.fingerprints.text_exact import TextExact
from antiphon.fingerprints.text_near import TextNear

__all__ = [
    "FingerprintMaterials",
    "Pdq",
    "Sha256",
    "Signal",
    "SignalType",
    "TextExact",
    "TextNear",
    "fingerprint_text",
]
