"""Matching: SIGNALS and bank files to MATCHES."""

from antiphon.matching.bank import Bank, read_bank
from antiphon.matching.stage import MatchSignals

__all__ = ["Bank", "MatchSignals", "read_bank"]
