"""A promise of the docs is a test: what they name exists, what is generated is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from antiphon.cli.main import cli

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_up_to_date():
    """`make docs` writes them."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_docs.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_and_stands_in_the_readme(name):
    """A command that nobody can find is not there."""
    command = cli.commands[name]
    assert command.help
    assert f"antiphon {name}" in (ROOT / "README.md").read_text()
    assert all(p.help for p in command.params if isinstance(p, click.Option) and p.name not in {"workers", "title"})


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT) for p in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]))
def test_every_link_leads_somewhere(page):
    """Links between pages and to pictures."""
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (ROOT / page.parent / target).exists(), target


@pytest.mark.parametrize("room", ["sources", "fingerprints", "matching", "analysis", "narratives", "spread", "engines"])
def test_every_room_says_what_it_is_for(room):
    """The layout is the architecture."""
    assert (ROOT / "src" / "antiphon" / room / "__init__.py").read_text().startswith('"""')


def test_the_lock_has_a_hash_for_every_package():
    """A package without one would be installed unseen."""
    for name in ("runtime", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        packages = re.findall(r"^[a-z0-9][^\n]*(?:\n    [^\n]*)*", text, re.MULTILINE)
        assert packages
        assert all("--hash=sha256:" in package for package in packages)


def test_no_face_or_voice_recognition_is_in_the_lock():
    """R-78."""
    text = (ROOT / "requirements" / "dev.txt").read_text()
    assert not re.search(r"^(face|dlib|insightface|deepface|retinaface|speechbrain|resemblyzer)", text, re.MULTILINE)
