"""Take the pictures of the docs: the demo's dossier at desktop and phone width.

python scripts/take_screenshots.py demo-out/results/dossier.html docs/img
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VIEWS = {
    "dossier-summary": (1280, 900, "Summary"),
    "dossier": (1280, 900, "Materials that a reviewer should see first"),
    "dossier-network": (1280, 900, "Network of sources"),
    "dossier-phone": (390, 844, "Materials that a reviewer should see first"),
}


def main(page_path: Path, out: Path) -> None:
    """Open the page from disk at each width and take the screen below a heading."""
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (width, height, heading) in VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(page_path.resolve().as_uri())
            page.wait_for_timeout(1_500)
            if heading != "Summary":
                for _ in range(3):  # what comes into sight is laid out only then, and moves the rest
                    page.get_by_role("heading", name=heading).evaluate("heading => heading.scrollIntoView()")
                    page.wait_for_timeout(400)
            page.screenshot(path=out / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
