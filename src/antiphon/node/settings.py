"""A node's home: the folder with its secret key, made once by `antiphon init`."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from antiphon.errors import ConfigError
from antiphon.model.bank import REGISTER_FILE
from antiphon.model.pseudonym import KEY_BYTES

__all__ = [
    "HOME_VARIABLE", "REGISTER_VARIABLE", "Settings", "has_register", "home_folder", "initialise", "load_settings",
]  # fmt: skip

HOME_VARIABLE = "ANTIPHON_HOME"
REGISTER_VARIABLE = "ANTIPHON_REGISTER"
"""Environment variable with the URL of a PostgreSQL register; without it, a file in the node's home."""
_KEY_FILE = "node.key"


@dataclass(frozen=True)
class Settings:
    """Where this node lives, and its key. The key has no `repr`: it must not reach a log or a result.

    `register` is where its banks are: a folder, or the URL of a database.
    """

    home: Path
    key: bytes
    register: Path | str

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, key=<secret>)"


def home_folder() -> Path:
    """Return the node's folder: `$ANTIPHON_HOME`, or the usual place for a program's data."""
    given = os.environ.get(HOME_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_data_dir("antiphon"))


def initialise(home: Path | None = None) -> tuple[Settings, bool]:
    """Return the node's settings and whether they were made just now; a key that is there is never replaced.

    Raises:
        ConfigError: the folder can't be written, or the key in it is damaged.
    """
    folder = home or home_folder()
    path = folder / _KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_settings(folder), False
    except OSError as fault:
        raise ConfigError(
            f"the node's folder can't be written: {fault.strerror}", where=str(folder),
            do=f"Set {HOME_VARIABLE} to a folder you may write.",
        ) from fault  # fmt: skip
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    return load_settings(folder), True


def load_settings(home: Path | None = None) -> Settings:
    """Return the settings of a node that was initialised.

    Raises:
        ConfigError: there is no key, it is damaged, or others may read it.
    """
    folder = home or home_folder()
    path = folder / _KEY_FILE
    try:
        key = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as fault:
        raise ConfigError(f"no key: {fault.strerror}", where=str(path), do="Run `antiphon init`.") from fault
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"the key has {len(key)} bytes, expected {KEY_BYTES}", where=str(path),
            do="Restore it from your backup; a new key gives new pseudonyms.",
        )  # fmt: skip
    if mode & 0o077:
        raise ConfigError(f"others may read the key (mode {mode:o})", where=str(path), do=f"Run: chmod 600 {path}")
    return Settings(folder, key, os.environ.get(REGISTER_VARIABLE) or folder)


def has_register(register: Path | str) -> bool:
    """Return whether there is a register, without opening it, which costs a start."""
    return isinstance(register, str) or (register / REGISTER_FILE).exists()
