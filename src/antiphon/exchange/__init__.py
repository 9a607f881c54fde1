"""Lists of known material in the forms in which others hand them on: found by the entry point `antiphon.exchanges`."""

from antiphon.exchange.interface import Exchange, Refused
from antiphon.exchange.listfile import EntryLines, EntryTable, PlainList
from antiphon.exchange.misp import Misp
from antiphon.exchange.stix import Stix
from antiphon.exchange.threatexchange import ThreatExchange

__all__ = ["EntryLines", "EntryTable", "Exchange", "Misp", "PlainList", "Refused", "Stix", "ThreatExchange"]
