"""Installs the locked peers into the environment that runs it: all together, or, where one fails, each for itself.

    .venv-bench/bin/python bench/peers/install.py requirements/bench.txt

Some peers have no wheel for every machine. What can't be installed is named here, and again in the results.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--require-hashes", "-r")


def requirements(locked: str) -> list[str]:
    """Return each requirement of a locked file with its hashes."""
    found: list[str] = []
    for line in locked.splitlines():
        if line.startswith((" ", "\t")):
            found[-1] += "\n" + line
        elif line and not line.startswith("#"):
            found.append(line)
    return found


def installs(file: Path, *options: str) -> bool:
    """Install what a file asks for; return whether that went well."""
    return subprocess.run([*PIP, str(file), *options], check=False).returncode == 0


def one_by_one(locked: Path) -> list[str]:
    """Install each requirement for itself; return those that could not be."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "one.txt"
        for requirement in requirements(locked.read_text(encoding="utf-8")):
            file.write_text(requirement + "\n", encoding="utf-8")
            if not installs(file, "--no-deps"):
                failed.append(requirement.split("==")[0])
    return failed


def main() -> None:
    """Install, and say what is missing."""
    locked = Path(sys.argv[1])
    if installs(locked):
        return
    print("Not all peers can be installed together; trying each for itself ...", file=sys.stderr)
    for name in one_by_one(locked):
        print(f"{name} can't be installed here: it will be missing from the comparison", file=sys.stderr)


if __name__ == "__main__":
    main()
