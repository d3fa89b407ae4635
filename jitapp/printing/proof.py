"""Every code on a page is read again before the file is handed out: the page is drawn as a printer would, and read.

pypdfium2 is used by one thread at a time: PDFium knows no threads.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from io import BytesIO

import pypdfium2
import zxingcpp
from PIL import Image

from jitapp.printing.drawing import Code, Drawing
from jitapp.printing.symbols import Kind
from jitapp.printing.zpl import is_picture, read_data

DPI, FINE_DPI = 200, 400
_MM = 25.4
_pdfium = threading.Lock()
_FORMATS = {
    Kind.QR: zxingcpp.BarcodeFormat.QRCode,
    Kind.CODE128: zxingcpp.BarcodeFormat.Code128,
    Kind.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
}
_KINDS = {format: kind for kind, format in _FORMATS.items()}
_ALL = zxingcpp.BarcodeFormats(list(_FORMATS.values()))


class Unreadable(RuntimeError):
    """A code does not read as it was meant: the file is not handed out. `text` is the code, `page` counts from 1."""

    def __init__(self, text: str, page: int) -> None:
        super().__init__(f"The code {text} on page {page} could not be read back.")
        self.text = text
        self.page = page


def check(made: bytes, pages: Sequence[Drawing]) -> int:
    """How many codes were read back from a PDF, each as it was meant. Raises Unreadable for the first that was not,
    and for one that nobody meant, unless it stands in a photograph."""
    count = 0
    with _pdfium:
        document = pypdfium2.PdfDocument(made)
        try:
            for number, drawing in enumerate(pages):
                if drawing.codes:
                    _check_page(document[number], drawing, number + 1)
                    count += len(drawing.codes)
        finally:
            document.close()
    return count


def _check_page(page: pypdfium2.PdfPage, drawing: Drawing, number: int) -> None:
    image = raster(page, DPI)
    meant = Counter((code.symbol.kind, code.symbol.meant) for code in drawing.codes)
    found: Counter[tuple[Kind, bytes]] = Counter()
    for read in zxingcpp.read_barcodes(image, formats=_ALL, try_rotate=False, try_invert=False):
        what = (_KINDS[read.format], bytes(read.bytes))
        found[what] += 1
        if what not in meant and not _in_picture(read, drawing):
            raise Unreadable(read.text[:60], number)
    missing = meant - found
    if not missing:
        return
    fine = raster(page, FINE_DPI)
    for code in drawing.codes:
        what = (code.symbol.kind, code.symbol.meant)
        if missing[what] > 0:
            if not _reads(fine, code):
                raise Unreadable(code.symbol.text[:60], number)
            missing[what] -= 1


def _reads(image: Image.Image, code: Code) -> bool:
    """Whether one code is read in its own part of the page."""
    around = code.symbol.quiet * code.module
    dots = FINE_DPI / _MM
    left, top = (code.x - around) * dots, (code.y - around) * dots
    part = image.crop((left, top, left + (code.w + 2 * around) * dots, top + (code.h + 2 * around) * dots))
    read = zxingcpp.read_barcodes(part, formats=zxingcpp.BarcodeFormats([_FORMATS[code.symbol.kind]]))
    return any(bytes(one.bytes) == code.symbol.meant for one in read)


def _in_picture(read: zxingcpp.Barcode, drawing: Drawing) -> bool:
    place = read.position
    corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
    x = sum(corner.x for corner in corners) / 4 / DPI * _MM
    y = sum(corner.y for corner in corners) / 4 / DPI * _MM
    return any(
        photo.x <= x <= photo.x + photo.w and photo.y <= y <= photo.y + photo.h for photo in drawing.pictures
    )


def raster(page: pypdfium2.PdfPage, dpi: float) -> Image.Image:
    """The page in shades of grey, as a printer of so many dots an inch would draw it."""
    bitmap = page.render(scale=dpi / 72, grayscale=True)
    image: Image.Image = bitmap.to_pil()
    return image


_FIELDS = re.compile(r"\^B([CQX])N([^^]*)\^FH_\^FD(.*?)\^FS")


def check_zpl(made: bytes, labels: Sequence[Drawing]) -> None:
    """The data of every code that the printer draws itself is read back from the commands. Raises Unreadable.

    What the printer makes of it nobody sees here; codes that are sent as pictures are those of the PDF.
    """
    for number, (text, drawing) in enumerate(zip(made.decode().split("^XZ"), labels, strict=False)):
        found = Counter(_said(kind, how, data) for kind, how, data in _FIELDS.findall(text))
        for code in drawing.codes:
            if not found[code.symbol.meant] and not is_picture(code.symbol):
                raise Unreadable(code.symbol.text[:60], number + 1)


def _said(kind: str, how: str, data: str) -> bytes:
    text = read_data(data)
    if kind == "Q":
        return text.removeprefix("MA,").encode()
    if kind == "X":
        mark = how.split(",")[-1]
        text = text.removeprefix(f"{mark}1").replace(f"{mark}1", "\x1d")
    return text.encode()


def preview(made: bytes, dpi: float) -> bytes:
    """The first page as a PNG."""
    with _pdfium:
        document = pypdfium2.PdfDocument(made)
        try:
            image = document[0].render(scale=dpi / 72).to_pil()
        finally:
            document.close()
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
