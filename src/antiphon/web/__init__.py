"""The web door: the look-up over HTTP, in the shape of the Hasher-Matcher-Actioner (HMA)."""

from antiphon.web.app import Limits, make_app
from antiphon.web.server import serve_look_up

__all__ = ["Limits", "make_app", "serve_look_up"]
