"""The node's key: made once, kept secret, never replaced."""

from __future__ import annotations

import pytest

from antiphon.errors import ConfigError
from antiphon.node.settings import initialise, load_settings


def test_a_key_is_made_once(tmp_path):
    """A second init finds the first key; another would change every pseudonym."""
    first, made = initialise(tmp_path)
    second, again = initialise(tmp_path)
    assert (made, again, first.key == second.key) == (True, False, True)


def test_only_its_owner_may_read_the_key(tmp_path):
    """And one that others may read is refused, with the command that mends it."""
    initialise(tmp_path)
    path = tmp_path / "node.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_settings(tmp_path)


def test_a_missing_or_damaged_key_says_what_to_do(tmp_path):
    """Before anything is read."""
    with pytest.raises(ConfigError, match="antiphon init"):
        load_settings(tmp_path)
    (tmp_path / "node.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes"):
        load_settings(tmp_path)


def test_the_key_is_in_no_representation(tmp_path):
    """A log of the settings must not hold it."""
    settings, _ = initialise(tmp_path)
    assert repr(settings.key)[2:10] not in repr(settings)
