"""Takes the pictures of the README from a running installation.

`python -m tests.pictures http://127.0.0.1:8000 AREA` after `make run`; writes docs/images/board.png.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def take(url: str, area: str) -> Path:
    """The living board of an area at 1280x800, in the light theme."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    IMAGES.mkdir(parents=True, exist_ok=True)
    file = IMAGES / "board.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en")
        context.add_cookies([{"name": "theme", "value": "day", "url": url}])
        page = context.new_page()
        page.goto(f"{url}/b/{area}")
        page.wait_for_selector("#truth[data-state=live]")
        page.evaluate("document.fonts.ready")
        page.screenshot(path=file)
        browser.close()
    return file


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/"), sys.argv[2])
