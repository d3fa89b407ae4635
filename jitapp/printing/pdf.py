"""Drawings as pages of a PDF, at their true size; codes are filled rectangles, fonts are embedded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from jitapp.printing.drawing import Box, Code, Drawing, Item, Line, Picture, Text
from jitapp.printing.fonts import FILES, font, runs, width
from jitapp.printing.symbols import Kind

POINTS_PER_MM = 72 / 25.4
_fonts = threading.Lock()  # ReportLab numbers the letters of a document in the font itself


def pdf(pages: Sequence[Drawing], title: str) -> bytes:
    """One page for each drawing."""
    with _fonts:
        for name in FILES:
            font(name)
        made = BytesIO()
        canvas = Canvas(made, pageCompression=1)
        canvas.setTitle(title)
        canvas.setAuthor("jitapp")
        canvas.setCreator("jitapp")
        canvas.setViewerPreference(
            "PrintScaling", "None"
        )  # a viewer that fits to the page falsifies every measure
        pictures: dict[bytes, ImageReader] = {}
        for page in pages:
            canvas.setPageSize((page.width * POINTS_PER_MM, page.height * POINTS_PER_MM))
            canvas.translate(0, page.height * POINTS_PER_MM)
            canvas.scale(POINTS_PER_MM, POINTS_PER_MM)
            for item in page.items:
                _draw(canvas, item, pictures)
            canvas.showPage()
        canvas.save()
        return made.getvalue()


def _draw(canvas: Canvas, item: Item, pictures: dict[bytes, ImageReader]) -> None:
    if isinstance(item, Text):
        _text(canvas, item)
    elif isinstance(item, Code):
        _code(canvas, item)
    elif isinstance(item, Line):
        canvas.setStrokeGray(item.grey)
        canvas.setLineWidth(item.stroke)
        canvas.setLineCap(1)
        canvas.line(item.x1, -item.y1, item.x2, -item.y2)
    elif isinstance(item, Box):
        canvas.setStrokeGray(item.grey)
        canvas.setFillGray(item.grey)
        canvas.setLineWidth(item.stroke)
        canvas.rect(
            item.x, -item.y - item.h, item.w, item.h, stroke=int(item.stroke > 0), fill=int(not item.stroke)
        )
    else:
        _picture(canvas, item, pictures)


def _text(canvas: Canvas, item: Text) -> None:
    wide = width(item.face, item.size, item.text)
    x = item.x - {"left": 0.0, "center": wide / 2, "right": wide}[item.align]
    canvas.setFillGray(item.grey)
    line = canvas.beginText(x, -item.y)
    size = item.size / POINTS_PER_MM  # the page is in millimetres here
    for name, run in runs(item.face, item.text):
        line.setFont(name, size)
        line.textOut(run)
    canvas.drawText(line)


def _code(canvas: Canvas, item: Code) -> None:
    """Every run of dark modules in a row is a rectangle; all of them are filled at once, so that no seam shows."""
    canvas.setFillGray(0)
    path = canvas.beginPath()
    linear = item.symbol.kind is Kind.CODE128
    for number, row in enumerate(item.symbol.rows):
        high = item.height if linear else item.module
        bottom = -item.y - number * item.module - high
        for start, count in dark_runs(row):
            path.rect(item.x + start * item.module, bottom, count * item.module, high)
    canvas.drawPath(path, stroke=0, fill=1)


def dark_runs(row: bytes) -> list[tuple[int, int]]:
    """(first module, how many) of each stretch of dark modules."""
    found: list[tuple[int, int]] = []
    start = row.find(1)
    while start >= 0:
        end = row.find(0, start)
        end = len(row) if end < 0 else end
        found.append((start, end - start))
        start = row.find(1, end)
    return found


def _picture(canvas: Canvas, item: Picture, pictures: dict[bytes, ImageReader]) -> None:
    reader = pictures.get(item.data)
    if reader is None:
        reader = pictures[item.data] = ImageReader(BytesIO(item.data))
    canvas.drawImage(reader, item.x, -item.y - item.h, item.w, item.h)
