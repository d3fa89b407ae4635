"""Drawings as ZPL II for label printers: the printer draws letters and codes itself, at its own resolution.

Every field goes through ^FH, so that `^`, `~` and control characters in a part number are data and never a command.
Letters that a printer's own font may lack, photographs and GS1 QR codes (which ^BQ cannot say) are sent as pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from jitapp.printing.drawing import Box, Code, Drawing, Item, Line, Picture, Text
from jitapp.printing.fonts import FILES, FOLDER, MM_PER_POINT, runs, width
from jitapp.printing.symbols import Kind, Symbol

DOTS_PER_MM = {203: 8.0, 300: 11.811}
_PLAIN = re.compile(r"[\x20-\x7e]")
_ESCAPED = frozenset("^~_\\")
_MARKS = "|!@&%=;"  # one of them, which the data lacks, begins the sequences of ^BX
_OF_PRINTERS = re.compile(r"[\x20-\x5b\x5d-\x7e\xa0-\u017f–—‘’“”…€]*")  # in every Zebra's font; ^FB reads \\
QR_SHIFT = 10  # dots: printers move ^BQ down by the height of the last ^BY, so every ^BY here names this one
MOST_QR = 10  # dots a module of ^BQ
_LEAST_TEXT = 10  # dots: the smallest size of font 0


def zpl(drawings: Sequence[Drawing], dpi: int) -> bytes:
    """One label for each drawing, UTF-8."""
    return "\n".join(_label(drawing, DOTS_PER_MM[dpi]) for drawing in drawings).encode() + b"\n"


def _label(drawing: Drawing, dots: float) -> str:
    lines = [
        "^XA",
        "^CI28",
        "^LH0,0",
        f"^BY2,3,{QR_SHIFT}",
        f"^PW{round(drawing.width * dots)}",
        f"^LL{round(drawing.height * dots)}",
    ]
    lines += [field for item in drawing.items for field in _fields(item, dots)]
    return "\n".join([*lines, "^XZ"])


def _fields(item: Item, dots: float) -> list[str]:
    if isinstance(item, Text):
        return [_text(item, dots)] if item.text else []
    if isinstance(item, Code):
        return [_code(item, dots)]
    if isinstance(item, Line):
        return [_line(item, dots)]
    if isinstance(item, Box):
        thick = round(item.stroke * dots) if item.stroke else round(min(item.w, item.h) * dots)
        return [
            f"{_at(item.x, item.y, dots)}^GB{round(item.w * dots)},{round(item.h * dots)},{max(thick, 1)}^FS"
        ]
    return [_photograph(item, dots)]


def _at(x: float, y: float, dots: float) -> str:
    return f"^FO{max(0, round(x * dots))},{max(0, round(y * dots))}"


def data(text: str) -> str:
    """The text as the data of a field: what could be a command, and what is no ASCII sign, as `_` and hexadecimal."""
    found = []
    for letter in text:
        if _PLAIN.match(letter) and letter not in _ESCAPED:
            found.append(letter)
        else:
            found.extend(f"_{byte:02X}" for byte in letter.encode())
    return "^FH_^FD" + "".join(found) + "^FS"


def read_data(escaped: str) -> str:
    """What a printer makes of the data between ^FD and ^FS: the opposite of `data`."""
    parts = re.split(r"_([0-9A-F]{2})", escaped)
    raw = b"".join(bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(parts))
    return raw.decode()


# -- letters -----------------------------------------------------------------------------------------
def _text(item: Text, dots: float) -> str:
    """Font 0 is narrower than ours, so a line that fits there fits here; white letters are printed in reverse."""
    high = round(item.size * MM_PER_POINT * dots)
    if high < _LEAST_TEXT or not _OF_PRINTERS.fullmatch(item.text):
        return _drawn_text(item, dots)
    wide = round(width(item.face, item.size, item.text) * dots) + 1
    x = round(item.x * dots) - {"left": 0, "center": wide // 2, "right": wide}[item.align]
    top = round(item.y * dots - high * 0.75)
    how = {"left": "L", "center": "C", "right": "R"}[item.align]
    narrow = round(high * (0.92 if item.face == "mono" else 0.98 if item.face == "bold" else 0.9))
    reverse = "^FR" if item.grey > 0.6 else ""
    return f"^FO{max(0, x)},{max(0, top)}{reverse}^A0N,{high},{narrow}^FB{wide},1,0,{how}{data(item.text)}"


@cache
def _pillow_font(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FOLDER / FILES[name]), pixels)


def _drawn_text(item: Text, dots: float) -> str:
    """A line as a picture, in our own fonts."""
    pixels = max(round(item.size * MM_PER_POINT * dots), 6)
    parts = [(_pillow_font(name, pixels), run) for name, run in runs(item.face, item.text)]
    wide = round(sum(font.getlength(run) for font, run in parts)) + 2
    base, high = round(pixels * 1.0), round(pixels * 1.35)
    image = Image.new("L", (wide, high), 255)
    pen, x = ImageDraw.Draw(image), 1.0
    for font, run in parts:
        pen.text((x, base), run, fill=0, font=font, anchor="ls")
        x += font.getlength(run)
    left = round(item.x * dots) - {"left": 0, "center": wide // 2, "right": wide}[item.align]
    reverse = "^FR" if item.grey > 0.6 else ""
    return f"^FO{max(0, left)},{max(0, round(item.y * dots) - base)}{reverse}{_bitmap(image.point(_black_or_white))}"


def _black_or_white(value: int) -> int:
    return 255 if value > 140 else 0


# -- codes -------------------------------------------------------------------------------------------
def _code(item: Code, dots: float) -> str:
    """The code as the printer's own, its modules as wide as whole dots allow."""
    module, symbol = max(1, int(item.module * dots + 0.01)), item.symbol
    at = _at(item.x, item.y, dots)
    if symbol.kind is Kind.CODE128:
        middle = round((item.x + item.w / 2) * dots) - symbol.columns * module // 2
        high = round(item.height * dots)
        at = f"^FO{max(0, middle)},{max(0, round(item.y * dots))}"
        return f"{at}^BY{module},3,{QR_SHIFT}^BCN,{high},N,N,N,A{data(symbol.text)}"
    if is_picture(symbol):
        return f"{at}{_modules(symbol, module)}"
    if symbol.kind is Kind.DATA_MATRIX:
        return f"{at}{_data_matrix(symbol, module)}"
    module = min(module, MOST_QR)
    # M is the error correction, A the choice of the mode.
    higher = f"^FO{max(0, round(item.x * dots))},{max(0, round(item.y * dots) - QR_SHIFT)}"
    return f"{higher}^BQN,2,{module}{data('MA,' + symbol.text)}"


def is_picture(symbol: Symbol) -> bool:
    """Whether a code is sent as a picture, because the printer's own command could not say it."""
    return (symbol.kind is Kind.QR and symbol.gs1) or (symbol.kind is Kind.DATA_MATRIX and not _mark(symbol))


def _mark(symbol: Symbol) -> str:
    return next((sign for sign in _MARKS if sign not in symbol.text), "")


def _data_matrix(symbol: Symbol, module: int) -> str:
    mark, text = _mark(symbol), symbol.text
    if symbol.gs1:
        # FNC1 first, then the element string without its brackets; a GS between elements is FNC1 as well.
        text = f"{mark}1" + symbol.meant.decode().replace("\x1d", f"{mark}1")
    size = len(symbol.rows)
    return f"^BXN,{module},200,{size},{size},,{mark}{data(text)}"


def _modules(symbol: Symbol, module: int) -> str:
    image = Image.new("L", (symbol.columns, len(symbol.rows)), 255)
    image.putdata([0 if dark else 255 for row in symbol.rows for dark in row])
    scaled = image.resize((image.width * module, image.height * module), Image.Resampling.NEAREST)
    return _bitmap(scaled)


# -- lines and pictures ------------------------------------------------------------------------------
def _line(item: Line, dots: float) -> str:
    x, y = min(item.x1, item.x2), min(item.y1, item.y2)
    w, h = round(abs(item.x2 - item.x1) * dots), round(abs(item.y2 - item.y1) * dots)
    thick = max(1, round(item.stroke * dots))
    if not w or not h:
        shift = item.stroke / 2
        at = _at(x - (shift if not w else 0), y - (shift if not h else 0), dots)
        return f"{at}^GB{max(w, thick)},{max(h, thick)},{thick}^FS"
    rises = (item.x2 - item.x1) * (item.y2 - item.y1) < 0
    return f"{_at(x, y, dots)}^GD{w},{h},{thick},B,{'R' if rises else 'L'}^FS"


def _photograph(item: Picture, dots: float) -> str:
    """In black dots only."""
    with Image.open(BytesIO(item.data)) as photo:
        small = photo.convert("L").resize((max(1, round(item.w * dots)), max(1, round(item.h * dots))))
    return f"{_at(item.x, item.y, dots)}{_bitmap(small)}"


def _bitmap(image: Image.Image) -> str:
    """^GFA: a row of bits after the other, 1 is black."""
    black = image.convert("1")
    row = (black.width + 7) // 8
    padded = Image.new("1", (row * 8, black.height), 1)
    padded.paste(black, (0, 0))
    bits = bytes(byte ^ 0xFF for byte in padded.tobytes())
    return f"^GFA,{len(bits)},{len(bits)},{row},{bits.hex().upper()}^FS"
