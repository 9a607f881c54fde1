"""Antiphon: from public material to a joint, recorded and lawful answer."""

__version__ = "0.1.0"
