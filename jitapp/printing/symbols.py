"""Codes as modules, dark and light, with the bytes that a reader must return.

QR codes are made by segno (`make_qr`: a plain `make` would choose Micro QR, which many scanners cannot read), the
others and everything with GS1's FNC1 by zxing-cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import segno
import zxingcpp
from PIL import Image

QUIET_QR = 4  # modules, ISO/IEC 18004
QUIET_DATA_MATRIX = 1  # module, ISO/IEC 16022; we leave two
QUIET_CODE128 = 10  # modules on both sides, ISO/IEC 15417
RS, GS, EOT = "\x1e", "\x1d", "\x04"


class NoSymbol(ValueError):
    """A text that the code cannot hold."""


class Kind(StrEnum):
    """What is drawn."""

    QR = "qr"
    CODE128 = "code128"
    DATA_MATRIX = "datamatrix"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One code. `rows` are its modules, 1 dark, without a quiet zone (a linear code has one row); `meant` is what a
    reader returns, byte for byte; `text` is what went in (for GS1 with its identifiers in brackets)."""

    kind: Kind
    text: str
    meant: bytes
    rows: tuple[bytes, ...]
    gs1: bool = False

    @property
    def columns(self) -> int:
        """Modules across."""
        return len(self.rows[0])

    @property
    def quiet(self) -> int:
        """Light modules that must surround it."""
        return {Kind.QR: QUIET_QR, Kind.CODE128: QUIET_CODE128, Kind.DATA_MATRIX: 2}[self.kind]


def qr(text: str) -> Symbol:
    """A QR code, error correction M. Raises NoSymbol for a text that is too long."""
    try:
        made = segno.make_qr(text, error="m", boost_error=False, encoding="utf-8")
    except ValueError as error:
        raise NoSymbol(f"{text[:40]!r} does not fit into a QR code: {error}.") from None
    return Symbol(Kind.QR, text, text.encode(), tuple(bytes(row) for row in made.matrix))


def code128(text: str) -> Symbol:
    """Code 128. Raises NoSymbol for what is not ASCII, or longer than a scanner reads at once."""
    if not text or not text.isascii() or len(text) > 60:
        raise NoSymbol(f"{text[:60]!r} cannot be a Code 128: it holds 1 to 60 ASCII characters.")
    made = _made(text, zxingcpp.BarcodeFormat.Code128)
    return Symbol(Kind.CODE128, text, text.encode(), made[:1])


def data_matrix(text: str) -> Symbol:
    """A square Data Matrix of the text's UTF-8 bytes. Raises NoSymbol for a text that is too long."""
    raw = text.encode()
    return Symbol(
        Kind.DATA_MATRIX, text, raw, _made(raw, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    )


def gs1_qr(elements: Mapping[str, str]) -> Symbol:
    """A GS1 QR code of application identifiers and their values."""
    made = _made(bracketed(elements), zxingcpp.BarcodeFormat.QRCode, gs1=True, ec_level="M")
    return Symbol(Kind.QR, bracketed(elements), _joined(elements), made, gs1=True)


def gs1_data_matrix(elements: Mapping[str, str]) -> Symbol:
    """A GS1 Data Matrix of application identifiers and their values."""
    made = _made(bracketed(elements), zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True)
    return Symbol(Kind.DATA_MATRIX, bracketed(elements), _joined(elements), made, gs1=True)


def bracketed(elements: Mapping[str, str]) -> str:
    """`(91)KB...`, as people write it."""
    return "".join(f"({identifier}){value}" for identifier, value in elements.items())


def iso15434(identifiers: Mapping[str, str]) -> str:
    """A message of format 06 with the data identifiers of MH10.8.2, as car makers print it."""
    fields = "".join(f"{GS}{identifier}{value}" for identifier, value in identifiers.items())
    return f"[)>{RS}06{fields}{RS}{EOT}"


def _joined(elements: Mapping[str, str]) -> bytes:
    """The element string; all our identifiers are of variable length, so a GS stands between them."""
    return GS.join(f"{identifier}{value}" for identifier, value in elements.items()).encode()


def _made(content: str | bytes, format: zxingcpp.BarcodeFormat, **how: object) -> tuple[bytes, ...]:
    try:
        image = zxingcpp.create_barcode(content, format, **how).to_image(scale=1, add_quiet_zones=False)
    except ValueError as error:
        raise NoSymbol(f"{content[:40]!r} cannot be drawn: {error}.") from None
    pixels = Image.fromarray(image)
    width, height = pixels.size
    flat = pixels.tobytes()
    return tuple(
        bytes(1 if value < 128 else 0 for value in flat[row * width : (row + 1) * width])
        for row in range(height)
    )
