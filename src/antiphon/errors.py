"""Every exception that Antiphon raises on purpose.

::

    AntiphonError            70  something of ours went wrong
    ├── InputError           65  the caller's form, schema or file is wrong
    ├── MissingError         66  no such material, bank, input or plug-in
    ├── RemoteError          69  another node, exchange or platform failed
    ├── StorageError         74  a disk or a lake could not be read or written
    ├── TamperError          76  a proof or a signature fails
    ├── SafeguardError       77  the act is forbidden, whoever asks
    └── ConfigError          78  a setting or a plug-in is wrong

The kinds are split by who must act. The number is the exit code of the command line (sysexits.h).
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AntiphonError",
    "ConfigError",
    "InputError",
    "MissingError",
    "RemoteError",
    "SafeguardError",
    "StorageError",
    "TamperError",
]


class AntiphonError(Exception):
    """Base of all errors raised on purpose: what went wrong, where, and what to do.

    No text of a material belongs in a message: logs must not spread what they report on.
    """

    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str = "", do: str) -> None:
        """Keep the three parts apart: the command line, a page and a log each lay them out."""
        self.what, self.where, self.do = what, where, do
        super().__init__(f"{where}: {what}. {do}" if where else f"{what}. {do}")


class InputError(AntiphonError):
    """The caller gave a wrong form, schema or file."""

    exit_code = 65
    http_status = 422


class MissingError(AntiphonError):
    """There is no such material, bank, input or plug-in."""

    exit_code = 66
    http_status = 404


class RemoteError(AntiphonError):
    """Another node, exchange or platform failed; `do` says whether a retry makes sense."""

    exit_code = 69
    http_status = 502


class StorageError(AntiphonError):
    """A disk or a lake could not be read or written; what was committed before stays whole."""

    exit_code = 74
    http_status = 507


class TamperError(AntiphonError):
    """A proof or a signature fails. Never caught in order to go on."""

    exit_code = 76
    http_status = 500


class SafeguardError(AntiphonError):
    """The act is forbidden, whoever asks; the refusal names its rule."""

    exit_code = 77
    http_status = 403


class ConfigError(AntiphonError):
    """A setting or a plug-in is wrong."""

    exit_code = 78
    http_status = 500
