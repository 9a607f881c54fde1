"""Composition: settings, keys, the order of the stages, the stores. The doors call this room, and only this one."""

from antiphon.node.analyse import Analysis, Options, analyse
from antiphon.node.settings import Settings, initialise, load_settings

__all__ = ["Analysis", "Options", "Settings", "analyse", "initialise", "load_settings"]
