"""A label printer: a real renderer of ZPL, in headless Chromium, and what a scanner reads off its labels."""

from __future__ import annotations

import base64
import lzma
from io import BytesIO
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

RENDERER = Path(__file__).parents[1] / "vendor" / "zpl-renderer.umd.js.xz"
DOTS = {203: 8, 300: 12}  # per mm, as the renderer knows them


def printed(browser: Browser, zpl: bytes, width: float, height: float, dpi: int = 203) -> list[Image.Image]:
    """The labels as pictures, one dot a pixel."""
    page = browser.new_page()
    try:
        page.add_script_tag(content=lzma.decompress(RENDERER.read_bytes()).decode())
        made = page.evaluate(
            "async ([zpl, w, h, dots]) => (await zpljs.ready).api.zplToBase64MultipleAsync(zpl, w, h, dots)",
            [zpl.decode(), width, height, DOTS[dpi]],
        )
    finally:
        page.close()
    return [Image.open(BytesIO(base64.b64decode(one))).convert("L") for one in made]


def scanned(label: Image.Image) -> set[tuple[str, bytes]]:
    """(symbology, bytes) of every code on a label; it is enlarged, as a scanner sees more than a dot a pixel."""
    large = label.resize((label.width * 3, label.height * 3), Image.Resampling.NEAREST)
    wide = Image.new("L", (large.width + 120, large.height + 120), 255)
    wide.paste(large, (60, 60))
    return {(str(read.symbology), bytes(read.bytes)) for read in zxingcpp.read_barcodes(wide)}
